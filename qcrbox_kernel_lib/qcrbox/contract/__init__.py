"""Shared contract of all rooms: states, errors, REST models, agent messages."""
