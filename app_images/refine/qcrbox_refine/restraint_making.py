"""From one instruction to its restraints: which atoms, distances, planes and displacements it means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qcrbox.crystallography.shelx import Instruction, decoded

from qcrbox_refine.atom_names import AtomNames, AtomRef, UnknownAtom
from qcrbox_refine.connectivity import neighbours
from qcrbox_refine.model import Model, Placed
from qcrbox_refine.parameters import tied
from qcrbox_refine.restraint_equations import (
    Distance,
    EqualDistances,
    NearlyIsotropic,
    Node,
    Restraint,
    RigidBond,
    SimilarDisplacement,
    VariableSum,
    Volume,
)

# Targets of DFIX and DANG up to this (Å) are distances: SHELXL allows no "fixed by adding 10" there.
LONGEST_DISTANCE = 15.0


class RestraintMaker:
    """Makes the restraints of one instruction, for each residue it is meant for."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names = AtomNames(model)
        self.structure = model.structure()
        self.bonds = neighbours(model, self.structure)
        self.defaults = model.settings.defaults
        self.cell = model.symmetry.unit_cell()
        self.kinds: dict[str, Callable[[Instruction, int], list[Restraint]]] = {
            "DFIX": self._distances,
            "DANG": self._distances,
            "FLAT": self._flat,
            "CHIV": self._chiral,
            "ISOR": self._isotropic,
            "SIMU": self._similar,
            "DELU": self._rigid,
            "RIGU": self._rigid,
        }

    def restraints_of(self, placed: Placed) -> list[Restraint]:
        """Raises UnknownAtom, ValueError, IndexError for words that mean nothing."""
        instruction = placed.instruction
        if instruction.name == "SUMP":
            return [self._sum(instruction)]
        if instruction.name == "SADI":
            return self._equal_distances(instruction)
        if instruction.name == "SAME":
            return self._same(placed)
        if instruction.residue == "*" and not instruction.names:
            return self.kinds[instruction.name](instruction, -1)
        return self.names.of_copies(instruction, lambda here: self.kinds[instruction.name](instruction, here))

    # Distances

    def _distances(self, instruction: Instruction, here: int) -> list[Restraint]:
        numbers = instruction.numbers
        if not numbers:
            raise ValueError(f"{instruction.name} has a distance and pairs of atoms")
        default = self.defaults.sd * (2 if instruction.name == "DANG" else 1)
        sigma = instruction.number(1, default)
        self._check(sigma)
        target = numbers[0]
        pairs = self.names.pairs(instruction.names, here)
        if abs(target) > LONGEST_DISTANCE:
            coding = tied(*decoded(target))
            if coding.variable > len(self.model.variables):
                raise ValueError(f"free variable {coding.variable} is used, but FVAR does not give it")
            return [
                Distance(_node(a), _node(b), coding.offset, sigma, coding.variable, coding.factor)
                for a, b in pairs
            ]
        return [Distance(_node(a), _node(b), abs(target), sigma, repulsive=target < 0) for a, b in pairs]

    def _equal_distances(self, instruction: Instruction) -> list[Restraint]:
        """All pairs of the instruction in all its residues are equal."""
        sigma = instruction.number(0, self.defaults.sd)
        self._check(sigma)
        pairs = self.names.of_copies(instruction, lambda here: self.names.pairs(instruction.names, here))
        return all_equal([(_node(a), _node(b)) for a, b in pairs], sigma)

    def _same(self, placed: Placed) -> list[Restraint]:
        """SAME: 1,2 and 1,3 distances of the named atoms are those of the atoms that follow.

        With a residue class, those of all residues of the class are equal.
        """
        instruction = placed.instruction
        bonds = instruction.number(0, self.defaults.sd)
        angles = instruction.number(1, 2 * bonds)
        lists = []
        for here in self.names.copies(instruction):
            try:
                lists.append(self.names.own_atoms(instruction, here))
            except UnknownAtom:
                if not instruction.residue:
                    raise
        if not instruction.residue or len(lists) == 1:
            named = lists[0]
            lists = [named, self._following(placed, len(named), with_hydrogen=self._has_hydrogen(named))]
        if len({len(indices) for indices in lists}) != 1:
            raise ValueError("the groups have different numbers of atoms")
        return self._same_distances(lists, bonds, angles)

    def _has_hydrogen(self, indices: list[int]) -> bool:
        return any(self.model.atoms[i].is_hydrogen for i in indices)

    def _following(self, placed: Placed, count: int, *, with_hydrogen: bool) -> list[int]:
        if placed.before is None and not placed.in_header:
            raise ValueError("no atoms follow")
        first = 0 if placed.before is None else self.model.index(placed.before)
        found = [
            i
            for i in range(first, len(self.model.atoms))
            if with_hydrogen or not self.model.atoms[i].is_hydrogen
        ][:count]
        if len(found) < count:
            raise ValueError(f"{count} atoms should follow, and there are {len(found)}")
        return found

    def _same_distances(self, lists: list[list[int]], bonds: float, angles: float) -> list[Restraint]:
        """Bonds and 1,3 distances of the first group decide which distances are compared."""
        made: list[Restraint] = []
        first = lists[0]
        for (p, q), kind in sorted(self._paths(first).items()):
            sigma = bonds if kind == 1 else angles
            if sigma > 0:
                made += all_equal([(Node(group[p]), Node(group[q])) for group in lists], sigma)
        return made

    def _paths(self, indices: list[int]) -> dict[tuple[int, int], int]:
        """Places of atoms that are 1,2 (1) or 1,3 (2) neighbours inside a list, without symmetry."""
        place = {index: p for p, index in enumerate(indices)}
        bonded = [
            {bond.index for bond in self.bonds[i] if bond.symmetry.is_unit_mx() and bond.index in place}
            for i in indices
        ]
        found: dict[tuple[int, int], int] = {}
        for middle in bonded:
            ends = sorted(place[i] for i in middle)
            for k, p in enumerate(ends):
                for q in ends[k + 1 :]:
                    if self._together(indices[p], indices[q]):
                        found.setdefault((p, q), 2)
        for p, others in enumerate(bonded):
            for i in others:
                q = place[i]
                found[min(p, q), max(p, q)] = 1
        return found

    def _together(self, i: int, j: int) -> bool:
        """Whether two atoms may be there at the same time."""
        parts = {self.model.atoms[i].part, self.model.atoms[j].part} - {0}
        return len(parts) < 2

    # Planes and volumes

    def _flat(self, instruction: Instruction, here: int) -> list[Restraint]:
        """n - 3 tetrahedra of volume 0, each of four atoms that follow one another in the list."""
        sigma = instruction.number(0, self.defaults.sf)
        self._check(sigma)
        nodes = [_node(ref) for ref in self.names.flat(instruction.names, here)]
        if len(nodes) < 4:
            raise ValueError("a plane needs four atoms or more")
        return [
            Volume(nodes[k], nodes[k + 1], nodes[k + 2], nodes[k + 3], 0.0, sigma)
            for k in range(len(nodes) - 3)
        ]

    def _chiral(self, instruction: Instruction, here: int) -> list[Restraint]:
        volume, sigma = instruction.number(0, 0.0), instruction.number(1, 0.1)
        self._check(sigma)
        if abs(volume) > LONGEST_DISTANCE:
            raise ValueError(
                f"the volume {volume:g} stands for a free variable, which CHIV does not take here"
            )
        made: list[Restraint] = []
        for index in self.names.own_atoms(instruction, here):
            parents = [b for b in self.bonds[index] if not self.model.atoms[b.index].is_hydrogen]
            if len(parents) != 3:
                label = self.model.atoms[index].label
                raise ValueError(
                    f"{label} has {len(parents)} bonds to atoms other than hydrogen, CHIV needs 3"
                )
            parents.sort(key=lambda bond: self.model.atoms[bond.index].name.upper())
            a, b, c = (Node(bond.index, bond.symmetry) for bond in parents)
            made.append(Volume(Node(index), a, b, c, volume, sigma))
        return made

    # Displacement parameters

    def _chosen(self, instruction: Instruction, here: int) -> list[int]:
        """Atoms of a list, or all of the residue without one; hydrogen only where it is named and does not ride.

        here -1: all residues.
        """
        if instruction.names:
            indices = dict.fromkeys(self.names.own_atoms(instruction, here))
            riding = [i for i in indices if self.model.atoms[i].u_factor is not None]
            for i in riding:
                self.model.leave_out(
                    f"{instruction.text} to {self.model.atoms[i].label}",
                    "Its displacement parameter rides on that of another atom.",
                )
            return [i for i in indices if i not in riding]
        everywhere = here == -1 or not instruction.residue
        return [
            i
            for i, atom in enumerate(self.model.atoms)
            if not atom.is_hydrogen and (everywhere or atom.residue == here)
        ]

    def _terminal(self, index: int) -> bool:
        heavy = [b for b in self.bonds[index] if not self.model.atoms[b.index].is_hydrogen]
        return len(heavy) < 2

    def _isotropic(self, instruction: Instruction, here: int) -> list[Restraint]:
        s, st = instruction.number(0, 0.1), instruction.number(1, 2 * instruction.number(0, 0.1))
        self._check(s, st)
        return [
            NearlyIsotropic(Node(i), st if self._terminal(i) else s)
            for i in self._chosen(instruction, here)
            if self.model.atoms[i].u_aniso is not None
        ]

    def _similar(self, instruction: Instruction, here: int) -> list[Restraint]:
        s = instruction.number(0, self.defaults.ss)
        st = instruction.number(1, 2 * s)
        self._check(s, st)
        furthest = instruction.number(2, 2.0)
        indices = self._chosen(instruction, here)
        sites = np.array([self.cell.orthogonalize(self.model.atoms[i].site) for i in indices]).reshape(-1, 3)
        made: list[Restraint] = []
        for k, i in enumerate(indices):
            distances = np.linalg.norm(sites[k + 1 :] - sites[k], axis=1)
            for step in np.flatnonzero(distances < furthest):
                j = indices[k + 1 + int(step)]
                terminal = self._terminal(i) or self._terminal(j)
                made.append(SimilarDisplacement(Node(i), Node(j), st if terminal else s))
        return made

    def _rigid(self, instruction: Instruction, here: int) -> list[Restraint]:
        enhanced = instruction.name == "RIGU"
        default = 0.004 if enhanced else self.defaults.su
        first = instruction.number(0, default)
        second = instruction.number(1, first if instruction.numbers else default)
        self._check(first, second)
        indices = self._chosen(instruction, here)
        made: list[Restraint] = []
        for (p, q), kind in sorted(self._paths(indices).items()):
            a, b = self.model.atoms[indices[p]], self.model.atoms[indices[q]]
            if a.u_aniso is not None and b.u_aniso is not None:
                sigma = first if kind == 1 else second
                made.append(RigidBond(Node(indices[p]), Node(indices[q]), sigma, enhanced))
        return made

    # Free variables

    def _sum(self, instruction: Instruction) -> VariableSum:
        if len(instruction.numbers) < 4 or len(instruction.numbers) % 2:
            raise ValueError("SUMP has a sum, its s.u., and pairs of coefficient and free variable")
        target, sigma, *rest = instruction.numbers
        self._check(sigma)
        terms = tuple(
            (coefficient, round(number)) for coefficient, number in zip(rest[::2], rest[1::2], strict=True)
        )
        for _, number in terms:
            if not 2 <= number <= len(self.model.variables):
                raise ValueError(f"free variable {number} is used, but FVAR does not give it")
        return VariableSum(terms, target, sigma)

    def _check(self, *sigmas: float) -> None:
        if any(sigma <= 0 for sigma in sigmas):
            raise ValueError("an s.u. must be above zero")


def _node(ref: AtomRef) -> Node:
    return Node(ref.index, ref.symmetry)


def all_equal(pairs: list[tuple[Node, Node]], sigma: float) -> list[Restraint]:
    """Each of the n distances equal to each other one: n (n - 1) / 2 equations."""
    distinct = {tuple(sorted(pair, key=lambda node: node.key)) for pair in pairs}
    ordered = sorted(distinct, key=lambda pair: (pair[0].key, pair[1].key))
    return [
        EqualDistances(*ordered[i], *ordered[j], sigma, len(ordered))
        for i in range(len(ordered))
        for j in range(i + 1, len(ordered))
    ]
