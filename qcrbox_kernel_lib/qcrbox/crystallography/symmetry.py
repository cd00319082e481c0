"""Symmetry operations: reading their many spellings, composing them, and naming them in codes.

An operation acts on column vectors of fractional coordinates: x' = R x + t. Translations are kept as
exact fractions, because decimals such as .333 in files would otherwise never close to a group.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import CifError

IDENTITY_ROTATION = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
# Denominators that occur in crystallographic groups; decimals are snapped to them within this tolerance.
_DENOMINATORS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24)
_SNAP = 2e-3
_LONGEST = 200  # characters of an operation; Python refuses to read numbers of thousands of digits
# Of two decimals (z+0.33, y+0.17, x+0.13) these are meant where they round to them.
_FEW_DECIMALS, _ROUNDED, _HALF_A_DIGIT = 2, (3, 6, 8, 12), Fraction(1, 200)

_TERM = re.compile(
    r"(?P<sign>[+-]?)"
    r"(?:(?P<number>\d+/\d+|\d*\.\d+|\d+\.?)\*?(?P<axis_after>[xyz])?|(?P<axis>[xyz])(?:/(?P<divisor>\d+))?)"
)

Matrix = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class SymmetryOperation:
    """One operation x' = R x + t, exact."""

    rotation: Matrix
    translation: tuple[Fraction, Fraction, Fraction]

    @classmethod
    def parse(cls, text: str) -> SymmetryOperation:
        """Read `-x+1/2, y+.5, 1/2-Z` in any case, order and spacing.

        Raises CifError when the text has not three parts, or uses other letters than x, y, z
        (operations of superspace groups have x1 ... x4).
        """
        return _parsed(text)

    @cached_property
    def _hash(self) -> int:
        # Hashing a fraction takes a modular power, and groups are compared as sets of operations.
        return hash((self.rotation, tuple((part.numerator, part.denominator) for part in self.translation)))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def r(self) -> NDArray[np.int64]:
        """Rotation part, (3, 3) integers."""
        return np.array(self.rotation, dtype=np.int64)

    @cached_property
    def t(self) -> NDArray[np.float64]:
        """Translation part, (3,) in fractions of the cell."""
        return np.array([float(part) for part in self.translation])

    @property
    def determinant(self) -> int:
        """+1 for a rotation, −1 for one with inversion."""
        return round(float(np.linalg.det(self.r)))

    @property
    def is_identity(self) -> bool:
        """True for x, y, z."""
        return self.rotation == IDENTITY_ROTATION and not any(self.translation)

    def reduced(self) -> SymmetryOperation:
        """The same operation with its translation brought into [0, 1)."""
        if all(0 <= part.numerator < part.denominator for part in self.translation):
            return self
        return SymmetryOperation(self.rotation, tuple(part % 1 for part in self.translation))  # type: ignore[arg-type]

    def shifted(self, translation: Sequence[int]) -> SymmetryOperation:
        """The operation followed by a lattice translation."""
        moved = tuple(part + int(n) for part, n in zip(self.translation, translation, strict=True))
        return SymmetryOperation(self.rotation, moved)  # type: ignore[arg-type]

    def __matmul__(self, other: SymmetryOperation) -> SymmetryOperation:
        """self after other."""
        rotation = tuple(
            tuple(sum(self.rotation[i][k] * other.rotation[k][j] for k in range(3)) for j in range(3))
            for i in range(3)
        )
        translation = tuple(
            sum((self.rotation[i][k] * other.translation[k] for k in range(3)), Fraction(0))
            + self.translation[i]
            for i in range(3)
        )
        return SymmetryOperation(rotation, translation)  # type: ignore[arg-type]

    def inverse(self) -> SymmetryOperation:
        """The inverse operation."""
        inverted = np.rint(np.linalg.inv(self.r)).astype(int)
        rotation = tuple(tuple(int(value) for value in row) for row in inverted)
        translation = tuple(
            -sum((rotation[i][k] * self.translation[k] for k in range(3)), Fraction(0)) for i in range(3)
        )
        return SymmetryOperation(rotation, translation)  # type: ignore[arg-type]

    def xyz(self, separator: str = ", ") -> str:
        """Readable form, e.g. `-x+1, y+1/2, -z+1/2`."""
        return separator.join(
            _write_part(row, shift) for row, shift in zip(self.rotation, self.translation, strict=True)
        )

    def __str__(self) -> str:
        return self.xyz()


