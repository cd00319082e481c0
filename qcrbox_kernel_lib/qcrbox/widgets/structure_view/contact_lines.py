"""Hydrogen bonds and short contacts among the atoms that a view shows, as pairs of its rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.structure import Atoms, Structure

Indices = NDArray[np.int64]


def shown_hydrogen_bonds(structure: Structure, atoms: Atoms) -> Indices:
    """(m, 2) rows H, acceptor; bonds without a hydrogen atom of their own have no line."""
    found = [bond for bond in structure.hydrogen_bonds() if bond.hydrogen is not None]
    return _images_shown(
        structure,
        atoms,
        np.array([bond.hydrogen for bond in found], dtype=np.int64),
        np.array([bond.acceptor for bond in found], dtype=np.int64),
        np.array([bond.operation for bond in found], dtype=np.int64),
        np.array([bond.translation for bond in found], dtype=np.int64).reshape(-1, 3),
    )


def shown_short_contacts(structure: Structure, atoms: Atoms) -> Indices:
    """(m, 2) rows of atoms of different molecules that are closer than the sum of their van der Waals radii."""
    found = structure.short_contacts()
    return _images_shown(structure, atoms, found.first, found.second, found.operation, found.translation)


def _images_shown(
    structure: Structure,
    atoms: Atoms,
    first: Indices,
    second: Indices,
    operation: Indices,
    translation: Indices,
) -> Indices:
    """Contacts are known from the asymmetric unit; each image of `first` takes its contact along.

    second stands at the image (operation, translation) of its site while first stands at its own place.
    """
    images = structure.images
    place = {int(key): row for row, key in enumerate(atoms.key)}
    pairs: list[tuple[int, int]] = []
    for number, site in enumerate(first.tolist()):
        rows = np.flatnonzero(atoms.site == site)
        if not len(rows):
            continue
        many = np.ones(len(rows), dtype=np.int64)
        op, moved = images.compose(
            atoms.operation[rows],
            atoms.translation[rows],
            operation[number] * many,
            np.tile(translation[number], (len(rows), 1)),
        )
        partner = second[number] * many
        keys = images.key(partner, *images.canonical(partner, op, moved))
        pairs += [
            (int(row), place[int(key)]) for row, key in zip(rows, keys, strict=True) if int(key) in place
        ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
