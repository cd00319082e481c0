"""Distances and angles of atoms and their images with variances from the covariance of sites and cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cctbx import covariance as covariances
from cctbx import geometry, sgtbx, uctbx
from scitbx.array_family import flex

# Below this variance (Å², degrees²) a value does not change with the sites.
_CONSTANT = 2e-15
# What rounding leaves of the variance of a value that symmetry fixes.
_NOISE = 1e-13
IDENTITY = sgtbx.rt_mx()


@dataclass
class SiteErrors:
    """covariance: packed, of all parameters in the order of parameter_map; cell_covariance: packed 6 × 6, None for an
    exact cell; held: atoms of riding and rigid groups.

    A value that the sites do not change is one of a group, which has no s.u., or one of special positions, which has that
    of the cell.
    """

    cell: uctbx.unit_cell
    sites: flex.vec3_double
    covariance: flex.double
    cell_covariance: flex.double | None
    parameter_map: Any
    held: frozenset[int] = frozenset()
    _packed: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._packed = covariances.orthogonalize_covariance_matrix(
            self.covariance, self.cell, self.parameter_map
        ).as_numpy_array()

    def distance(self, i: int, j: int, to_j: sgtbx.rt_mx) -> tuple[float, float]:
        """From atom i to the image of atom j by `to_j`: Å and Å²."""
        found = geometry.distance((self._place(i, IDENTITY), self._place(j, to_j)))
        own = self._covariance_of(i, j)
        variance = found.variance(own, self.cell, to_j)
        if self._moves_with_cell(variance, (i, j), (IDENTITY, to_j)):
            variance = _without_noise(found.variance(own, self.cell_covariance, self.cell, to_j))
        return found.distance_model, variance

    def angle(self, atoms: tuple[int, int, int], moves: tuple[sgtbx.rt_mx, ...]) -> tuple[float, float]:
        """At the second of three atoms, each moved by its operation: degrees and degrees²."""
        found = geometry.angle(tuple(self._place(*each) for each in zip(atoms, moves, strict=True)))
        own = self._covariance_of(*atoms)
        variance = found.variance(own, self.cell, moves)
        if self._moves_with_cell(variance, atoms, moves):
            # cctbx gives the part of the sites in degrees² and adds that of the cell in radians².
            of_cell = found.variance(own, self.cell_covariance, self.cell, moves) - variance
            variance = _without_noise(variance + of_cell * math.degrees(1) ** 2)
        return found.angle_model, variance

    def _place(self, atom: int, move: sgtbx.rt_mx) -> tuple[float, float, float]:
        return self.cell.orthogonalize(move * self.sites[atom])

    def _covariance_of(self, *atoms: int) -> flex.double:
        """Packed covariance of the Cartesian sites of these atoms.

        cctbx's own extraction takes half of the block between two images of one atom from other places of the matrix.
        """
        rows = np.concatenate([self.parameter_map[atom].site + np.arange(3) for atom in atoms])
        one, other = np.triu_indices(len(rows))
        i, j = np.minimum(rows[one], rows[other]), np.maximum(rows[one], rows[other])
        n = self.parameter_map.n_parameters
        return flex.double(self._packed[i * (2 * n - i - 1) // 2 + j])

    def _moves_with_cell(
        self, variance: float, atoms: tuple[int, ...], moves: tuple[sgtbx.rt_mx, ...]
    ) -> bool:
        if self.cell_covariance is None:
            return False
        one_group = self.held.issuperset(atoms) and len({move.as_xyz() for move in moves}) == 1
        return variance > _CONSTANT or not one_group


def _without_noise(variance: float) -> float:
    return variance if variance > _NOISE else 0.0
