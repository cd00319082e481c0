"""The scene as arrays: the single source of the widget, the SVG picture and the table of atoms."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Atoms, Structure, probability_scale
from qcrbox.crystallography.structure import geometry as measures
from qcrbox.crystallography.structure.elements import covalent_radius
from qcrbox.crystallography.structure.images import ImageList
from qcrbox.crystallography.structure.neighbours import pairs_within
from qcrbox.language import counted, listed
from qcrbox.widgets.structure_view import palettes
from qcrbox.widgets.structure_view.contact_lines import shown_hydrogen_bonds, shown_short_contacts
from qcrbox.widgets.structure_view.element_names import element_name
from qcrbox.widgets.structure_view.measuring import Measurement, plane_of
from qcrbox.widgets.structure_view.options import Options

Array = NDArray[np.float64]

ELLIPSOID, SPHERE, CUBE = 0, 1, 2  # anisotropic; isotropic, hydrogen or unknown; not positive definite
_HYDROGEN_RADIUS = 0.13  # Å, drawn size
_UNKNOWN_RADIUS = 0.28  # of the covalent radius, for atoms without any displacement parameter
_CUBE_HALF_EDGE = 0.22  # Å
_SAME_PLACE = 0.05  # Å between two atoms that share a site
_COVERED = 0.5  # of its size: the lesser atom of a shared site stays inside the other
_MOST_ATOMS = 60_000


class Scene:
    """A structure with options applied: atoms with shapes, bonds, colours and descriptions.

    Positions are Cartesian in Å relative to `centre`. `matrices` (n, 3, 3): columns are the semi-axes of
    each atom at the chosen probability, so an ellipsoid is the unit sphere times its matrix.
    """

    def __init__(self, structure: Structure, options: Options, atoms: Atoms | None = None) -> None:
        self.structure, self.options = structure, options
        self.atoms = self._visible(self._grown() if atoms is None else atoms)
        if len(self.atoms) > _MOST_ATOMS:
            raise UserInputError(
                f"{len(self.atoms):,} atoms are too many to draw.", next="Choose a smaller box or radius."
            )

    # ------------------------------------------------------------ which atoms

    def _grown(self) -> Atoms:
        structure, options = self.structure, self.options
        if options.grow == "auto":
            grown = structure.atoms
        elif options.grow in ("cell", "molecules"):
            grown = structure.pack(options.ranges, molecules=options.grow == "molecules")
        elif options.grow == "contacts":
            # Between whole molecules: pieces of them say nothing of a packing.
            grown = structure.grow("contacts", atoms=structure.atoms, whole=True)
        else:
            grown = structure.grow(options.grow, radius=options.radius)  # type: ignore[arg-type]
        return structure.choose(grown, options.disorder)

    def _visible(self, atoms: Atoms) -> Atoms:
        if self.options.hydrogens == "none":
            return atoms.select(~self.structure.sites.is_hydrogen[atoms.site])
        return atoms

    def grown_from_here(self, mode: str) -> Scene:
        """The scene with more around the atoms it shows: "bond", "molecule", "contacts" or "radius"."""
        whole = mode == "contacts"
        grown = self.structure.grow(mode, atoms=self.atoms, radius=self.options.radius, whole=whole)  # type: ignore[arg-type]
        return Scene(self.structure, self.options, self.structure.choose(grown, self.options.disorder))

    def __len__(self) -> int:
        return len(self.atoms)

    # ------------------------------------------------------------ where

    @cached_property
    def centre(self) -> Array:
        """Centre of the atoms shown, and of the cell if drawn; Å."""
        corners = self._cell_corners if self.options.cell else np.zeros((0, 3))
        points = np.vstack([self.atoms.cartesian, corners]) if len(self) or len(corners) else np.zeros((1, 3))
        return (points.min(axis=0) + points.max(axis=0)) / 2

    @cached_property
    def positions(self) -> Array:
        """(n, 3) Å, relative to the centre of the scene."""
        return self.atoms.cartesian - self.centre

    @cached_property
    def extent(self) -> float:
        """Radius in Å of the sphere that holds everything drawn."""
        reach = np.linalg.norm(self.positions, axis=1).max(initial=1.0) + 0.6
        if self.options.cell:
            reach = max(reach, float(np.linalg.norm(self._cell_corners - self.centre, axis=1).max()))
        return float(reach)

    @cached_property
    def _cell_corners(self) -> Array:
        corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
        return self.structure.cell.to_cartesian(corners)

    @cached_property
    def cell_edges(self) -> Array:
        """(12, 2, 3) relative to `centre`; the first three start at the origin along a, b, c."""
        ends = [((0, 0, 0), (1, 0, 0)), ((0, 0, 0), (0, 1, 0)), ((0, 0, 0), (0, 0, 1))]
        ends += [
            ((1, 0, 0), (1, 1, 0)),
            ((1, 0, 0), (1, 0, 1)),
            ((0, 1, 0), (1, 1, 0)),
            ((0, 1, 0), (0, 1, 1)),
        ]
        ends += [((0, 0, 1), (1, 0, 1)), ((0, 0, 1), (0, 1, 1)), ((1, 1, 0), (1, 1, 1))]
        ends += [((1, 0, 1), (1, 1, 1)), ((0, 1, 1), (1, 1, 1))]
        return self.structure.cell.to_cartesian(np.array(ends, dtype=float)) - self.centre

    @cached_property
    def directions(self) -> dict[str, Array]:
        """Rotation matrices (3, 3), scene to screen, that look along each axis; rows are right, up, towards."""
        real = self.structure.cell.orthogonalisation.T
        reciprocal = self.structure.cell.fractionalisation
        found = {"best": self._best_view()}
        for axis, name in enumerate("abc"):
            # Along a with c* up, along b with c* up, along c with b* up: as in printed packing diagrams.
            up = reciprocal[1 if axis == 2 else 2]
            found[name] = _looking_along(real[axis], up)
            found[f"{name}*"] = _looking_along(reciprocal[axis], real[1 if axis == 2 else 2])
        return found

    def _best_view(self) -> Array:
        """The flattest side to the front, the longest side across the picture."""
        if len(self) < 3:
            return np.eye(3)
        spread = self.positions - self.positions.mean(axis=0)
        _, vectors = np.linalg.eigh(spread.T @ spread)
        right, up = vectors[:, 2], vectors[:, 1]
        # The same way round every time: a sign of an eigenvector is arbitrary.
        right = right * (1 if right[np.argmax(np.abs(right))] > 0 else -1)
        up = up * (1 if up[np.argmax(np.abs(up))] > 0 else -1)
        # A little turned, so that ellipsoids are seen as solids and bonds along the view do not hide.
        flat = np.array([right, up, np.cross(right, up)])
        return _rotation_x(0.22) @ _rotation_y(-0.18) @ flat

    # ------------------------------------------------------------ shapes

    @cached_property
    def _sites(self) -> NDArray[np.int64]:
        return self.atoms.site

    @cached_property
    def hydrogen(self) -> NDArray[np.bool_]:
        """(n,) True for hydrogen and deuterium."""
        return self.structure.sites.is_hydrogen[self._sites]

    @cached_property
    def kinds(self) -> NDArray[np.uint8]:
        """(n,) ELLIPSOID, SPHERE or CUBE."""
        sites = self.structure.sites
        known = np.isfinite(sites.u_cif).reshape(-1, 9).all(axis=1)
        kinds = np.where(np.asarray(known)[self._sites], ELLIPSOID, SPHERE)
        kinds[self._axes.npd] = CUBE
        if self.options.hydrogens == "spheres":
            kinds[self.hydrogen & (kinds != CUBE)] = SPHERE
        return kinds.astype(np.uint8)

    @cached_property
    def _axes(self) -> Any:
        return self.atoms.principal_axes()

    @cached_property
    def unit_matrices(self) -> Array:
        """(n, 3, 3): columns are principal axes times r.m.s. displacement in Å, before the probability scale."""
        rms = np.nan_to_num(self._axes.rms) * np.where(self.covered, _COVERED, 1.0)[:, None]
        return np.swapaxes(rms[:, :, None] * self._axes.axes, 1, 2)

    @cached_property
    def covered(self) -> NDArray[np.bool_]:
        """(n,) atoms that share their place with one that is there more often, which is the one to be seen."""
        found = np.zeros(len(self), dtype=bool)
        found[[lesser for _, lesser, _ in self._same_place]] = True
        return found

    @cached_property
    def shared(self) -> list[tuple[int, int, float]]:
        """Sites that two elements share: rows of the greater and the lesser atom, the share of the lesser one.

        The share is of the two occupancies. Of three or more atoms on a site the two greatest are told apart.
        """
        best: dict[int, tuple[int, int, float]] = {}
        for greater, lesser, share in self._same_place:
            # What is itself covered is not to be seen.
            if not self.covered[greater] and share > best.get(greater, (0, 0, 0.0))[2]:
                best[greater] = (greater, lesser, share)
        return [best[row] for row in sorted(best)]

    @cached_property
    def _same_place(self) -> list[tuple[int, int, float]]:
        sites = self.structure.sites
        occupancy = np.nan_to_num(sites.occupancy, nan=1.0)[self._sites]
        partial = np.flatnonzero((self.hollow | (occupancy < 0.9995)) & ~self._axes.npd)
        first, second, _ = pairs_within(self.positions[partial], self.positions, _SAME_PLACE)
        found = []
        for lesser, greater in zip(partial[first].tolist(), second.tolist(), strict=True):
            rank = [(bool(self.hollow[row]), -float(occupancy[row]), row) for row in (greater, lesser)]
            if rank[0] < rank[1]:
                both = float(occupancy[lesser] + occupancy[greater])
                found.append((greater, lesser, float(occupancy[lesser]) / both if both else 0.0))
        return found

    @cached_property
    def fixed_radius(self) -> Array:
        """(n,) Å; above 0 where the size does not follow the probability."""
        radius = np.zeros(len(self))
        known = np.isfinite(self._axes.rms).all(axis=1)
        elements = self.atoms.element
        for row in np.flatnonzero(~known & ~self._axes.npd):
            radius[row] = _UNKNOWN_RADIUS * (covalent_radius(elements[row]) or 0.7)
        radius[self._axes.npd] = _CUBE_HALF_EDGE
        if self.options.hydrogens == "spheres":
            radius[self.hydrogen & ~self._axes.npd] = _HYDROGEN_RADIUS
        return radius * np.where(self.covered, _COVERED, 1.0)

    @property
    def scale(self) -> float:
        """Scale of the ellipsoids for the chosen probability."""
        return probability_scale(self.options.ellipsoids)

    @cached_property
    def matrices(self) -> Array:
        """(n, 3, 3): columns are the semi-axes as drawn, Å."""
        fixed = self.fixed_radius[:, None, None]
        return np.where(fixed > 0, fixed * np.eye(3), self.scale * self.unit_matrices)

    # ------------------------------------------------------------ bonds and words

    @cached_property
    def bonds(self) -> NDArray[np.int64]:
        """(m, 2) rows of bonded atoms; those of covered ones lie under the bonds of what covers them."""
        bonds = self.atoms.bonds
        return bonds[~self.covered[bonds].any(axis=1)] if len(bonds) else bonds

    @cached_property
    def hydrogen_bonds(self) -> NDArray[np.int64]:
        """(m, 2) rows H, acceptor of the hydrogen bonds among the atoms shown."""
        if not self.options.hydrogen_bonds:
            return np.zeros((0, 2), dtype=np.int64)
        return shown_hydrogen_bonds(self.structure, self.atoms)

    @cached_property
    def dashed_lines(self) -> NDArray[np.int64]:
        """(m, 2) rows that dashed lines join: hydrogen bonds, and short contacts where these are what is shown."""
        if self.options.grow != "contacts":
            return self.hydrogen_bonds
        both = np.concatenate([self.hydrogen_bonds, shown_short_contacts(self.structure, self.atoms)])
        return np.unique(np.sort(both, axis=1), axis=0)

    @cached_property
    def hollow(self) -> NDArray[np.bool_]:
        """(n,) True for atoms of minor disorder parts, drawn as outlines."""
        return np.asarray(self.atoms.minor, dtype=bool)

    @cached_property
    def colours(self) -> list[str]:
        """(n,) colours as `#rrggbb`."""
        return [palettes.colour(element, self.options.palette) for element in self.atoms.element]

    @cached_property
    def labels(self) -> list[str]:
        """(n,) labels of the atoms."""
        return self.atoms.label

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """(n,) which atoms carry their label."""
        if self.options.labels is False:
            return np.zeros(len(self), dtype=bool)
        return ~self.hydrogen if self.options.labels == "heavy" else np.ones(len(self), dtype=bool)

    def description(self, row: int) -> str:
        """`C7, carbon, part 1, Ueq 0.021 Å²`: description of an atom."""
        sites, site = self.structure.sites, int(self._sites[row])
        parts = [self.labels[row], element_name(sites.element[site])]
        if sites.group[site]:
            assembly = f" {sites.assembly[site]}" if sites.assembly[site] not in ("", ".") else ""
            parts.append(f"part{assembly} {int(sites.group[site])}")
        if np.isfinite(sites.occupancy[site]) and sites.occupancy[site] < 0.9995:
            parts.append(f"occupancy {sites.occupancy[site]:.3g}")
        u = float(self.structure.u_equivalent[site])
        if np.isfinite(u):
            parts.append(f"Ueq {u:.4f} Å²")
        if self.kinds[row] == CUBE:
            parts.append("displacement tensor not positive definite")
        if self.atoms.code[row] != ".":
            parts.append(f"at {self.atoms.readable_symmetry(row)} ({self.atoms.code[row]})")
        return ", ".join(parts)

    def table_rows(self) -> list[tuple[str, ...]]:
        """label, element, part, occupancy, x, y, z, Ueq, symmetry: the twin of the picture."""
        sites, codes = self.structure.sites, self.atoms.code
        rows = []
        for row, site in enumerate(self._sites.tolist()):
            place = [f"{x:.5f}" for x in self.atoms.fract[row]]
            part = str(int(sites.group[site])) if sites.group[site] else ""
            u = float(self.structure.u_equivalent[site])
            shown = f"{u:.4f}" if np.isfinite(u) else "?"
            occupancy = f"{sites.occupancy[site]:.4g}" if np.isfinite(sites.occupancy[site]) else "?"
            where = "" if codes[row] == "." else f"{self.atoms.readable_symmetry(row)} ({codes[row]})"
            rows.append((sites.label[site], sites.element[site], part, occupancy, *place, shown, where))
        return rows

    TABLE_HEADS = ("atom", "element", "part", "occupancy", "x", "y", "z", "Ueq / Å²", "symmetry")

    @cached_property
    def warnings(self) -> list[str]:
        """Warnings about the picture."""
        notes = []
        npd = sorted({self.labels[row] for row in np.flatnonzero(self.kinds == CUBE)})
        if npd:
            notes.append(f"Displacement tensor not positive definite, drawn as red cube: {listed(npd, 12)}")
        pies = {
            f"{self.labels[i]} {1 - share:.0%}, {self.labels[j]} {share:.0%}" for i, j, share in self.shared
        }
        if pies:
            notes.append(f"Shared sites, divided by occupancy: {'; '.join(sorted(pies)[:12])}")
        if self.atoms.polymeric:
            notes.append("The structure is polymeric: growing stopped where it begins to repeat.")
        return notes + list(self.structure.notes)

    def summary(self) -> str:
        """The picture in one sentence, for those who cannot see it."""
        heavy = int((~self.hydrogen).sum())
        parts = [
            f"{counted(len(self), 'atom')} ({heavy} without hydrogen), {counted(len(self.bonds), 'bond')}"
        ]
        parts.append(f"displacement ellipsoids at {100 * self.options.ellipsoids:.4g}%")
        if self.hollow.any():
            parts.append(f"{counted(int(self.hollow.sum()), 'atom')} of minor disorder parts drawn hollow")
        return f"{self.structure.formula or 'Structure'}: " + ", ".join(parts) + "."

    # ------------------------------------------------------------ measuring

    def measure(self, rows: list[int]) -> Measurement | None:
        """Distance, angle or torsion of two, three or four atoms; s.u. estimated without covariances.

        None for other numbers of atoms, for an atom twice, and for a torsion about atoms on a line.
        """
        kinds = {2: ("distance", measures.distance, "Å"), 3: ("angle", measures.angle, "°")}
        kinds[4] = ("torsion", measures.torsion, "°")
        if len(rows) not in kinds or len(set(rows)) != len(rows):
            return None
        name, how, unit = kinds[len(rows)]
        if len(rows) == 4 and not measures.has_torsion(self.atoms.cartesian[rows]):
            return None
        images = [self.image(row) for row in rows]
        number = measures.measure(self.structure.images, how, images).numbers()[0]
        return Measurement(name, tuple(rows), str(number), unit)

    def plane(self, rows: list[int], other: list[int] | None = None) -> Measurement | None:
        """The least-squares plane of three or more atoms, how far each lies from it, its angle to another plane."""
        return plane_of(self, rows, other or [])

    def image(self, row: int) -> ImageList:
        """One atom as the measures of `qcrbox.crystallography.structure.geometry` take it."""
        atoms, one = self.atoms, slice(row, row + 1)
        return ImageList(
            atoms.site[one],
            atoms.operation[one],
            atoms.translation[one],
            atoms.fract[one],
            atoms.cartesian[one],
        )


def _looking_along(direction: Array, up: Array) -> Array:
    """Rows right, up, towards the eye: the eye looks down `direction` from its positive end."""
    towards = direction / np.linalg.norm(direction)
    upright = up - (up @ towards) * towards
    upright = upright / np.linalg.norm(upright)
    return np.array([np.cross(upright, towards), upright, towards])


def _rotation_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _rotation_y(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
