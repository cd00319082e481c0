"""What every grid of values can say of itself."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class GridValues:
    """For classes with `values` (nx, ny, nz); what is returned has the unit of the values."""

    values: NDArray[np.float64]

    @cached_property
    def sigma(self) -> float:
        """Root mean square over the grid."""
        return float(np.sqrt(np.mean(self.values**2)))

    @property
    def maximum(self) -> float:
        return float(self.values.max())

    @property
    def minimum(self) -> float:
        return float(self.values.min())
