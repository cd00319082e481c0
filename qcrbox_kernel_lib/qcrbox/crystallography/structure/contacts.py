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
from qcrbox.crystallography.structure.growing import asymmetric_unit, complete_molecules
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
    """D-H...A with H in its own place and A an image; lengths in Å, angle in degrees.

    D is in its own place too, unless the file lists H beside an image of D: `donor_operation` and
    `donor_translation` give the image of D. `listed` marks those of the file.
    """

    donor: int
    donor_operation: int
    donor_translation: tuple[int, int, int]
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
    """One row of the file's list of hydrogen bonds: three sites, each with its image."""

    donor: int
    operation_d: int
    translation_d: tuple[int, int, int]
    hydrogen: int
    operation_h: int
    translation_h: tuple[int, int, int]
    acceptor: int
    operation_a: int
    translation_a: tuple[int, int, int]


def short_contacts(
    images: SymmetryImages,
    edges: Edges,
    extra: float = 0.0,
    *,
    hydrogens: bool = True,
    within_molecules: bool = False,
) -> Contacts:
    """Contacts between molecules shorter than the sum of van der Waals radii plus `extra` Å.

    Alternatives of disorder are not contacts. within_molecules: those inside a molecule too, more than three bonds
    apart; so are those inside a network always, which has no molecules to be between.
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
    if not within_molecules:
        good &= ~_within_a_molecule(images, edges, first, images.key(second, operation, translation))
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


def _within_a_molecule(
    images: SymmetryImages, edges: Edges, first: Indices, second_key: Indices
) -> NDArray[np.bool_]:
    """Whether the site in its own place and the image belong to one finite molecule."""
    start = asymmetric_unit(images, edges)
    grown = complete_molecules(images, edges, start)
    keys, fragment = grown.key, grown.fragments()
    order = np.argsort(keys, kind="stable")
    keys, fragment = keys[order], fragment[order]

    def fragment_of(wanted: Indices) -> Indices:
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[place] == wanted, fragment[place], -1)

    # A network continues beyond the piece of it that was grown.
    owner, site, operation, translation = bonded_images(images, edges, grown.images, order)
    beyond = ~np.isin(images.key(site, operation, translation), keys)
    networks = np.unique(fragment_of(grown.key[owner[beyond]]))
    own_key = np.full(len(images.sites), -1, dtype=np.int64)
    own_key[start.site] = start.key
    here, there = fragment_of(own_key[first]), fragment_of(second_key)
    return (here >= 0) & (here == there) & ~np.isin(here, networks)


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
    of_file = [_measured(images, _resolved(images, edges, row), listed=True) for row in listed]
    known = {_name(images, bond) for bond in of_file}
    found = [bond for bond in _by_geometry(images, edges) if _name(images, bond) not in known]
    return sorted([*of_file, *found], key=lambda bond: (bond.donor, bond.hydrogen, bond.h_a))


def _name(images: SymmetryImages, bond: HydrogenBond) -> tuple[int, int, int]:
    acceptor = np.array([bond.acceptor])
    operation, translation = images.canonical(
        acceptor, np.array([bond.operation]), np.array([bond.translation])
    )
    return bond.donor, bond.hydrogen, int(images.key(acceptor, operation, translation)[0])


# One operation with its lattice translation.
_Image = tuple[int, tuple[int, int, int]]


@dataclass(frozen=True)
class _Triple:
    """Sites of donor, hydrogen and acceptor; images of donor and acceptor, the hydrogen in its own place."""

    donor: int
    donor_image: _Image
    hydrogen: int
    acceptor: int
    acceptor_image: _Image


def _resolved(images: SymmetryImages, edges: Edges, row: ListedHydrogenBond) -> _Triple:
    """The triple of a listed bond, with the images of D and A relative to the position of the hydrogen.

    Where the codes put D elsewhere than where the hydrogen is bonded to it, the bond decides: many files give the
    code of A alone.
    """
    back = images.invert(np.array([row.operation_h]), np.array([row.translation_h]))

    def beside_hydrogen(operation: int, translation: tuple[int, int, int]) -> _Image:
        found, moved = images.compose(*back, np.array([operation]), np.array([translation]))
        return _image_of(found, moved)

    donor = beside_hydrogen(row.operation_d, row.translation_d)
    bonded = _bonded_donors(edges, row.hydrogen).get(row.donor)
    if bonded and _canonical(images, row.donor, donor) not in bonded:
        donor = bonded[0]
    acceptor = beside_hydrogen(row.operation_a, row.translation_a)
    return _Triple(row.donor, donor, row.hydrogen, row.acceptor, acceptor)


def _image_of(operation: Indices, translation: Indices) -> _Image:
    x, y, z = translation[0].tolist()
    return int(operation[0]), (x, y, z)


def _canonical(images: SymmetryImages, site: int, image: _Image) -> _Image:
    return _image_of(*images.canonical(np.array([site]), np.array([image[0]]), np.array([image[1]])))


def _bonded_donors(edges: Edges, hydrogen: int) -> dict[int, list[_Image]]:
    """Images of each site that a hydrogen atom in its own place is bonded to, nearest first."""
    found: dict[int, list[_Image]] = {}
    for edge in sorted(edges.of(hydrogen), key=lambda row: float(edges.distance[row])):
        one = slice(edge, edge + 1)
        image = _image_of(edges.operation[one], edges.translation[one])
        found.setdefault(int(edges.second[edge]), []).append(image)
    return found


def _by_geometry(images: SymmetryImages, edges: Edges) -> list[HydrogenBond]:
    sites = images.sites
    contacts = short_contacts(images, edges, extra=-HYDROGEN_BOND_MARGIN, within_molecules=True)
    hydrogen, acceptors = sites.is_hydrogen, np.array([element in ACCEPTORS for element in sites.element])
    found = []
    for row in np.flatnonzero(hydrogen[contacts.first] & acceptors[contacts.second]):
        h, a = int(contacts.first[row]), int(contacts.second[row])
        one = slice(row, row + 1)
        acceptor = _image_of(contacts.operation[one], contacts.translation[one])
        for donor, donor_images in _bonded_donors(edges, h).items():
            if sites.element[donor] not in DONORS:
                continue
            # Images of one D around a hydrogen on a special position give the same bonds over again.
            own = _canonical(images, donor, (images.group.identity, (0, 0, 0)))
            image = own if own in donor_images else donor_images[0]
            bond = _measured(images, _Triple(donor, image, h, a, acceptor), listed=False)
            if bond.angle >= HYDROGEN_BOND_ANGLE:
                found.append(bond)
    return found


def _measured(images: SymmetryImages, triple: _Triple, *, listed: bool) -> HydrogenBond:
    """The hydrogen bond with its lengths in Å and its angle in degrees."""
    (donor_operation, donor_translation), (operation, translation) = triple.donor_image, triple.acceptor_image
    donor, acceptor = images.cartesian_of(
        np.array([triple.donor, triple.acceptor]),
        np.array([donor_operation, operation]),
        np.array([donor_translation, translation]),
    )
    hydrogen = images.cartesian[triple.hydrogen]
    d_h, h_a = donor - hydrogen, acceptor - hydrogen
    lengths = float(np.linalg.norm(d_h)), float(np.linalg.norm(h_a))
    cosine = d_h @ h_a / max(lengths[0] * lengths[1], 1e-12)
    return HydrogenBond(
        donor=triple.donor,
        donor_operation=donor_operation,
        donor_translation=donor_translation,
        hydrogen=triple.hydrogen,
        acceptor=triple.acceptor,
        operation=operation,
        translation=translation,
        d_h=lengths[0],
        h_a=lengths[1],
        d_a=float(np.linalg.norm(d_h - h_a)),
        angle=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        listed=listed,
    )


def partners(images: SymmetryImages, edges: Edges, contacts: Contacts) -> Atoms:
    """The far ends of contacts as atoms."""
    return Atoms(images, edges, images.make(contacts.second, contacts.operation, contacts.translation))
