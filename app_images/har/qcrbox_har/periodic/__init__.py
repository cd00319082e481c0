"""Densities of whole crystals from GPAW, which runs under a separate Python."""
