"""Densities and surfaces: difference maps, peaks, sections, free atoms, Hirshfeld surfaces, cube files."""
