"""Connectivity of the crystal, held as directed edges that start in the asymmetric unit.

Bonds listed in the file come first; where it lists none, or only a selection, covalent radii decide.
Alternatives of disorder are never bonded. Products of symmetry operations are exact integers, so edges of
every other image follow from these by multiplication, without looking at coordinates again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.structure.disorder import alternatives
from qcrbox.crystallography.structure.elements import covalent_radius, is_metal

if TYPE_CHECKING:
    from qcrbox.crystallography.structure.images import ImageList, SymmetryImages

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

TOLERANCE = 0.4  # Å beyond the sum of covalent radii
SHORTEST = 0.6  # of the sum of covalent radii; closer atoms overlap by disorder or error
LISTED_AGREEMENT = 0.05  # Å between a listed and a computed bond length
COMPLETE_LIST = 0.9  # share of the radii's bonds that a list must hold to be taken as complete


@dataclass(frozen=True)
class ListedBond:
    """One row of the file's list of bonds, operations and translations already resolved."""

    site_1: int
    operation_1: int
    translation_1: tuple[int, int, int]
    site_2: int
    operation_2: int
    translation_2: tuple[int, int, int]
    length: float


@dataclass
class Edges:
    """Directed edges from site i in its own place to the image (operation, translation) of site j.

    Sorted by `first`; `start[i]:start[i + 1]` are those of site i. `listed` marks bonds of the file.
    """

    first: Indices
    second: Indices
    operation: Indices
    translation: Indices
    distance: Array
    listed: NDArray[np.bool_]
    start: Indices

    def __len__(self) -> int:
        return len(self.first)

    def of(self, site: int) -> range:
        """The rows of the edges that start at a site."""
        return range(int(self.start[site]), int(self.start[site + 1]))


def make_edges(
    images: SymmetryImages,
    first: Indices,
    second: Indices,
    operation: Indices,
    translation: Indices,
    listed: NDArray[np.bool_],
) -> Edges:
    """Canonical, sorted edges without repetition; a listed one wins over a computed one."""
    operation, translation = images.canonical(second, operation, translation)
    key = images.key(second, operation, translation)
    order = np.lexsort((~listed, key, first))
    first, second, operation = first[order], second[order], operation[order]
    translation, listed, key = translation[order], listed[order], key[order]
    new = np.ones(len(first), dtype=bool)
    new[1:] = (first[1:] != first[:-1]) | (key[1:] != key[:-1])
    first, second, operation = first[new], second[new], operation[new]
    translation, listed = translation[new], listed[new]
    distance = np.linalg.norm(
        images.cartesian_of(second, operation, translation) - images.cartesian[first], axis=1
    )
    start = np.searchsorted(first, np.arange(len(images.sites) + 1))
    return Edges(first, second, operation, translation, distance, listed, start)


def bond_edges(images: SymmetryImages, listed: Sequence[ListedBond] = ()) -> Edges:
    """The connectivity of a structure."""
    by_radius = _edges_by_radius(images)
    if not listed:
        return by_radius
    from_file = _edges_from_list(images, listed)
    if not len(from_file):
        return by_radius
    keep = np.ones(len(by_radius), dtype=bool)
    if _is_complete(images, by_radius, from_file):
        covered = np.zeros(len(images.sites), dtype=bool)
        covered[from_file.first] = True
        keep = ~(covered[by_radius.first] & covered[by_radius.second])
    return make_edges(
        images,
        np.concatenate([from_file.first, by_radius.first[keep]]),
        np.concatenate([from_file.second, by_radius.second[keep]]),
        np.concatenate([from_file.operation, by_radius.operation[keep]]),
        np.concatenate([from_file.translation, by_radius.translation[keep]]),
        np.concatenate([from_file.listed, by_radius.listed[keep]]),
    )


def riding_pivots(images: SymmetryImages, edges: Edges) -> ImageList:
    """For each site the image that it moves with: hydrogen placed by calculation follows its bonded atom."""
    sites, own = images.sites, images.rides_on
    site, operation, translation = own.site.copy(), own.operation.copy(), own.translation.copy()
    for row in np.flatnonzero(sites.is_hydrogen).tolist():
        placed = sites.calc_flag[row].lower() in ("calc", "c") or "R" in sites.refinement_flags[row].upper()
        if not placed or np.nan_to_num(sites.fract_su[row]).any() or not len(edges.of(row)):
            continue
        edge = edges.of(row)[0]
        site[row], operation[row] = edges.second[edge], edges.operation[edge]
        translation[row] = edges.translation[edge]
    return images.make(site, operation, translation)


def _is_complete(images: SymmetryImages, by_radius: Edges, from_file: Edges) -> bool:
    """Published lists are often selections: then the radii fill the gaps."""
    heavy = ~images.sites.is_hydrogen
    ours = heavy[by_radius.first] & heavy[by_radius.second]
    theirs = heavy[from_file.first] & heavy[from_file.second]
    return bool(theirs.sum() >= COMPLETE_LIST * ours.sum())


