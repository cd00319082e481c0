"""Ideal positions of riding atoms: the geometries m of AFIX mn.

Distances X-H are SHELXL's at room temperature; they grow by 0.01 Å below -20 and 0.02 Å below -70 °C, to allow for
libration. An AFIX with an explicit distance uses that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qcrbox_refine.parameter_blocks import State

_LENGTH = {
    ("C", 1): 0.98, ("C", 2): 0.97, ("C", 3): 0.96, ("C", 4): 0.93, ("C", 9): 0.93, ("C", 12): 0.96,
    ("C", 13): 0.96, ("C", 16): 0.93,
    ("N", 1): 0.91, ("N", 2): 0.90, ("N", 3): 0.89, ("N", 4): 0.86, ("N", 9): 0.86, ("N", 13): 0.89,
    ("O", 8): 0.82, ("O", 14): 0.82,
    ("S", 8): 1.20, ("S", 14): 1.20,
    ("B", 1): 0.98, ("B", 4): 1.10, ("B", 15): 1.10,
}  # fmt: skip
# Of TEMP where an input has none.
SHELX_TEMPERATURE_K = 293.15
TETRAHEDRAL = np.radians(109.47)
# m of AFIX whose atoms may turn about the bond of the pivot; with other m their positions follow from the bonds of the pivot.
TURNING = frozenset({0, 3, 8, 9, 12, 13, 14})
# m: how many atoms ride, how many bonds the pivot needs beside them.
_NEEDS = {1: (1, 3), 2: (2, 2), 3: (3, 1), 4: (1, 2), 8: (1, 1), 9: (2, 1), 12: (6, 1), 13: (3, 1), 14: (1, 1),
          15: (1, 4), 16: (1, 1)}  # fmt: skip


def distance_to_hydrogen(element: str, m: int, temperature_k: float | None) -> float | None:
    """Default X-H distance in Å, None where SHELXL's table has none."""
    base = _LENGTH.get((element, m))
    return None if base is None else base + libration(temperature_k or SHELX_TEMPERATURE_K)


def libration(temperature_k: float) -> float:
    """By how much X-H distances are longer than at room temperature, Å."""
    celsius = temperature_k - 273.15
    return 0.02 if celsius < -70 else 0.01 if celsius < -20 else 0.0


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector divided by its length."""
    return np.asarray(vector) / np.linalg.norm(vector)


def tertiary(directions: Sequence[np.ndarray]) -> np.ndarray:
    """The direction opposite to three bonds with equal angles to all of them."""
    a, b, c = directions
    normal = np.cross(a, b) + np.cross(b, c) + np.cross(c, a)
    total = a + b + c
    if np.linalg.norm(normal) < 1e-6:
        return -unit(total)
    return -unit(normal) * np.sign(normal @ total or 1.0)


def opposite(directions: Sequence[np.ndarray]) -> np.ndarray:
    """The direction opposite to the sum of bonds: the outer bisector of two."""
    return -unit(np.sum(directions, axis=0))


def methylene(directions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Two directions with equal angles to both bonds.

    H-C-H opens as X-C-Y closes: cos H-C-H = -0.3577 - 0.1341 cos X-C-Y, fitted to positions written by SHELXL.
    """
    a, b = directions
    half = np.arccos(-0.3577 - 0.1341 * float(a @ b)) / 2
    bisector, normal = opposite([a, b]), unit(np.cross(a, b))
    return [np.cos(half) * bisector + sign * np.sin(half) * normal for sign in (1, -1)]


def on_cone(axis: np.ndarray, reference: np.ndarray, azimuth: float, angle: float) -> np.ndarray:
    """The direction at `angle` to the only bond (`axis`), turned by `azimuth` from a direction at right angles to it."""
    third = np.cross(axis, reference)
    sideways = np.cos(azimuth) * reference + np.sin(azimuth) * third
    return np.cos(angle) * axis + np.sin(angle) * sideways


