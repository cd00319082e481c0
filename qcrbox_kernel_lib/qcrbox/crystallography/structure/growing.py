"""Growing and packing: which symmetry images to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.atoms import Atoms, bonded_images
from qcrbox.crystallography.structure.bonds import Edges
from qcrbox.crystallography.structure.images import ImageList, SymmetryImages
from qcrbox.crystallography.structure.neighbours import pairs_within
from qcrbox.crystallography.structure.sites import Sites

if TYPE_CHECKING:
    from qcrbox.crystallography.structure.contacts import Contacts

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
FACE = 1e-3  # fractional tolerance by which atoms on the faces of a box belong to it
MOST_GROWN = 100_000


def asymmetric_unit(images: SymmetryImages, edges: Edges) -> Atoms:
    """The atoms as the file gives them."""
    rows = np.flatnonzero(images.sites.is_atom)
    operation, translation = images.own_place(rows)
    return Atoms(images, edges, images.make(rows, operation, translation))


def grow_bond(images: SymmetryImages, edges: Edges, atoms: Atoms) -> Atoms:
    """The atoms and everything bonded to them."""
    _, site, operation, translation = bonded_images(images, edges, atoms.images, np.arange(len(atoms)))
    return _union(images, edges, atoms, site, operation, translation)


def complete_molecules(images: SymmetryImages, edges: Edges, atoms: Atoms | None = None) -> Atoms:
    """Whole molecules, each site at least once; chains and frameworks stop where they begin to repeat.

    With `atoms`, the molecules those atoms belong to, all of them.
    """
    start = asymmetric_unit(images, edges) if atoms is None else atoms
    fragments = start.fragments()
    # Big pieces first, so that a molecule is grown where most of it already is.
    sizes = np.bincount(fragments) if len(start) else np.zeros(0, np.int64)
    covered_sites: set[int] = set()
    covered_keys: set[int] = set()
    parts: list[ImageList] = []
    polymeric = False
    for fragment in np.argsort(-sizes, kind="stable"):
        rows = np.flatnonzero(fragments == fragment)
        if atoms is None and all(int(site) in covered_sites for site in start.site[rows]):
            continue
        if atoms is not None and all(int(key) in covered_keys for key in start.key[rows]):
            continue
        grown, repeats = _grow_fragment(images, edges, _rows(start.images, rows))
        polymeric |= repeats
        covered_sites.update(grown.site.tolist())
        covered_keys.update(images.key(grown.site, grown.operation, grown.translation).tolist())
        parts.append(grown)
    joined = _join(parts) if parts else start.images
    key = images.key(joined.site, joined.operation, joined.translation)
    _, first = np.unique(key, return_index=True)
    return Atoms(images, edges, _rows(joined, np.sort(first)), polymeric)


def _grow_fragment(images: SymmetryImages, edges: Edges, seed: ImageList) -> tuple[ImageList, bool]:
    seen = set(images.key(seed.site, seed.operation, seed.translation).tolist())
    # A second copy of an atom that differs by a lattice translation only means an infinite structure.
    by_operation = set(zip(seed.site.tolist(), seed.operation.tolist(), strict=True))
    parts, frontier, repeats = [seed], seed, False
    total = len(seed)
    while len(frontier):
        _, site, operation, translation = bonded_images(images, edges, frontier, np.arange(len(frontier)))
        key = images.key(site, operation, translation)
        _, first = np.unique(key, return_index=True)
        fresh = []
        for row in np.sort(first):
            if int(key[row]) in seen:
                continue
            name = (int(site[row]), int(operation[row]))
            if name in by_operation:
                repeats = True
                continue
            seen.add(int(key[row]))
            by_operation.add(name)
            fresh.append(row)
        total += len(fresh)
        if total > MOST_GROWN:
            raise UserInputError(f"The molecule has more than {MOST_GROWN:,} atoms; it is not grown further.")
        frontier = images.make(site[fresh], operation[fresh], translation[fresh])
        parts.append(frontier)
    return _join(parts), repeats


def within_radius(images: SymmetryImages, edges: Edges, centre: Atoms, radius: float, whole: bool) -> Atoms:
    """The atoms of `centre` and all others within `radius` Å of one of them, or the molecules of these."""
    if not 0 < radius <= 50:
        raise UserInputError(f"A radius of {radius:g} Å cannot be used.", next="Choose 0 to 50 Å.")
    candidates = images.near(centre.fract, radius)
    _, found, _ = pairs_within(centre.cartesian, candidates.cartesian, radius)
    rows = np.unique(found)
    grown = _union(
        images, edges, centre, candidates.site[rows], candidates.operation[rows], candidates.translation[rows]
    )
    return complete_molecules(images, edges, grown) if whole else grown


def pack(
    images: SymmetryImages,
    edges: Edges,
    ranges: Sequence[tuple[float, float]] = ((0, 1), (0, 1), (0, 1)),
    molecules: bool = False,
) -> Atoms:
    """All atoms inside a box given in fractions of the cell, faces included.

    molecules: instead, every whole molecule whose centroid lies in the box (upper face excluded).
    Frameworks have no molecules; their atoms in the box are given.
    """
    if not _is_box(ranges):
        raise UserInputError(
            "A box has a lower and an upper bound along each of the three axes.",
            where=str(ranges),
            next="Give ((0, 1), (0, 1), (0, 1)) for the cell.",
        )
    low, high = np.array(ranges, dtype=float).T
    if (high <= low).any():
        raise UserInputError("Each range of a box needs its lower bound first.", where=str(list(ranges)))
    if molecules:
        unit = complete_molecules(images, edges)
        if not unit.polymeric:
            return _pack_molecules(images, edges, unit, low, high)
    return Atoms(images, edges, images.in_box(low - FACE, high + FACE))


def _is_box(ranges: Sequence[Sequence[float]]) -> bool:
    shaped = len(ranges) == 3 and all(len(ends) == 2 for ends in ranges)
    return shaped and bool(np.isfinite(np.array(ranges, dtype=float)).all())


def _pack_molecules(images: SymmetryImages, edges: Edges, unit: Atoms, low: Array, high: Array) -> Atoms:
    fragment = unit.fragments()
    count = int(fragment.max(initial=-1)) + 1
    centroid = np.zeros((count, 3))
    np.add.at(centroid, fragment, unit.fract)
    centroid /= np.bincount(fragment, minlength=count)[:, None]
    parts: list[ImageList] = []
    for operation in range(images.group.order):
        moved = centroid @ images.rotations[operation].T + images.group.translations[operation]
        first = np.ceil(low - moved - 1e-6).astype(np.int64)
        last = np.ceil(high - moved - 1e-6).astype(np.int64) - 1
        for number in range(count):
            rows = np.flatnonzero(fragment == number)
            spans = (range(first[number, axis], last[number, axis] + 1) for axis in range(3))
            cells = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3)
            for cell in cells:
                index, shift = images.compose(
                    np.full(len(rows), operation),
                    np.tile(cell, (len(rows), 1)),
                    unit.operation[rows],
                    unit.translation[rows],
                )
                parts.append(images.make(unit.site[rows], index, shift))
    joined = _join(parts)
    key = images.key(joined.site, joined.operation, joined.translation)
    _, first_row = np.unique(key, return_index=True)
    return Atoms(images, edges, _rows(joined, np.sort(first_row)))


def _union(
    images: SymmetryImages,
    edges: Edges,
    atoms: Atoms,
    site: Indices,
    operation: Indices,
    translation: Indices,
) -> Atoms:
    joined = _join([atoms.images, images.make(site, operation, translation)])
    key = images.key(joined.site, joined.operation, joined.translation)
    _, first = np.unique(key, return_index=True)
    return Atoms(images, edges, _rows(joined, np.sort(first)), atoms.polymeric)


def _rows(images: ImageList, rows: Indices) -> ImageList:
    return ImageList(
        images.site[rows],
        images.operation[rows],
        images.translation[rows],
        images.fract[rows],
        images.cartesian[rows],
    )


def _join(parts: Sequence[ImageList]) -> ImageList:
    return ImageList(
        np.concatenate([part.site for part in parts]),
        np.concatenate([part.operation for part in parts]),
        np.concatenate([part.translation for part in parts]),
        np.concatenate([part.fract for part in parts]),
        np.concatenate([part.cartesian for part in parts]),
    )


def grow_contacts(
    images: SymmetryImages, edges: Edges, atoms: Atoms, contacts: Contacts, whole: bool
) -> Atoms:
    """The atoms and the far ends of the contacts of each of them, or the molecules of these."""
    start = np.searchsorted(np.sort(contacts.first), np.arange(len(images.sites) + 1))
    order = np.argsort(contacts.first, kind="stable")
    counts = start[atoms.site + 1] - start[atoms.site]
    owner = np.repeat(np.arange(len(atoms)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    row = order[np.repeat(start[atoms.site], counts) + offset]
    operation, translation = images.compose(
        atoms.operation[owner], atoms.translation[owner], contacts.operation[row], contacts.translation[row]
    )
    grown = _union(images, edges, atoms, contacts.second[row], operation, translation)
    return complete_molecules(images, edges, grown) if whole else grown


def one_orientation(atoms: Atoms, sites: Sites) -> Atoms:
    """Of groups disordered about a special position, keep one image where several overlap.

    Images of one negative group closer than 2.5 Å are taken as orientations of one molecule.
    """
    negative = np.flatnonzero(sites.group[atoms.site] < 0)
    if not len(negative):
        return atoms
    own = atoms.is_own_place[negative]
    images = [(int(atoms.operation[row]), *atoms.translation[row].tolist()) for row in negative]
    instance = {name: place for place, name in enumerate(dict.fromkeys(images))}
    number = np.array([instance[name] for name in images])
    i, j, _ = pairs_within(atoms.cartesian[negative], atoms.cartesian[negative], 2.5)
    same = (sites.group[atoms.site[negative]][i] == sites.group[atoms.site[negative]][j]) & (
        number[i] != number[j]
    )
    conflicts: dict[int, set[int]] = {}
    for a, b in zip(number[i[same]].tolist(), number[j[same]].tolist(), strict=True):
        conflicts.setdefault(a, set()).add(b)
    # Images at their original position first, so that the coordinates of the file are shown.
    order = sorted(instance.values(), key=lambda n: (not own[number == n].any(), n))
    kept: set[int] = set()
    for candidate in order:
        if not conflicts.get(candidate, set()) & kept:
            kept.add(candidate)
    mask = np.ones(len(atoms), dtype=bool)
    mask[negative] = [n in kept for n in number.tolist()]
    return atoms.select(mask)
