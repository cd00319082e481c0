"""Starts agents on one machine. It builds every start from its own approved copy of an application."""
