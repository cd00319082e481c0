"""Crystallography of a CIF: cell, symmetry, structure, displacement, bonds, reflections, SHELX files."""
