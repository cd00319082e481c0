"""Equations of the restraints: residual, s.u. and derivatives by the parameters of the atoms.

A residual is value - target. Positions are Cartesian in Å, displacements U(cart) in Å² as xx yy zz xy xz yz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cctbx import sgtbx, xray
from scitbx import sparse
from scitbx.array_family import flex

# Where the elements xx yy zz xy xz yz of a symmetric tensor stand.
PLACES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_IDENTITY = sgtbx.rt_mx()


def full(six: np.ndarray) -> np.ndarray:
    """A symmetric 3 × 3 tensor from its six elements."""
    a, b, c, d, e, f = six
    return np.array([[a, d, e], [d, b, f], [e, f, c]])


def six(tensor: np.ndarray) -> np.ndarray:
    """The six elements of a symmetric tensor."""
    return np.array([tensor[i, j] for i, j in PLACES])


def tensor_transformation(matrix: np.ndarray) -> np.ndarray:
    """(6, 6) for U' = M U Mᵀ in the six elements."""
    columns = []
    for k in range(6):
        unit = np.zeros(6)
        unit[k] = 1.0
        columns.append(six(matrix @ full(unit) @ matrix.T))
    return np.array(columns).T


@dataclass(frozen=True, eq=False)
class Node:
    """An atom in a restraint, moved by a symmetry operation."""

    index: int
    symmetry: sgtbx.rt_mx = _IDENTITY

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[int, str]:
        """Atom index and symmetry operation: equal for the same image of an atom."""
        return self.index, "" if self.symmetry.is_unit_mx() else self.symmetry.as_xyz()


@dataclass
class Equation:
    """One row. gradient: derivatives by columns of the parameters of the atoms and, at the end, of free variables."""

    residual: float
    sigma: float
    gradient: dict[int, float]


@dataclass
class Linearised:
    """What the normal equations take: residuals, rows, weights 1/σ²."""

    deltas: flex.double
    design_matrix: sparse.matrix
    weights: flex.double

    def n_restraints(self) -> int:
        """Number of equations."""
        return self.deltas.size()


