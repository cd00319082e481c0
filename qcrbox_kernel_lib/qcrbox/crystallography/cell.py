"""Unit cell: metric, axes, reduction, with the s.u. of derived values.

Cartesian axes: x along a, z along c*, as in gemmi, cctbx and the PDB. Coordinates are row vectors in
arrays of shape (n, 3), so `fract @ cell.orthogonalisation.T` is Cartesian, in Å.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qcrbox.cif.values import Number
from qcrbox.contract.errors import CifError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.nearest import nearest_vectors

Array = NDArray[np.float64]
_FLAT = 1e-10  # of the square of volume over product of edges; rounding leaves 1e-16 of a flat cell
NAMES = ("a", "b", "c", "alpha", "beta", "gamma")
# Parameters that symmetry makes equal, and angles it fixes, by crystal system (IT A, 2.1.3).
_EQUAL = {
    "tetragonal": ((0, 1),),
    "hexagonal": ((0, 1),),
    "trigonal": ((0, 1),),
    "cubic": ((0, 1, 2),),
    "rhombohedral": ((0, 1, 2), (3, 4, 5)),
}


def orthogonalisation_matrix(parameters: ArrayLike) -> Array:
    """Matrix (3, 3) from fractional to Cartesian coordinates; parameters a, b, c in Å and angles in degrees.

    Raises CifError for parameters that enclose no volume, and for angles that are not between 0 and 180°.
    """
    given = np.asarray(parameters, dtype=float).tolist()
    a, b, c, *angles = given
    # Cosines alone would take -90° or 270° for a right angle.
    depth = ca = cb = cg = 0.0
    if all(0 < angle < 180 for angle in angles):
        ca, cb, cg = (math.cos(math.radians(angle)) for angle in angles)
        depth = 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg
    if not (depth > _FLAT and min(a, b, c) > 0 and math.isfinite(a * b * c)):
        raise CifError(
            f"The cell {' '.join(f'{value:g}' for value in given)} encloses no volume.",
            next="Check the cell parameters in the file.",
        )
    sg = math.sin(math.radians(angles[2]))
    return np.array(
        [[a, b * cg, c * cb], [0.0, b * sg, c * (ca - cb * cg) / sg], [0.0, 0.0, c * math.sqrt(depth) / sg]]
    )


@dataclass(frozen=True)
class UnitCell:
    """Six cell parameters with s.u.; lengths in Å, angles in degrees."""

    a: Number
    b: Number
    c: Number
    alpha: Number
    beta: Number
    gamma: Number

    @classmethod
    def from_values(cls, values: Sequence[float], su: Sequence[float | None] = (None,) * 6) -> UnitCell:
        """A cell from six plain numbers. Raises CifError when they enclose no volume."""
        cell = cls(*(_number(float(value), error) for value, error in zip(values, su, strict=True)))
        cell.orthogonalisation  # noqa: B018 - raises for impossible parameters
        return cell

    def __repr__(self) -> str:
        lengths = ", ".join(f"{name} {getattr(self, name)}" for name in NAMES[:3])
        angles = ", ".join(
            f"{sign} {getattr(self, name)}" for sign, name in zip("αβγ", NAMES[3:], strict=True)
        )
        return f"<cell: {lengths} Å, {angles}°>"

    @cached_property
    def parameters(self) -> Array:
        """(6,) a, b, c, alpha, beta, gamma."""
        return np.array([float(getattr(self, name).value) for name in NAMES])

    @cached_property
    def su(self) -> Array:
        """(6,) standard uncertainties, 0 where none is given."""
        return np.array([float(getattr(self, name).su or 0) for name in NAMES])

    def covariance(self, crystal_system: str | None = None) -> Array:
        """Covariance (6, 6) as far as a CIF defines it: variances, and full correlation of parameters that
        symmetry makes equal (a = b in a tetragonal cell). Others are taken as uncorrelated. Of equal parameters the s.u. of
        one holds for all: files of cubic crystals may give that of a alone.
        """
        su = self.su.copy()
        system = crystal_system or ""
        if system == "trigonal" and abs(self.parameters[5] - 120) > 0.5:
            system = "rhombohedral"
        groups = [list(group) for group in _EQUAL.get(system, ())]
        for group in groups:
            su[group] = np.where(su[group] > 0, su[group], su[group].max())
        matrix = np.diag(su**2)
        for group in groups:
            matrix[np.ix_(group, group)] = np.outer(su[group], su[group])
        return matrix

    @cached_property
    def orthogonalisation(self) -> Array:
        """(3, 3): Cartesian = M · fractional, a along x, b in the xy plane; Å."""
        return orthogonalisation_matrix(self.parameters)

    @cached_property
    def fractionalisation(self) -> Array:
        """(3, 3), the inverse of the orthogonalisation; rows are a*, b*, c* in Å⁻¹."""
        return np.linalg.inv(self.orthogonalisation).astype(np.float64)

    @cached_property
    def metric(self) -> Array:
        """Metric tensor G (3, 3): squared length of a fractional vector v is v G v."""
        return self.orthogonalisation.T @ self.orthogonalisation

    @cached_property
    def reciprocal_metric(self) -> Array:
        """(3, 3) dot products of a*, b*, c* in Å⁻²."""
        return np.linalg.inv(self.metric).astype(np.float64)

    @cached_property
    def reciprocal_lengths(self) -> Array:
        """(3,) a*, b*, c* in 1/Å."""
        return np.sqrt(np.diag(self.reciprocal_metric))

    @cached_property
    def correlation_of_coordinates(self) -> Array:
        """(3, 3) correlations of x, y, z of a site whose error is the same in all directions: cosines of the reciprocal axes.

        On oblique axes coordinates are correlated however round the error is: x and y by 1/2 in a hexagonal cell.
        """
        return self.reciprocal_metric / np.outer(self.reciprocal_lengths, self.reciprocal_lengths)

    @cached_property
    def reciprocal(self) -> UnitCell:
        """The reciprocal cell, lengths in 1/Å."""
        g = self.reciprocal_metric
        lengths = self.reciprocal_lengths
        angles = [
            math.degrees(math.acos(g[i, j] / (lengths[i] * lengths[j]))) for i, j in ((1, 2), (0, 2), (0, 1))
        ]
        return UnitCell(*(_number(float(value)) for value in (*lengths, *angles)))

    @property
    def volume(self) -> float:
        """Å³."""
        return float(np.linalg.det(self.orthogonalisation))

    def volume_number(self, crystal_system: str | None = None) -> Number:
        """Volume with s.u. from the cell's own s.u."""
        gradient = numerical_gradient(
            lambda p: np.array([np.linalg.det(orthogonalisation_matrix(p))]), self.parameters
        )[:, 0]
        variance = float(gradient @ self.covariance(crystal_system) @ gradient)
        return _number(self.volume, math.sqrt(max(variance, 0.0)) or None)

    def to_cartesian(self, fract: ArrayLike) -> Array:
        """(..., 3) fractional to Cartesian, Å."""
        return np.asarray(fract, dtype=float) @ self.orthogonalisation.T

    def to_fractional(self, cartesian: ArrayLike) -> Array:
        """Fractional coordinates (…, 3) of Cartesian ones in Å."""
        return np.asarray(cartesian, dtype=float) @ self.fractionalisation.T

    def nearest(self, difference: ArrayLike) -> Array:
        """Fractional differences (..., 3) moved by lattice translations so that each is as short as possible."""
        return nearest_vectors(difference, self.metric)

    def d_spacing(self, hkl: ArrayLike) -> Array:
        """d (n,) in Å of indices (n, 3); infinite for 0 0 0."""
        indices = np.asarray(hkl, dtype=float)
        squared = ((indices @ self.reciprocal_metric) * indices).sum(axis=1)
        with np.errstate(divide="ignore"):
            return 1.0 / np.sqrt(squared)

    def gemmi_cell(self) -> gemmi.UnitCell:
        """The same cell as a gemmi object."""
        return gemmi.UnitCell(*self.parameters)

    def with_axes(self, axes: Array) -> UnitCell:
        """The cell of other axes, given as rows (3, 3) in units of these; without s.u."""
        metric = axes @ self.metric @ axes.T
        lengths = np.sqrt(np.diag(metric))
        cosines = [metric[i, j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
        angles = [math.degrees(math.acos(value)) for value in cosines]
        return UnitCell(*(Number.of(f"{value:.12g}") for value in (*lengths.tolist(), *angles)))

    def niggli(self, centring: str = "P") -> tuple[float, float, float, float, float, float]:
        """The Niggli-reduced primitive cell: equal for every setting of one lattice.

        centring: letter of the lattice. Reduction: Gruber's algorithm with the tolerances of
        Grosse-Kunstleve, Sauter & Adams, Acta Cryst. A60 (2004) 1, as in gemmi.
        """
        letter = centring if centring in "PABCIFRH" and centring else "P"
        vector = gemmi.GruberVector(self.gemmi_cell(), letter)
        vector.niggli_reduce(epsilon=1e-5)
        return tuple(float(value) for value in vector.get_cell().parameters)  # type: ignore[return-value]


def primitive_axes(translations: Iterable[Sequence[Fraction]]) -> Array:
    """Axes (3, 3), as rows in units of the axes of the cell, of the lattice that has these translations as well."""
    vectors = [tuple(vector) for vector in translations]
    common = math.lcm(1, *(part.denominator for vector in vectors for part in vector))
    rows = [[common * (i == j) for j in range(3)] for i in range(3)]
    rows += [[int(part * common) for part in vector] for vector in vectors]
    axes: list[list[int]] = []
    for column in range(3):
        # Euclid's algorithm on this column: one row keeps the common divisor, the others get 0.
        while len(filled := [row for row in rows if row[column]]) > 1:
            least = min(filled, key=lambda row: abs(row[column]))
            for row in filled:
                if row is not least:
                    share = row[column] // least[column]
                    row[:] = [a - share * b for a, b in zip(row, least, strict=True)]
        axes += filled
        rows = [row for row in rows if not row[column]]
    return np.array(axes, dtype=float) / common


def numerical_gradient(function, parameters: Array) -> Array:
    """Central differences (p, n) of a function of p parameters that returns n values."""
    rows = []
    for index, value in enumerate(parameters):
        step = 1e-5 * max(abs(value), 1.0)
        plus, minus = parameters.copy(), parameters.copy()
        plus[index] += step
        minus[index] -= step
        rows.append((function(plus) - function(minus)) / (2 * step))
    return np.array(rows)


def _number(value: float, su: float | None = None) -> Number:
    return Number.of(value, su) if su else Number.of(f"{value:.6g}" if value else "0")
