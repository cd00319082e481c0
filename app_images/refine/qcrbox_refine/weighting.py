"""Weights of the least squares: the scheme of SHELXL and the search for its parameters."""

from __future__ import annotations

import re

import numpy as np
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.reflections import shelx_weights
from qcrbox.crystallography.shelx.refinement_texts import NUMBER, SIGMA, Weights, complete


def same(first: Weights, second: Weights) -> bool:
    """Whether two schemes agree to the four decimals of a CIF."""
    return all(abs(a - b) < 6e-5 for a, b in zip(complete(first), complete(second), strict=True))


def weights_of(
    weights: Weights | None, fo_sq: np.ndarray, sigma: np.ndarray, fc_sq: np.ndarray, stol_sq: np.ndarray
) -> np.ndarray:
    """w of every reflection, (n,). fo_sq, sigma, fc_sq: (n,) on the scale of Fc²; stol_sq: (sin θ/λ)² in Å⁻².

    weights None: w = 1.
    """
    if weights is None:
        return np.ones(len(fo_sq))
    return shelx_weights(fo_sq, sigma, fc_sq, complete(weights), stol_sq)


def parse_weighting(text: str) -> tuple[str, Weights | None]:
    """`optimise`, `unit`, `keep`, `sigma`, or up to six numbers → (kind, numbers). Raises UserInputError."""
    word = (text or "optimise").strip().lower()
    if word in ("optimise", "optimize"):
        return "optimise", None
    if word in ("unit", "keep"):
        return word, None
    if word in ("sigma", "statistical"):
        return "fixed", SIGMA
    plain = re.sub(r"[abcdef]\s*=|shelxl?|wght", " ", word)
    numbers = re.findall(NUMBER, plain)
    if 1 <= len(numbers) <= 6 and not re.sub(rf"{NUMBER}|[\s,;]", "", plain):
        found = complete(tuple(float(number) for number in numbers))
        if 0 <= found[0] <= 5 and 0 <= found[1] <= 1e6:
            return "fixed", found
    raise UserInputError(
        f"weighting must be optimise, keep, unit, sigma, or up to six numbers a, b, c, d, e, f; you gave {text!r}.",
        where="weighting",
        next='For example weighting="0.05, 0.3" for w = 1/[σ²(Fo²) + (0.05P)² + 0.3P].',
    )


def scheme(weights: Weights | None) -> str:
    """`unit`, `sigma` or `calc`, as `_refine_ls_weighting_scheme` knows them."""
    if weights is None:
        return "unit"
    return "calc" if any(complete(weights)[:5]) else "sigma"


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
    return complete((round(min(a_mid, 0.2), 4), round(b_mid, 4)))
