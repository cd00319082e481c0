"""Hydrogen atoms placed by geometry, with the difference density where geometry leaves a choice.

Carbon is judged from the number of its neighbours, its angles and its bond lengths. Hydrogen on nitrogen
and oxygen, and the torsion of methyl groups, are read from the difference map of the model without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cctbx.eltbx import covalent_radii

from qcrbox_refine.connectivity import ALTERNATIVE, Neighbour, distance, neighbours
from qcrbox_refine.density import DifferenceMap
from qcrbox_refine.model import AfixGroup, Atom, Model
from qcrbox_refine.parameters import FIXED, FREE, read_parameter
from qcrbox_refine.riding import (
    TETRAHEDRAL,
    across,
    distance_to_hydrogen,
    methylene,
    on_cone,
    opposite,
    tertiary,
    unit,
)

# Longest bond of an unsaturated carbon to each element, Å: beyond it the bond counts as single.
_UNSATURATED = {"C": 1.455, "N": 1.415, "O": 1.39, "S": 1.75, "B": 1.57, "P": 1.78, "Si": 1.85}
_ACCEPTED_DENSITY = 0.25
CARRIERS = ("C", "N", "O")  # elements on which hydrogen atoms are placed


@dataclass
class Placement:
    """Hydrogen sites for one pivot: Cartesian, Å, with the SHELX AFIX code they follow (0: refined freely)."""

    afix: int
    sites: list[np.ndarray]


def place_hydrogens(
    model: Model, residual: DifferenceMap | None = None, *, only_asked: bool = False
) -> list[str]:
    """Add the missing hydrogen atoms to the model and return their labels.

    residual: difference map of the model without them; without it methyl groups are staggered and
    nothing is placed on N or O that geometry alone does not decide. only_asked: on atoms that an edit names alone.
    """
    placing = Placing(model, residual)
    asked = [atom for atom in placing.heavy if atom.lacks_hydrogen]
    carrying = {id(atom) for index, atom in enumerate(placing.heavy) if placing.has_hydrogen(index)}
    for index, atom in enumerate(placing.heavy):
        if atom.is_hydrogen or atom.element not in CARRIERS or placing.has_hydrogen(index):
            continue
        if only_asked and not atom.lacks_hydrogen:
            continue
        if placing.structure.site_symmetry_table().is_special_position(index):
            model.note(
                f"{atom.label} lies on a symmetry element: its hydrogen atoms, if any, were not placed."
            )
            continue
        for part, surroundings in placing.conformers(index):
            placed = _PLACERS[atom.element](surroundings)
            if placed is not None:
                placing.add(index, part, placed, 1.5 if placed.afix in (0, 137, 147) else 1.2)
    for atom in asked:
        atom.lacks_hydrogen = False
        if not placing.new.get(placing.heavy.index(atom)):
            has = id(atom) in carrying
            model.leave_out(
                f"hydrogens {atom.label}",
                "It carries hydrogen already." if has else "Neither its bonds nor the density show a place.",
            )
    return placing.finish()


class Placing:
    """Collects the new atoms and puts them behind their pivots."""

    def __init__(self, model: Model, residual: DifferenceMap | None) -> None:
        self.model, self.residual = model, residual
        self.heavy = list(model.atoms)
        self.structure = model.structure()
        self.bonds = neighbours(model, self.structure)
        self.cell = model.symmetry.unit_cell()
        self.new: dict[int, list[Atom]] = {}
        self.used = {atom.label.upper() for atom in model.atoms}

    def has_hydrogen(self, index: int) -> bool:
        """Whether the atom at `index` is bonded to a hydrogen already."""
        return any(self.heavy[bond.index].is_hydrogen for bond in self.bonds[index])

    def density(self, site: np.ndarray) -> float:
        """Difference density in e Å⁻³ at a Cartesian position; 0 without a map."""
        return self.residual.at(self.cell.fractionalize(tuple(site))) if self.residual is not None else 0.0

    def conformers(self, index: int) -> list[tuple[int, Surroundings]]:
        """The parts in which an atom gets hydrogen, with what it sees there."""
        has_map = self.residual is not None
        return [
            (part, Surroundings(self.model, index, parents, self.bonds, self.density, has_map))
            for part, parents in _conformers(self.model, index, self.bonds[index])
        ]

    def add(
        self,
        index: int,
        part: int,
        placed: Placement,
        u_factor: float | None,
        u: float = 0.05,
        distance: float | None = None,
    ) -> None:
        """New atoms on one pivot. u: as SHELX writes it, where no factor of U(eq) is given."""
        pivot, model = self.heavy[index], self.model
        group = AfixGroup(placed.afix // 10, placed.afix % 10, distance, pivot) if placed.afix else None
        parents = [bond for bond in self.bonds[index] if not self.heavy[bond.index].is_hydrogen]
        for site in placed.sites:
            atom = Atom("", "H", tuple(self.cell.fractionalize(tuple(site))), part=part)
            atom.residue, atom.residue_class = pivot.residue, pivot.residue_class
            atom.assembly = pivot.assembly or _assembly(model, parents, part)
            source = pivot if pivot.part or not part else next(a for a in self.heavy if a.part == part)
            atom.occupancy, atom.occupancy_coding = source.occupancy, source.occupancy_coding
            if placed.afix // 10 == 12:
                atom.occupancy, atom.occupancy_coding = source.occupancy / 2, FIXED
            atom.group, atom.riding = group, group is not None and group.rides
            if u_factor is None:
                atom.u_iso, coding = read_parameter(u, model.variables)
                atom.u_coding = (coding, *(FREE,) * 5)
            else:
                atom.u_iso = pivot.u_iso * u_factor
                if placed.afix:
                    atom.u_factor, atom.u_pivot = u_factor, pivot
            self.new.setdefault(index, []).append(atom)

    def finish(self) -> list[str]:
        """Put the new atoms into the model and return their labels."""
        order: list[Atom] = []
        added: list[str] = []
        for index, atom in enumerate(self.heavy):
            order.append(atom)
            here = self.new.get(index, [])
            for hydrogen, name in zip(here, _labels(atom, len(here), self.used), strict=True):
                hydrogen.label = name
                added.append(name)
            order += here
        self.model.atoms = order
        return added


@dataclass
class Surroundings:
    """An atom that may carry hydrogen, with its bonds to other atoms as Cartesian unit vectors and lengths in Å."""

    model: Model
    index: int
    parents: list[Neighbour]
    bonds: list[list[Neighbour]]
    density: Callable[[np.ndarray], float]
    has_map: bool

    def __post_init__(self) -> None:
        cell = self.model.symmetry.unit_cell()
        self.atom = self.model.atoms[self.index]
        self.site = np.array(cell.orthogonalize(self.atom.site))
        self.directions = [unit(parent.site - self.site) for parent in self.parents]
        self.elements = [self.model.atoms[parent.index].symbol for parent in self.parents]
        self.lengths = [parent.distance for parent in self.parents]

    @property
    def angle(self) -> float:
        """Angle between the first two parents, degrees."""
        return float(np.degrees(np.arccos(np.clip(self.directions[0] @ self.directions[1], -1, 1))))

    def saturation(self) -> float:
        """Positive for sp³: mean excess of the bonds over unsaturated ones, with the angle's vote."""
        excess = [d - _UNSATURATED.get(e, 1.5) for d, e in zip(self.lengths, self.elements, strict=True)]
        vote = sum(excess) / len(excess) / 0.04
        return vote + ((117 - self.angle) / 4 if len(self.parents) == 2 else 0)

    def length(self, m: int) -> float:
        """X-H in Å for geometry m of AFIX; for an element that SHELXL has no value for the sum of radii."""
        known = distance_to_hydrogen(self.atom.symbol, m, self.model.riding_temperature_k)
        return known or covalent_radii.table(self.atom.element).radius() + 0.32

    def axis_reference(self) -> np.ndarray:
        """A direction at right angles to the bond, in the plane of a substituent of the only parent."""
        axis, parent = self.directions[0], self.parents[0]
        for bond in self.bonds[parent.index]:
            away = np.array(self._moved(bond, parent)) - self.site
            if np.linalg.norm(away) > 0.3 and np.linalg.norm(away - (away @ axis) * axis) > 0.3:
                return across(axis, away)
        return across(axis, None)

    def _moved(self, bond: Neighbour, parent: Neighbour) -> tuple[float, float, float]:
        cell = self.model.symmetry.unit_cell()
        return cell.orthogonalize(parent.symmetry * (bond.symmetry * self.model.atoms[bond.index].site))

    def cone(self, azimuth: float, angle: float, length: float) -> np.ndarray:
        """The point at `angle` to the only bond, `azimuth` (radians) from the reference direction."""
        direction = on_cone(self.directions[0], self.axis_reference(), azimuth, angle)
        return self.site + length * direction


