"""Monoclinic Hermann-Mauguin symbols that no table lists, such as `B 1 21/c 1`: their operations follow from their letters.

A symbol names the lattice, and for the unique axis a rotation, a reflection or both. The origin is on the inversion
centre, else on the axis or plane, as in International Tables A. That is enough for monoclinic groups; symbols of other
systems leave the relative position of their elements to conventions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from qcrbox.crystallography.symmetry import Matrix, SymmetryOperation

Vector = tuple[Fraction, Fraction, Fraction]
Operations = Sequence[SymmetryOperation]

_HALF, _QUARTER, _ZERO = Fraction(1, 2), Fraction(1, 4), Fraction(0)
_LATTICES: dict[str, list[Vector]] = {
    "p": [],
    "a": [(_ZERO, _HALF, _HALF)],
    "b": [(_HALF, _ZERO, _HALF)],
    "c": [(_HALF, _HALF, _ZERO)],
    "i": [(_HALF, _HALF, _HALF)],
    "f": [(_ZERO, _HALF, _HALF), (_HALF, _ZERO, _HALF), (_HALF, _HALF, _ZERO)],
}
_ELEMENT = re.compile(r"(?P<axis>21|2)?(?:(?:^|/)(?P<plane>[mabcnd]))?\Z")
_SYMBOL = re.compile(r"(?P<lattice>[pabcif])\s*(?P<rest>.+)\Z")


def operations_of_symbol(symbol: str, unique_axis: int = 1) -> list[SymmetryOperation]:
    """Generators of a plain lower-case symbol; empty when it is not monoclinic.

    unique_axis: 0, 1 or 2 for a short symbol (`b 21/c`), which does not say it.
    """
    match = _SYMBOL.match(symbol)
    if match is None:
        return []
    words = match["rest"].split()
    if len(words) != 3 and (whole := re.match(r"1([^1].*)1\Z", "".join(words))):
        words = ["1", whole[1], "1"]  # written with too few blanks, unique axis b
    if len(words) == 3 and words.count("1") == 2:
        unique_axis = next(axis for axis, word in enumerate(words) if word != "1")
        word = words[unique_axis]
    elif len(words) == 1:
        word = words[0]
    else:
        return []
    element = _ELEMENT.match(word)
    if element is None or not (element["axis"] or element["plane"]):
        return []
    return _generators(element["axis"], element["plane"], _LATTICES[match["lattice"]], unique_axis)


def _generators(
    axis: str | None, plane: str | None, lattice: Sequence[Vector], unique: int
) -> list[SymmetryOperation]:
    glide = _glide(plane, unique) if plane else (_ZERO, _ZERO, _ZERO)
    if glide is None:
        return []
    screw = tuple(_HALF if axis == "21" and n == unique else _ZERO for n in range(3))
    generators = [SymmetryOperation(_diagonal(1, 1), vector) for vector in lattice]
    if axis and plane:
        # With the inversion centre at the origin both translations belong to the rotation.
        both = tuple(a + b for a, b in zip(screw, glide, strict=True))
        generators.append(SymmetryOperation(_rotation(unique, 1), both))  # type: ignore[arg-type]
        generators.append(SymmetryOperation(_diagonal(-1, -1), (_ZERO, _ZERO, _ZERO)))
    elif axis:
        generators.append(SymmetryOperation(_rotation(unique, 1), screw))  # type: ignore[arg-type]
    else:
        generators.append(SymmetryOperation(_rotation(unique, -1), glide))
    return generators


def _diagonal(first: int, others: int, place: int = 0) -> Matrix:
    x, y, z = (first if row == place else others for row in range(3))
    return (x, 0, 0), (0, y, 0), (0, 0, z)


def _rotation(unique: int, sign: int) -> Matrix:
    """Twofold rotation about an axis, or (sign -1) reflection in the plane normal to it."""
    return _diagonal(sign, -sign, unique)


def _glide(plane: str, unique: int) -> Vector | None:
    """Translation of a plane normal to an axis; None for one that this plane cannot have."""
    steps = {"m": (), "a": (0,), "b": (1,), "c": (2,), "n": _others(unique), "d": _others(unique)}[plane]
    if unique in steps:
        return None
    size = _QUARTER if plane == "d" else _HALF
    x, y, z = (size if axis in steps else _ZERO for axis in range(3))
    return x, y, z


def _others(unique: int) -> tuple[int, ...]:
    return tuple(axis for axis in range(3) if axis != unique)


def monoclinic_number(operations: Operations) -> int | None:
    """Number of International Tables of a closed monoclinic group in any setting; None for another group.

    Pure rotations and reflections are told from screws and glides by their intrinsic translations, whatever the
    origin; centring vectors out of the mirror plane tell C lattices from P.
    """
    diagonals = {_diagonal(1, 1): "1", _diagonal(-1, -1): "-1"}
    for unique in range(3):
        diagonals |= {_rotation(unique, 1): f"2{unique}", _rotation(unique, -1): f"m{unique}"}
    kinds = [diagonals.get(operation.rotation, "?") for operation in operations]
    axes = {kind[1] for kind in kinds if kind[0] in "2m"}
    if len(axes) != 1 or "?" in kinds:
        return None
    unique = int(axes.pop())
    centrings = [_reduced(op.translation) for op, kind in zip(operations, kinds, strict=True) if kind == "1"]
    centred = any(vector[unique] for vector in centrings)
    in_plane = {_in_plane(vector, unique) for vector in centrings if not vector[unique]}
    rotations = [op.translation for op, kind in zip(operations, kinds, strict=True) if kind[0] == "2"]
    planes = [op.translation for op, kind in zip(operations, kinds, strict=True) if kind[0] == "m"]
    pure_axis = any(shift[unique] % 1 == 0 for shift in rotations)
    pure_plane = any(_in_plane(_reduced(shift), unique) in in_plane for shift in planes)
    if not planes:
        return 5 if centred else 3 if pure_axis else 4
    if not rotations:
        return (8 if pure_plane else 9) if centred else (6 if pure_plane else 7)
    if centred:
        return 12 if pure_plane else 15
    return {(True, True): 10, (False, True): 11, (True, False): 13, (False, False): 14}[pure_axis, pure_plane]


def _reduced(vector: Vector) -> Vector:
    x, y, z = (part % 1 for part in vector)
    return x, y, z


def _in_plane(vector: Vector, unique: int) -> tuple[Fraction, ...]:
    return tuple(part for axis, part in enumerate(vector) if axis != unique)


__all__ = ["monoclinic_number", "operations_of_symbol"]
