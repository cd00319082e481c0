"""Angles between bonds with their variances, each once.

`calculate_angles` of cctbx leaves out angles between an ordered and a disordered atom, and those between two images of an atom
that the site symmetry of the middle atom does not relate; so the pairs of bonds are formed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cctbx import covariance as covariances
from cctbx import crystal, geometry, sgtbx, uctbx
from scitbx.array_family import flex

# Below this variance (rad²) an angle counts as held by constraints, and the s.u. of the cell do not enter: as cctbx has it.
_CONSTRAINED = 2e-15


@dataclass(frozen=True)
class Angle:
    """j-i-k: places of the three atoms, the operations that bring j and k to the bonds of i; degrees, and degrees²."""

    atoms: tuple[int, int, int]
    to_first: sgtbx.rt_mx
    to_last: sgtbx.rt_mx
    degrees: float
    variance: float


@dataclass(frozen=True)
class Errors:
    """covariance: packed, of all parameters in the order of parameter_map; cell: packed 6 × 6, None for an exact cell."""

    covariance: flex.double
    cell: flex.double | None
    parameter_map: Any


def bond_angles(
    table: crystal.pair_asu_table, sites: flex.vec3_double, parts: list[int], errors: Errors
) -> Iterator[Angle]:
    """All angles at every atom. parts: disorder group of each atom; bonds of two different groups make no angle."""
    mappings = table.asu_mappings()
    cell = mappings.unit_cell()
    cartesian = covariances.orthogonalize_covariance_matrix(errors.covariance, cell, errors.parameter_map)
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
                yield _angle((j, i, k), (to_j, to_k), sites, cell, cartesian, errors)


def _angle(
    atoms: tuple[int, int, int],
    operations: tuple[sgtbx.rt_mx, sgtbx.rt_mx],
    sites: flex.vec3_double,
    cell: uctbx.unit_cell,
    cartesian: flex.double,
    errors: Errors,
) -> Angle:
    j, i, k = atoms
    to_j, to_k = operations
    found = geometry.angle(
        (
            cell.orthogonalize(to_j * sites[j]),
            cell.orthogonalize(sites[i]),
            cell.orthogonalize(to_k * sites[k]),
        )
    )
    own = covariances.extract_covariance_matrix_for_sites(flex.size_t(atoms), cartesian, errors.parameter_map)
    moves = (to_j, sgtbx.rt_mx(), to_k)
    variance = found.variance(own, cell, moves)
    image_of_itself = (i == j and not to_j.is_unit_mx()) or (i == k and not to_k.is_unit_mx())
    if errors.cell is not None and (variance > _CONSTRAINED or image_of_itself):
        variance = found.variance(own, errors.cell, cell, moves)
    return Angle(atoms, to_j, to_k, found.angle_model, variance)