def _conformers(model: Model, index: int, bonds: list[Neighbour]) -> list[tuple[int, list[Neighbour]]]:
    """The parts in which this atom gets hydrogen, each with the parents seen from it."""
    own = model.atoms[index].part
    heavy = [bond for bond in bonds if not model.atoms[bond.index].is_hydrogen]
    seen = sorted({model.atoms[bond.index].part for bond in heavy} - {0})
    if own or len(seen) < 2:
        return [(own, heavy)]
    shared_with_mixed = [model.atoms[bond.index] for bond in heavy if model.atoms[bond.index].part]
    if len({tuple(np.round(atom.site, 3)) for atom in shared_with_mixed}) == 1:
        # Two elements on one site are one neighbour, not two conformers.
        first = [bond for bond in heavy if model.atoms[bond.index].part in (0, seen[0])]
        return [(0, first)]
    return [(part, [b for b in heavy if model.atoms[b.index].part in (0, part)]) for part in seen]


def _assembly(model: Model, parents: list[Neighbour], part: int) -> str:
    named = (model.atoms[p.index] for p in parents)
    return next((atom.assembly for atom in named if part and atom.part == part), "")


def _labels(atom: Atom, count: int, used: set[str]) -> list[str]:
    """H with the pivot's number, letters when there are several: C6 → H6A H6B, C7A → H7AA H7AB."""
    pivot, suffix = atom.name, f"_{atom.residue}" if atom.residue else ""
    tail = pivot.lstrip("CNO")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    first = [f"H{tail}"] if count == 1 and tail else []
    by_element = [f"H{pivot}", *(f"H{pivot}{letter}" for letter in letters)]
    free = [
        f"{name}{suffix}"
        for name in [*first, *(f"H{tail}{letter}" for letter in letters), *by_element]
        if f"{name}{suffix}".upper() not in used
    ]
    used |= {name.upper() for name in free[:count]}
    return free[:count]