def _edges_by_radius(images: SymmetryImages) -> Edges:
    sites = images.sites
    radii = np.array([covalent_radius(element) for element in sites.element])
    atoms = np.flatnonzero(sites.is_atom)
    cutoff = 2 * float(radii[atoms].max(initial=0.0)) + TOLERANCE
    first, image, distance = images.around(atoms, cutoff)
    second, operation, translation = image.site, image.operation, image.translation
    same = images.is_own_place(second, operation, translation)
    total = radii[first] + radii[second]
    hydrogen = sites.is_hydrogen
    bonded = (
        (distance <= total + TOLERANCE)
        & (distance >= SHORTEST * total * np.where(hydrogen[first] | hydrogen[second], 0.8, 1.0))
        & ~(hydrogen[first] & hydrogen[second])
        & ~((first == second) & same)
        & ~alternatives(sites, first, second, same)
    )
    bonded &= _nearest_partner_of_hydrogen(images, first, second, distance, bonded)
    edges = make_edges(
        images,
        first[bonded],
        second[bonded],
        operation[bonded],
        translation[bonded],
        np.zeros(int(bonded.sum()), dtype=bool),
    )
    return _with_both_directions(images, edges) if hydrogen.any() else edges


def _nearest_partner_of_hydrogen(
    images: SymmetryImages, first: Indices, second: Indices, distance: Array, bonded: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Hydrogen is bonded to one atom by radius: the nearest, metals last. Bridges come from lists only.

    Edges that end at a hydrogen are removed here and come back as the reverse of the kept ones.
    """
    keep = np.ones(len(first), dtype=bool)
    hydrogen = images.sites.is_hydrogen
    keep[hydrogen[second]] = False
    rows = np.flatnonzero(bonded & hydrogen[first])
    if len(rows):
        metal = np.array([is_metal(element) for element in images.sites.element])
        order = rows[np.lexsort((distance[rows], metal[second[rows]], first[rows]))]
        nearest = np.r_[True, first[order][1:] != first[order][:-1]]
        best_row = np.full(len(images.sites), -1)
        best_row[first[order[nearest]]] = order[nearest]
        leader = best_row[first[order]]
        # A hydrogen on a special position has several equally near partners.
        equal = (distance[order] - distance[leader] < 0.01) & (second[order] == second[leader])
        keep[order[~equal]] = False
    return keep


def _with_both_directions(images: SymmetryImages, edges: Edges) -> Edges:
    back_operation, back_translation = images.invert(edges.operation, edges.translation)
    both = make_edges(
        images,
        np.concatenate([edges.first, edges.second]),
        np.concatenate([edges.second, edges.first]),
        np.concatenate([edges.operation, back_operation]),
        np.concatenate([edges.translation, back_translation]),
        np.concatenate([edges.listed, edges.listed]),
    )
    return _complete_by_site_symmetry(images, both)


def _complete_by_site_symmetry(images: SymmetryImages, edges: Edges) -> Edges:
    """Add the images of edges by the operations that fix their first atom."""
    pairs = [
        (edge, k, moved)
        for site, fixing in enumerate(images.symmetry.stabiliser)
        if len(fixing) > 1
        for edge in edges.of(site)
        for k, moved in fixing
    ]
    if not pairs:
        return edges
    row = np.array([pair[0] for pair in pairs])
    operation, translation = images.compose(
        np.array([pair[1] for pair in pairs]),
        np.array([pair[2] for pair in pairs]),
        edges.operation[row],
        edges.translation[row],
    )
    return make_edges(
        images,
        np.concatenate([edges.first, edges.first[row]]),
        np.concatenate([edges.second, edges.second[row]]),
        np.concatenate([edges.operation, operation]),
        np.concatenate([edges.translation, translation]),
        np.concatenate([edges.listed, edges.listed[row]]),
    )


def _edges_from_list(images: SymmetryImages, listed: Sequence[ListedBond]) -> Edges:
    """Edges of the file's bonds; those whose length does not fit the coordinates are noted and left out."""
    first = np.array([bond.site_1 for bond in listed])
    second = np.array([bond.site_2 for bond in listed])
    back_operation, back_translation = images.invert(
        np.array([bond.operation_1 for bond in listed]), np.array([bond.translation_1 for bond in listed])
    )
    operation, translation = images.compose(
        back_operation,
        back_translation,
        np.array([bond.operation_2 for bond in listed]),
        np.array([bond.translation_2 for bond in listed]),
    )
    canonical, moved = images.canonical(second, operation, translation)
    computed = np.linalg.norm(images.cartesian_of(second, canonical, moved) - images.cartesian[first], axis=1)
    length = np.array([bond.length for bond in listed])
    stale = np.abs(computed - length) > LISTED_AGREEMENT
    if stale.any():
        worst = int(np.nanargmax(np.where(stale, np.abs(computed - length), -1)))
        names = images.sites.label
        images.note(
            f"{int(stale.sum())} of {len(listed)} listed bonds do not fit the coordinates, e.g. "
            f"{names[first[worst]]}-{names[second[worst]]}: listed {length[worst]:.3f} Å, "
            f"computed {computed[worst]:.3f} Å. They are not used."
        )
    atom = images.sites.is_atom
    same = images.is_own_place(second, canonical, moved)
    good = ~stale & atom[first] & atom[second] & ~alternatives(images.sites, first, second, same)
    edges = make_edges(
        images,
        first[good],
        second[good],
        operation[good],
        translation[good],
        np.ones(int(good.sum()), dtype=bool),
    )
    return _with_both_directions(images, edges)
