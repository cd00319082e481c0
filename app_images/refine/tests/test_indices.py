"""Miller indices between NumPy and cctbx."""

from __future__ import annotations

import numpy as np
from qcrbox_refine.indices import to_array, to_flex


def test_indices_come_back_as_they_went():
    hkl = np.array([(0, 0, 0), (-31, 7, 120), (2, -5, -1)])
    assert list(to_flex(hkl)) == [(0, 0, 0), (-31, 7, 120), (2, -5, -1)]
    assert (to_array(to_flex(hkl)) == hkl).all()


def test_rows_of_another_order_in_memory_are_not_mixed_up():
    columns = np.array([(1, 2, 3), (4, 5, 6)]).T
    assert list(to_flex(columns.T)) == [(1, 2, 3), (4, 5, 6)]


def test_no_reflections_are_no_rows():
    assert to_array(to_flex(np.zeros((0, 3), dtype=int))).shape == (0, 3)
