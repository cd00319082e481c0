"""Contacts between atoms that are not bonded: short ones by van der Waals radii, and hydrogen bonds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.structure.atoms import Atoms, bonded_images
from qcrbox.crystallography.structure.bonds import Edges
from qcrbox.crystallography.structure.disorder import alternatives
from qcrbox.crystallography.structure.elements import van_der_waals_radius
from qcrbox.crystallography.structure.growing import asymmetric_unit
from qcrbox.crystallography.structure.images import SymmetryImages

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

DONORS = ("N", "O", "F", "S", "Cl", "Br", "I", "Se", "P")
ACCEPTORS = ("N", "O", "F", "S", "Cl", "Br", "I", "Se")
# Jeffrey, An Introduction to Hydrogen Bonding (1997): weak bonds reach H...A of the sum of radii,
# D-H...A above 110 degrees. Short of the sum by 0.12 Å as in the usual tables of geometry.
HYDROGEN_BOND_MARGIN = 0.12
HYDROGEN_BOND_ANGLE = 110.0


@dataclass(frozen=True)
class Contacts:
    """Pairs from a site in its own place to an image: arrays of m rows, shortest first."""

    first: Indices
    second: Indices
    operation: Indices
    translation: Indices
    distance: Array
    shorter_by: Array
    """How much shorter than the sum of van der Waals radii, Å."""

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class HydrogenBond:
    """D-H...A with D and H in their own places and A an image; lengths in Å, angle in degrees.

    `listed` marks those of the file.
    """

    donor: int
    hydrogen: int
    acceptor: int
    operation: int
    translation: tuple[int, int, int]
    d_h: float
    h_a: float
    d_a: float
    angle: float
    listed: bool = False


@dataclass(frozen=True)
class ListedHydrogenBond:
    """One row of the file's list of hydrogen bonds; donor and hydrogen are in one image."""

    donor: int
    hydrogen: int
    operation_h: int
    translation_h: tuple[int, int, int]
    acceptor: int
    operation_a: int
    translation_a: tuple[int, int, int]


def short_contacts(
    images: SymmetryImages, edges: Edges, extra: float = 0.0, hydrogens: bool = True
) -> Contacts:
    """Contacts shorter than the sum of van der Waals radii plus `extra` Å.

    Atoms up to three bonds apart and alternatives of disorder are not contacts.
    """
    sites = images.sites
    radii = np.array([van_der_waals_radius(element) for element in sites.element])
    mask = sites.is_atom & (hydrogens | ~sites.is_hydrogen)
    rows = np.flatnonzero(mask)
    cutoff = 2 * float(radii[rows].max(initial=0.0)) + extra
    if cutoff <= 0 or not len(rows):
        empty = np.zeros(0, dtype=np.int64)
        return Contacts(empty, empty, empty, np.zeros((0, 3), dtype=np.int64), np.zeros(0), np.zeros(0))
    first, image, distance = images.around(rows, cutoff)
    short = distance < radii[first] + radii[image.site] + extra
    first, second, distance = first[short], image.site[short], distance[short]
    operation, translation = image.operation[short], image.translation[short]
    same = images.is_own_place(second, operation, translation)
    good = ~((first == second) & same) & ~alternatives(sites, first, second, same) & (distance > 0.01)
    good &= ~_within_three_bonds(images, edges, first, second, operation, translation)
    order = np.flatnonzero(good)[np.argsort(distance[good], kind="stable")]
    shorter = radii[first] + radii[second] - distance
    return Contacts(
        first[order], second[order], operation[order], translation[order], distance[order], shorter[order]
    )


def _within_three_bonds(
    images: SymmetryImages,
    edges: Edges,
    first: Indices,
    second: Indices,
    operation: Indices,
    translation: Indices,
) -> NDArray[np.bool_]:
    start = asymmetric_unit(images, edges)
    origin, current = start.site, start.images
    owners, keys = [], []
    for _ in range(3):
        row, site, op, moved = bonded_images(images, edges, current, np.arange(len(current)))
        origin, key = origin[row], images.key(site, op, moved)
        _, unique = np.unique(_pair_numbers([(origin, key)])[0], return_index=True)
        current = images.make(site[unique], op[unique], moved[unique])
        origin = origin[unique]
        owners.append(origin)
        keys.append(key[unique])
    close, wanted = _pair_numbers(
        [(np.concatenate(owners), np.concatenate(keys)), (first, images.key(second, operation, translation))]
    )
    close.sort()
    return (
        close[np.minimum(np.searchsorted(close, wanted), len(close) - 1)] == wanted
        if len(close)
        else wanted < 0
    )


