"""Columns of raw values as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qcrbox.cif.quoting import text_of
from qcrbox.cif.values import parse_number


def floats(cells: Sequence[str]) -> np.ndarray:
    """Numbers without their s.u.; NaN for `?`, `.` and texts."""
    try:
        # The usual case: plain numbers only. "nan" and "inf" are texts in a CIF, so they must not pass.
        array = np.array(cells, dtype=np.float64) if len(cells) else np.empty(0)
        if np.isfinite(array).all():
            return array
    except ValueError:
        pass
    return np.array([_float(cell) for cell in cells], dtype=np.float64)


def _float(cell: str) -> float:
    number = parse_number(text_of(cell))
    return float("nan") if number is None else number.value


def floats_and_su(cells: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and their s.u.; the s.u. is NaN where none is written."""
    values, sus = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for position, cell in enumerate(cells):
        number = parse_number(text_of(cell))
        if number is not None:
            values[position] = number.value
            if number.su is not None:
                sus[position] = number.su
    return values, sus