def _judged_like(s: Surroundings) -> float:
    """Saturation of this carbon; a minor conformer is judged like the major one, whose geometry is better."""
    atom, model = s.atom, s.model
    bonds = s.bonds[s.index]
    candidates = [
        (_share(model, parents), s.index, parents) for _, parents in _conformers(model, s.index, bonds)
    ]
    if atom.part:
        for i, other in enumerate(model.atoms):
            apart = other.assembly == atom.assembly and other.part not in (0, atom.part)
            if apart and other.symbol == "C" and distance(model, s.index, i) < ALTERNATIVE:
                heavy = [b for b in s.bonds[i] if not model.atoms[b.index].is_hydrogen]
                candidates.append((other.occupancy, i, heavy))
        candidates[0] = (atom.occupancy, s.index, s.parents)
    _, index, parents = max(candidates, key=lambda one: one[0])
    if len(parents) != len(s.parents):
        return s.saturation()
    return Surroundings(model, index, parents, s.bonds, s.density, s.has_map).saturation()


def _share(model: Model, parents: list[Neighbour]) -> float:
    return min(model.atoms[parent.index].occupancy for parent in parents)


def _on_carbon(s: Surroundings) -> Placement | None:
    n = len(s.parents)
    if n == 3:
        if np.linalg.norm(sum(s.directions)) < 0.35:
            return None
        return Placement(13, [s.site + s.length(1) * tertiary(s.directions)])
    if n == 2:
        if s.angle > 155:
            return None
        if _judged_like(s) < 0:
            return Placement(43, [s.site + s.length(4) * opposite(s.directions)])
        return Placement(23, [s.site + s.length(2) * direction for direction in methylene(s.directions)])
    if n == 1:
        return _terminal_carbon(s)
    s.model.note(f"{s.atom.label} has {n} neighbours: no hydrogen placed.")
    return None


def _terminal_carbon(s: Surroundings) -> Placement | None:
    length, element = s.lengths[0], s.elements[0]
    if element == "C" and length < 1.25:
        return Placement(163, [s.site - s.length(16) * s.directions[0]])
    if element in ("N", "O") and length < 1.25:
        return None
    if element == "C" and length < 1.40:
        return Placement(93, _planar_pair(s))
    return Placement(137, _methyl(s))


def _planar_pair(s: Surroundings) -> list[np.ndarray]:
    angle = np.radians(120)
    return [s.cone(azimuth, angle, s.length(9)) for azimuth in (0.0, np.pi)]


