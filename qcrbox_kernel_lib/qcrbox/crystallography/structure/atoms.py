"""Atoms after growing or packing: symmetry images with coordinates, tensors, names and bonds."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.bonds import Edges
from qcrbox.crystallography.structure.disorder import is_minor
from qcrbox.crystallography.structure.images import ImageList, SymmetryImages

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Atoms:
    """m atoms of a crystal as arrays.

    site (m,) row in the asymmetric unit; operation (m,) index into the operations of the space group;
    translation (m, 3); fract, cartesian (m, 3), Å.
    """

    def __init__(
        self, images: SymmetryImages, edges: Edges, rows: ImageList, polymeric: bool = False
    ) -> None:
        self._images, self._edges, self._rows = images, edges, rows
        self.site, self.operation, self.translation = rows.site, rows.operation, rows.translation
        self.fract, self.cartesian = rows.fract, rows.cartesian
        self.polymeric = polymeric
        """Whether growing met an infinite chain, layer or framework and stopped at its repeat."""

    def __len__(self) -> int:
        return len(self.site)

    def __repr__(self) -> str:
        return f"<Atoms: {len(self)} atoms, {int((~self.is_own_place).sum())} of them symmetry images>"

    @property
    def images(self) -> ImageList:
        return self._rows

    @cached_property
    def key(self) -> Indices:
        """One integer per atom, equal for equal atoms of the crystal."""
        return self._images.key(self.site, self.operation, self.translation)

    @cached_property
    def element(self) -> list[str]:
        return [self._images.sites.element[row] for row in self.site]

    @cached_property
    def label(self) -> list[str]:
        return [self._images.sites.label[row] for row in self.site]

    @cached_property
    def is_own_place(self) -> Mask:
        """(m,) True for atoms of the asymmetric unit as the file gives them."""
        return self._images.is_own_place(self.site, self.operation, self.translation)

    @cached_property
    def code(self) -> list[str]:
        """Symmetry codes in the file's numbering, `.` for atoms in their own place."""
        group = self._images.group
        cache: dict[tuple[int, tuple[int, ...]], str] = {}
        codes = []
        for own, operation, translation in zip(
            self.is_own_place.tolist(), self.operation.tolist(), self.translation.tolist(), strict=True
        ):
            name = (operation, tuple(translation))
            if name not in cache:
                cache[name] = group.code(operation, translation)
            codes.append("." if own else cache[name])
        return codes

    def readable_symmetry(self, row: int) -> str:
        """`-x+1, y+1/2, -z+1/2` of one atom."""
        return self._images.group.readable(int(self.operation[row]), self.translation[row].tolist())

    @cached_property
    def minor(self) -> Mask:
        """(m,) True for every disorder group but the most occupied one of its assembly."""
        return is_minor(self._images.sites)[self.site]

    @cached_property
    def u_cif(self) -> Array:
        """U(ij) (m, 3, 3) of each image on the axes of the cell; isotropic atoms as spheres, NaN if unknown."""
        cell, sites = self._images.cell, self._images.sites
        spheres = adps.isotropic_tensor(sites.u_iso, cell)
        tensors = np.where(np.isnan(sites.u_cif), spheres, sites.u_cif)
        return adps.rotate(tensors[self.site], self._images.rotations[self.operation], cell)

    @cached_property
    def u_cart(self) -> Array:
        """Cartesian displacement tensors (m, 3, 3), Å²."""
        return adps.u_to_cartesian(self.u_cif, self._images.cell)

    def principal_axes(self) -> adps.PrincipalAxes:
        """Displacement ellipsoids of every atom in its place."""
        return adps.principal_axes(self.u_cart)

    @cached_property
    def bonds(self) -> Indices:
        """(p, 2) rows of bonded atoms, each bond once."""
        partner_of, site, operation, translation = self._neighbours(np.arange(len(self)))
        key = self._images.key(site, operation, translation)
        order = np.argsort(self.key)
        place = np.minimum(np.searchsorted(self.key[order], key), max(len(self) - 1, 0))
        if not len(key):
            return np.zeros((0, 2), dtype=np.int64)
        partner = order[place]
        good = (self.key[partner] == key) & (partner_of < partner)
        return np.column_stack([partner_of[good], partner[good]])

    @cached_property
    def bond_lengths(self) -> Array:
        """(p,) Å."""
        first, second = self.bonds.T
        return np.linalg.norm(self.cartesian[first] - self.cartesian[second], axis=1)

    def _neighbours(self, rows: Indices) -> tuple[Indices, Indices, Indices, Indices]:
        return bonded_images(self._images, self._edges, self._rows, rows)

    def select(self, mask: Mask) -> Atoms:
        """The atoms where `mask` (m,) is true."""
        rows = ImageList(
            self.site[mask],
            self.operation[mask],
            self.translation[mask],
            self.fract[mask],
            self.cartesian[mask],
        )
        return Atoms(self._images, self._edges, rows, self.polymeric)

    def joined(self, other: Atoms) -> Atoms:
        """These atoms and those of `other` that are not among them."""
        more = other.select(~np.isin(other.key, self.key))
        columns = ("site", "operation", "translation", "fract", "cartesian")
        rows = ImageList(*(np.concatenate([getattr(self, name), getattr(more, name)]) for name in columns))
        return Atoms(self._images, self._edges, rows, self.polymeric or other.polymeric)

    def fragments(self) -> Indices:
        """(m,) number of the connected fragment of each atom, from 0."""
        return connected_components(len(self), self.bonds)


def bonded_images(
    images: SymmetryImages, edges: Edges, atoms: ImageList, rows: Indices
) -> tuple[Indices, Indices, Indices, Indices]:
    """The bonded neighbours of some atoms: row of the atom, then site, operation, translation of each."""
    site = atoms.site[rows]
    counts = edges.start[site + 1] - edges.start[site]
    owner = np.repeat(rows, counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    edge = np.repeat(edges.start[site], counts) + offset
    operation, translation = images.compose(
        atoms.operation[owner], atoms.translation[owner], edges.operation[edge], edges.translation[edge]
    )
    # Edges count from the site's own place; on a special position its canonical name may be another.
    second = edges.second[edge]
    operation, translation = images.canonical(second, operation, translation)
    return owner, second, operation, translation


def connected_components(count: int, pairs: Indices) -> Indices:
    """Numbers (count,) of the components of a graph, from 0 in order of their first member."""
    label = np.arange(count)
    if len(pairs):
        first, second = pairs[:, 0], pairs[:, 1]
        while True:
            lowest = label.copy()
            np.minimum.at(lowest, first, label[second])
            np.minimum.at(lowest, second, label[first])
            lowest = lowest[lowest]
            if np.array_equal(lowest, label):
                break
            label = lowest
    return np.unique(label, return_inverse=True)[1]
