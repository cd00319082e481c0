"""Displacement parameters: conversions, equivalents, principal axes.

CIF's U(ij) are given on the reciprocal axes with their lengths taken out, so the Cartesian tensor is
A N U N^T A^T with A the orthogonalisation matrix and N = diag(a*, b*, c*)
(Grosse-Kunstleve & Adams, J. Appl. Cryst. 35 (2002) 477).
Arrays of tensors have shape (n, 3, 3); atoms without a tensor hold NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qcrbox.crystallography.cell import UnitCell

Array = NDArray[np.float64]
EIGHT_PI_SQUARED = 8 * math.pi**2
# Order of the six independent components in CIF loops.
COMPONENTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True)
class PrincipalAxes:
    """Displacement ellipsoids in Cartesian space.

    rms: (n, 3) root-mean-square displacements in Å, ascending; NaN where the tensor is not positive there.
    axes: (n, 3, 3), row k is the unit vector of `rms[:, k]`; right-handed.
    eigenvalues: (n, 3) in Å², ascending. npd: (n,) True where a tensor is not positive definite.
    """

    rms: Array
    axes: Array
    eigenvalues: Array
    npd: NDArray[np.bool_]


def symmetric(six: ArrayLike) -> Array:
    """(n, 6) in the order 11 22 33 12 13 23 to (n, 3, 3)."""
    values = np.asarray(six, dtype=float)
    tensor = np.empty((*values.shape[:-1], 3, 3))
    for index, (i, j) in enumerate(COMPONENTS):
        tensor[..., i, j] = tensor[..., j, i] = values[..., index]
    return tensor


def six_components(tensor: ArrayLike) -> Array:
    """(n, 3, 3) to (n, 6) in the order 11 22 33 12 13 23."""
    values = np.asarray(tensor, dtype=float)
    return np.stack([values[..., i, j] for i, j in COMPONENTS], axis=-1)


def b_to_u(values: ArrayLike) -> Array:
    """B = 8 π² U, for isotropic values and tensors alike."""
    return np.asarray(values, dtype=float) / EIGHT_PI_SQUARED


def beta_to_u(beta: ArrayLike, cell: UnitCell) -> Array:
    """Dimensionless β(ij) (n, 3, 3) to U(ij): β(ij) = 2 π² a*(i) a*(j) U(ij)."""
    scale = 2 * math.pi**2 * np.outer(cell.reciprocal_lengths, cell.reciprocal_lengths)
    return np.asarray(beta, dtype=float) / scale


def u_to_cartesian(u_cif: ArrayLike, cell: UnitCell) -> Array:
    """U(ij) (n, 3, 3) of CIF to Cartesian tensors, Å²."""
    transform = cell.orthogonalisation * cell.reciprocal_lengths
    return transform @ np.asarray(u_cif, dtype=float) @ transform.T


def isotropic_tensor(u_iso: ArrayLike, cell: UnitCell) -> Array:
    """U(ij) (n, 3, 3) of a sphere: U11 = U22 = U33 = Uiso, U12 = Uiso cos γ*, and so on."""
    g = cell.reciprocal_metric
    lengths = cell.reciprocal_lengths
    return np.asarray(u_iso, dtype=float)[..., None, None] * (g / np.outer(lengths, lengths))


def rotate(u_cif: ArrayLike, rotation: ArrayLike, cell: UnitCell) -> Array:
    """U(ij) of the symmetry-equivalent atoms x' = R x + t.

    u_cif: (n, 3, 3); rotation: (3, 3) or (n, 3, 3), acting on fractional coordinates.
    """
    lengths = cell.reciprocal_lengths
    operator = np.asarray(rotation, dtype=float) * lengths[None, :] / lengths[:, None]
    return operator @ np.asarray(u_cif, dtype=float) @ np.swapaxes(operator, -1, -2)


def u_equivalent(u_cif: ArrayLike, cell: UnitCell) -> Array:
    """Ueq (n,): a third of the trace of the Cartesian tensor, Å²."""
    return np.trace(u_to_cartesian(u_cif, cell), axis1=-2, axis2=-1) / 3.0


def principal_axes(u_cart: ArrayLike) -> PrincipalAxes:
    """Principal axes of Cartesian displacement tensors (n, 3, 3)."""
    tensors = np.asarray(u_cart, dtype=float).reshape(-1, 3, 3)
    known = np.isfinite(tensors).all(axis=(1, 2))
    values = np.full((len(tensors), 3), np.nan)
    vectors = np.broadcast_to(np.eye(3), tensors.shape).copy()
    if known.any():
        values[known], columns = np.linalg.eigh(tensors[known])
        rows = np.swapaxes(columns, -1, -2).copy()
        rows[np.linalg.det(rows) < 0, 2] *= -1
        vectors[known] = rows
    with np.errstate(invalid="ignore"):
        rms = np.sqrt(np.where(values > 0, values, np.nan))
    return PrincipalAxes(rms, vectors, values, known & (values <= 0).any(axis=1))


# Every scene for the browser asks for 1 to 99 %.
@lru_cache(maxsize=256)
def probability_scale(probability: float) -> float:
    """Factor from r.m.s. displacement to the ellipsoid that holds `probability` of a trivariate normal.

    The radius of the chi distribution with three degrees of freedom: 1.5382 for 0.5.
    Raises ValueError unless 0 < probability < 1.
    """
    if not 0 < probability < 1:
        raise ValueError("A probability lies between 0 and 1, both excluded.")
    low, high = 0.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        inside = math.erf(middle / math.sqrt(2)) - math.sqrt(2 / math.pi) * middle * math.exp(
            -(middle**2) / 2
        )
        low, high = (middle, high) if inside < probability else (low, middle)
    return (low + high) / 2
