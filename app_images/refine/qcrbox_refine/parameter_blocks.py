"""Blocks of independent parameters: each applies shifts, and gives the derivatives of the parameters of the atoms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

# Coordinates, displacement, occupancy: derivatives of one atom by independent parameter.
Row = dict[int, np.ndarray]
_STRAIGHT = 1e-3  # Å that atoms on one line may be away from it


@dataclass
class State:
    """Values of all parameters. sites: (n, 3) fractional; u: U* (6,) or U iso (1,) of each atom in Å²;
    occupancy: (n,); variables: all of FVAR, the scale factor (1 here) first.
    """

    cell: Any
    sites: np.ndarray
    u: list[np.ndarray]
    occupancy: np.ndarray
    variables: np.ndarray
    orthogonal: np.ndarray
    fractional: np.ndarray

    def cartesian(self, index: int) -> np.ndarray:
        """Position of an atom in Å on Cartesian axes, (3,)."""
        return self.orthogonal @ self.sites[index]


@dataclass
class Rows:
    """Derivatives of the parameters of each atom, by independent parameter."""

    sites: list[Row]
    u: list[Row]
    occupancy: list[Row]
    variables: list[Row]


class Block(Protocol):
    """size: independent parameters of its own; start: number of the first, set when blocks are put together."""

    size: int
    start: int

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Move the parameters by `shifts` (size,), or follow what earlier blocks have moved."""

    def rows(self, state: State, rows: Rows) -> None:
        """Write the derivatives of the parameters it rules."""

    def names(self) -> list[str]:
        """Names of the block's own parameters."""


@dataclass
class FreeVariables:
    """Free variables that are refined, by their numbers (2, 3, …)."""

    numbers: list[int]
    start: int = 0

    @property
    def size(self) -> int:
        """Number of refined free variables."""
        return len(self.numbers)

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Add the shifts to the free variables of the state."""
        for number, value in zip(self.numbers, shifts, strict=True):
            state.variables[number - 1] += value

    def rows(self, state: State, rows: Rows) -> None:
        """Each free variable is an independent parameter."""
        for i, number in enumerate(self.numbers):
            rows.variables[number - 1] = {self.start + i: np.ones(1)}

    def names(self) -> list[str]:
        """Names for tables of shifts and correlations."""
        return [f"FVAR {number}" for number in self.numbers]


@dataclass
class Tie:
    """A component tied to a free variable: value = offset + factor × variable."""

    component: int
    variable: int
    offset: float
    factor: float


@dataclass
class LinearBlock:
    """Position, displacement or occupancy of one atom, or of several that share it.

    kind: sites, u or occupancy; basis: (components, size), what the independent parameters do to the components;
    tie_basis: (components, ties), what the free variables do. offset of the ties is kept by adding their shifts.
    """

    kind: str
    atoms: list[int]
    basis: np.ndarray
    label: str
    ties: list[Tie] = field(default_factory=list)
    tie_basis: np.ndarray | None = None
    start: int = 0

    def __post_init__(self) -> None:
        self.known: list[float] | None = None

    @property
    def size(self) -> int:
        """Number of independent parameters."""
        return self.basis.shape[1]

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Move the atoms along the basis, and by what their free variables have changed."""
        move = self.basis @ shifts
        if self.ties and self.tie_basis is not None:
            now = [state.variables[tie.variable - 1] for tie in self.ties]
            if self.known is not None:
                move = move + self.tie_basis @ (np.array(now) - self.known)
            self.known = now
        values = getattr(state, self.kind)
        for i in self.atoms:
            values[i] = values[i] + (move if self.kind != "occupancy" else move[0])

    def rows(self, state: State, rows: Rows) -> None:
        """Derivatives of the atoms' values: the columns of the basis, and those of the tied free variables."""
        row: Row = {self.start + k: self.basis[:, k] for k in range(self.size)}
        for k, tie in enumerate(self.ties):
            for theta, value in rows.variables[tie.variable - 1].items():
                assert self.tie_basis is not None
                row[theta] = row.get(theta, 0) + value[0] * self.tie_basis[:, k]
        for i in self.atoms:
            getattr(rows, self.kind)[i] = row

    def names(self) -> list[str]:
        """Each parameter named after the largest component of its basis vector."""
        words = {"sites": "xyz", "occupancy": ["occupancy"]}.get(self.kind)
        if words is None:
            words = ["Uiso"] if len(self.basis) == 1 else ["U11", "U22", "U33", "U12", "U13", "U23"]
        return [f"{self.label} {words[int(np.abs(self.basis[:, k]).argmax())]}" for k in range(self.size)]


