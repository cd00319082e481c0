"""What the text of a CIF means: cell, symmetry, structure, displacement, bonds, reflections, SHELX files. Imports contract and cif."""
