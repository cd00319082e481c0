"""SHELX reflection files: HKLF 4 (h k l I σ [batch]) and HKLF 5 (twins, with component numbers).

Columns are fixed, 3I4,2F8.2,I4, and may touch (`-12-10  -9`). The list ends at `0 0 0`; whatever follows
(a cell, CIF text) is kept aside. Files that do not fit the columns are split at white space, with a note.
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import CifError
from qcrbox.crystallography.reflections.data import Reflections

Array = NDArray[np.float64]
_WIDTH = 32
_BATCH = 28  # where the sixth column begins


def read_hkl(text: str | bytes, source: str = "") -> Reflections:
    """Reflections of a SHELX .hkl text; with component numbers beyond 1 or negative ones, of a twin (HKLF 5).

    Line ends of any kind are read. Raises CifError with the line number when a line is not a reflection.
    """
    data = text.encode("latin-1", "replace") if isinstance(text, str) else text
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = _END.search(data)
    lines = data[: end.start() if end else len(data)].split(b"\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    body = [line for line in lines[first:] if line.strip()]
    trailer = _after(data, end)
    notes: list[str] = []
    if not body:
        raise CifError(
            "There are no reflections.",
            where=source,
            next="Each line of a .hkl file holds h k l, an intensity and its s.u., from the first line on.",
        )
    try:
        columns, fixed = _fixed_columns(body), True
    except ValueError:
        columns, fixed = _words(body, first, source), False
    if fixed and _cut_numbers(body):
        words = _whole_words(body, first, source)
        columns, fixed = (columns, True) if words is None else (words, False)
    if not fixed:
        notes.append("The lines do not fit the columns 3I4,2F8.2; they were read as words.")
    h, k, l, intensity, sigma, batch = columns  # noqa: E741 - the index has this name
    if np.isnan(batch).all():
        batches = None
    else:
        batches = np.nan_to_num(batch).astype(np.int64)
    hkl = np.column_stack([h, k, l])
    if not (np.abs(hkl) < 1e6).all() or not np.array_equal(hkl, np.rint(hkl)):
        raise CifError("Reflection indices are not whole numbers.", where=source)
    return Reflections(
        hkl.astype(np.int64),
        intensity,
        sigma,
        batch=batches,
        twin=batches is not None and shares_spots(batches, intensity, sigma),
        source=source,
        notes=notes,
        trailer=trailer,
    )


def shares_spots(batches: NDArray[np.int64], intensity: Array, sigma: Array) -> bool:
    """Whether negative batch numbers are those of HKLF 5: the next row belongs to the same spot and repeats its intensity.

    Otherwise they mark a free R set (L.S. with nrf = -1).
    """
    joined = np.flatnonzero(batches < 0)
    if not len(joined) or joined[-1] + 1 >= len(batches):
        return False
    same = (intensity[joined] == intensity[joined + 1]) & (sigma[joined] == sigma[joined + 1])
    return bool(same.mean() > 0.9)


# The list ends at indices 0 0 0, or at a line that begins with a letter or a mark of CIF.
_END = re.compile(rb"^(?:(?P<zeros>[ \t]*0[ \t]+0[ \t]+0(?:[ \t][^\n]*)?$)|[A-Za-z_#;])", re.MULTILINE)


def _after(data: bytes, end: re.Match[bytes] | None) -> str:
    """What follows the list; the line of zeros is not part of it."""
    if end is None:
        return ""
    return data[end.end() if end["zeros"] is not None else end.start() :].decode("latin-1").strip()


_CELLS = ((0, 4), (4, 8), (8, 12), (12, 20), (20, 28))


def _fixed_columns(body: list[bytes]) -> list[Array]:
    """The six columns; ValueError when the lines do not fit 3I4,2F8.2,I4. The last one is NaN where empty."""
    table = np.frombuffer(b"".join(line[:_WIDTH].ljust(_WIDTH) for line in body), np.uint8).reshape(
        -1, _WIDTH
    )
    if (table == ord("\t")).any() or (table[:, :12] == ord(".")).any():
        raise ValueError("tabs, or a decimal point in an index")
    filled = table != ord(" ")
    for start, stop in _CELLS:
        if not _one_word(filled[:, start:stop]).all():
            raise ValueError("a cell without or with several words")
    numbers = _numbers(table, _CELLS)
    batch = np.full(len(body), np.nan)
    with_batch = filled[:, 28:].any(axis=1)
    if with_batch.any():
        if not _one_word(filled[with_batch, 28:]).all():
            raise ValueError("several words in the last column")
        batch[with_batch] = _numbers(table[with_batch], ((28, 32),))[:, 0]
    return [*np.ascontiguousarray(numbers.T), batch]


def _one_word(filled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the filled places of each row (n, width) are one unbroken stretch."""
    begins = filled[:, 1:] & ~filled[:, :-1]
    return begins.sum(axis=1) + filled[:, 0] == 1


def _numbers(table: NDArray[np.uint8], cells: tuple[tuple[int, int], ...]) -> Array:
    """Numbers (n, cells) of the cells of each row, read in one pass with blanks put between the cells."""
    parts = []
    blank = np.full((len(table), 1), ord(" "), np.uint8)
    for start, stop in cells:
        parts += [table[:, start:stop], blank]
    text = np.concatenate(parts, axis=1).tobytes()
    # split() and float() refuse what is not a number; they are as fast as the reader of NumPy and give better errors.
    values = np.array(text.split(), dtype=np.float64).reshape(len(table), len(cells))
    if not np.isfinite(values).all():
        raise ValueError("not a number")
    return values


_NUMBER = re.compile(rb"[-+]?\d+|[-+]?\d*\.\d*(?:[eE][-+]?\d+)?")
_MOST_INDEX = 999


