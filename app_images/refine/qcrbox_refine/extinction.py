"""Secondary extinction as SHELXL corrects it: Fc* = k Fc [1 + 0.001 x Fc² λ³ / sin 2θ]^(-1/4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cctbx import miller
from qcrbox.contract.errors import MissingItemsError

EXPRESSION = r"Fc^*^=kFc[1+0.001xFc^2^\l^3^/sin(2\q)]^-1/4^"


@dataclass
class Extinction:
    """coefficient: x of the formula; refined: False keeps it."""

    coefficient: float = 0.0
    refined: bool = True


def path_factor(indices: miller.set, wavelengths: float | np.ndarray | None) -> np.ndarray:
    """0.001 λ³ / sin 2θ of every reflection, (n,). wavelengths in Å: one, or one for each reflection.

    Raises MissingItemsError without a wavelength: the correction is not defined then.
    """
    if wavelengths is None:
        raise MissingItemsError(
            "an extinction correction needs the wavelength, and the structure has none.",
            next="Give it, for example wavelength=0.71073 (Mo Kα).",
            items=["_diffrn_radiation_wavelength"],
        )
    stol_sq = indices.sin_theta_over_lambda_sq().data().as_numpy_array()
    sine = np.clip(np.sqrt(stol_sq) * wavelengths, 1e-9, 1.0 - 1e-9)
    sin_two_theta = 2 * sine * np.sqrt(1 - sine**2)
    return 0.001 * np.asarray(wavelengths) ** 3 / sin_two_theta


def corrected(
    intensity: np.ndarray, x: float, factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """I (1 + x p I)^(-1/2), its derivative by I and its derivative by x; all (n,)."""
    growth = np.maximum(1 + x * factor * intensity, 1e-9)
    return (
        intensity / np.sqrt(growth),
        (1 + 0.5 * x * factor * intensity) / growth**1.5,
        -0.5 * factor * intensity**2 / growth**1.5,
    )
