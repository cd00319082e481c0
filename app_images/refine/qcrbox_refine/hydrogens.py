"""Hydrogen atoms placed by geometry, with the difference density where geometry leaves a choice.

Carbon is judged from the number of its neighbours, its angles and its bond lengths. Hydrogen on nitrogen
and oxygen, and the torsion of methyl groups, are read from the difference map of the model without them.
X-H distances are those of SHELXL at room temperature; they grow by 0.01 Å below -20 and 0.02 Å below
-70 °C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qcrbox_refine.connectivity import ALTERNATIVE, Neighbour, distance, neighbours
from qcrbox_refine.density import DifferenceMap
from qcrbox_refine.model import Atom, Model

_LENGTH = {
    ("C", 13): 0.98, ("C", 23): 0.97, ("C", 43): 0.93, ("C", 93): 0.93, ("C", 137): 0.96, ("C", 163): 0.93,
    ("N", 13): 0.91, ("N", 23): 0.90, ("N", 43): 0.86, ("N", 93): 0.86, ("N", 137): 0.89,
    ("O", 147): 0.82,
}  # fmt: skip
# Longest bond of an unsaturated carbon to each element, Å: beyond it the bond counts as single.
_UNSATURATED = {"C": 1.455, "N": 1.415, "O": 1.39, "S": 1.75, "B": 1.57, "P": 1.78, "Si": 1.85}
_ACCEPTED_DENSITY = 0.25
_TETRAHEDRAL = np.radians(109.47)


@dataclass
class Placement:
    """Hydrogen sites for one pivot: Cartesian, Å, with the SHELX AFIX code they follow (0: refined freely)."""

    afix: int
    sites: list[np.ndarray]


def place_hydrogens(
    model: Model, residual: DifferenceMap | None = None, only: dict[str, int] | None = None
) -> list[str]:
    """Add the missing hydrogen atoms to the model and return their labels.

    residual: difference map of the model without them; without it methyl groups are staggered and
    nothing is placed on N or O that geometry alone does not decide. only: labels of the atoms that get
    hydrogen, with the code of HFIX; a geometry that asks for another code is noted.
    """
    structure = model.structure()
    bonds = neighbours(model, structure)
    cell = model.symmetry.unit_cell()
    order: list[Atom] = []
    added: list[str] = []
    used = {atom.label.upper() for atom in model.atoms}

    def density(site: np.ndarray) -> float:
        return residual.at(cell.fractionalize(tuple(site))) if residual is not None else 0.0

    for index, atom in enumerate(list(model.atoms)):
        order.append(atom)
        if atom.is_hydrogen or atom.element not in ("C", "N", "O"):
            continue
        if only is not None and atom.label.upper() not in only:
            continue
        if any(model.atoms[bond.index].is_hydrogen for bond in bonds[index]):
            continue
        if structure.site_symmetry_table().is_special_position(index):
            model.note(
                f"{atom.label} lies on a symmetry element: its hydrogen atoms, if any, were not placed."
            )
            continue
        here: list[Atom] = []
        for part, parents in _conformers(model, index, bonds[index]):
            surroundings = _Surroundings(model, index, parents, bonds, density, residual is not None)
            placed = _PLACERS[atom.element](surroundings)
            wished = only[atom.label.upper()] if only is not None else None
            if wished is not None and (
                placed is None or placed.afix // 10 != _SAME_GEOMETRY.get(wished // 10, wished // 10)
            ):
                found = f"AFIX {placed.afix}" if placed else "no hydrogen"
                model.note(f"HFIX {wished} {atom.label}: the surroundings ask for {found}.")
            for site in placed.sites if placed else ():
                here.append(
                    Atom(
                        label="",
                        element="H",
                        site=tuple(cell.fractionalize(tuple(site))),
                        occupancy=_occupancy(model, atom, part),
                        u_iso=atom.u_iso * (1.5 if placed.afix in (0, 137, 147) else 1.2),
                        part=part,
                        assembly=atom.assembly or _assembly(model, parents, part),
                        riding=placed.afix > 0,
                    )
                )
        for hydrogen, label in zip(here, _labels(atom.label, len(here), used), strict=True):
            hydrogen.label = label
        order += here
        added += [hydrogen.label for hydrogen in here]
    model.atoms = order
    return added


@dataclass
class _Surroundings:
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
        self.directions = [_unit(parent.site - self.site) for parent in self.parents]
        self.elements = [self.model.atoms[parent.index].element for parent in self.parents]
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

    def length(self, afix: int) -> float:
        base = _LENGTH[(self.atom.element, afix)]
        celsius = self.model.temperature_k - 273.15 if self.model.temperature_k else 20.0
        return base + (0.02 if celsius < -70 else 0.01 if celsius < -20 else 0.0)

    def axis_reference(self) -> np.ndarray:
        """A direction at right angles to the bond, in the plane of a substituent of the only parent."""
        axis = self.directions[0]
        parent = self.parents[0]
        for bond in self.bonds[parent.index]:
            site = np.array(self._moved(bond, parent))
            away = site - self.site
            if np.linalg.norm(away) < 0.3:
                continue
            sideways = away - (away @ axis) * axis
            if np.linalg.norm(sideways) > 0.3:
                return _unit(sideways)
        return _unit(np.cross(axis, [1.0, 0, 0] if abs(axis[0]) < 0.8 else [0, 1.0, 0]))

    def _moved(self, bond: Neighbour, parent: Neighbour) -> tuple[float, float, float]:
        cell = self.model.symmetry.unit_cell()
        return cell.orthogonalize(parent.symmetry * (bond.symmetry * self.model.atoms[bond.index].site))

    def cone(self, azimuth: float, angle: float, length: float) -> np.ndarray:
        """The point at `angle` to the only bond, `azimuth` (radians) from the reference direction."""
        axis, reference = self.directions[0], self.axis_reference()
        third = np.cross(axis, reference)
        sideways = np.cos(azimuth) * reference + np.sin(azimuth) * third
        return self.site + length * (np.cos(angle) * axis + np.sin(angle) * sideways)


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector) / np.linalg.norm(vector)


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


def _occupancy(model: Model, pivot: Atom, part: int) -> float:
    if pivot.part or not part:
        return pivot.occupancy
    return next(atom.occupancy for atom in model.atoms if atom.part == part)


def _assembly(model: Model, parents: list[Neighbour], part: int) -> str:
    named = (model.atoms[p.index] for p in parents)
    return next((atom.assembly for atom in named if part and atom.part == part), "")


def _labels(pivot: str, count: int, used: set[str]) -> list[str]:
    """H with the pivot's number, letters when there are several: C6 → H6A H6B, C7A → H7AA H7AB."""
    tail = pivot.lstrip("CNO")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    first = [f"H{tail}"] if count == 1 and tail else []
    by_element = [f"H{pivot}", *(f"H{pivot}{letter}" for letter in letters)]
    free = [
        name
        for name in [*first, *(f"H{tail}{letter}" for letter in letters), *by_element]
        if name.upper() not in used
    ]
    used |= {name.upper() for name in free[:count]}
    return free[:count]