@dataclass
class Frame:
    """Positions and displacements of one structure, and where their parameters stand among the columns."""

    structure: xray.structure
    parameter_map: Any
    free_variables: Sequence[float] = ()
    _moves: dict[tuple[int, str], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    _tensors: dict[tuple[int, str], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cell = self.structure.unit_cell()
        self.orthogonal = np.array(cell.orthogonalization_matrix()).reshape(3, 3)
        scatterers = self.structure.scatterers()
        self.sites = np.array([scatterer.site for scatterer in scatterers]).reshape(-1, 3)
        self.anisotropic = [scatterer.flags.use_u_aniso() for scatterer in scatterers]
        self.u = [
            np.array(scatterer.u_star) if aniso else np.array([scatterer.u_iso])
            for scatterer, aniso in zip(scatterers, self.anisotropic, strict=True)
        ]
        self.columns = list(self.parameter_map)
        self.n_columns = self.parameter_map.n_parameters + len(self.free_variables)

    def _move(self, node: Node) -> tuple[np.ndarray, np.ndarray]:
        if node.key not in self._moves:
            self._moves[node.key] = (
                np.array(node.symmetry.r().as_double()).reshape(3, 3),
                np.array(node.symmetry.t().as_double()),
            )
        return self._moves[node.key]

    def site(self, node: Node) -> np.ndarray:
        """Cartesian position, Å."""
        rotation, translation = self._move(node)
        return self.orthogonal @ (rotation @ self.sites[node.index] + translation)

    def _to_cartesian(self, node: Node) -> np.ndarray:
        """(6, 6) from U* to U(cart)."""
        if node.key not in self._tensors:
            self._tensors[node.key] = tensor_transformation(self.orthogonal @ self._move(node)[0])
        return self._tensors[node.key]

    def u_cart(self, node: Node) -> np.ndarray:
        """The six elements of U(cart); of an isotropic atom U times the unit tensor."""
        u = self.u[node.index]
        if not self.anisotropic[node.index]:
            return u[0] * np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
        return self._to_cartesian(node) @ u

    def can_change(self, node: Node, derivative: np.ndarray) -> bool:
        """Whether the site symmetry lets the displacements change a quantity with this ∂/∂U(cart)."""
        if not self.anisotropic[node.index]:
            return bool(np.abs(derivative[:3]).max() > 1e-9)
        symmetry = self.structure.site_symmetry_table().get(node.index)
        if symmetry.is_point_group_1():
            return True
        basis = np.array(symmetry.adp_constraints().gradient_sum_matrix()).reshape(-1, 6)
        star = basis @ (self._to_cartesian(node).T @ derivative)
        return bool(np.abs(star).max(initial=0.0) > 1e-6 * np.abs(self._to_cartesian(node)).max())

    def variable(self, number: int) -> float:
        """Value of a free variable by its SHELX number, from 2."""
        return self.free_variables[number - 2]

    def by_site(self, gradient: dict[int, float], node: Node, derivative: np.ndarray) -> None:
        """Add ∂/∂(Cartesian position) of a node."""
        start = self.columns[node.index].site
        if start < 0:
            return
        fractional = (self.orthogonal @ self._move(node)[0]).T @ derivative
        for k in range(3):
            gradient[start + k] = gradient.get(start + k, 0.0) + float(fractional[k])

    def by_u(self, gradient: dict[int, float], node: Node, derivative: np.ndarray) -> None:
        """Add ∂/∂U(cart) of a node, off-diagonal elements counted once."""
        p = self.columns[node.index]
        if self.anisotropic[node.index]:
            start, values = p.u_aniso, self._to_cartesian(node).T @ derivative
        else:
            start, values = p.u_iso, derivative[:3].sum(keepdims=True)
        if start < 0:
            return
        for k, value in enumerate(values):
            gradient[start + k] = gradient.get(start + k, 0.0) + float(value)

    def by_variable(self, gradient: dict[int, float], number: int, derivative: float) -> None:
        """Add ∂/∂(free variable)."""
        column = self.parameter_map.n_parameters + number - 2
        gradient[column] = gradient.get(column, 0.0) + derivative

    def linearised(self, equations: list[Equation]) -> Linearised:
        """The equations as residuals, weights and a sparse design matrix over the parameters of the atoms."""
        design = sparse.matrix(len(equations), self.n_columns)
        for row, equation in enumerate(equations):
            for column, value in equation.gradient.items():
                design[row, column] = value
        return Linearised(
            flex.double([equation.residual for equation in equations]),
            design,
            flex.double([equation.sigma**-2 for equation in equations]),
        )


@dataclass(frozen=True)
class Distance:
    """|a - b| = offset + factor × free variable (variable 0: the offset alone). repulsive: only while it is shorter."""

    a: Node
    b: Node
    offset: float
    sigma: float
    variable: int = 0
    factor: float = 0.0
    repulsive: bool = False

    def equations(self, frame: Frame) -> list[Equation]:
        """Residual in Å of the distance against its target; none for a BUMP that is long enough."""
        along = frame.site(self.a) - frame.site(self.b)
        length = float(np.linalg.norm(along))
        target = self.offset + (self.factor * frame.variable(self.variable) if self.variable else 0.0)
        if length < 1e-6 or (self.repulsive and length >= target):
            return []
        gradient: dict[int, float] = {}
        frame.by_site(gradient, self.a, along / length)
        frame.by_site(gradient, self.b, -along / length)
        if self.variable:
            frame.by_variable(gradient, self.variable, -self.factor)
        return [Equation(length - target, self.sigma, gradient)]


@dataclass(frozen=True)
class EqualDistances:
    """|a - b| = |c - d|, one of the n (n - 1) / 2 pairs of n equal distances.

    Each pair counts 2/n, so that together they weigh as n - 1 independent restraints; SHELXL weights them so. Pairs that
    two instructions restrain with one sigma are the same restraint.
    """

    a: Node
    b: Node
    c: Node
    d: Node
    sigma: float
    n: int = field(default=2, compare=False)

    def equations(self, frame: Frame) -> list[Equation]:
        """Residual in Å: the first distance minus the second."""
        gradient: dict[int, float] = {}
        residual = 0.0
        for first, second, sign in ((self.a, self.b, 1.0), (self.c, self.d, -1.0)):
            along = frame.site(first) - frame.site(second)
            length = float(np.linalg.norm(along))
            if length < 1e-6:
                return []
            residual += sign * length
            frame.by_site(gradient, first, sign * along / length)
            frame.by_site(gradient, second, -sign * along / length)
        return [Equation(residual, self.sigma * float(np.sqrt(self.n / 2)), gradient)]


@dataclass(frozen=True)
class Volume:
    """(a - o) · [(b - o) × (c - o)] = target, in Å³: planarity (0) and chirality."""

    o: Node
    a: Node
    b: Node
    c: Node
    target: float
    sigma: float

    def equations(self, frame: Frame) -> list[Equation]:
        """Residual in Å³ of the chiral volume a · (b × c) against its target."""
        origin = frame.site(self.o)
        a, b, c = (frame.site(node) - origin for node in (self.a, self.b, self.c))
        gradient: dict[int, float] = {}
        derivatives = np.cross(b, c), np.cross(c, a), np.cross(a, b)
        for node, derivative in zip((self.a, self.b, self.c), derivatives, strict=True):
            frame.by_site(gradient, node, derivative)
            frame.by_site(gradient, self.o, -derivative)
        return [Equation(float(a @ derivatives[0]) - self.target, self.sigma, gradient)]


@dataclass(frozen=True)
class SimilarDisplacement:
    """U(a) = U(b), element by element; by U alone where both are isotropic."""

    a: Node
    b: Node
    sigma: float

    def equations(self, frame: Frame) -> list[Equation]:
        """Residuals in Å² of two tensors on Cartesian axes; of their means if both are isotropic."""
        difference = frame.u_cart(self.a) - frame.u_cart(self.b)
        isotropic = not (frame.anisotropic[self.a.index] or frame.anisotropic[self.b.index])
        if isotropic:
            # The mean of the three diagonal elements, which are all U.
            rows = [np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]) / 3]
        else:
            rows = list(np.eye(6))
        made = []
        for row in rows:
            gradient: dict[int, float] = {}
            frame.by_u(gradient, self.a, row)
            frame.by_u(gradient, self.b, -row)
            made.append(Equation(float(row @ difference), self.sigma, gradient))
        return made


