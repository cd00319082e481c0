"""Open windows of programs: the RFB filter, tunnels between agent and browser, the idle limit.

Imports: store. Imported by: services, api.
"""
