"""Weights of the least squares: the scheme of SHELXL and the search for its parameters."""

from __future__ import annotations

import re

import numpy as np
from qcrbox.contract.errors import UserInputError
from smtbx.refinement import least_squares

Weights = tuple[float, float]


def scheme(weights: Weights | None):
    """w = 1/[σ²(Fo²) + (aP)² + bP], P = (max(Fo², 0) + 2Fc²)/3; None: unit weights."""
    if weights is None:
        return least_squares.unit_weighting()
    return least_squares.mainstream_shelx_weighting(*weights)


def parse_weighting(text: str) -> tuple[str, Weights | None]:
    """`optimise`, `unit`, `keep`, or `a, b` → (kind, numbers). Raises UserInputError."""
    word = (text or "optimise").strip().lower()
    if word in ("optimise", "optimize"):
        return "optimise", None
    if word in ("unit", "keep"):
        return word, None
    numbers = re.findall(r"-?\d*\.?\d+", re.sub(r"[ab]\s*=|shelx|wght", "", word))
    if len(numbers) in (1, 2) and not re.search(r"[c-z]", re.sub(r"shelx|wght|e-?\d", "", word)):
        a, b = float(numbers[0]), float(numbers[1]) if len(numbers) == 2 else 0.0
        if 0 <= a <= 5 and 0 <= b <= 10000:
            return "fixed", (a, b)
    raise UserInputError(
        f"weighting must be optimise, keep, unit, or two numbers a, b; you gave {text!r}.",
        where="weighting",
        next='For example weighting="0.05, 0.3" for w = 1/[σ²(Fo²) + (0.05P)² + 0.3P].',
    )


def details(weights: Weights | None) -> str:
    """The scheme as `_refine_ls_weighting_details` wants it."""
    if weights is None:
        return "w=1"
    a, b = weights
    tail = f"+{b:.4f}P" if b else ""
    return rf"w=1/[\s^2^(Fo^2^)+({a:.4f}P)^2^{tail}] where P=(Fo^2^+2Fc^2^)/3"


def optimise(fo_sq: np.ndarray, sigma: np.ndarray, fc_sq: np.ndarray, n_parameters: int) -> Weights:
    """a and b that make the variance flat: goodness of fit near 1 in ten bins of equal size by Fc.

    fo_sq, sigma, fc_sq: (n,) on the scale of Fc². Search on a grid that narrows six times.
    """
    order = np.argsort(fc_sq)
    fo, su, fc = fo_sq[order], sigma[order], fc_sq[order]
    p = (np.maximum(fo, 0) + 2 * fc) / 3
    delta = (fo - fc) ** 2
    edges = np.linspace(0, len(fo), 11).astype(int)[:-1]
    sizes = np.diff([*edges, len(fo)])
    freedom = len(fo) / max(len(fo) - n_parameters, 1)
    noise = float(np.median(su**2) / max(np.median(p), 1e-9))
    a_mid, b_mid, a_step, b_step = 0.1, 5 * noise, 0.025, 1.25 * noise
    best = (np.inf, a_mid, b_mid)
    for _ in range(7):
        for a in np.maximum(a_mid + a_step * np.arange(-4, 5), 0):
            for b in np.maximum(b_mid + b_step * np.arange(-4, 5), 0):
                terms = delta / (su**2 + (a * p) ** 2 + b * p)
                goof = np.sqrt(np.add.reduceat(terms, edges) * freedom / sizes)
                total = np.sqrt(terms.sum() * freedom / len(fo))
                spread = float(((goof - 1) ** 2).sum() + (total - 1) ** 2)
                if spread < best[0]:
                    best = (spread, float(a), float(b))
        _, a_mid, b_mid = best
        a_step, b_step = a_step / 2, b_step / 2
    return round(min(a_mid, 0.2), 4), round(b_mid, 4)
