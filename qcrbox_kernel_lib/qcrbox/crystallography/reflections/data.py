"""Reflections as arrays, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass
class Reflections:
    """n observed reflections.

    hkl (n, 3); intensity and sigma (n,): F² unless `is_f`, then F; batch (n,) numbers of a sixth column or None;
    calculated, phase (n,) F²(calc) (F(calc) with `is_f`) and phases in degrees where the source has them.
    twin: the data are of several components (HKLF 5): they are never merged.
    merged: the source states that equivalents were merged.
    """

    hkl: Indices
    intensity: Array
    sigma: Array
    batch: Indices | None = None
    twin: bool = False
    is_f: bool = False
    merged: bool = False
    calculated: Array | None = None
    phase: Array | None = None
    status: list[str] | None = None
    source: str = ""
    notes: list[str] = field(default_factory=list)
    trailer: str = ""

    def __len__(self) -> int:
        return len(self.hkl)

    @property
    def components(self) -> list[int]:
        """Component or batch numbers in use, without sign."""
        return [] if self.batch is None else sorted(set(np.abs(self.batch).tolist()))

    def select(self, mask: NDArray[np.bool_] | Indices) -> Reflections:
        """The reflections where `mask` is true, or the rows it lists."""
        rows = np.flatnonzero(mask) if mask.dtype == bool else mask
        return Reflections(
            self.hkl[rows],
            self.intensity[rows],
            self.sigma[rows],
            batch=None if self.batch is None else self.batch[rows],
            twin=self.twin,
            is_f=self.is_f,
            merged=self.merged,
            calculated=None if self.calculated is None else self.calculated[rows],
            phase=None if self.phase is None else self.phase[rows],
            status=None if self.status is None else [self.status[row] for row in rows.tolist()],
            source=self.source,
            notes=list(self.notes),
        )

    def as_f_squared(self) -> Reflections:
        """F turned into F²; F² as they are."""
        if not self.is_f:
            return self
        new = self.select(np.arange(len(self)))
        new.intensity = self.intensity * np.abs(self.intensity)
        new.sigma = su_of_square(self.intensity, self.sigma)
        new.calculated = None if self.calculated is None else self.calculated**2
        new.is_f = False
        new.notes.append("F² and its s.u. were computed from F.")
        return new


def su_of_square(f: Array, sigma: Array) -> Array:
    """σ(F²) = 2 |F| σ(F), and no less than √2 σ(F)², which it is at F = 0.

    The variance of the square of a normal variable is 4 F² σ² + 2 σ⁴; without the second term the weakest reflections
    would get the highest weights.
    """
    return np.maximum(2 * np.abs(f), np.sqrt(2) * sigma) * sigma
