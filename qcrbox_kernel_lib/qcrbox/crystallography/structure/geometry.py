"""Distances, angles, torsions and planes with standard uncertainties.

s.u. are propagated from the s.u. of coordinates and cell without their covariances, which a CIF does not
hold: they are estimates. The coordinates of one site are correlated as those of an error that is the same in all
directions, which matters on oblique axes. Two images of one site move together, riding hydrogen moves with its atom, and
coordinates of special positions are tied by their symmetry; all three are taken into account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.values import Number
from qcrbox.crystallography.cell import numerical_gradient, orthogonalisation_matrix
from qcrbox.crystallography.structure.images import ImageList, SymmetryImages

Array = NDArray[np.float64]
_ANGULAR_NOISE = 1e-5  # degrees
Measure = Callable[[Array], tuple[Array, Array]]


def distance(points: Array) -> tuple[Array, Array]:
    """Distances (m,) in Å of points (m, 2, 3), and their gradients (m, 2, 3)."""
    difference = points[:, 1] - points[:, 0]
    length = np.linalg.norm(difference, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = difference / length[:, None]
    return length, np.stack([-unit, unit], axis=1)


def angle(points: Array) -> tuple[Array, Array]:
    """Angles (m,) in degrees at the middle one of points (m, 3, 3), and gradients in degrees per Å."""
    first, second = points[:, 0] - points[:, 1], points[:, 2] - points[:, 1]
    length_1, length_2 = (np.linalg.norm(side, axis=1)[:, None] for side in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit_1, unit_2 = first / length_1, second / length_2
        cosine = np.clip((unit_1 * unit_2).sum(axis=1), -1, 1)[:, None]
        sine = np.sqrt(np.maximum(1 - cosine**2, 1e-12))
        gradient_1 = (cosine * unit_1 - unit_2) / (length_1 * sine)
        gradient_3 = (cosine * unit_2 - unit_1) / (length_2 * sine)
        gradients = np.stack([gradient_1, -gradient_1 - gradient_3, gradient_3], axis=1)
        # The arc cosine would lose half of the digits near 180°.
        value = np.arctan2(np.linalg.norm(np.cross(unit_1, unit_2), axis=1), (unit_1 * unit_2).sum(axis=1))
    return np.degrees(value), np.degrees(gradients)


def torsion(points: Array) -> tuple[Array, Array]:
    """Torsion angles (m,) in degrees, above -180 to 180, of points (m, 4, 3), and gradients in degrees per Å.

    Sign by IUPAC: looking along the middle bond, clockwise is positive.
    Gradients: Blondel & Karplus, J. Comput. Chem. 17 (1996) 1132.
    """
    f = points[:, 0] - points[:, 1]
    g = points[:, 1] - points[:, 2]
    h = points[:, 3] - points[:, 2]
    a, b = np.cross(f, g), np.cross(h, g)
    length = np.linalg.norm(g, axis=1)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.degrees(np.arctan2((np.cross(b, a) * g).sum(axis=1) / length[:, 0], (a * b).sum(axis=1)))
        a2, b2 = (a * a).sum(axis=1)[:, None], (b * b).sum(axis=1)[:, None]
        fg, hg = (f * g).sum(axis=1)[:, None], (h * g).sum(axis=1)[:, None]
        end_1, end_4 = -length / a2 * a, length / b2 * b
        middle = fg / (a2 * length) * a - hg / (b2 * length) * b
    gradients = np.stack([end_1, -end_1 + middle, -middle - end_4, end_4], axis=1)
    # Rounding decides the sign of a half turn, which has none.
    return np.where(value < _ANGULAR_NOISE - 180, value + 360, value), np.degrees(gradients)


def has_torsion(points: Array) -> bool:
    """False for four points (4, 3) of which the first or the last three lie on a line: no angle is determined then."""
    return span_a_plane(points[:3]) and span_a_plane(points[1:])


def plane_deviation(which: int) -> Measure:
    """How far the atom `which` of m groups (m, n, 3), n ≥ 3, lies from the least-squares plane of its group, Å."""

    def kind(points: Array) -> tuple[Array, Array]:
        normals = [least_squares_plane(group).normal for group in points]

        def value(moved: Array) -> Array:
            planes = [least_squares_plane(group) for group in moved]
            # Which way a normal points may change between two near planes; a deviation must not change its sign with it.
            return np.array(
                [
                    plane.deviations[which] * np.sign(plane.normal @ normal)
                    for plane, normal in zip(planes, normals, strict=True)
                ]
            )

        return _with_gradients(value)(points)

    return kind


def plane_angle(first: int) -> Measure:
    """Angle in degrees, 0 to 90, between the planes of the first `first` atoms of a group and of the others."""

    def value(points: Array) -> Array:
        return np.array(
            [
                least_squares_plane(group[:first]).angle_to(least_squares_plane(group[first:]))
                for group in points
            ]
        )

    def kind(points: Array) -> tuple[Array, Array]:
        angles, gradients = _with_gradients(value)(points)
        # Of planes that symmetry makes parallel the angle has its edge there; it does not change.
        gradients[angles < _ANGULAR_NOISE] = 0.0
        return angles, gradients

    return kind


def _with_gradients(value: Callable[[Array], Array], step: float = 1e-4) -> Measure:
    def kind(points: Array) -> tuple[Array, Array]:
        gradients = np.zeros_like(points)
        for atom, axis in np.ndindex(points.shape[1:]):
            ahead, behind = points.copy(), points.copy()
            ahead[:, atom, axis] += step
            behind[:, atom, axis] -= step
            gradients[:, atom, axis] = (value(ahead) - value(behind)) / (2 * step)
        return value(points), gradients

    return kind


@dataclass(frozen=True)
class Measured:
    """Values (m,) and their estimated s.u. (m,), 0 where no s.u. entered."""

    value: Array
    su: Array

    def numbers(self) -> list[Number]:
        """(n,) values with s.u. as CIF numbers."""
        return [
            Number.of(f"{v:.6f}", f"{s:.8f}") if s > 5e-9 else Number.of(f"{v:.4f}")
            for v, s in zip(self.value.tolist(), self.su.tolist(), strict=True)
        ]


def site_covariance(images: SymmetryImages) -> Array:
    """Covariances (n, 3, 3) of fractional coordinates: given variances, the correlations of oblique axes, and those
    that special positions force, so that y of (x, 2x, z) moves with x.
    """
    su = np.nan_to_num(images.sites.fract_su)
    oblique = images.cell.correlation_of_coordinates
    covariance = np.einsum("ni,nj,ij->nij", su, su, oblique)
    for site, fixing in enumerate(images.symmetry.stabiliser):
        if len(fixing) > 1:
            mean = np.mean([images.rotations[k] for k, _ in fixing], axis=0)
            spread = mean @ images.cell.reciprocal_metric @ mean.T
            size = np.sqrt(np.maximum(np.diag(spread), 0))
            with np.errstate(invalid="ignore", divide="ignore"):
                correlation = np.nan_to_num(spread / np.outer(size, size))
            covariance[site] = np.outer(su[site], su[site]) * correlation
    return covariance


def measure(images: SymmetryImages, kind: Measure, columns: Sequence[ImageList]) -> Measured:
    """A measure of m groups of atoms, `columns` holding the first, second, ... atom of every group."""
    cell = images.cell
    fract = np.stack([column.fract for column in columns], axis=1)
    value, gradient = kind(cell.to_cartesian(fract))
    if not len(value):
        return Measured(value, np.zeros(0))
    variance = _variance_of_sites(images, columns, gradient)
    if cell.su.any():
        system = images.group.crystal_system
        # By the chain rule: differences of the values would meet the step of torsions from 180° to -180°.
        by_cell = numerical_gradient(
            lambda p: np.einsum("mki,mki->m", gradient, fract @ orthogonalisation_matrix(p).T),
            cell.parameters,
        )
        variance = variance + np.einsum("pm,pq,qm->m", by_cell, cell.covariance(system), by_cell)
    given = _idealised(images, columns)
    if kind in (angle, torsion):
        given |= _rides_on_neighbour(images, columns[0], columns[1])
        given |= _rides_on_neighbour(images, columns[-1], columns[-2])
        # Of an angle that symmetry fixes, rounding leaves as much.
        given |= variance < _ANGULAR_NOISE**2
    variance = np.where(given, 0.0, variance)
    return Measured(value, np.sqrt(np.maximum(np.nan_to_num(variance), 0)))


def _idealised(images: SymmetryImages, columns: Sequence[ImageList]) -> NDArray[np.bool_]:
    """(m,) True where all atoms move as one (riding hydrogen and its pivot): such values are given, not found."""
    names = [
        images.key(moved.site, moved.operation, moved.translation) for moved in map(images.followed, columns)
    ]
    return np.all([name == names[0] for name in names], axis=0)


def _rides_on_neighbour(images: SymmetryImages, end: ImageList, neighbour: ImageList) -> NDArray[np.bool_]:
    """(m,) True where the first or last atom rides on the next one: its angles there are those of an ideal geometry."""
    followed = images.followed(end)
    pivot = images.key(followed.site, followed.operation, followed.translation)
    rides = pivot != images.key(end.site, end.operation, end.translation)
    return rides & (pivot == images.key(neighbour.site, neighbour.operation, neighbour.translation))


def _variance_of_sites(images: SymmetryImages, columns: Sequence[ImageList], gradient: Array) -> Array:
    on_fract = gradient @ images.cell.orthogonalisation
    followed = [images.followed(column) for column in columns]
    rotations = np.stack([images.rotations[moved.operation] for moved in followed], axis=1)
    on_site = np.einsum("mki,mkij->mkj", on_fract, rotations.astype(float))
    site = np.stack([moved.site for moved in followed], axis=1)
    covariance = site_covariance(images)[site]
    variance = np.zeros(len(site))
    for p in range(len(columns)):
        for q in range(len(columns)):
            same = site[:, p] == site[:, q]
            term = np.einsum("mi,mij,mj->m", on_site[:, p], covariance[:, p], on_site[:, q])
            variance += np.where(same, term, 0.0)
    return variance


@dataclass(frozen=True)
class Plane:
    """Least-squares plane: unit normal and centroid (Cartesian, Å), deviations (m,) and their r.m.s. in Å."""

    normal: Array
    centroid: Array
    deviations: Array
    rms: float

    def angle_to(self, other: Plane) -> float:
        """Dihedral angle of two planes, 0 to 90 degrees."""
        # The arc cosine would lose half of the digits of planes that are nearly parallel.
        across = float(np.linalg.norm(np.cross(self.normal, other.normal)))
        return float(np.degrees(np.arctan2(across, abs(float(self.normal @ other.normal)))))


def span_a_plane(points: Array) -> bool:
    """False for points (m, 3) on a line, within a thousandth of its length: every plane through it fits them."""
    if len(points) < 3:
        return False
    along, across, *_ = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(across > 1e-3 * max(along, 1e-9))


def least_squares_plane(points: Array) -> Plane:
    """The plane with the smallest sum of squared distances to points (m, 3), m >= 3, unit weights."""
    if len(points) < 3:
        raise ValueError("A plane needs three atoms.")
    centroid = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - centroid)
    # Which way a normal points is arbitrary: here always towards its largest component.
    normal = axes[2] * (1 if axes[2][np.argmax(np.abs(axes[2]))] > 0 else -1)
    deviations = (points - centroid) @ normal
    return Plane(normal, centroid, deviations, float(np.sqrt(np.mean(deviations**2))))
