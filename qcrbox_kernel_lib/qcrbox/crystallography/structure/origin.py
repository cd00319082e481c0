"""The origin of a group with two origin choices, where the file states neither: the contents of the cell tell."""

from __future__ import annotations

import numpy as np

from qcrbox.contract.errors import CifError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.space_group import SpaceGroup, with_changes
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.sites import Sites, site_symmetry

TOLERANCE = 0.02  # of the number of atoms of an element


def origin_by_contents(
    group: SpaceGroup, cell: UnitCell, sites: Sites, formula_sum: str, z: float
) -> SpaceGroup:
    """The group at the origin at which the atoms add up to formula times Z; the same group where that is not clear."""
    formula = {name: count for name, count in parse_formula(formula_sum).items() if name not in ("H", "D")}
    if not group.hm.endswith(":1") or not any("origin choice 1 is assumed" in note for note in group.notes):
        return group
    try:
        other = SpaceGroup.from_hm(f"{group.hm[:-2]} :2")
    except CifError:
        return group
    if not formula or _fits(group, cell, sites, formula, z) or not _fits(other, cell, sites, formula, z):
        return group
    note = f"{group.hm[:-2]} does not state its origin; at origin choice 2 the atoms add up to the formula."
    kept = tuple(text for text in group.notes if "origin choice 1 is assumed" not in text)
    return with_changes(other, source=group.source, notes=(*kept, note), contradictions=group.contradictions)


def _fits(group: SpaceGroup, cell: UnitCell, sites: Sites, formula: dict[str, float], z: float) -> bool:
    multiplicity = site_symmetry(sites, cell, group).multiplicity
    found: dict[str, float] = {}
    for row in np.flatnonzero(sites.is_atom):
        share = float(sites.occupancy[row] * multiplicity[row])
        found[sites.element[row]] = found.get(sites.element[row], 0.0) + share
    return all(
        abs(found.get(name, 0.0) - count * z) <= TOLERANCE * count * z for name, count in formula.items()
    )
