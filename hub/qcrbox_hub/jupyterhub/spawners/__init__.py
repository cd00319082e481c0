"""People's Jupyter servers: as plain processes, in sandboxes, or in containers."""
