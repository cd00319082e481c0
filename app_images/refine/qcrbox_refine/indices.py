"""Miller indices between NumPy and cctbx."""

from __future__ import annotations

import numpy as np
from cctbx.array_family import flex


def to_flex(hkl: np.ndarray) -> flex.miller_index:
    """Indices (k, 3) as cctbx holds them. By columns: a tuple for each reflection takes fifty times as long."""
    columns = np.ascontiguousarray(np.asarray(hkl).reshape(-1, 3).T, dtype=np.int32)
    return flex.miller_index(*(flex.int(column) for column in columns))


def to_array(indices: flex.miller_index) -> np.ndarray:
    """Indices (k, 3) of cctbx as integers of NumPy."""
    if not len(indices):
        return np.zeros((0, 3), dtype=np.int64)
    return np.rint(indices.as_vec3_double().as_double().as_numpy_array()).astype(np.int64).reshape(-1, 3)
