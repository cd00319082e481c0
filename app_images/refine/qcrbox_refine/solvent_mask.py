"""Scattering that atoms do not describe: partial structure factors of a mask, and bulk solvent (SWAT)."""

from __future__ import annotations

import cmath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from cctbx import miller, sgtbx
from qcrbox.contract.errors import UserInputError


@dataclass
class BulkSolvent:
    """SWAT: Fc² is multiplied by 1 - g exp(-8π² U sin²θ/λ²) (Moews & Kretsinger, J. Mol. Biol. 91 (1975) 201)."""

    g: float
    u: float

    def factor(self, stol_sq: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The factor for (sin θ/λ)² in Å⁻², and its derivatives by g and U; all (n,)."""
        falloff = np.exp(-8 * np.pi**2 * self.u * stol_sq)
        return 1 - self.g * falloff, -falloff, self.g * 8 * np.pi**2 * stol_sq * falloff


@dataclass
class SolventMask:
    """Partial structure factors A + iB in electrons, added to the F of the atoms (ABIN of SHELXL).

    values: by (h, k, l), every symmetry equivalent and Friedel mate in it; scale and u (Å²): they are multiplied by
    scale · exp(-8π² u sin²θ/λ²); text: of the .fab file; refined: which of "scale" and "u" are; variables: the numbers of
    the free variables of the refined ones, in the same order.
    """

    values: dict[tuple[int, int, int], complex]
    scale: float = 1.0
    u: float = 0.0
    text: str = ""
    refined: tuple[Literal["scale", "u"], ...] = ()
    variables: tuple[int, ...] = ()

    def at(self, reflections: miller.set) -> tuple[np.ndarray, int]:
        """A + iB of these reflections as listed (0 where the list has none), (n,), and how many are missing."""
        found = [self.values.get(tuple(h)) for h in reflections.indices()]
        return np.array([value or 0j for value in found]), sum(value is None for value in found)

    def damping(self, stol_sq: np.ndarray) -> np.ndarray:
        """scale · exp(-8π² u sin²θ/λ²) for (sin θ/λ)² in Å⁻²."""
        return self.scale * np.exp(-8 * np.pi**2 * self.u * stol_sq)

    def names(self) -> list[str]:
        """Names of the refined parameters for tables."""
        return [{"scale": "ABIN scale", "u": "ABIN U"}[name] for name in self.refined]

    def refined_values(self) -> list[float]:
        """Values of the refined parameters, in the order of `names`."""
        return [getattr(self, name) for name in self.refined]

    def shift(self, shifts: Iterator[float]) -> None:
        """Add as many of the shifts as there are refined values."""
        for name in self.refined:
            setattr(self, name, getattr(self, name) + next(shifts))

    def store(self, free_variables: list[float]) -> None:
        """Write the refined values to their free variables; free_variables: FVAR from the second on."""
        for number, value in zip(self.variables, self.refined_values(), strict=False):
            free_variables[number - 2] = value


def parse_fab(text: str, group: sgtbx.space_group, origin: str) -> dict[tuple[int, int, int], complex]:
    """h k l A B of a .fab file, in free format up to 0 0 0 or a line of other text, expanded by symmetry.

    F(hR) = F(h) exp(-2πi h·t) for the operation x' = Rx + t. Raises UserInputError for no reflections at all.
    """
    rows = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) < 5 or not all(re.fullmatch(r"[-+]?\d*\.?\d*(?:[eE][-+]?\d+)?", w) for w in words[:5]):
            if rows:
                break
            continue
        if all(float(word) == 0 for word in words[:3]):
            break
        rows.append((*(round(float(word)) for word in words[:3]), float(words[3]), float(words[4])))
    if not rows:
        raise UserInputError(
            "the solvent mask holds no structure factors.",
            where=origin,
            why="A .fab file has lines with h k l A B.",
            next="Give the .fab file that the masking program wrote, or delete the ABIN instruction.",
        )
    values: dict[tuple[int, int, int], complex] = {}
    for h, k, l, a, b in rows:  # noqa: E741
        value = complex(a, b)
        for operation in group:
            image = _rotated((h, k, l), operation)
            turn = sum(x * t for x, t in zip((h, k, l), operation.t().as_double(), strict=True))
            moved = value * cmath.exp(-2j * cmath.pi * turn)
            values[image] = moved
            values[tuple(-x for x in image)] = moved.conjugate()
    return values


def _rotated(index: tuple[int, int, int], operation: sgtbx.rt_mx) -> tuple[int, int, int]:
    r = operation.r().as_double()
    return tuple(round(sum(index[i] * r[3 * i + j] for i in range(3))) for j in range(3))