def across(axis: np.ndarray, toward: np.ndarray | None) -> np.ndarray:
    """A unit vector at right angles to the axis, in the plane of `toward` where that is given."""
    if toward is not None:
        sideways = toward - (toward @ axis) * axis
        if np.linalg.norm(sideways) > 0.3:
            return unit(sideways)
    return unit(np.cross(axis, [1.0, 0, 0] if abs(axis[0]) < 0.8 else [0, 1.0, 0]))


@dataclass(frozen=True)
class Image:
    """An atom, moved by a symmetry operation: fractional site' = rotation · site + translation."""

    index: int
    rotation: np.ndarray
    translation: np.ndarray

    def cartesian(self, state: State) -> np.ndarray:
        """Position of the image in Å on Cartesian axes, (3,)."""
        return state.orthogonal @ (self.rotation @ state.sites[self.index] + self.translation)


@dataclass
class IdealGeometry:
    """Positions of the atoms riding on one pivot by AFIX m; m = 0 leaves them where they are.

    parents: atoms bonded to the pivot, shortest bond first, as many as the geometry needs; substituent: the nearest
    other atom on the first parent; length: X-H in Å, None keeps the distance of the first riding atom; turns: the torsion is
    refined, so that it is not set anew.
    """

    m: int
    pivot: int
    parents: list[Image]
    substituent: Image | None
    length: float | None
    turns: bool = False

    def axis(self, state: State) -> np.ndarray:
        """Unit vector along the bond about which the atoms turn."""
        return unit(state.cartesian(self.pivot) - self.parents[0].cartesian(state))

    def idealised(self, state: State, now: np.ndarray, *, fixed_length: bool = True) -> np.ndarray:
        """Cartesian positions (n, 3) from those at present, which decide torsions and what is which."""
        if self.m == 0:
            return now
        pivot = state.cartesian(self.pivot)
        lengths = np.linalg.norm(now - pivot, axis=1)
        length = float(lengths.mean()) if self.length is None or not fixed_length else self.length
        bonds = [unit(parent.cartesian(state) - pivot) for parent in self.parents]
        directions = self._directions(state, bonds, now - pivot)
        return pivot + length * np.array(_matched(directions, now - pivot))

    def _directions(self, state: State, bonds: list[np.ndarray], arms: np.ndarray) -> list[np.ndarray]:
        if self.m == 1:
            return [tertiary(bonds)]
        if self.m in (4, 15, 16):
            return [opposite(bonds)]
        if self.m == 2:
            return methylene(bonds)
        axis = bonds[0]
        reference = across(axis, self._toward(state))
        period = {3: 2 * np.pi / 3, 9: np.pi, 13: 2 * np.pi / 3, 12: np.pi / 3}.get(self.m, 2 * np.pi)
        # Planar in the plane of the substituent, or staggered to it.
        settled = {3: np.pi / 3, 9: 0.0}.get(self.m)
        start = _torsion(axis, reference, arms, period) if settled is None or self.turns else settled
        angle = np.radians(120) if self.m == 9 else TETRAHEDRAL
        return [on_cone(axis, reference, start + k * period, angle) for k in range(round(2 * np.pi / period))]

    def _toward(self, state: State) -> np.ndarray | None:
        if self.substituent is None:
            return None
        return self.substituent.cartesian(state) - state.cartesian(self.pivot)


def _torsion(axis: np.ndarray, reference: np.ndarray, arms: np.ndarray, period: float) -> float:
    """Mean azimuth of the atoms, taken modulo the period."""
    third = np.cross(axis, reference)
    angles = np.arctan2(arms @ third, arms @ reference) * (2 * np.pi / period)
    mean = np.arctan2(np.sin(angles).mean(), np.cos(angles).mean())
    return float(mean * period / (2 * np.pi))


def _matched(directions: list[np.ndarray], arms: np.ndarray) -> list[np.ndarray]:
    """Ideal directions in the order of the atoms they are nearest to, each used once."""
    left = list(directions)
    result = []
    for arm in arms:
        best = max(range(len(left)), key=lambda k: float(left[k] @ arm))
        result.append(left.pop(best))
    return result


def needed(m: int) -> tuple[int, int] | None:
    """Riding atoms and other bonds of the pivot that a geometry needs; None for m without geometry."""
    return _NEEDS.get(m)
