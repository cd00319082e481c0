"""Densities of whole crystals from GPAW, which runs under a Python of its own."""
