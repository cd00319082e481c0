"""Who is calling, what they may do, how much they may use, and the record of what they did.

`rights` is pure policy and imports no store. Imports: store. Imported by: services, api.
"""
