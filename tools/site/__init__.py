"""The documentation site: pages of `docs/`, tutorials with their outputs, and a reference made from the code."""
