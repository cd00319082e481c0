"""Symmetry images of sites: naming, composing and enumerating them with exact integers.

An image is (site, operation, lattice translation): the position R x + t + translation. On special
positions several names mean one atom; `canonical` picks one, so that equal atoms have equal keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure.neighbours import pairs_within
from qcrbox.crystallography.structure.sites import Sites, SiteSymmetry, site_symmetry

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
_REACH = 2**11  # translations from -2048 to 2047 have keys
MOST_IMAGES = 2_000_000
DENSEST = 1.0  # atoms per Å³; diamond has 0.18, hydrogen at 400 GPa 0.6


@dataclass
class ImageList:
    """Images as arrays: site (m,), operation (m,), translation (m, 3), fract and cartesian (m, 3)."""

    site: Indices
    operation: Indices
    translation: Indices
    fract: Array
    cartesian: Array

    def __len__(self) -> int:
        return len(self.site)


class SymmetryImages:
    """The algebra of images of one crystal."""

    def __init__(self, cell: UnitCell, group: SpaceGroup, sites: Sites) -> None:
        self.cell, self.group, self.sites = cell, group, sites
        """rides_on: for the n sites in their own places the image whose shifts each follows, see `followed`."""
        self.notes: list[str] = []
        self.symmetry: SiteSymmetry = site_symmetry(sites, cell, group)
        self.rotations = group.rotations
        self.products, self.product_shifts = group.multiplication
        self.rides_on = self._each_its_own()

    def _each_its_own(self) -> ImageList:
        rows = np.arange(len(self.sites))
        return self.make(rows, *self.own_place(rows))

    def followed(self, image: ImageList) -> ImageList:
        """The images whose shifts these images follow: themselves, or for riding hydrogen the atoms they are bonded to."""
        pivot = self.rides_on
        operation, translation = self.compose(
            image.operation, image.translation, pivot.operation[image.site], pivot.translation[image.site]
        )
        return self.make(pivot.site[image.site], operation, translation)

    def note(self, text: str) -> None:
        """Add a remark once."""
        if text not in self.notes:
            self.notes.append(text)

    @cached_property
    def cartesian(self) -> Array:
        """Sites in their own places, (n, 3) Å."""
        return self.cell.to_cartesian(self.sites.fract)

    @cached_property
    def is_overcrowded(self) -> bool:
        """Whether the cell holds more atoms than any matter: a placeholder such as 1 1 1 90 90 90, or a list of elements.

        Each atom would then have thousands of images around it, so only the atoms as they are given count.
        """
        share = np.where(self.sites.is_atom, np.nan_to_num(self.sites.occupancy), 0.0)
        atoms = float((share * self.symmetry.multiplicity).sum())
        if atoms <= DENSEST * self.cell.volume:
            return False
        self.note(
            f"{atoms:.0f} atoms in a cell of {self.cell.volume:.1f} Å³ are no crystal: cell or coordinates are "
            f"placeholders. {'Bonds are looked for between the atoms as given only.' if self.group.order == 1 else 'No bonds are looked for.'}"
        )
        return True

    @cached_property
    def _inverse(self) -> tuple[Indices, Indices]:
        rows, columns = np.nonzero(self.products == self.group.identity)
        index = np.empty(self.group.order, dtype=np.int64)
        index[rows] = columns
        return index, self.product_shifts[np.arange(self.group.order), index]

    def compose(
        self, operation_1: Indices, translation_1: Indices, operation_2: Indices, translation_2: Indices
    ) -> tuple[Indices, Indices]:
        """(operation_1, translation_1) after (operation_2, translation_2), row by row."""
        rotated = np.einsum("mij,mj->mi", self.rotations[operation_1], translation_2)
        shift = self.product_shifts[operation_1, operation_2] + rotated + translation_1
        return self.products[operation_1, operation_2], shift

    def invert(self, operation: Indices, translation: Indices) -> tuple[Indices, Indices]:
        """The inverse of images' operations, row by row."""
        index, shift = self._inverse
        back = index[operation]
        rotated = np.einsum("mij,mj->mi", self.rotations[back], translation + shift[operation])
        # (R|t+n)(R'|t') = (1|shift + n), so the inverse is (R'|t') after -(shift + n).
        return back, -rotated

    def canonical(self, site: Indices, operation: Indices, translation: Indices) -> tuple[Indices, Indices]:
        """The canonical operation and translation among those that give the same image of a site."""
        return self.symmetry.canonical(site, operation, translation)

    def key(self, site: Indices, operation: Indices, translation: Indices) -> Indices:
        """One integer per canonical image."""
        moved = np.asarray(translation) + _REACH
        if len(moved) and (moved.min() < 0 or moved.max() >= 2 * _REACH):
            raise UserInputError("Symmetry images this far from the cell cannot be used (2048 cells).")
        number = np.asarray(site) * self.group.order + operation
        for axis in range(3):
            number = number * (2 * _REACH) + moved[..., axis]
        return number

    def is_own_place(self, site: Indices, operation: Indices, translation: Indices) -> NDArray[np.bool_]:
        """Whether canonical images are their sites in their own places."""
        own, shift = (
            self.symmetry.operation[:, self.group.identity],
            self.symmetry.shift[:, self.group.identity],
        )
        return (own[site] == operation) & (shift[site] == translation).all(axis=1)

    def own_place(self, site: Indices) -> tuple[Indices, Indices]:
        """Canonical operation and translation of sites in their own places."""
        identity = np.full(len(site), self.group.identity)
        return self.canonical(site, identity, np.zeros((len(site), 3), dtype=np.int64))

    def fract_of(self, site: Indices, operation: Indices, translation: Indices) -> Array:
        """Fractional coordinates (m, 3) of symmetry images."""
        rotated = np.einsum("mij,mj->mi", self.rotations[operation].astype(float), self.sites.fract[site])
        return rotated + self.group.translations[operation] + translation

    def cartesian_of(self, site: Indices, operation: Indices, translation: Indices) -> Array:
        """Cartesian coordinates (m, 3) of symmetry images, Å."""
        return self.cell.to_cartesian(self.fract_of(site, operation, translation))

    def make(self, site: ArrayLike, operation: ArrayLike, translation: ArrayLike) -> ImageList:
        """A list of images from their names, brought to canonical form."""
        rows = np.asarray(site, dtype=np.int64)
        index, moved = self.canonical(
            rows,
            np.asarray(operation, dtype=np.int64),
            np.asarray(translation, dtype=np.int64).reshape(-1, 3),
        )
        fract = self.fract_of(rows, index, moved)
        return ImageList(rows, index, moved, fract, self.cell.to_cartesian(fract))

    def in_box(self, low: ArrayLike, high: ArrayLike, sites: Indices | None = None) -> ImageList:
        """Every image with fractional coordinates from `low` to `high` (3,), both included.

        Raises UserInputError when the box would hold more than two million atoms.
        """
        rows = np.flatnonzero(self.sites.is_atom) if sites is None else sites
        lower, upper = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        distinct = self.symmetry.operation[rows] == np.arange(self.group.order)
        place, operation = np.nonzero(distinct)
        site = rows[place]
        fract = self.fract_of(site, operation, np.zeros((len(site), 3), dtype=np.int64))
        first = np.ceil(lower - fract - 1e-9).astype(np.int64)
        counts = np.floor(upper - fract + 1e-9).astype(np.int64) - first + 1
        total = np.maximum(counts, 0).prod(axis=1)
        if total.sum() > MOST_IMAGES:
            raise UserInputError(
                f"This region holds {int(total.sum()):,} atoms; the limit is {MOST_IMAGES:,}.",
                next="Choose a smaller region.",
            )
        owner = np.repeat(np.arange(len(site)), total)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(total) - total, total)
        steps = np.empty((len(owner), 3), dtype=np.int64)
        for axis in (2, 1, 0):
            size = np.maximum(counts[owner, axis], 1)
            steps[:, axis] = offset % size
            offset = offset // size
        translation = first[owner] + steps
        inside = fract[owner] + translation
        return ImageList(site[owner], operation[owner], translation, inside, self.cell.to_cartesian(inside))

    def near(self, fract: Array, cutoff: float, sites: Indices | None = None) -> ImageList:
        """Every image that can be within `cutoff` Å of one of the points `fract` (m, 3), and some more."""
        if not len(fract):
            return self.make([], [], np.zeros((0, 3)))
        margin = cutoff * self.cell.reciprocal_lengths
        return self.in_box(fract.min(axis=0) - margin, fract.max(axis=0) + margin, sites)

    def around(self, sites: Indices, cutoff: float) -> tuple[Indices, ImageList, Array]:
        """All pairs of a site in its own place and an image within `cutoff` Å: site, image, distance (m,).

        Sites are searched from inside the cell, wherever the file puts them, so that a spread-out asymmetric
        unit costs no more than a compact one. A site is paired with itself as well.
        """
        if self.is_overcrowded:
            return self._among_themselves(sites, cutoff)
        home = np.floor(self.sites.fract[sites]).astype(np.int64)
        inside = self.sites.fract[sites] - home
        image = self.near(inside, cutoff, sites)
        first, second, distance = pairs_within(self.cell.to_cartesian(inside), image.cartesian, cutoff)
        found = self.make(
            image.site[second], image.operation[second], image.translation[second] + home[first]
        )
        return sites[first], found, distance

    def _among_themselves(self, sites: Indices, cutoff: float) -> tuple[Indices, ImageList, Array]:
        """Pairs of sites in their own places: a molecule in a placeholder of a cell.

        None where they lie on top of each other, or where symmetry says that there is more.
        """
        points = self.cartesian[sites]
        crowd = np.unique(np.floor(points / cutoff).astype(np.int64), axis=0, return_counts=True)[1]
        if crowd.max(initial=0) > DENSEST * cutoff**3 or self.group.order > 1:
            sites, points = sites[:0], points[:0]
        first, second, distance = pairs_within(points, points, cutoff)
        operation, translation = self.own_place(sites[second])
        return sites[first], self.make(sites[second], operation, translation), distance
