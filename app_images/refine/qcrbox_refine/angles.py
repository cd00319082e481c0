"""Angles between bonds with their variances, each once.

`calculate_angles` of cctbx leaves out angles between an ordered and a disordered atom, and those between two images of an atom
that the site symmetry of the middle atom does not relate; so the pairs of bonds are formed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cctbx import crystal, sgtbx

from qcrbox_refine.site_errors import IDENTITY, SiteErrors


@dataclass(frozen=True)
class Angle:
    """j-i-k: places of the three atoms, the operations that bring j and k to the bonds of i; degrees, and degrees²."""

    atoms: tuple[int, int, int]
    to_first: sgtbx.rt_mx
    to_last: sgtbx.rt_mx
    degrees: float
    variance: float


def bond_angles(table: crystal.pair_asu_table, parts: list[int], errors: SiteErrors) -> Iterator[Angle]:
    """All angles at every atom. parts: disorder group of each atom; bonds of two different groups make no angle."""
    mappings = table.asu_mappings()
    for i, neighbours in enumerate(table.table()):
        own = mappings.get_rt_mx(i, 0).inverse()
        bonds = [
            (j, own.multiply(mappings.get_rt_mx(j, image)))
            for j, groups in neighbours.items()
            for group in groups
            for image in group
        ]
        for place, (j, to_j) in enumerate(bonds):
            for k, to_k in bonds[:place]:
                if parts[j] and parts[k] and parts[j] != parts[k]:
                    continue
                degrees, variance = errors.angle((j, i, k), (to_j, IDENTITY, to_k))
                yield Angle((j, i, k), to_j, to_k, degrees, variance)
