"""Symmetry as SHELX writes it."""

from __future__ import annotations

from cctbx import sgtbx

_LATTICES = {"P": 1, "I": 2, "R": 3, "F": 4, "A": 5, "B": 6, "C": 7, "H": 3}


def symmetry_cards(group: sgtbx.space_group) -> list[str]:
    """LATT and SYMM; operations that LATT implies (identity, inversion, centring) are left out."""
    operations = list(group.smx())
    if group.is_centric() and not group.is_origin_centric():
        # LATT > 0 means an inversion centre at the origin; elsewhere its operations are written out.
        operations = [group(0, i, j) for i in range(2) for j in range(group.n_smx())]
    lattice = _LATTICES[group.conventional_centring_type_symbol()] * (1 if group.is_origin_centric() else -1)
    cards = [f"SYMM {operation.as_xyz().upper()}" for operation in operations if not operation.is_unit_mx()]
    return [f"LATT {lattice}", *cards]
