"""Tables of bonds, angles and hydrogen bonds, as they are printed: labels, symmetry codes, numbers with s.u."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.values import Number
from qcrbox.crystallography.structure import geometry
from qcrbox.crystallography.structure.bonds import Edges
from qcrbox.crystallography.structure.contacts import HydrogenBond
from qcrbox.crystallography.structure.images import ImageList, SymmetryImages

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Bond:
    """One line of a bond table: site_1 in its own place, site_2 at a symmetry image."""

    label_1: str
    label_2: str
    length: Number
    code: str
    symmetry: str
    listed: bool


@dataclass(frozen=True)
class Angle:
    """One line of a table of angles; label_2 is the apex, in its own place."""

    label_1: str
    label_2: str
    label_3: str
    angle: Number
    code_1: str
    code_3: str


@dataclass(frozen=True)
class HydrogenBondRow:
    """One line of a table of hydrogen bonds; lengths in Å, angle in degrees."""

    donor: str
    hydrogen: str
    acceptor: str
    d_h: Number
    h_a: Number
    d_a: Number
    angle: Number
    code: str
    listed: bool


def bonds(images: SymmetryImages, edges: Edges, hydrogens: bool = True) -> list[Bond]:
    """Each bond of the asymmetric unit once."""
    rows = _unique_edges(images, edges, hydrogens)
    first, second = _ends(images, edges, rows)
    lengths = geometry.measure(images, geometry.distance, [first, second]).numbers()
    label = images.sites.label
    return [
        Bond(
            label[edges.first[row]],
            label[edges.second[row]],
            length,
            _code(images, second, place),
            images.group.readable(int(second.operation[place]), second.translation[place].tolist()),
            bool(edges.listed[row]),
        )
        for place, (row, length) in enumerate(zip(rows.tolist(), lengths, strict=True))
    ]


def angles(images: SymmetryImages, edges: Edges, hydrogens: bool = True) -> list[Angle]:
    """Each bond angle of the asymmetric unit once, by apex."""
    keep = np.ones(len(edges), dtype=bool) if hydrogens else ~images.sites.is_hydrogen[edges.second]
    pairs: list[tuple[int, int]] = []
    for site in range(len(images.sites)):
        around = [row for row in edges.of(site) if keep[row]]
        pairs += [(one, other) for place, one in enumerate(around) for other in around[place + 1 :]]
    if not pairs:
        return []
    one, other = np.array(pairs).T
    apex, end_1 = _ends(images, edges, one)
    _, end_3 = _ends(images, edges, other)
    values = geometry.measure(images, geometry.angle, [end_1, apex, end_3]).numbers()
    label = images.sites.label
    return [
        Angle(
            label[end_1.site[row]],
            label[apex.site[row]],
            label[end_3.site[row]],
            value,
            _code(images, end_1, row),
            _code(images, end_3, row),
        )
        for row, value in enumerate(values)
    ]


def hydrogen_bonds(images: SymmetryImages, found: Sequence[HydrogenBond]) -> list[HydrogenBondRow]:
    """Hydrogen bonds with lengths and angle measured anew."""
    if not found:
        return []
    donor, hydrogen = (
        _own(images, [bond.donor for bond in found]),
        _own(images, [bond.hydrogen for bond in found]),
    )
    acceptor = images.make(
        [bond.acceptor for bond in found],
        [bond.operation for bond in found],
        [bond.translation for bond in found],
    )
    d_h, h_a, d_a, dha = (
        geometry.measure(images, kind, atoms).numbers()
        for kind, atoms in (
            (geometry.distance, [donor, hydrogen]),
            (geometry.distance, [hydrogen, acceptor]),
            (geometry.distance, [donor, acceptor]),
            (geometry.angle, [donor, hydrogen, acceptor]),
        )
    )
    label = images.sites.label
    return [
        HydrogenBondRow(
            label[bond.donor],
            label[bond.hydrogen],
            label[bond.acceptor],
            d_h[row],
            h_a[row],
            d_a[row],
            dha[row],
            _code(images, acceptor, row),
            bond.listed,
        )
        for row, bond in enumerate(found)
    ]


def _unique_edges(images: SymmetryImages, edges: Edges, hydrogens: bool) -> Indices:
    """One of the two directions of every edge."""
    back_operation, back_translation = images.invert(edges.operation, edges.translation)
    back_operation, back_translation = images.canonical(edges.first, back_operation, back_translation)
    forward = images.key(edges.second, edges.operation, edges.translation)
    backward = images.key(edges.first, back_operation, back_translation)
    shown = np.ones(len(edges), dtype=bool)
    if not hydrogens:
        shown = ~(images.sites.is_hydrogen[edges.first] | images.sites.is_hydrogen[edges.second])
    upward = (edges.first < edges.second) | ((edges.first == edges.second) & (forward <= backward))
    return np.flatnonzero(shown & upward)


def _ends(images: SymmetryImages, edges: Edges, rows: Indices) -> tuple[ImageList, ImageList]:
    second = images.make(edges.second[rows], edges.operation[rows], edges.translation[rows])
    return _own(images, edges.first[rows]), second


def _own(images: SymmetryImages, sites: Sequence[int] | Indices) -> ImageList:
    rows = np.array(sites, dtype=np.int64)
    operation, translation = images.own_place(rows)
    return images.make(rows, operation, translation)


def _code(images: SymmetryImages, atoms: ImageList, row: int) -> str:
    one = slice(row, row + 1)
    if images.is_own_place(atoms.site[one], atoms.operation[one], atoms.translation[one])[0]:
        return "."
    return images.group.code(int(atoms.operation[row]), atoms.translation[row].tolist())