@lru_cache(maxsize=8192)
def _parsed(text: str) -> SymmetryOperation:
    if len(text) > _LONGEST:
        raise CifError(f"'{text[:40]}…' is not a symmetry operation.", why=f"It has {len(text)} characters.")
    parts = text.strip().strip("'\"").lower().replace(" ", "").replace("\t", "").replace(";", ",").split(",")
    if len(parts) != 3 or not all(parts):
        raise CifError(
            f"'{text}' is not a symmetry operation.",
            why=f"It has {len([p for p in parts if p])} parts; three are needed, as in -x, y+1/2, -z.",
            next="Superspace operations (x1, x2, x3, x4) are not supported by the structure view."
            if "x1" in text.lower()
            else "Correct the operation in the file.",
        )
    rows, shifts = zip(*(_parse_part(part, text) for part in parts), strict=True)
    return SymmetryOperation(rows, shifts)


def _parse_part(part: str, whole: str) -> tuple[tuple[int, int, int], Fraction]:
    row, shift, position = [0, 0, 0], Fraction(0), 0
    while position < len(part):
        match = _TERM.match(part, position)
        if match is None or match.end() == position or (position and not match["sign"]):
            raise CifError(
                f"'{whole}' is not a symmetry operation.",
                why=f"'{part}' cannot be read at '{part[position:]}'.",
                next="Expected terms of x, y, z and fractions, such as -x+1/2.",
            )
        sign = -1 if match["sign"] == "-" else 1
        axis = match["axis"] or match["axis_after"]
        size = _fraction(match["number"]) if match["number"] else Fraction(1)
        if match["divisor"]:
            size /= int(match["divisor"])
        if axis is None:
            shift += sign * size
        elif size.denominator != 1:
            raise CifError(
                f"'{whole}' is not a symmetry operation of a crystal.",
                why=f"'{part}' is not a lattice vector.",
            )
        else:
            row["xyz".index(axis)] += sign * size.numerator
        position = match.end()
    return (row[0], row[1], row[2]), shift


def _fraction(text: str) -> Fraction:
    if "/" in text:
        over, under = text.split("/")
        if int(under) == 0:
            raise CifError(f"'{text}' divides by zero in a symmetry operation.")
        return Fraction(int(over), int(under))
    exact = Fraction(text if not text.endswith(".") else text[:-1])
    for denominator in _DENOMINATORS:
        nearest = Fraction(round(exact * denominator), denominator)
        if abs(float(exact - nearest)) <= (_SNAP if "." in text else 0):
            return nearest
    if len(text.partition(".")[2]) == _FEW_DECIMALS:
        for denominator in _ROUNDED:
            nearest = Fraction(round(exact * denominator), denominator)
            if abs(exact - nearest) <= _HALF_A_DIGIT:
                return nearest
    return exact


def _write_part(row: Sequence[int], shift: Fraction) -> str:
    text = ""
    for count, axis in zip(row, "xyz", strict=True):
        if count:
            sign = "-" if count < 0 else ("+" if text else "")
            text += f"{sign}{abs(count) if abs(count) != 1 else ''}{axis}"
    if shift or not text:
        sign = "-" if shift < 0 else ("+" if text else "")
        text += f"{sign}{abs(shift)}"
    return text


