"""Hirshfeld surfaces: where a molecule's share of the density of all free atoms of the crystal falls below one half.

Spackman & Byrom, Chem. Phys. Lett. 267 (1997) 215; d(norm): McKinnon, Jayatilaka & Spackman, Chem. Commun. (2007) 3814.
The surface is found on a grid where ln(ρ inside / ρ outside) changes its sign, its vertices are moved onto it, and its triangles
are divided in four.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.curvature import curvature, curvedness, shape_index
from qcrbox.analysis.density.promolecule import Promolecule
from qcrbox.analysis.density.surface import Surface
from qcrbox.analysis.density.surface_net import subdivided, surface_net
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.atoms import Atoms
from qcrbox.crystallography.structure.elements import van_der_waals_radius

Array = NDArray[np.float64]
_MARGIN = 2.6  # Å around the nuclei for the first grid; it grows while the surface leaves it
_FARTHEST = 7.0  # Å of margin: farther out there is nothing to close a surface around
_SURROUNDINGS = 6.5  # Å from the box to the farthest atom of the surroundings that is counted
_MOST_POINTS = 4_000_000
# Where CrystalExplorer and its followers take another value than the usual tables.
_RADII = {"H": 1.09, "D": 1.09}
# Mean bond lengths from neutron diffraction: Allen & Bruno, Acta Cryst. B66 (2010) 380.
NEUTRON_LENGTHS = {"C": 1.089, "N": 1.015, "O": 0.993, "B": 1.185}


@dataclass(frozen=True)
class Neighbour:
    """A molecule beside the surface: its atoms, its share of the area in %, a description of the closest contact."""

    atoms: Atoms
    share: float
    contact: str

    def __repr__(self) -> str:
        return f"<Neighbour: {len(self.atoms)} atoms, {self.share:.1f} %, {self.contact}>"


@dataclass(frozen=True)
class ContactShare:
    """Per cent of the area where two elements meet: both directions together, and inside…outside alone."""

    name: str
    both: float
    there: float


@dataclass(frozen=True)
class HirshfeldSurface(Surface):
    """A surface with properties per vertex, and the atoms nearest inside and outside.

    dnorm; di, de in Å; shape_index and curvedness of the surface itself (curvature.py).

    inside, outside: (n,) rows of `molecule` and `surroundings`. hydrogens says which X–H lengths were used.
    spacing: of the grid, Å; numbered_as: the surface whose numbers the neighbours have, of the same molecule.
    """

    structure: Structure = field(repr=False, kw_only=True)
    molecule: Atoms = field(repr=False, kw_only=True)
    surroundings: Atoms = field(repr=False, kw_only=True)
    inside: NDArray[np.int64] = field(repr=False, kw_only=True)
    outside: NDArray[np.int64] = field(repr=False, kw_only=True)
    hydrogens: str = field(kw_only=True)
    disorder: str | Mapping[str, int] = field(default="major", kw_only=True)
    spacing: float = field(default=0.2, kw_only=True)
    numbered_as: HirshfeldSurface | None = field(default=None, repr=False, kw_only=True)

    def finer(self, spacing: float, check: Callable[[], None] | None = None) -> HirshfeldSurface:
        """The same surface on a grid of this spacing, Å. check is called now and then; what it raises ends it.

        Its neighbours keep their numbers: shares of equivalent ones differ by less than the meshes do. Raises UserInputError where the grid would be too large.
        """
        inside = _Molecule(self.structure, self.molecule, self.disorder, self.hydrogens)
        return replace(_around(inside, spacing, check), numbered_as=self)

    @cached_property
    def vertex_areas(self) -> Array:
        """(n,) Å²: a third of the triangles that meet in each vertex."""
        shares = np.repeat(self.face_areas / 3, 3)
        return np.bincount(self.faces.ravel(), shares, len(self.vertices)).astype(float)

    @cached_property
    def pairs(self) -> list[str]:
        """(n,) element inside … element outside of every vertex, such as `O…H`."""
        here, there = _plain(self.molecule.element), _plain(self.surroundings.element)
        return [f"{here[i]}…{there[j]}" for i, j in zip(self.inside, self.outside, strict=True)]

    @cached_property
    def shares(self) -> dict[str, float]:
        """Per cent of the area by directed pair (inside…outside), the largest first."""
        names, index = np.unique(self.pairs, return_inverse=True)
        share = 100 * np.bincount(index, self.vertex_areas) / self.area
        return {str(names[k]): float(share[k]) for k in np.argsort(-share)}

    @property
    def contact_shares(self) -> list[ContactShare]:
        """Per cent of the area by pair of elements, the largest first."""
        pairs = {tuple(sorted(name.split("…"))) for name in self.shares}
        found = []
        for one, other in sorted(pairs):
            there, back = self.shares.get(f"{one}…{other}", 0.0), self.shares.get(f"{other}…{one}", 0.0)
            name = f"{one}…{other}" if one == other else f"{one}…{other} / {other}…{one}"
            found.append(ContactShare(name, there if one == other else there + back, there))
        return sorted(found, key=lambda share: -share.both)

    def share(self, one: str, other: str) -> float:
        """Per cent of the area where these two elements meet, in both directions."""
        names = {f"{one}…{other}", f"{other}…{one}"}
        return sum(self.shares.get(name, 0.0) for name in names)

    def named(self, vertex: int) -> str:
        """`O1 … H2 (-x+1, y, z)`: what meets at a vertex."""
        i, j = int(self.inside[vertex]), int(self.outside[vertex])
        where = self.surroundings
        code = "" if where.code[j] == "." else f" ({where.readable_symmetry(j)})"
        return f"{self.molecule.label[i]} … {where.label[j]}{code}"

    @cached_property
    def neighbours(self) -> list[Neighbour]:
        """The molecules that meet the surface, the one with the largest share first, or numbered as `numbered_as`."""
        touching = np.bincount(self.outside, self.vertex_areas, len(self.surroundings)) / self.area
        whole = self.structure.grow("molecule", atoms=self.surroundings.select(touching > 0))
        whole = self.structure.choose(whole, self.disorder)
        fragment = whole.fragments()
        place = {int(key): int(number) for key, number in zip(whole.key, fragment, strict=True)}
        share = np.zeros(int(fragment.max(initial=-1)) + 1)
        nearest = np.full(len(share), np.inf)
        contact = [""] * len(share)
        between = self.properties["di"] + self.properties["de"]
        known = [] if self.numbered_as is None else self.numbered_as.neighbours
        number_of = {key: n for n, neighbour in enumerate(known) for key in neighbour.atoms.key.tolist()}
        numbers = np.full(len(share), len(known))
        for row, key in enumerate(self.surroundings.key.tolist()):
            if touching[row] == 0:
                continue
            number = place[key]
            share[number] += 100 * touching[row]
            numbers[number] = number_of.get(key, len(known))
            vertices = np.flatnonzero(self.outside == row)
            closest = int(vertices[np.argmin(between[vertices])])
            if between[closest] < nearest[number]:
                nearest[number], contact[number] = between[closest], self.named(closest)
        return [
            Neighbour(whole.select(fragment == number), float(share[number]), contact[number])
            for number in sorted(range(len(share)), key=lambda number: (numbers[number], -share[number]))
        ]

    def __repr__(self) -> str:
        largest = ", ".join(f"{name} {share:.1f} %" for name, share in list(self.shares.items())[:4])
        return f"<Hirshfeld surface: {self.area:.1f} Å², {self.volume:.1f} Å³; {largest}. {self.hydrogens}>"


def hirshfeld(
    structure: Structure,
    *,
    atom: str | None = None,
    spacing: float = 0.2,
    hydrogens: str = "as given",
    disorder: str | Mapping[str, int] = "major",
) -> HirshfeldSurface:
    """The Hirshfeld surface of one molecule in its crystal.

    atom: a label in the molecule wanted (default: the largest).
    spacing: of the grid, Å; triangles are half as wide. hydrogens: "as given", or "neutron" for X–H set to mean neutron lengths (B, C, N, O).
    disorder: the parts that are there; the crystal around is taken in the same parts, fully occupied.
    Raises UserInputError for networks without molecules, elements beyond xenon and hydrogen that is wholly missing.
    """
    if hydrogens not in ("as given", "neutron"):
        raise UserInputError(
            f"{hydrogens!r} is not a choice of X–H lengths.", next="'as given' or 'neutron'."
        )
    if not 0.05 <= spacing <= 0.5:
        raise UserInputError("The spacing of the grid must be between 0.05 and 0.5 Å.")
    if hydrogens == "neutron":
        structure = with_neutron_lengths(structure)
    molecule = _molecule(structure, atom, disorder)
    inside = _Molecule(structure, molecule, disorder, _said_of_hydrogens(molecule, hydrogens))
    return _around(inside, spacing)


def _molecule(structure: Structure, atom: str | None, disorder: str | Mapping[str, int]) -> Atoms:
    grown = structure.choose(structure.atoms, disorder)
    if not len(grown):
        raise UserInputError("A Hirshfeld surface encloses a molecule; this structure has no atoms.")
    if grown.polymeric:
        raise UserInputError("A Hirshfeld surface encloses a molecule; this structure is a network.")
    if atom is not None and atom not in grown.label:
        raise UserInputError(
            f"There is no atom {atom!r}.", next=f"Atoms: {', '.join(dict.fromkeys(grown.label))}."
        )
    fragment = grown.fragments()
    wanted = np.argmax(np.bincount(fragment)) if atom is None else fragment[grown.label.index(atom)]
    return grown.select(fragment == wanted)


def _said_of_hydrogens(molecule: Atoms, choice: str) -> str:
    lengths: dict[str, list[float]] = {}
    for (i, j), length in zip(molecule.bonds, molecule.bond_lengths, strict=True):
        one, other = sorted((molecule.element[i], molecule.element[j]), key=lambda name: name in ("H", "D"))
        if other in ("H", "D") and one not in ("H", "D"):
            lengths.setdefault(f"{one}–{other}", []).append(float(length))
    if not lengths:
        return "The model has no hydrogen atoms: the surface is that of the other atoms alone."
    means = ", ".join(f"{name} {np.mean(values):.3f} Å" for name, values in sorted(lengths.items()))
    return f"X–H lengths {choice if choice == 'as given' else 'set to neutron values'}: {means} on average."


@dataclass(frozen=True)
class _Molecule:
    """What a surface is around, and in which crystal."""

    structure: Structure
    molecule: Atoms
    disorder: str | Mapping[str, int]
    hydrogens: str


def _around(inside: _Molecule, spacing: float, check: Callable[[], None] | None = None) -> HirshfeldSurface:
    structure, molecule, disorder = inside.structure, inside.molecule, inside.disorder
    margin = _MARGIN
    while True:
        low = molecule.cartesian.min(axis=0) - margin
        shape = np.ceil((np.ptp(molecule.cartesian, axis=0) + 2 * margin) / spacing).astype(int) + 1
        if np.prod(shape) > _MOST_POINTS:
            raise UserInputError(
                f"The grid would have {int(np.prod(shape)):,} points.", next="Choose a larger spacing."
            )
        surroundings = _surroundings(structure, molecule, low, low + (shape - 1) * spacing, disorder)
        inner = Promolecule(molecule.element, molecule.cartesian, check)
        outer = Promolecule(surroundings.element, surroundings.cartesian, check)
        values = _on_grid(inner, outer, low, shape, spacing)
        faces = (values[0], values[-1], values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1])
        if all((face < 0).all() for face in faces):
            break
        margin += 1.2
        if margin > _FARTHEST:
            raise UserInputError("The surface does not close: beside the molecule there is empty space.")
    vertices, triangles = surface_net(values)
    vertices = _moved_onto(low + spacing * vertices, inner, outer, spacing)
    # Curvatures are those of the net, whose triangles are large beside the errors of its vertices.
    curved = curvature(vertices, triangles)
    vertices, triangles, edges = subdivided(vertices, triangles)
    count = len(vertices) - len(edges)
    vertices[count:] = _moved_onto(vertices[count:], inner, outer, spacing / 2, steps=1)
    first, second = (np.concatenate([each, each[edges].mean(axis=1)]) for each in curved)
    return HirshfeldSurface(
        vertices,
        triangles,
        **_meetings(vertices, molecule, surroundings, first, second),
        structure=structure,
        molecule=molecule,
        surroundings=surroundings,
        hydrogens=inside.hydrogens,
        disorder=disorder,
        spacing=spacing,
    )


def _surroundings(
    structure: Structure, molecule: Atoms, low: Array, high: Array, disorder: str | Mapping[str, int]
) -> Atoms:
    """All other atoms of the crystal within reach of the box."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    fract = structure.cell.to_fractional(low + corners * (high - low))
    wider = _SURROUNDINGS * structure.cell.reciprocal_lengths
    span = zip((fract.min(axis=0) - wider).tolist(), (fract.max(axis=0) + wider).tolist(), strict=True)
    packed = structure.pack(list(span), disorder=disorder)
    beyond = np.linalg.norm(
        np.maximum(np.maximum(low - packed.cartesian, packed.cartesian - high), 0), axis=1
    )
    return packed.select((beyond < _SURROUNDINGS) & ~np.isin(packed.key, molecule.key))


