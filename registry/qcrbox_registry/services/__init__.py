"""The work behind the REST interface: one transaction each, no HTTP.

Imports: access, sessions, scheduler, messaging, store. Imported by: api.
"""