class OperationTable:
    """A list of operations as integer arrays, with exact products modulo the lattice.

    `rotations` (m, 3, 3); `shifts` (m, 3) in units of 1/`denominator`.
    """

    def __init__(self, operations: Sequence[SymmetryOperation]) -> None:
        self.operations = list(operations)
        parts = [part for operation in operations for part in operation.translation]
        self.denominator = math.lcm(*(part.denominator for part in parts))
        if self.denominator > 5040:
            raise CifError("The translations of the symmetry operations are no simple fractions of the cell.")
        self.rotations = np.array([operation.rotation for operation in operations], dtype=np.int64)
        self.shifts = np.array([int(part * self.denominator) for part in parts], dtype=np.int64).reshape(
            -1, 3
        )

    def products(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rotations (m, m, 3, 3) and unreduced shifts (m, m, 3) of operation i after operation j."""
        rotations = np.einsum("iab,jbc->ijac", self.rotations, self.rotations)
        shifts = np.einsum("iab,jb->ija", self.rotations, self.shifts) + self.shifts[:, None, :]
        return rotations, shifts

    def keys(self, rotations: NDArray[np.int64], shifts: NDArray[np.int64]) -> NDArray[np.int64]:
        """One integer per operation, equal for operations that differ by a lattice translation only."""
        if np.abs(rotations).max() > 4:
            raise CifError(
                "The symmetry operations do not form a space group: one of them has no finite order.",
                next="Check the list of operations for typing errors.",
            )
        flat = rotations.reshape(*rotations.shape[:-2], 9) + 4
        reduced = shifts % self.denominator
        return flat @ (9 ** np.arange(9)) * self.denominator**3 + reduced @ (self.denominator ** np.arange(3))

    def multiplication(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index (m, m) and lattice translation (m, m, 3) of every product.

        Raises CifError when the list is not closed; `close_group` closes it.
        """
        own = self.keys(self.rotations, self.shifts)
        order = np.argsort(own)
        rotations, shifts = self.products()
        wanted = self.keys(rotations, shifts)
        place = np.minimum(np.searchsorted(own[order], wanted), len(own) - 1)
        index = order[place]
        if not np.array_equal(own[index], wanted):
            raise CifError("The symmetry operations do not form a group.")
        return index, (shifts - self.shifts[index]) // self.denominator


def close_group(operations: Iterable[SymmetryOperation], limit: int = 384) -> list[SymmetryOperation]:
    """All products of the operations modulo the lattice, the given ones first and in their order.

    Raises CifError when more than `limit` appear: the operations then do not belong to one space group.
    """
    identity = SymmetryOperation(IDENTITY_ROTATION, (Fraction(0), Fraction(0), Fraction(0)))
    operations = list(operations)
    for operation in operations:
        if operation.determinant not in (-1, 1):
            raise CifError(
                f"'{operation}' is not a symmetry operation: it does not keep volumes.",
                next="Check the list of operations for typing errors.",
            )
    # Written translations are kept: symmetry codes of the file count from them.
    group = list({operation.reduced(): operation for operation in reversed(operations)}.values())[::-1]
    if not any(operation.reduced() == identity for operation in group):
        group.insert(0, identity)
    while True:
        table = OperationTable(group)
        known = set(table.keys(table.rotations, table.shifts).tolist())
        rotations, shifts = table.products()
        keys, first = np.unique(table.keys(rotations, shifts).ravel(), return_index=True)
        new = [i for key, i in zip(keys.tolist(), first.tolist(), strict=True) if key not in known]
        if not new:
            return group
        if len(group) + len(new) > limit:
            raise CifError(
                "The symmetry operations do not form a space group.",
                why=f"Their products give more than {limit} operations.",
                next="Check the list of operations for typing errors.",
            )
        pairs = [divmod(i, len(group)) for i in sorted(new)]
        group += [(group[left] @ group[right]).reduced() for left, right in pairs]


_CODE = re.compile(r"^\s*(?P<op>[A-Za-z0-9]+)(?:_(?P<cell>[0-9]{3}|[0-9]{1,4}(?:_[0-9]{1,4}){2}))?\s*$")


def parse_code(code: str) -> tuple[str, tuple[int, int, int]]:
    """Split a symmetry code such as `3_655` into the operation's id and the lattice translation.

    `.`, `?` and the empty text mean the identity `1_555`. Translations beyond -5..4 have no official
    form; `3_5_12_5` is read as well. Raises CifError for anything else.
    """
    if code.strip() in ("", ".", "?"):
        return "1", (0, 0, 0)
    match = _CODE.match(code)
    if match is None:
        raise CifError(f"'{code}' is not a symmetry code.", next="Expected a form such as 3_655 or '.'.")
    cell = match["cell"]
    if cell is None:
        return match["op"], (0, 0, 0)
    digits = cell.split("_") if "_" in cell else list(cell)
    return match["op"], (int(digits[0]) - 5, int(digits[1]) - 5, int(digits[2]) - 5)


def format_code(operation: int | str, translation: Sequence[int]) -> str:
    """`3_655` for operation id 3 and translation (1, 0, 0); `.` for the identity in place.

    A translation beyond -5..4 is written `3_5_12_5`, which `parse_code` reads.
    """
    digits = [int(n) + 5 for n in translation]
    if str(operation) == "1" and digits == [5, 5, 5]:
        return "."
    if all(0 <= digit <= 9 for digit in digits):
        return f"{operation}_{digits[0]}{digits[1]}{digits[2]}"
    return f"{operation}_{digits[0]}_{digits[1]}_{digits[2]}"


# Numbers of operations of each kind (by trace and determinant) identify the 32 point groups.
_KIND = {(3, 1): "1", (-1, 1): "2", (0, 1): "3", (1, 1): "4", (2, 1): "6"}
_KIND |= {(-3, -1): "-1", (1, -1): "m", (0, -1): "-3", (-1, -1): "-4", (-2, -1): "-6"}
_POINT_GROUPS = {
    "1": "1",
    "-1": "1 -1",
    "2": "1 2",
    "m": "1 m",
    "2/m": "1 2 -1 m",
    "222": "1 2*3",
    "mm2": "1 2 m*2",
    "mmm": "1 2*3 -1 m*3",
    "4": "1 2 4*2",
    "-4": "1 2 -4*2",
    "4/m": "1 2 4*2 -1 m -4*2",
    "422": "1 2*5 4*2",
    "4mm": "1 2 4*2 m*4",
    "-42m": "1 2*3 m*2 -4*2",
    "4/mmm": "1 2*5 4*2 -1 m*5 -4*2",
    "3": "1 3*2",
    "-3": "1 3*2 -1 -3*2",
    "32": "1 3*2 2*3",
    "3m": "1 3*2 m*3",
    "-3m": "1 3*2 2*3 -1 -3*2 m*3",
    "6": "1 2 3*2 6*2",
    "-6": "1 3*2 m -6*2",
    "6/m": "1 2 3*2 6*2 -1 m -3*2 -6*2",
    "622": "1 2*7 3*2 6*2",
    "6mm": "1 2 3*2 6*2 m*6",
    "-6m2": "1 2*3 3*2 m*4 -6*2",
    "6/mmm": "1 2*7 3*2 6*2 -1 m*7 -3*2 -6*2",
    "23": "1 2*3 3*8",
    "m-3": "1 2*3 3*8 -1 m*3 -3*8",
    "432": "1 2*9 3*8 4*6",
    "-43m": "1 2*3 3*8 m*6 -4*6",
    "m-3m": "1 2*9 3*8 4*6 -1 m*9 -3*8 -4*6",
}


def _counts(text: str) -> frozenset[tuple[str, int]]:
    pairs = (item.split("*") for item in text.split())
    return frozenset((pair[0], int(pair[1]) if len(pair) > 1 else 1) for pair in pairs)


_BY_COUNTS = {_counts(text): name for name, text in _POINT_GROUPS.items()}


def point_group(rotations: Iterable[NDArray[np.int64]]) -> str:
    """Hermann-Mauguin symbol of the point group made of these rotations, `?` when it is none."""
    distinct = {tuple(np.asarray(rotation).ravel().tolist()): np.asarray(rotation) for rotation in rotations}
    found: dict[str, int] = {}
    for rotation in distinct.values():
        kind = _KIND.get((int(np.trace(rotation)), round(float(np.linalg.det(rotation)))), "?")
        found[kind] = found.get(kind, 0) + 1
    return _BY_COUNTS.get(frozenset(found.items()), "?")