def _pair_numbers(lists: Sequence[tuple[Indices, Indices]]) -> list[Indices]:
    """One integer for each pair of integers, equal for equal pairs of all lists."""
    number = np.unique(np.concatenate([second for _, second in lists]), return_inverse=True)[1]
    count = int(number.max(initial=0)) + 1
    found, place = [], 0
    for first, second in lists:
        found.append(first * count + number[place : place + len(second)])
        place += len(second)
    return found


def hydrogen_bonds(
    images: SymmetryImages, edges: Edges, listed: Sequence[ListedHydrogenBond] = ()
) -> list[HydrogenBond]:
    """Hydrogen bonds of the file, and those the geometry shows beside them.

    By geometry: H...A shorter than the radii's sum by 0.12 Å, D-H...A above 110°.
    """
    of_file = [_measured(images, _resolved(images, row), listed=True) for row in listed]
    known = {_name(images, bond) for bond in of_file}
    found = [bond for bond in _by_geometry(images, edges) if _name(images, bond) not in known]
    return sorted([*of_file, *found], key=lambda bond: (bond.donor, bond.hydrogen, bond.h_a))


def _name(images: SymmetryImages, bond: HydrogenBond) -> tuple[int, int, int]:
    acceptor = np.array([bond.acceptor])
    operation, translation = images.canonical(
        acceptor, np.array([bond.operation]), np.array([bond.translation])
    )
    return bond.donor, bond.hydrogen, int(images.key(acceptor, operation, translation)[0])


@dataclass(frozen=True)
class _Triple:
    """Sites of donor, hydrogen and acceptor; operation and translation give the acceptor's image."""

    donor: int
    hydrogen: int
    acceptor: int
    operation: int
    translation: tuple[int, int, int]


def _resolved(images: SymmetryImages, row: ListedHydrogenBond) -> _Triple:
    """The triple of a listed bond, with the acceptor's image relative to the position of the hydrogen."""
    back_operation, back_translation = images.invert(
        np.array([row.operation_h]), np.array([row.translation_h])
    )
    operation, translation = images.compose(
        back_operation, back_translation, np.array([row.operation_a]), np.array([row.translation_a])
    )
    x, y, z = translation[0].tolist()
    return _Triple(row.donor, row.hydrogen, row.acceptor, int(operation[0]), (x, y, z))


def _by_geometry(images: SymmetryImages, edges: Edges) -> list[HydrogenBond]:
    sites = images.sites
    contacts = short_contacts(images, edges, extra=-HYDROGEN_BOND_MARGIN)
    hydrogen, acceptors = sites.is_hydrogen, np.array([element in ACCEPTORS for element in sites.element])
    found = []
    for row in np.flatnonzero(hydrogen[contacts.first] & acceptors[contacts.second]):
        h, a = int(contacts.first[row]), int(contacts.second[row])
        x, y, z = contacts.translation[row].tolist()
        for edge in edges.of(h):
            one = slice(edge, edge + 1)
            donor = int(edges.second[edge])
            own = images.is_own_place(edges.second[one], edges.operation[one], edges.translation[one])[0]
            if sites.element[donor] not in DONORS or not own:
                continue
            triple = _Triple(donor, h, a, int(contacts.operation[row]), (x, y, z))
            bond = _measured(images, triple, listed=False)
            if bond.angle >= HYDROGEN_BOND_ANGLE:
                found.append(bond)
    return found


def _measured(images: SymmetryImages, triple: _Triple, *, listed: bool) -> HydrogenBond:
    """The hydrogen bond with its lengths in Å and its angle in degrees."""
    donor, hydrogen, acceptor = triple.donor, triple.hydrogen, triple.acceptor
    operation, translation = triple.operation, triple.translation
    position = images.cartesian_of(np.array([acceptor]), np.array([operation]), np.array([translation]))[0]
    d_h = images.cartesian[donor] - images.cartesian[hydrogen]
    h_a = position - images.cartesian[hydrogen]
    lengths = float(np.linalg.norm(d_h)), float(np.linalg.norm(h_a))
    cosine = d_h @ h_a / max(lengths[0] * lengths[1], 1e-12)
    return HydrogenBond(
        donor,
        hydrogen,
        acceptor,
        operation,
        translation,
        lengths[0],
        lengths[1],
        float(np.linalg.norm(d_h - h_a)),
        float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        listed,
    )


def partners(images: SymmetryImages, edges: Edges, contacts: Contacts) -> Atoms:
    """The far ends of contacts as atoms."""
    return Atoms(images, edges, images.make(contacts.second, contacts.operation, contacts.translation))