@dataclass(frozen=True)
class NearlyIsotropic:
    """U(ij) = U(eq) δ(ij)."""

    a: Node
    sigma: float

    def equations(self, frame: Frame) -> list[Equation]:
        """Residuals in Å² of a tensor against its isotropic equivalent; none for an isotropic atom."""
        if not frame.anisotropic[self.a.index]:
            return []
        u = frame.u_cart(self.a)
        third = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]) / 3
        made = []
        for k in range(6):
            row = np.eye(6)[k] - (third if k < 3 else 0.0)
            gradient: dict[int, float] = {}
            frame.by_u(gradient, self.a, row)
            made.append(Equation(float(row @ u), self.sigma, gradient))
        return made


# RIGU: what each further component of a pair multiplies the s.u. with, d √(1 + c U(eq)) with the distance d in Å and the
# mean U(eq) in Å², and the direction (Cartesian, x along a, z along c*) that sets the components at right angles to the
# bond. Neither stands in a publication: they follow from the balance of forces in structures that SHELXL-2018 has refined,
# see docs/decisions/0030-restraints-weigh-as-in-shelxl.md.
_RIGU_U = 12.4
_RIGU_DIRECTION = np.array([0.382, 0.619, 0.686])


@dataclass(frozen=True)
class RigidBond:
    """Equal components of U(a) and U(b) along the line between them (Hirshfeld); the line counts as constant.

    enhanced: those of the two mixed components as well (Thorn, Dittrich & Sheldrick, Acta Cryst. A68 (2012) 448), as far
    as site symmetry does not keep them at zero.
    """

    a: Node
    b: Node
    sigma: float
    enhanced: bool = False

    def equations(self, frame: Frame) -> list[Equation]:
        """Residuals in Å² of a rigid bond; none unless both atoms are anisotropic."""
        if not (frame.anisotropic[self.a.index] and frame.anisotropic[self.b.index]):
            return []
        along = frame.site(self.b) - frame.site(self.a)
        length = float(np.linalg.norm(along))
        if length < 1e-6:
            return []
        z = along / length
        first, second = frame.u_cart(self.a), frame.u_cart(self.b)
        difference = first - second
        made = []
        sigma, growth = self.sigma, 1.0
        if self.enhanced:
            u_eq = max(float((first + second)[:3].sum()) / 6, 0.0)
            growth = length * float(np.sqrt(1 + _RIGU_U * u_eq))
        for other in self._directions(z):
            sigma *= growth
            outer = (np.outer(z, other) + np.outer(other, z)) / 2
            row = six(outer) * [1, 1, 1, 2, 2, 2]
            if not (frame.can_change(self.a, row) or frame.can_change(self.b, row)):
                continue
            gradient: dict[int, float] = {}
            frame.by_u(gradient, self.a, row)
            frame.by_u(gradient, self.b, -row)
            made.append(Equation(float(row @ difference), sigma, gradient))
        return made

    def _directions(self, z: np.ndarray) -> list[np.ndarray]:
        """The line itself, and two directions at right angles to it for an enhanced restraint."""
        if not self.enhanced:
            return [z]
        x = np.cross(z, _RIGU_DIRECTION)
        if np.linalg.norm(x) < 1e-3:
            x = np.cross(z, np.eye(3)[int(np.abs(z).argmin())])
        x /= np.linalg.norm(x)
        return [z, x, np.cross(z, x)]


@dataclass(frozen=True)
class VariableSum:
    """Σ coefficient × free variable = target."""

    terms: tuple[tuple[float, int], ...]
    target: float
    sigma: float

    def equations(self, frame: Frame) -> list[Equation]:
        """Residual of the sum of coefficients times free variables against its target."""
        gradient: dict[int, float] = {}
        for coefficient, number in self.terms:
            frame.by_variable(gradient, number, coefficient)
        total = sum(coefficient * frame.variable(number) for coefficient, number in self.terms)
        return [Equation(total - self.target, self.sigma, gradient)]


Restraint = (
    Distance | EqualDistances | Volume | SimilarDisplacement | NearlyIsotropic | RigidBond | VariableSum
)
