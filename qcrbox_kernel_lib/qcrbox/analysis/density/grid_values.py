"""Statistics of values on a grid, and extremes between the points of a periodic one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Fraction of the highest point: on a grid of four points within d, no lower point lies beside a higher maximum.
_NEAR_THE_TOP = 0.75
_MOST_TOPS = 10_000


@dataclass(frozen=True)
class Extreme:
    """The highest or lowest value of a map, and where it is: fractions of the periods, (3,)."""

    value: float
    place: NDArray[np.float64]


def highest(values: NDArray[np.float64], sign: int = 1) -> Extreme:
    """The highest value of a periodic map (nx, ny, nz), with sign -1 the lowest, between the points of its grid.

    It is the top of the parabolas through a point and its neighbours along the axes. The points alone miss the top of a sharp
    peak by up to 8 % where four of them lie within the resolution of the data.
    """
    best = float((values * sign).max())
    rows = np.flatnonzero(values * sign >= _NEAR_THE_TOP * best) if best > 0 else np.zeros(0, dtype=int)
    rows = rows[np.argsort(-sign * values.ravel()[rows])[:_MOST_TOPS]]
    index = np.stack(np.unravel_index(rows, values.shape), axis=1).reshape(-1, 3)
    here = sign * values.ravel()[rows]
    height, place, top = here.copy(), index.astype(float), np.ones(len(rows), dtype=bool)
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        ahead, behind = (sign * values[tuple(((index + s) % values.shape).T)] for s in (step, -step))
        bend = 2 * here - ahead - behind
        top &= (here >= ahead) & (here >= behind) & (bend > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            height += (ahead - behind) ** 2 / (8 * bend)
            place[:, axis] += (ahead - behind) / (2 * bend)
    if not top.any():
        return Extreme(sign * best, np.argwhere(values == sign * best)[0] / values.shape)
    row = int(np.argmax(np.where(top, height, -np.inf)))
    return Extreme(sign * float(height[row]), place[row] / values.shape)


class GridValues:
    """Base of classes with `values` (nx, ny, nz); results have the unit of the values."""

    values: NDArray[np.float64]

    @cached_property
    def sigma(self) -> float:
        """Root mean square over the grid."""
        return float(np.sqrt(np.mean(self.values**2)))

    @property
    def maximum(self) -> float:
        """The highest value."""
        return float(self.values.max())

    @property
    def minimum(self) -> float:
        """The lowest value."""
        return float(self.values.min())
