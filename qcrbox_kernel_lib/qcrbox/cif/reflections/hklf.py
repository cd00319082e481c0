"""SHELX reflection files: HKLF 4 (h k l I σ [batch]) and HKLF 5 (twins, with component numbers).

Columns are fixed, 3I4,2F8.2,I4, and may touch (`-12-10  -9`). The list ends at `0 0 0`; whatever follows
(a cell, CIF text) is kept aside. Files that do not fit the columns are read as words, and that is noted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.reflections.data import Reflections
from qcrbox.contract.errors import CifError

Array = NDArray[np.float64]
_WIDTH = 32


def read_hkl(text: str | bytes, source: str = "") -> Reflections:
    """Reflections of a SHELX .hkl text; with component numbers beyond 1 or negative ones, of a twin (HKLF 5).

    Line ends of any kind are read. Raises CifError with the line number when a line is no reflection.
    """
    data = text.encode("latin-1", "replace") if isinstance(text, str) else text
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    lines = lines[first:]
    end, trailer = _end_of_list(lines)
    body = [line for line in lines[:end] if line.strip()]
    notes: list[str] = []
    if not body:
        raise CifError("There are no reflections.", where=source)
    try:
        columns = _fixed_columns(body)
    except ValueError:
        columns = _words(body, first, source)
        notes.append("The lines do not fit the columns 3I4,2F8.2; they were read as words.")
    h, k, l, intensity, sigma, batch = columns  # noqa: E741 - the index has this name
    if np.isnan(batch).all():
        batches = None
    else:
        batches = np.nan_to_num(batch).astype(np.int64)
    hkl = np.column_stack([h, k, l])
    if not np.array_equal(hkl, np.rint(hkl)):
        raise CifError("Reflection indices are not whole numbers.", where=source)
    return Reflections(
        hkl.astype(np.int64),
        intensity,
        sigma,
        batch=batches,
        # HKLF 5 marks reflections that share a spot by negative component numbers.
        twin=batches is not None and bool((batches < 0).any()),
        source=source,
        notes=notes,
        trailer=trailer,
    )


def _end_of_list(lines: list[bytes]) -> tuple[int, str]:
    for number, line in enumerate(lines):
        if line[:12].split() == [b"0", b"0", b"0"] or (
            line[:1] in b" 0" and line.split()[:3] == [b"0", b"0", b"0"]
        ):
            rest = b"\n".join(lines[number + 1 :]).decode("latin-1").strip()
            return number, rest
        if line[:1].isalpha() or line[:1] in (b"_", b"#", b";"):
            return number, b"\n".join(lines[number:]).decode("latin-1").strip()
    return len(lines), ""


def _fixed_columns(body: list[bytes]) -> list[Array]:
    table = np.array(body, dtype=f"S{_WIDTH}").view("S1").reshape(len(body), _WIDTH)
    # A tab or a missing decimal point outside its column shows that the columns are not those of SHELX.
    if (table == b"\t").any():
        raise ValueError("tabs")
    columns = []
    for start, stop in ((0, 4), (4, 8), (8, 12), (12, 20), (20, 28), (28, 32)):
        cells = np.ascontiguousarray(table[:, start:stop]).view(f"S{stop - start}")[:, 0]
        cells = np.char.strip(cells) if cells.dtype.itemsize else cells
        empty = cells == b""
        if start < 28 and empty.any():
            raise ValueError("empty cell")
        if start < 12 and np.char.find(cells, b".").max() >= 0:
            raise ValueError("decimal point in an index")
        values = np.full(len(body), np.nan)
        values[~empty] = cells[~empty].astype(np.float64)
        columns.append(values)
    if not np.isfinite(np.array(columns[:5])).all():
        raise ValueError("not a number")
    return columns


def _words(body: list[bytes], first: int, source: str) -> list[Array]:
    rows = []
    for number, line in enumerate(body):
        words = line.split()
        try:
            if not 5 <= len(words) <= 12:
                raise ValueError
            row = [float(word) for word in words[:6]]
        except ValueError:
            raise CifError(
                f"'{line.decode('latin-1').strip()[:60]}' is no reflection.",
                where=f"{source or 'hkl'} line {first + number + 1}",
                next="Expected h k l, intensity and s.u. in the columns 3I4,2F8.2.",
                line=first + number + 1,
            ) from None
        rows.append([*row, np.nan][:6])
    return list(np.array(rows).T)


def write_hkl(reflections: Reflections) -> str:
    """SHELX text in the columns 4,4,4,8,8[,4], ended by `0 0 0`.

    Numbers too large for their columns lose decimals first; when even that is not enough, all intensities are
    divided by a power of ten (only their ratio matters), as SHELX users do. F data are written as F.
    Raises CifError for indices of more than four characters.
    """
    if len(reflections) and (np.abs(reflections.hkl).max() > 999):
        raise CifError("Indices beyond 999 do not fit the columns of a SHELX file.")
    intensity, sigma = reflections.intensity, reflections.sigma
    scale = 1.0
    largest = max(np.abs(intensity).max(initial=0), np.abs(sigma).max(initial=0))
    while largest * scale > 999999:
        scale /= 10
    rows = []
    batch = reflections.batch
    for row, (h, k, l) in enumerate(reflections.hkl.tolist()):  # noqa: E741
        line = f"{h:4d}{k:4d}{l:4d}{_f8(intensity[row] * scale)}{_f8(sigma[row] * scale)}"
        rows.append(line if batch is None else f"{line}{batch[row]:4d}")
    end = f"{0:4d}{0:4d}{0:4d}{_f8(0)}{_f8(0)}"
    rows.append(end if batch is None else f"{end}{0:4d}")
    return "\n".join(rows) + "\n"


def _f8(value: float) -> str:
    for decimals in (2, 1, 0):
        text = f"{value:8.{decimals}f}"
        # One column stays free, so that readers which split at blanks read the file too.
        if len(text) <= 8 and (text[0] == " " or decimals == 0):
            return text if decimals else text if "." in text else f"{text.strip()}.".rjust(8)[-8:]
    return f"{value:8.2e}"[:8]