def _ratio(inner: Promolecule, outer: Promolecule, points: Array) -> Array:
    tiny = 1e-12
    return np.log(inner.density(points)[0] + tiny) - np.log(outer.density(points)[0] + tiny)


def _on_grid(
    inner: Promolecule, outer: Promolecule, low: Array, shape: NDArray[np.int64], spacing: float
) -> Array:
    """ln(ρ inside / ρ outside); exact near the surface, only of the right sign elsewhere."""
    coarse = [np.unique(np.append(np.arange(0, size, 3), size - 1)) for size in shape]
    points = np.stack(np.meshgrid(*coarse, indexing="ij"), axis=-1).reshape(-1, 3)
    rough = _ratio(inner, outer, low + spacing * points).reshape([len(index) for index in coarse])
    nearest = [
        np.argmin(np.abs(np.arange(size)[:, None] - index), axis=1)
        for size, index in zip(shape, coarse, strict=True)
    ]
    values = rough[np.ix_(*nearest)]
    # ln of the ratio changes by about 7 per Å at most near the boundary of two atoms.
    close = np.abs(values) < 7.0 * 3 * spacing + 1.0
    index = np.argwhere(close)
    values[close] = _ratio(inner, outer, low + spacing * index)
    return values


def _moved_onto(
    vertices: Array, inner: Promolecule, outer: Promolecule, spacing: float, *, steps: int = 2
) -> Array:
    """Newton steps along the gradient, none longer than half a grid step."""
    for _ in range(steps):
        rho, slope = inner.density(vertices, gradient=True)
        other, other_slope = outer.density(vertices, gradient=True)
        value = np.log(rho) - np.log(other)
        gradient = slope / rho[:, None] - other_slope / other[:, None]
        step = -value / np.maximum(np.einsum("ij,ij->i", gradient, gradient), 1e-6)
        move = step[:, None] * gradient
        length = np.linalg.norm(move, axis=1, keepdims=True)
        vertices = vertices + move * np.minimum(1.0, 0.5 * spacing / np.maximum(length, 1e-9))
    return vertices


