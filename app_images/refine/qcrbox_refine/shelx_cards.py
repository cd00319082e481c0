"""Symmetry of cctbx as SHELX writes it."""

from __future__ import annotations

from cctbx import sgtbx
from qcrbox.crystallography.shelx.symmetry_cards import symmetry_cards as cards_of_group
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.symmetry import SymmetryOperation


def symmetry_cards(group: sgtbx.space_group) -> list[str]:
    """LATT and SYMM; a lattice without a number in SHELX (reverse rhombohedral, a centring of one's own) goes into SYMM."""
    return cards_of_group(
        SpaceGroup.from_operations([SymmetryOperation.parse(operation.as_xyz()) for operation in group])
    )
