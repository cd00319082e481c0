"""SHELX files: .hkl and .ins export, reading of .ins and .res, AFIX tables, symmetry cards."""

from qcrbox.cif.shelx.afix import AfixRow, afix_loop, afix_rows, afix_table, apply_afix
from qcrbox.cif.shelx.export import export_hkl, export_ins
from qcrbox.cif.shelx.instructions import ShelxAtom, ShelxText, read_instructions
from qcrbox.cif.shelx.structure import structure_of_instructions
from qcrbox.cif.shelx.symmetry_cards import space_group_of_cards, symmetry_cards

__all__ = [
    "AfixRow",
    "ShelxAtom",
    "ShelxText",
    "afix_loop",
    "afix_rows",
    "afix_table",
    "apply_afix",
    "export_hkl",
    "export_ins",
    "read_instructions",
    "space_group_of_cards",
    "structure_of_instructions",
    "symmetry_cards",
]
