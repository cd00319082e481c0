"""The origin of a group with two origin choices, where the file states neither: the contents of the cell tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.space_group import SpaceGroup, with_changes
from qcrbox.crystallography.structure.columns import as_loop, numbers_of
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.sites import Sites, site_symmetry

TOLERANCE = 0.02  # of the number of atoms of an element


def origin_by_contents(group: SpaceGroup, cell: UnitCell, sites: Sites, block: Block) -> SpaceGroup:
    """The group at the origin at which the sites have their stated multiplicities, or the atoms add up to formula
    times Z; the same group where its origin is stated, or where that is not clear.
    """
    if not group.hm.endswith(":1") or not any(ASSUMED in note for note in group.notes):
        return group
    try:
        other = SpaceGroup.from_hm(f"{group.hm[:-2]} :2")
    except CifError:
        return group
    for fits, why in (
        (_multiplicities_fit(block, sites), "the sites have the multiplicities that the file states"),
        (_contents_fit(block, sites), "the atoms add up to the formula"),
    ):
        here, there = (
            fits(site_symmetry(sites, cell, candidate).multiplicity, candidate.order)
            for candidate in (group, other)
        )
        if there and not here:
            note = f"{group.hm[:-2]} does not state its origin; at origin choice 2 {why}."
            kept = tuple(text for text in group.notes if ASSUMED not in text)
            return with_changes(
                other, source=group.source, notes=(*kept, note), contradictions=group.contradictions
            )
        if here and not there:
            break
    return group


ASSUMED = "origin choice 1 is assumed"
Fits = Callable[[NDArray[np.int64], int], bool]
"""Whether multiplicities (n,) in a group of some order are right."""


def multiplicity_mismatch(
    block: Block, sites: Sites, multiplicity: NDArray[np.int64], order: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which sites (n,) have another multiplicity than the file states, and what it states as a multiplicity (n,).

    Programs write the order of the site symmetry under the name of the multiplicity (1 for a general position): the
    column is taken in the sense that fits better.
    """
    unknown = np.full(len(sites), np.nan)
    loop = as_loop(block, "_atom_site_label")
    if loop is None or len(loop) != len(sites):
        return np.zeros(len(sites), dtype=bool), unknown
    given, _ = numbers_of(loop, "_atom_site_site_symmetry_multiplicity", len(sites))
    orders, _ = numbers_of(loop, "_atom_site_site_symmetry_order", len(sites))
    with np.errstate(divide="ignore", invalid="ignore"):
        senses = [
            np.where(np.isnan(given), order / orders, given),
            order / np.where(np.isnan(given), orders, given),
        ]
    wrong = [np.isfinite(stated) & sites.is_atom & (stated != multiplicity) for stated in senses]
    better = min((0, 1), key=lambda n: int(wrong[n].sum()))
    return wrong[better], senses[better]


def _multiplicities_fit(block: Block, sites: Sites) -> Fits:
    def fits(multiplicity: NDArray[np.int64], order: int) -> bool:
        wrong, stated = multiplicity_mismatch(block, sites, multiplicity, order)
        return bool(np.isfinite(stated).any() and not wrong.any())

    return fits


def _contents_fit(block: Block, sites: Sites) -> Fits:
    stated = parse_formula(block.text("_chemical_formula_sum") or "")
    formula = {name: count for name, count in stated.items() if name not in ("H", "D")}
    z = block.number("_cell_formula_units_Z")

    def fits(multiplicity: NDArray[np.int64], order: int) -> bool:
        del order
        found: dict[str, float] = {}
        for row in np.flatnonzero(sites.is_atom):
            share = float(sites.occupancy[row] * multiplicity[row])
            found[sites.element[row]] = found.get(sites.element[row], 0.0) + share
        return (
            bool(formula)
            and z is not None
            and all(
                abs(found.get(name, 0.0) - count * z.value) <= TOLERANCE * count * z.value
                for name, count in formula.items()
            )
        )

    return fits
