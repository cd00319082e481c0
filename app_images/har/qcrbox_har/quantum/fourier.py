"""Form factors: Fourier transforms of atomic densities at whole Miller indices.

f(h) = ∫ ρ(r) exp(2πi h·(r - R)) dr. With fractional coordinates the indices are the modes of a non-uniform
fast Fourier transform, so that all reflections of one atom cost one transform.
"""

from __future__ import annotations

import finufft
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Relative to the electrons of the atom: far below what any measurement sees.
ACCURACY = 1e-6
_NEGLIGIBLE = 1e-12


def form_factors(
    points: Array, charge: Array, hkl: Indices, threads: int = 0, accuracy: float = ACCURACY
) -> NDArray[np.complex128]:
    """f (k,) of one atom.

    points (m, 3): fractional coordinates from the nucleus; charge (m,): electrons at each point, which may be
    negative where the integration weights are; hkl (k, 3); accuracy: relative to the sum of the charges.
    """
    # By absolute value: pruned integration grids have negative weights, and leaving those out costs 1 %.
    kept = np.abs(charge) > _NEGLIGIBLE
    if not kept.any():
        return np.zeros(len(hkl), dtype=np.complex128)
    x = 2 * np.pi * points[kept]
    most = np.abs(hkl).max(axis=0) if len(hkl) else np.zeros(3, dtype=np.int64)
    shape = tuple(int(2 * m + 1) for m in most)
    modes = finufft.nufft3d1(
        np.ascontiguousarray(x[:, 0]),
        np.ascontiguousarray(x[:, 1]),
        np.ascontiguousarray(x[:, 2]),
        charge[kept].astype(np.complex128),
        shape,
        isign=1,
        eps=accuracy,
        nthreads=threads,
    )
    place = hkl + most
    return modes[place[:, 0], place[:, 1], place[:, 2]]


def image_indices(hkl: Indices, rotation: Indices) -> Indices:
    """Indices at which the density of a symmetry image gives the form factors of the atom itself.

    rotation: R of the operation x' = R x + t that makes the image; h·x = (h R⁻¹)·x'.
    """
    inverse = np.rint(np.linalg.inv(rotation)).astype(np.int64)
    return hkl @ inverse
