"""Which atom of the prepared molecules each saved atom is.

Avogadro's file has labels, but they stay at their rows when an atom is deleted and the last one takes its row; so
atoms are known by where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qcrbox.crystallography._gemmi import gemmi

Atom = tuple[int, tuple[float, float, float]]  # atomic number, place in Å
SAME_A = 0.001
FAR_A = 2.0  # an atom further away than this is another one


@dataclass(frozen=True)
class SavedAtom:
    """label: "" for a new one. element as in a periodic table. place: Å."""

    label: str
    element: str
    place: tuple[float, float, float]


def known_again(saved: Sequence[Atom], prepared: Sequence[Atom], labels: Sequence[str]) -> list[SavedAtom]:
    """Each saved atom with the label of the prepared atom it is: the one at its place, else (where nothing was deleted
    or added) the one of its row, else the nearest of its element that is left."""
    found: dict[int, int] = {}  # row in saved -> row in prepared
    left = set(range(len(prepared)))
    for row, origin in _candidates(saved, prepared):
        if row not in found and origin in left:
            found[row] = origin
            left.discard(origin)
    return [
        SavedAtom(labels[found[row]] if row in found else "", gemmi.Element(number).name, place)
        for row, (number, place) in enumerate(saved)
    ]


def _candidates(saved: Sequence[Atom], prepared: Sequence[Atom]) -> Iterator[tuple[int, int]]:
    """Pairs (row in saved, row in prepared), the surest first."""
    if not saved or not prepared:
        return
    apart = _distances(saved, prepared)
    for row, origin in np.argwhere(apart < SAME_A).tolist():
        yield row, origin
    numbers, before = ([number for number, _ in atoms] for atoms in (saved, prepared))
    if numbers == before:
        yield from ((row, row) for row in range(len(saved)))
    rows, origins = np.unravel_index(np.argsort(apart, axis=None), apart.shape)
    for row, origin in zip(rows.tolist(), origins.tolist(), strict=True):
        if apart[row, origin] > FAR_A:
            return
        if numbers[row] == before[origin]:
            yield row, origin


def _distances(saved: Sequence[Atom], prepared: Sequence[Atom]) -> NDArray[np.float64]:
    here, there = (np.array([place for _, place in atoms]) for atoms in (saved, prepared))
    return np.linalg.norm(here[:, None] - there[None], axis=2)
