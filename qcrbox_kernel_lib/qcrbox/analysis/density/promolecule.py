"""Sums of free atoms: the electron density that atoms would have if they did not bond.

Atoms are spherically averaged Hartree-Fock densities (data/atom_densities.tsv, made by tools/build_atom_densities.py)
for hydrogen to xenon, to 8 Å from the nucleus. Between the columns of the table ln ρ is interpolated linearly. Gaussian
functions decay wrongly far out: hydrogen is exact within 2 % to 2.5 Å and within 15 % to 4 Å.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError

Array = NDArray[np.float64]
STEP = 0.05  # Å between the columns of the table
REACH = 8.0  # Å; farther away an atom is not counted
_POINTS_AT_ONCE = 400_000


@lru_cache(maxsize=1)
def _table() -> dict[str, Array]:
    text = (files("qcrbox.analysis.density") / "data" / "atom_densities.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: np.array(row[1:], dtype=float) for row in rows}


def log_density(element: str) -> Array:
    """ln(ρ / (e/Å³)) of a free atom at 0, 0.05 … 8 Å. Deuterium is hydrogen."""
    name = "H" if element == "D" else element
    if name not in _table():
        raise UserInputError(
            f"There is no free-atom density for {element or 'a site without element'}.",
            next="The table goes from hydrogen to xenon.",
        )
    return _table()[name]


class Promolecule:
    """Atoms at places (m, 3) in Å, and the sum of their free densities anywhere.

    check is called before each atom is added; what it raises ends the sum.
    """

    def __init__(self, elements: list[str], places: Array, check: Callable[[], None] | None = None) -> None:
        self._check = check
        self.elements, self.places = list(elements), np.asarray(places, dtype=float).reshape(-1, 3)
        self._logarithms = [log_density(element) for element in self.elements]

    def __len__(self) -> int:
        return len(self.elements)

    def density(self, points: Array, *, gradient: bool = False) -> tuple[Array, Array]:
        """ρ (n,) in e/Å³ and its gradient (n, 3) in e/Å⁴ at points (n, 3) in Å; the gradient is 0 unless requested."""
        total, slope = np.zeros(len(points)), np.zeros((len(points), 3))
        for start in range(0, len(points), _POINTS_AT_ONCE):
            part = slice(start, start + _POINTS_AT_ONCE)
            for place, logarithm in zip(self.places, self._logarithms, strict=True):
                if self._check is not None:
                    self._check()
                self._add(points[part], place, logarithm, total[part], slope[part] if gradient else None)
        return total, slope

    @staticmethod
    def _add(points: Array, place: Array, logarithm: Array, total: Array, slope: Array | None) -> None:
        away = points - place
        square = np.einsum("ij,ij->i", away, away)
        near = np.flatnonzero(square < (REACH - STEP) ** 2)
        distance = np.sqrt(square[near])
        index = (distance / STEP).astype(np.int64)
        rise = logarithm[index + 1] - logarithm[index]
        value = np.exp(logarithm[index] + (distance / STEP - index) * rise)
        total[near] += value
        if slope is not None:
            slope[near] += (value * rise / STEP / np.maximum(distance, 1e-9))[:, None] * away[near]