def _meetings(
    vertices: Array, molecule: Atoms, surroundings: Atoms, first: Array, second: Array
) -> dict[str, Any]:
    """`properties` of the vertices with principal curvatures first and second, and the atoms nearest `inside`, `outside`."""
    inside, di, here = _nearest(vertices, molecule)
    outside, de, there = _nearest(vertices, surroundings)
    properties = {
        "dnorm": here + there,
        "di": di,
        "de": de,
        "shape_index": shape_index(first, second),
        "curvedness": curvedness(first, second),
    }
    return {"properties": properties, "inside": inside, "outside": outside}


def _nearest(points: Array, atoms: Atoms) -> tuple[NDArray[np.int64], Array, Array]:
    """The nearest atom of each point, its distance d in Å, and the least (d − r)/r of any atom with its radius r.

    The last is taken over all atoms: that of the nearest jumps where the nearest changes from C to H, say.
    """
    radii = np.array([_radius(name) for name in atoms.element])
    places = atoms.cartesian
    index, distance, normed = (
        np.zeros(len(points), dtype=np.int64),
        np.zeros(len(points)),
        np.zeros(len(points)),
    )
    step = max(1, 4_000_000 // max(1, len(places)))
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        lengths = np.sqrt(np.sum((points[part, None] - places[None]) ** 2, axis=2))
        index[part] = np.argmin(lengths, axis=1)
        distance[part] = lengths.min(axis=1)
        normed[part] = (lengths / radii - 1).min(axis=1)
    return index, distance, normed


def _radius(element: str) -> float:
    """Van der Waals radius, Å: Bondi's (Alvarez' beyond), hydrogen 1.09 (Rowland & Taylor 1996)."""
    return _RADII.get(element) or van_der_waals_radius(element)


def _plain(elements: list[str]) -> list[str]:
    return ["H" if name == "D" else name for name in elements]


def with_neutron_lengths(structure: Structure) -> Structure:
    """The structure with terminal hydrogen atoms moved along their bonds to mean neutron lengths."""
    sites, edges, images = structure.sites, structure.edges, structure.images
    fract = sites.fract.copy()
    for row in np.flatnonzero(sites.is_hydrogen):
        bonded = edges.of(int(row))
        if len(bonded) != 1:
            continue
        edge = slice(bonded[0], bonded[0] + 1)
        pivot = edges.second[edge]
        length = NEUTRON_LENGTHS.get(sites.element[int(pivot[0])])
        if length is None:
            continue
        from_place = images.fract_of(pivot, edges.operation[edge], edges.translation[edge])[0]
        fract[row] = from_place + (sites.fract[row] - from_place) * length / float(edges.distance[edge][0])
    return Structure(structure.cell, structure.space_group, replace(sites, fract=fract), name=structure.name)
