"""Columns of raw values as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qcrbox.cif.lenient import read_number
from qcrbox.cif.quoting import text_of

_ABSENT = ("?", ".")


def floats(cells: Sequence[str]) -> np.ndarray:
    """Numbers without their s.u.; NaN for `?`, `.` and texts. Certain misprints are read (`qcrbox.cif.lenient`)."""
    try:
        # The usual case: plain numbers only. "nan", "inf" and "1_0" are texts in a CIF, so they must not pass.
        array = np.array(cells, dtype=np.float64) if len(cells) else np.empty(0)
        joined = "".join(cells)
        if np.isfinite(array).all() and "_" not in joined and joined.isascii():
            return array
    except ValueError:
        pass
    return np.array([_float(cell) for cell in cells], dtype=np.float64)


def _float(cell: str) -> float:
    reading = None if cell in _ABSENT else read_number(text_of(cell))
    return float("nan") if reading is None else reading.number.value


def floats_and_su(cells: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and their s.u.; the s.u. is NaN where none is written."""
    if not any("(" in cell for cell in cells):
        return floats(cells), np.full(len(cells), np.nan)
    values, sus = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for position, cell in enumerate(cells):
        reading = None if cell in _ABSENT else read_number(text_of(cell))
        if reading is not None:
            values[position] = reading.number.value
            if reading.number.su is not None:
                sus[position] = reading.number.su
    return values, sus
