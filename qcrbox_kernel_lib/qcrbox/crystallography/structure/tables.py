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
    """One line of a table of hydrogen bonds; lengths in Å, angle in degrees.

    code: symmetry code of the acceptor; code_d: that of the donor, `.` but where the file lists H beside an image of D.
    """

    donor: str
    hydrogen: str
    acceptor: str
    d_h: Number
    h_a: Number
    d_a: Number
    angle: Number
    code: str
    listed: bool
    code_d: str = "."


def bonds(images: SymmetryImages, edges: Edges, hydrogens: bool = True) -> list[Bond]:
    """Each bond of the asymmetric unit once."""
    rows = _unique_edges(images, edges, hydrogens)
    first, second = _ends(images, edges, rows)
    lengths = geometry.measure(images, geometry.distance, [first, second]).numbers()
    label = images.sites.label
    one, other = (side[rows].tolist() for side in (edges.first, edges.second))
    return [
        Bond(label[i], label[j], length, code, readable, listed)
        for i, j, length, (code, readable), listed in zip(
            one, other, lengths, _symmetry(images, second), edges.listed[rows].tolist(), strict=True
        )
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
    sites = (end.site.tolist() for end in (end_1, apex, end_3))
    codes = ([code for code, _ in _symmetry(images, end)] for end in (end_1, end_3))
    return [
        Angle(label[i], label[j], label[k], value, code_1, code_3)
        for i, j, k, value, code_1, code_3 in zip(*sites, values, *codes, strict=True)
    ]


def hydrogen_bonds(images: SymmetryImages, found: Sequence[HydrogenBond]) -> list[HydrogenBondRow]:
    """Hydrogen bonds with recalculated lengths and angle."""
    if not found:
        return []
    donor = images.make(
        [bond.donor for bond in found],
        [bond.donor_operation for bond in found],
        [bond.donor_translation for bond in found],
    )
    hydrogen = _own(images, [bond.hydrogen for bond in found])
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
    codes, codes_d = ([code for code, _ in _symmetry(images, atoms)] for atoms in (acceptor, donor))
    return [
        HydrogenBondRow(
            label[bond.donor],
            label[bond.hydrogen],
            label[bond.acceptor],
            d_h[row],
            h_a[row],
            d_a[row],
            dha[row],
            codes[row],
            bond.listed,
            codes_d[row],
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


def _symmetry(images: SymmetryImages, atoms: ImageList) -> list[tuple[str, str]]:
    """Symmetry code and readable operation of each atom; the code is `.` for one in its own place."""
    own = images.is_own_place(atoms.site, atoms.operation, atoms.translation)
    known: dict[tuple[int, tuple[int, ...]], tuple[str, str]] = {}
    named = []
    for here, operation, moved in zip(
        own.tolist(), atoms.operation.tolist(), map(tuple, atoms.translation.tolist()), strict=True
    ):
        name = (operation, moved)
        if name not in known:
            known[name] = images.group.code(operation, moved), images.group.readable(operation, moved)
        code, readable = known[name]
        named.append((".", readable) if here else (code, readable))
    return named