def _methyl(s: Surroundings) -> list[np.ndarray]:
    length = s.length(13)

    def at(azimuth: float) -> list[np.ndarray]:
        return [s.cone(azimuth + k * 2 * np.pi / 3, TETRAHEDRAL, length) for k in range(3)]

    if not s.has_map:
        return at(np.pi / 3)
    azimuths = np.radians(np.arange(0, 120, 3.0))
    sums = np.array([sum(s.density(site) for site in at(azimuth)) for azimuth in azimuths])
    if sums.max() - sums.min() < 0.3:
        s.model.note(f"The methyl group at {s.atom.label} shows no clear torsion in the difference density.")
    return at(float(azimuths[sums.argmax()]))


def _on_nitrogen(s: Surroundings) -> Placement | None:
    n = len(s.parents)
    if n == 0:
        s.model.note(f"{s.atom.label} has no bonded atom: no hydrogen placed.")
    if n == 1:
        return _terminal_nitrogen(s)
    if n == 2 and s.angle < 155:
        site = s.site + s.length(4) * opposite(s.directions)
        return Placement(43, [site]) if _confirmed(s, [site], "N-H") else None
    if n == 3 and np.linalg.norm(sum(s.directions)) > 0.5:
        site = s.site + s.length(1) * tertiary(s.directions)
        return Placement(13, [site]) if _confirmed(s, [site], "N-H") else None
    return None


def _terminal_nitrogen(s: Surroundings) -> Placement | None:
    if s.lengths[0] < 1.20 or s.elements[0] not in ("C", "S", "N", "P"):
        return None
    if s.elements[0] == "C" and s.lengths[0] < 1.43:
        sites = _planar_pair(s)
        return Placement(93, sites) if _confirmed(s, sites, "NH2") else None
    sites = [s.cone(k * 2 * np.pi / 3, TETRAHEDRAL, s.length(13)) for k in range(3)]
    if s.has_map:
        sites = _methyl(s)
    return Placement(137, sites) if _confirmed(s, sites, "NH3") else None


def _on_oxygen(s: Surroundings) -> Placement | None:
    if not s.parents:
        return _water(s)
    if len(s.parents) != 1 or s.elements[0] not in ("C", "N", "B", "P", "Si") or s.lengths[0] < 1.27:
        return None
    if not s.has_map:
        s.model.note(f"{s.atom.label} may carry hydrogen; without reflections it was not placed.")
        return None
    azimuths = np.radians(np.arange(0, 360, 5.0))
    sites = [s.cone(azimuth, TETRAHEDRAL, s.length(14)) for azimuth in azimuths]
    best = max(sites, key=s.density)
    return Placement(147, [best]) if _confirmed(s, [best], "O-H") else None


def _water(s: Surroundings) -> Placement | None:
    """The two places 0.84 Å from the oxygen, 90 to 125° apart, where the difference density is highest."""
    n = 600
    steps = np.arange(n) + 0.5
    polar, turn = np.arccos(1 - 2 * steps / n), np.pi * (1 + 5**0.5) * steps
    sphere = np.column_stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)])
    heights = np.array([s.density(s.site + 0.84 * direction) for direction in sphere]) if s.has_map else None
    if heights is not None:
        cosines = sphere @ sphere[heights.argmax()]
        beside = (cosines < np.cos(np.radians(90))) & (cosines > np.cos(np.radians(125)))
        second = int(np.where(beside, heights, -np.inf).argmax())
        if heights[second] >= _ACCEPTED_DENSITY:
            s.model.note(f"H2O at {s.atom.label} placed by the difference density and refined freely.")
            return Placement(0, [s.site + 0.84 * sphere[i] for i in (int(heights.argmax()), second)])
    s.model.note(f"{s.atom.label} has no bonded atom (water?): its hydrogen atoms were not placed.")
    return None


def _confirmed(s: Surroundings, sites: list[np.ndarray], kind: str) -> bool:
    """Whether the difference density shows these atoms; without a map a warning is given instead."""
    if not s.has_map:
        s.model.note(f"{s.atom.label} may carry {kind}; without reflections it was not placed.")
        return False
    heights = [s.density(site) for site in sites]
    accepted = min(heights) >= _ACCEPTED_DENSITY
    if accepted:
        s.model.note(f"{kind} at {s.atom.label} placed: {min(heights):.2f} e/Å³ in the difference density.")
    return accepted


_PLACERS = {"C": _on_carbon, "N": _on_nitrogen, "O": _on_oxygen}
