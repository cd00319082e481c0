"""The REST edge: one file per resource. A handler parses, asks for the right, calls the core, answers."""
