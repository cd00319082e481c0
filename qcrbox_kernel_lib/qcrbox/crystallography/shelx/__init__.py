"""SHELX files: .hkl and .ins export, reading of .ins and .res, AFIX tables, symmetry cards."""

from qcrbox.crystallography.shelx.afix import AfixRow, afix_loop, afix_rows, afix_table, apply_afix
from qcrbox.crystallography.shelx.export import export_hkl, export_ins
from qcrbox.crystallography.shelx.instructions import (
    INSTRUCTIONS,
    Instruction,
    ShelxAtom,
    ShelxText,
    Surroundings,
    decoded,
    read_instructions,
    shelx_number,
)
from qcrbox.crystallography.shelx.structure import structure_of_instructions
from qcrbox.crystallography.shelx.symmetry_cards import space_group_of_cards, symmetry_cards

__all__ = [
    "INSTRUCTIONS",
    "AfixRow",
    "Instruction",
    "ShelxAtom",
    "ShelxText",
    "Surroundings",
    "afix_loop",
    "afix_rows",
    "afix_table",
    "apply_afix",
    "decoded",
    "export_hkl",
    "export_ins",
    "read_instructions",
    "shelx_number",
    "space_group_of_cards",
    "structure_of_instructions",
    "symmetry_cards",
]
