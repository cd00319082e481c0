"""Restraints that keep the origin of polar space groups in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from cctbx import sgtbx, xray
from cctbx.eltbx import tiny_pse
from scitbx import sparse
from scitbx.array_family import flex


class OriginFixing:
    """Floating-origin restraints of polar space groups (Flack & Schwarzenbach, Acta Cryst. A44 (1988) 499).

    Atoms weigh with the square of their atomic number. fixed: axes along which a coordinate is fixed, which fixes the
    origin; such directions get no restraint.
    """

    def __init__(
        self, group: sgtbx.space_group, structure: xray.structure, fixed: Iterable[int] = ()
    ) -> None:
        vectors = sgtbx.structure_seminvariants(group).vectors_and_moduli()
        fixed = set(fixed)
        self.directions = [
            np.array(vector.v, dtype=float)
            for vector in vectors
            if vector.m == 0 and not any(vector.v[axis] for axis in fixed)
        ]
        self.parameters = xray.parameter_map(structure.scatterers())
        self.weights = [_electrons(scatterer) ** 2 for scatterer in structure.scatterers()]

    @property
    def n_restraints(self) -> int:
        """Number of polar directions."""
        return len(self.directions)

    def add_to(self, equations: Any, jacobian_transpose: sparse.matrix) -> None:
        """Add one equation for each polar direction that keeps the weighted mean of the sites in place."""
        for direction in self.directions:
            shift = flex.double(jacobian_transpose.n_cols, 0.0)
            for p, weight in zip(self.parameters, self.weights, strict=True):
                for axis in range(3):
                    shift[p.site + axis] = float(weight * direction[axis])
            equations.add_equation(0.0, jacobian_transpose * shift, 1.0)


def _electrons(scatterer: xray.scatterer) -> int:
    symbol = scatterer.element_symbol()
    return tiny_pse.table("H" if symbol == "D" else symbol).atomic_number()
