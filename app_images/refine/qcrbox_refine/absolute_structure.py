"""Flack parameter of a non-centrosymmetric structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcrbox_refine.least_squares import Fit
from qcrbox_refine.weighting import weights_of

# Beyond this s.u. the data say nothing about the hand.
_LARGEST_SU = 100.0


@dataclass
class Flack:
    """x and its s.u.; pairs: Friedel pairs measured; how: the method, for the CIF."""

    x: float
    su: float
    pairs: int
    how: str


def flack(fit: Fit) -> Flack | None:
    """The Flack parameter; None for centrosymmetric groups, without anomalous scattering, or twins of another kind.

    In an inversion twin it is the refined fraction. Otherwise x and the scale are refined with everything else at the final
    model (Flack, Acta Cryst. A39 (1983) 876), with the weights and the extinction of the fit.
    """
    unique = fit.reflections.unique
    if unique.space_group().is_centric() or not unique.anomalous_flag():
        return None
    domains = fit.corrections.domains
    pairs = unique.set().map_to_asu().unique_under_symmetry().n_bijvoet_pairs()
    if domains.inversion:
        x = domains.fractions[0]
        return Flack(x, fit.correction_su.get("BASF 1", 0.0), pairs, "Refined as an inversion twin.")
    if domains.kind != "single" or fit.reflections.grouped:
        return None
    x, su = _inversion_fraction(fit)
    if not np.isfinite(su) or su > _LARGEST_SU:
        fit.model.note(
            "The Flack parameter could not be determined: the structure has no anomalous differences."
        )
        return None
    how = f"Flack x by classical fit to all intensities, weights of the refinement; {pairs} Friedel pairs."
    return Flack(x, su, pairs, how)


def _inversion_fraction(fit: Fit) -> tuple[float, float]:
    """x and s.u. by Gauss-Newton in x and the scale K."""
    equations = fit.equations
    own = equations.fc_sq
    inverted, _ = equations.model.inverted().calculate()
    fo, sigma = equations.fo_sq, equations.sigma
    x, k = 0.0, equations.scale
    for _ in range(12):
        fc = (1 - x) * own + x * inverted
        w = weights_of(equations.weighting, fo / k, sigma / k, np.maximum(fc, 0), equations.stol_sq) / k**2
        design = np.column_stack([k * (inverted - own), fc])
        normal = design.T @ (w[:, None] * design)
        if normal[0, 0] <= 1e-12 * normal[1, 1] * k**2:
            return 0.0, float("inf")
        shift = np.linalg.solve(normal, design.T @ (w * (fo - k * fc)))
        x, k = float(x + shift[0]), float(k + shift[1])
        inverse = np.linalg.inv(normal)
        if abs(shift[0]) < 1e-4 * np.sqrt(inverse[0, 0]):
            break
    residual = float((w * (fo - k * fc) ** 2).sum()) / max(len(fo) - equations.n_parameters - 1, 1)
    return x, float(np.sqrt(inverse[0, 0] * residual))
