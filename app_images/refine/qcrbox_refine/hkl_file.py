"""Reflections in SHELX format: h k l, F² or F, σ, batch number and wavelength of every row."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from qcrbox.contract.errors import UserInputError

_ZERO = re.compile(r"-?0+(\.0*)?")
# FORMAT(3I4,2F8.2,I4,F8.4): h, k, l, value, σ, batch number, wavelength. F² and σ without a point are whole numbers: Fortran
# would take hundredths, SHELXL does not (a fit of SHELXL-2018 to cut columns, xylitol in docs/validation.md, shows it).
_COLUMNS = (0, 4, 8, 12, 20, 28, 32, 40)


@dataclass
class HklRows:
    """indices: (n, 3) of float, as HKLF matrices may want; values, sigmas: (n,); batches: (n,) of int, 0 where none is
    given; wavelengths: (n,) Å, 0 where none; fixed: whether the columns of SHELX were used.
    """

    indices: np.ndarray
    values: np.ndarray
    sigmas: np.ndarray
    batches: np.ndarray
    wavelengths: np.ndarray
    fixed: bool = True

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class HklText:
    """The text of a SHELX reflection file, split once at the line 0 0 0.

    lines: lines with reflections, without blank ones; after: lines behind 0 0 0, without blank ones.
    """

    lines: list[str]
    after: list[str]

    @classmethod
    def split(cls, text: str) -> HklText:
        """Split a text with line ends of any system."""
        lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
        end = next((i for i, line in enumerate(lines) if _ends(line)), len(lines))
        return cls(lines[:end], lines[end + 1 :])

    def rows(self, origin: str) -> HklRows:
        """The reflections as numbers. Columns of other widths are read at their blanks.

        Raises UserInputError with the first line that is not a reflection.
        """
        fixed = [_fixed(line) for line in self.lines]
        free = [_free(line) for line in self.lines] if any(map(_needs_free, self.lines, fixed)) else None
        if free is not None and all(row is not None for row in free):
            return _rows(free, fixed=False)
        wrong = next((i for i, row in enumerate(fixed) if row is None), None)
        if wrong is not None:
            if free is not None and free[wrong] is not None:
                wrong = next(i for i, row in enumerate(free) if row is None)
            raise UserInputError(
                "the reflections are not in SHELX format.",
                where=origin,
                why=f"Reflection {wrong + 1} reads {self.lines[wrong][:60]!r}.",
                next="HKLF 4 has h k l F² σ(F²) in columns of 4, 4, 4, 8, 8 characters, or separated by blanks.",
            )
        return _rows(fixed, fixed=True)

    def rows_after_end(self) -> int:
        """How many lines behind 0 0 0 are reflections: a file put together of two has them, remarks of programs are none."""
        return sum(map(_is_row, self.after))

    def up_to_end(self) -> str:
        """The reflections with the 0 0 0 line and without remarks that follow it."""
        return "\n".join([*self.lines, "   0   0   0    0.00    0.00", ""])


def _is_row(line: str) -> bool:
    row = _fixed(line) or _free(line)
    return row is not None and any(row[:3]) and "." in line


def _ends(line: str) -> bool:
    """Whether h, k and l are 0, by columns or by blanks."""
    # The first digit excludes most lines at once.
    if not line.lstrip().startswith(("0", "-0")):
        return False
    columns, words = [line[0:4], line[4:8], line[8:12]], line.split()[:3]
    return any(
        len(fields) == 3 and all(_ZERO.fullmatch(field.strip()) for field in fields)
        for fields in (columns, words)
    )


def _fixed(line: str) -> list[float] | None:
    """Seven numbers by columns; batch and wavelength are 0 where the line ends before them."""
    try:
        row = [
            int(line[0:4]),
            int(line[4:8]),
            int(line[8:12]),
            float(line[12:20]),
            float(line[20:28]),
            0.0,
            0.0,
        ]
    except ValueError:
        return None
    tail = line[28:].strip()
    if tail:
        try:
            row[5] = int(line[28:32]) if line[28:32].strip() else 0
            row[6] = _wavelength(line[32:40]) if line[32:40].strip() else 0.0
        except ValueError:
            # Text after the s.u. is a remark of the program that wrote the file.
            row[5:] = [0.0, 0.0]
    return row


def _wavelength(field: str) -> float:
    """A wavelength in Å; without a decimal point it counts 0.0001 Å, as FORMAT(F8.4) of Fortran reads it."""
    value = float(field)
    return value if "." in field or "e" in field or "E" in field else value * 0.0001


def _needs_free(line: str, fixed: list[float] | None) -> bool:
    """Whether the columns of SHELX cut a number in two, or find none where the line has one."""
    if fixed is None:
        return True
    for column in _COLUMNS[1:6]:
        if len(line[column - 1 : column + 1].strip()) < 2:
            continue
        # Full columns touch each other; a sign begins a number, a point never does.
        start = line[:column].rfind(" ") + 1
        word = (line[start:] + " ").split(" ")[0]
        if re.fullmatch(r"[-+]?\d+|[-+]?\d*\.\d*(?:[eE][-+]?\d+)?", word) and line[column] not in "-+":
            return True
    return False


def _free(line: str) -> list[float] | None:
    words = line.split()
    if not 5 <= len(words) <= 7:
        return None
    try:
        row = [float(word) for word in words]
    except ValueError:
        return None
    if any(abs(x - round(x)) > 1e-6 or abs(x) > 999 for x in row[:3]):
        return None
    # A batch number is whole: a point there means four indices, or other columns.
    if any("." in word for word in words[5:6]):
        return None
    return row + [0.0] * (7 - len(row))


def _rows(rows: list[list[float]], fixed: bool) -> HklRows:
    table = np.array(rows, float).reshape(-1, 7)
    return HklRows(
        table[:, :3], table[:, 3], table[:, 4], np.rint(table[:, 5]).astype(int), table[:, 6], fixed
    )
