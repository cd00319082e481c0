"""SHELX's LATT and SYMM cards, as SHELXL, SHELXS and SHELXT read them, and back to a space group."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from qcrbox.contract.errors import CifError
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.symmetry import IDENTITY_ROTATION, SymmetryOperation, close_group

_LATTICES = {1: "P", 2: "I", 3: "R", 4: "F", 5: "A", 6: "B", 7: "C"}
_VECTORS = {
    "P": ["0 0 0"],
    "I": ["0 0 0", "1/2 1/2 1/2"],
    "R": ["0 0 0", "2/3 1/3 1/3", "1/3 2/3 2/3"],
    "F": ["0 0 0", "0 1/2 1/2", "1/2 0 1/2", "1/2 1/2 0"],
    "A": ["0 0 0", "0 1/2 1/2"],
    "B": ["0 0 0", "1/2 0 1/2"],
    "C": ["0 0 0", "1/2 1/2 0"],
}


def symmetry_cards(group: SpaceGroup) -> list[str]:
    """`LATT` and `SYMM` lines of a space group; the identity, centring and an inversion at the origin are implied.

    A lattice without SHELX number, and an inversion away from the origin, are written out as SYMM cards.
    """
    letter = group.centring if group.centring in _LATTICES.values() else "P"
    number = next(n for n, own in _LATTICES.items() if own == letter)
    inversion = _inversion()
    reduced = {operation.reduced() for operation in group.operations}
    centric = inversion in reduced
    implied = {
        move @ operation
        for move in _moves(letter)
        for operation in ([_identity(), inversion] if centric else [_identity()])
    }
    seen = {operation.reduced() for operation in implied}
    cards = [f"LATT {number if centric else -number}"]
    for operation in group.operations:
        if operation.reduced() in seen:
            continue
        cards.append(f"SYMM {operation.reduced().xyz().upper()}")
        for member in implied:
            seen.add((member @ operation).reduced())
    return cards


def space_group_of_cards(latt: int, symm: Sequence[str]) -> SpaceGroup:
    """The space group that LATT and SYMM cards mean. Raises CifError for an unknown lattice."""
    letter = _LATTICES.get(abs(latt))
    if letter is None:
        raise CifError(
            f"LATT {latt} is no SHELX lattice.", next="Lattices are 1 to 7, negative without inversion."
        )
    # SHELX counts symmetry codes from the identity and the cards in their order.
    generators = [_identity(), *(SymmetryOperation.parse(text) for text in symm)]
    if latt > 0:
        generators += [_inversion() @ operation for operation in generators]
    operations = [move @ operation for move in _moves(letter) for operation in generators]
    return SpaceGroup.from_operations(close_group(operations))


def _identity() -> SymmetryOperation:
    return SymmetryOperation(IDENTITY_ROTATION, (Fraction(0), Fraction(0), Fraction(0)))


def _inversion() -> SymmetryOperation:
    rotation = tuple(tuple(int(value) for value in row) for row in -np.eye(3, dtype=int))
    return SymmetryOperation(rotation, (Fraction(0), Fraction(0), Fraction(0)))  # type: ignore[arg-type]


def _moves(letter: str) -> list[SymmetryOperation]:
    moves = []
    for vector in _VECTORS[letter]:
        x, y, z = (Fraction(part) for part in vector.split())
        moves.append(SymmetryOperation(IDENTITY_ROTATION, (x, y, z)))
    return moves


def cell_cards(wavelength: float, cell: Sequence[float], su: Sequence[float], z: float) -> list[str]:
    """CELL and ZERR; wavelength and edges in Å, angles in degrees, with all decimals they have (six, for angles five)."""
    least, most = (4, 4, 4, 3, 3, 3), (6, 6, 6, 5, 5, 5)
    values, errors = (
        " ".join(_decimals(value, *limits) for value, *limits in zip(numbers, least, most, strict=True))
        for numbers in (cell, su)
    )
    return [f"CELL {_decimals(wavelength, 5, 7)} {values}", f"ZERR {z:g} {errors}"]


def _decimals(value: float, least: int, most: int) -> str:
    whole, _, rest = f"{value:.{most}f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(least, '0')}"