def _judged_like(s: _Surroundings) -> float:
    """Saturation of this carbon; a minor conformer is judged like the major one, whose geometry is better."""
    atom, model = s.atom, s.model
    bonds = s.bonds[s.index]
    candidates = [
        (_share(model, parents), s.index, parents) for _, parents in _conformers(model, s.index, bonds)
    ]
    if atom.part:
        for i, other in enumerate(model.atoms):
            apart = other.assembly == atom.assembly and other.part not in (0, atom.part)
            if apart and other.element == "C" and distance(model, s.index, i) < ALTERNATIVE:
                heavy = [b for b in s.bonds[i] if not model.atoms[b.index].is_hydrogen]
                candidates.append((other.occupancy, i, heavy))
        candidates[0] = (atom.occupancy, s.index, s.parents)
    _, index, parents = max(candidates, key=lambda one: one[0])
    if len(parents) != len(s.parents):
        return s.saturation()
    return _Surroundings(model, index, parents, s.bonds, s.density, s.has_map).saturation()


def _share(model: Model, parents: list[Neighbour]) -> float:
    return min(model.atoms[parent.index].occupancy for parent in parents)


def _on_carbon(s: _Surroundings) -> Placement | None:
    n = len(s.parents)
    if n == 3:
        total = _unit(sum(s.directions)) if np.linalg.norm(sum(s.directions)) > 0.35 else None
        if total is None:
            return None
        return Placement(13, [s.site - s.length(13) * total])
    if n == 2:
        if s.angle > 155:
            return None
        bisector = -_unit(s.directions[0] + s.directions[1])
        if _judged_like(s) < 0:
            return Placement(43, [s.site + s.length(43) * bisector])
        normal = _unit(np.cross(s.directions[0], s.directions[1]))
        half = np.radians(109.5 - 0.4 * (s.angle - 109.5)) / 2
        return Placement(
            23,
            [
                s.site + s.length(23) * (np.cos(half) * bisector + sign * np.sin(half) * normal)
                for sign in (1, -1)
            ],
        )
    if n == 1:
        return _terminal_carbon(s)
    s.model.note(f"{s.atom.label} has {n} neighbours: no hydrogen placed.")
    return None