def _cut_numbers(body: list[bytes]) -> bool:
    """Whether a number stands across the end of a column: F² in a column of 12 would lose its last digits."""
    table = np.frombuffer(b"".join(line[:_WIDTH].ljust(_WIDTH) for line in body), np.uint8).reshape(
        -1, _WIDTH
    )
    filled = table != ord(" ")
    for column in (4, 8, 12, 20, _BATCH):
        unsigned = (table[:, column] != ord("-")) & (table[:, column] != ord("+"))
        touching = filled[:, column - 1] & filled[:, column] & unsigned
        if column == _BATCH and not touching.all():
            # A batch number of four digits touches the s.u.; an s.u. that is too wide does so in every line.
            continue
        for row in np.flatnonzero(touching).tolist():
            line = body[row]
            word = line[line.rfind(b" ", 0, column) + 1 :].split(b" ", 1)[0]
            if _NUMBER.fullmatch(word):
                return True
    return False


def _whole_words(body: list[bytes], first: int, source: str) -> list[Array] | None:
    """The lines read as words; None where that gives no reflections, as for strong intensities that touch the index."""
    try:
        columns = _words(body, first, source)
    except CifError:
        return None
    hkl = np.array(columns[:3])
    return columns if np.array_equal(hkl, np.rint(hkl)) and np.abs(hkl).max() <= _MOST_INDEX else None


# float() also takes "nan", "inf" and "1_0".
_FINITE = re.compile(rb"[-+]?(?:[0-9]{1,40}\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")


def _words(body: list[bytes], first: int, source: str) -> list[Array]:
    rows = []
    for number, line in enumerate(body):
        words = line.split()
        try:
            if not 5 <= len(words) <= 12 or not all(map(_FINITE.fullmatch, words[:6])):
                raise ValueError
            row = [float(word) for word in words[:6]]
            if any(b"." in word for word in words[5:6]):
                # A batch number is whole: what stands here is an s.u. after four indices, or something else.
                raise ValueError
        except ValueError:
            raise CifError(
                f"'{line.decode('latin-1').strip()[:60]}' is not a reflection.",
                where=f"{source or 'hkl'} line {first + number + 1}",
                next="Expected h k l, intensity and s.u. in the columns 3I4,2F8.2.",
                line=first + number + 1,
            ) from None
        rows.append([*row, np.nan][:6])
    return list(np.array(rows).T)


def write_hkl(reflections: Reflections) -> str:
    """SHELX text in the columns 4,4,4,8,8[,4], ended by `0 0 0`.

    Intensities are multiplied by a power of ten where their numbers would be too large for their columns or lose the
    digits of their s.u. (only their ratio matters), as SHELX users do. F data are written as F.
    Raises CifError for indices and batch numbers of more than four characters, and for values that are no numbers.
    """
    batch = reflections.batch
    _check_columns(reflections)
    rows = []
    numbers = column_texts(reflections.intensity, reflections.sigma)
    for row, ((h, k, l), both) in enumerate(zip(reflections.hkl.tolist(), numbers, strict=True)):  # noqa: E741
        line = f"{h:4d}{k:4d}{l:4d}{both}"
        rows.append(line if batch is None else f"{line}{batch[row]:4d}")
    end = f"{0:4d}{0:4d}{0:4d}{0:8.2f}{0:8.2f}"
    rows.append(end if batch is None else f"{end}{0:4d}")
    return "\n".join(rows) + "\n"


def _check_columns(reflections: Reflections) -> None:
    if len(reflections) and np.abs(reflections.hkl).max() > 999:
        raise CifError("Indices beyond 999 do not fit the columns of a SHELX file.")
    batch = reflections.batch
    if batch is not None and len(batch) and (batch.max() > 9999 or batch.min() < -999):
        raise CifError("Batch numbers beyond -999 to 9999 do not fit the columns of a SHELX file.")
    unknown = int((~(np.isfinite(reflections.intensity) & np.isfinite(reflections.sigma))).sum())
    if unknown:
        raise CifError(
            f"{unknown} reflection{' has' if unknown == 1 else 's have'} no intensity or no s.u.",
            where=reflections.source,
            next="Leave them out: SHELX weights by the s.u.",
        )


def column_scale(intensity: Array, sigma: Array) -> float:
    """The power of ten that `column_texts` multiplies by: 1 where all numbers fit and keep digits."""
    largest = max(np.abs(intensity).max(initial=0), np.abs(sigma).max(initial=0))
    smallest = float(sigma[sigma > 0].min(initial=np.inf))
    scale = 1.0
    while largest * scale > 999999:
        scale /= 10
    while smallest * scale < 0.01 and largest * scale < 9999:
        scale *= 10
    return scale


def column_texts(intensity: Array, sigma: Array) -> list[str]:
    """Intensity and s.u. of every reflection in 8 + 8 characters, all multiplied by one power of ten where that is needed.

    Two decimals where s.u. are 0.1 and more; otherwise as many as give the smallest s.u. three digits and fit.
    """
    scale, smallest = column_scale(intensity, sigma), float(sigma[sigma > 0].min(initial=np.inf))
    digits = 2 - math.floor(math.log10(smallest * scale)) if smallest * scale < 0.1 else 2
    most = min(digits, 5)
    return [
        _f8(value * scale, most) + _f8(su * scale, most) for value, su in zip(intensity, sigma, strict=True)
    ]


def _f8(value: float, most: int) -> str:
    for decimals in range(most, -1, -1):
        text = f"{value:8.{decimals}f}"
        # One column stays free, so that readers which split at blanks read the file too.
        if len(text) <= 8 and (text[0] == " " or decimals == 0):
            return text if decimals else text if "." in text else f"{text.strip()}.".rjust(8)[-8:]
    return f"{value:8.2e}"[:8]
