"""Agreement of observed and calculated structure factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import MissingItemsError
from qcrbox.crystallography.reflections.data import Reflections

Array = NDArray[np.float64]
_NO_WEIGHTS = (0.0, 0.0, 0.0, 0.0, 0.0, 1 / 3)


@dataclass(frozen=True)
class Agreement:
    """R factors: R1 on F of reflections with Fo² > 2σ and of all, wR2 and S on F² of all."""

    r1_gt: float
    r1_all: float
    wr2: float
    goof: float | None
    scale: float
    n_all: int
    n_gt: int


def shelx_weights(
    f_squared: Array,
    sigma: Array,
    calculated: Array,
    weights: Sequence[float],
    stol_squared: Array | None = None,
) -> Array:
    """w = q / [σ²(Fo²) + (aP)² + bP + d + e sin θ/λ], P = f max(Fo², 0) + (1 - f) Fc²: SHELXL, instruction WGHT.

    q = 1 for c = 0, exp[c (sin θ/λ)²] for c > 0, 1 - exp[c (sin θ/λ)²] for c < 0. f_squared, sigma, calculated, (n,):
    on one scale. weights: a, b, c, d, e, f; without the last ones 0, and 1/3 for f. stol_squared, (n,): (sin θ/λ)² in
    Å⁻², needed for c and e alone.
    """
    a, b, c, d, e, f = (*weights, *_NO_WEIGHTS[len(weights) :])
    p = f * np.maximum(f_squared, 0) + (1 - f) * calculated
    variance = sigma**2 + (a * p) ** 2 + b * p + d
    q: Array | float = 1.0
    if c or e:
        assert stol_squared is not None
        variance = variance + e * np.sqrt(stol_squared)
        if c:
            exponential = np.exp(c * stol_squared)
            q = exponential if c > 0 else np.maximum(1 - exponential, 1e-12)
    return np.asarray(q / np.maximum(variance, 1e-300))


def agreement(
    reflections: Reflections,
    *,
    weights: tuple[float, float] = (0.0, 0.0),
    parameters: int | None = None,
    scale: float | None = 1.0,
) -> Agreement:
    """R factors of reflections that carry calculated values.

    weights: a and b of SHELXL's scheme. parameters: their number, for the goodness of fit.
    scale: multiplies Fc²; None fits it. Reflections marked as excluded (`-`, `x`, `h`, `l`) are left out; weak ones (`<`) count.
    Raises MissingItemsError without calculated values.
    """
    data = reflections.as_f_squared()
    if data.calculated is None:
        raise MissingItemsError(
            "There are no calculated structure factors.",
            where=reflections.source,
            items=["_refln_F_squared_calc"],
        )
    good = np.isfinite(data.calculated) & np.isfinite(data.intensity) & (data.sigma > 0)
    if data.status is not None:
        good &= np.array([status in ("o", "<", "", "?", ".") for status in data.status])
    observed, sigma, calculated = data.intensity[good], data.sigma[good], data.calculated[good]
    if scale is None:
        scale = float((observed * calculated / sigma**2).sum() / (calculated**2 / sigma**2).sum())
    calculated = calculated * scale
    w = shelx_weights(observed, sigma, calculated, weights)
    f_observed, f_calculated = np.sqrt(np.maximum(observed, 0)), np.sqrt(np.maximum(calculated, 0))
    strong = observed > 2 * sigma
    difference = np.abs(f_observed - f_calculated)
    square = (w * (observed - calculated) ** 2).sum()
    degrees = len(observed) - parameters if parameters is not None else 0
    return Agreement(
        r1_gt=float(difference[strong].sum() / f_observed[strong].sum()) if strong.any() else float("nan"),
        r1_all=float(difference.sum() / f_observed.sum()),
        wr2=float(np.sqrt(square / (w * observed**2).sum())),
        goof=float(np.sqrt(square / degrees)) if degrees > 0 else None,
        scale=scale,
        n_all=len(observed),
        n_gt=int(strong.sum()),
    )