def _terminal_carbon(s: _Surroundings) -> Placement | None:
    length, element = s.lengths[0], s.elements[0]
    if element == "C" and length < 1.25:
        return Placement(163, [s.site - s.length(163) * s.directions[0]])
    if element in ("N", "O") and length < 1.25:
        return None
    if element == "C" and length < 1.40:
        return Placement(93, _planar_pair(s, 93))
    return Placement(137, _methyl(s))


def _planar_pair(s: _Surroundings, afix: int) -> list[np.ndarray]:
    angle = np.radians(120)
    return [s.cone(azimuth, angle, s.length(afix)) for azimuth in (0.0, np.pi)]


def _methyl(s: _Surroundings) -> list[np.ndarray]:
    length = s.length(137)

    def at(azimuth: float) -> list[np.ndarray]:
        return [s.cone(azimuth + k * 2 * np.pi / 3, _TETRAHEDRAL, length) for k in range(3)]

    if not s.has_map:
        return at(np.pi / 3)
    azimuths = np.radians(np.arange(0, 120, 3.0))
    sums = np.array([sum(s.density(site) for site in at(azimuth)) for azimuth in azimuths])
    if sums.max() - sums.min() < 0.3:
        s.model.note(f"The methyl group at {s.atom.label} shows no clear torsion in the difference density.")
    return at(float(azimuths[sums.argmax()]))


def _on_nitrogen(s: _Surroundings) -> Placement | None:
    n = len(s.parents)
    if n == 0:
        s.model.note(f"{s.atom.label} has no bonded atom: no hydrogen placed.")
    if n == 1:
        return _terminal_nitrogen(s)
    if n == 2 and s.angle < 155:
        site = s.site - s.length(43) * _unit(s.directions[0] + s.directions[1])
        return Placement(43, [site]) if _confirmed(s, [site], "N-H") else None
    if n == 3 and np.linalg.norm(sum(s.directions)) > 0.5:
        site = s.site - s.length(13) * _unit(sum(s.directions))
        return Placement(13, [site]) if _confirmed(s, [site], "N-H") else None
    return None


def _terminal_nitrogen(s: _Surroundings) -> Placement | None:
    if s.lengths[0] < 1.20 or s.elements[0] not in ("C", "S", "N", "P"):
        return None
    if s.elements[0] == "C" and s.lengths[0] < 1.43:
        sites = _planar_pair(s, 93)
        return Placement(93, sites) if _confirmed(s, sites, "NH2") else None
    sites = [s.cone(k * 2 * np.pi / 3, _TETRAHEDRAL, s.length(137)) for k in range(3)]
    if s.has_map:
        sites = _methyl(s)
    return Placement(137, sites) if _confirmed(s, sites, "NH3") else None


def _on_oxygen(s: _Surroundings) -> Placement | None:
    if not s.parents:
        return _water(s)
    if len(s.parents) != 1 or s.elements[0] not in ("C", "N", "B", "P", "Si") or s.lengths[0] < 1.27:
        return None
    if not s.has_map:
        s.model.note(f"{s.atom.label} may carry hydrogen; without reflections it was not placed.")
        return None
    azimuths = np.radians(np.arange(0, 360, 5.0))
    sites = [s.cone(azimuth, _TETRAHEDRAL, s.length(147)) for azimuth in azimuths]
    best = max(sites, key=s.density)
    return Placement(147, [best]) if _confirmed(s, [best], "O-H") else None


def _water(s: _Surroundings) -> Placement | None:
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


def _confirmed(s: _Surroundings, sites: list[np.ndarray], kind: str) -> bool:
    """Whether the difference density shows these atoms; without a map the user is told instead."""
    if not s.has_map:
        s.model.note(f"{s.atom.label} may carry {kind}; without reflections it was not placed.")
        return False
    heights = [s.density(site) for site in sites]
    accepted = min(heights) >= _ACCEPTED_DENSITY
    if accepted:
        s.model.note(f"{kind} at {s.atom.label} placed: {min(heights):.2f} e/Å³ in the difference density.")
    return accepted


# Staggered methyl and OH (33, 83) are placed as rotating ones.
_SAME_GEOMETRY = {3: 13, 8: 14, 12: 13}
_PLACERS = {"C": _on_carbon, "N": _on_nitrogen, "O": _on_oxygen}
