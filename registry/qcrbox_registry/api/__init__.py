"""The REST interface: one file per resource. A handler parses, calls one service, answers.

Imports: services, sessions and access; from the store plain values only, never SQLAlchemy. Imported by: app.
"""