@dataclass
class RigidGroup:
    """Atoms that move as one body: shift of the first atom, rotation about it, and a scale if it is refined.

    Rotations are in radians about Cartesian axes through the first atom.
    """

    atoms: list[int]
    scaled: bool
    label: str
    start: int = 0

    @property
    def size(self) -> int:
        """Three translations, three rotations, and a scale if the group may breathe."""
        return 7 if self.scaled else 6

    def is_straight(self, state: State) -> bool:
        """Whether the atoms lie on one line (one or two atoms always do): a rotation about it moves none of them."""
        arms = [state.cartesian(i) - state.cartesian(self.atoms[0]) for i in self.atoms]
        return bool(np.linalg.matrix_rank(arms, tol=_STRAIGHT) < 2)

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Translate by shifts 0-2 (Cartesian, Å), rotate by shifts 3-5 (rad) about the first atom, scale by shift 6."""
        first = self.atoms[0]
        origin = state.cartesian(first)
        rotation = rotation_matrix(shifts[3:6])
        scale = 1 + shifts[6] if self.scaled else 1.0
        new_origin = origin + shifts[:3]
        for i in self.atoms:
            arm = state.cartesian(i) - origin
            state.sites[i] = state.fractional @ (new_origin + scale * (rotation @ arm))

    def rows(self, state: State, rows: Rows) -> None:
        """Derivatives of the sites by translations, rotations about the first atom, and scale."""
        origin = state.cartesian(self.atoms[0])
        for i in self.atoms:
            arm = state.cartesian(i) - origin
            row: Row = {self.start + k: state.fractional[:, k] for k in range(3)}
            if i != self.atoms[0]:
                for k in range(3):
                    row[self.start + 3 + k] = state.fractional @ np.cross(np.eye(3)[k], arm)
                if self.scaled:
                    row[self.start + 6] = state.fractional @ arm
            rows.sites[i] = row

    def names(self) -> list[str]:
        """Names for tables of shifts and correlations."""
        return [
            f"{self.label} rigid group {word}"
            for word in ("x", "y", "z", "rotation 1", "rotation 2", "rotation 3", "scale")[: self.size]
        ]


@dataclass
class Follow:
    """Atoms that have the position or the displacement (kind) of another one, whatever rules that."""

    kind: str
    leader: int
    followers: list[int]
    size: int = 0
    start: int = 0

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Copy the leader's values to the followers."""
        values = getattr(state, self.kind)
        for i in self.followers:
            values[i] = values[self.leader].copy()

    def rows(self, state: State, rows: Rows) -> None:
        """The followers have the derivatives of their leader."""
        of_kind = getattr(rows, self.kind)
        for i in self.followers:
            of_kind[i] = of_kind[self.leader]

    def names(self) -> list[str]:
        """Empty: no independent parameters."""
        return []


class Ideal(Protocol):
    """Ideal positions of riding atoms from the atoms around them; `riding.IdealGeometry` is one."""

    def idealised(self, state: State, now: np.ndarray, *, fixed_length: bool) -> np.ndarray:
        """Cartesian positions (n, 3) in Å from those at present."""

    def axis(self, state: State) -> np.ndarray:
        """Unit vector along the bond about which the atoms turn."""


@dataclass
class RidingAtoms:
    """Atoms that take the shifts of their pivot, and after each cycle their ideal positions.

    torsion: a rotation about the bond of the pivot is refined; stretch: one distance for all of them is. ideal: gives
    the positions, None keeps them relative to the pivot.
    """

    atoms: list[int]
    pivot: int
    label: str
    ideal: Ideal | None = None
    torsion: bool = False
    stretch: bool = False
    start: int = 0
    relative: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of refined parameters: torsion, distance, both or none."""
        return int(self.torsion) + int(self.stretch)

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Move the atoms with their pivot, turn them by the torsion (rad) and stretch the bonds."""
        pivot = state.cartesian(self.pivot)
        if self.relative is None:
            self.relative = np.array([state.cartesian(i) - pivot for i in self.atoms])
        arms = self.relative
        if self.torsion:
            arms = arms @ rotation_matrix(shifts[0] * self._axis(state)).T
        if self.stretch:
            lengths = np.linalg.norm(arms, axis=1, keepdims=True)
            arms = arms * (lengths + shifts[-1]) / lengths
        if self.ideal is not None:
            arms = self.ideal.idealised(state, pivot + arms, fixed_length=not self.stretch) - pivot
        self.relative = arms
        for i, arm in zip(self.atoms, arms, strict=True):
            state.sites[i] = state.fractional @ (pivot + arm)

    def _axis(self, state: State) -> np.ndarray:
        assert self.ideal is not None
        return self.ideal.axis(state)

    def rows(self, state: State, rows: Rows) -> None:
        """Derivatives of the sites: those of the pivot, and those by torsion and distance."""
        pivot = state.cartesian(self.pivot)
        for i in self.atoms:
            row = dict(rows.sites[self.pivot])
            arm = state.cartesian(i) - pivot
            if self.torsion:
                row[self.start] = state.fractional @ np.cross(self._axis(state), arm)
            if self.stretch:
                row[self.start + self.size - 1] = state.fractional @ (arm / np.linalg.norm(arm))
            rows.sites[i] = row

    def names(self) -> list[str]:
        """Names for tables of shifts and correlations."""
        return [f"{self.label} torsion"] * self.torsion + [f"{self.label} distance"] * self.stretch


@dataclass
class RidingU:
    """U(iso) of an atom as a multiple of U(eq) of another. metric: g11 g22 g33 g12 g13 g23 of the cell."""

    atom: int
    pivot: int
    factor: float
    metric: np.ndarray
    size: int = 0
    start: int = 0

    def shift(self, state: State, shifts: np.ndarray) -> None:
        """Set U of the atom to the factor times U(eq) of its pivot, in Å²."""
        u = state.u[self.pivot]
        # U(eq) = ⅓ Σ U*ij (ai·aj)
        u_eq = float(u[0]) if len(u) == 1 else float((self.metric * [1, 1, 1, 2, 2, 2]) @ u) / 3
        state.u[self.atom] = np.array([self.factor * u_eq])

    def rows(self, state: State, rows: Rows) -> None:
        """No derivatives: the pivot is refined as if the riding U stood still, and U follows after each cycle.

        SHELXL does so: in structures it has refined the forces on the pivots vanish only without them.
        """
        rows.u[self.atom] = {}

    def names(self) -> list[str]:
        """Empty: no independent parameters."""
        return []


def rotation_matrix(vector: np.ndarray) -> np.ndarray:
    """Rotation by |vector| radians about it (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-15:
        return np.eye(3)
    x, y, z = np.asarray(vector) / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)
