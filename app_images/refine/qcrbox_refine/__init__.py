"""Independent-atom least squares on F² with the smtbx engine of cctbx.

Importing this package loads cctbx once (about 0.8 s); an agent does it in the parent it forks from.
"""
