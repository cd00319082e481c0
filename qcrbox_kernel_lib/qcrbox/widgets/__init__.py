"""Widgets: one folder each, the Python class beside its JavaScript. Every one has a picture or text without a browser."""
