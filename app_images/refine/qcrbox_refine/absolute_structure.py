"""Flack parameter of a non-centrosymmetric structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cctbx import miller
from cctbx.array_family import flex

from qcrbox_refine.cif_block import with_su
from qcrbox_refine.fit import Fit
from qcrbox_refine.indices import to_array
from qcrbox_refine.weighting import weights_of

_FEWEST_PAIRS = 20
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
    quotients = by_quotients(fit)
    if quotients:
        value, value_su, n = quotients
        how += f" x by {n} quotients [(I+)-(I-)]/[(I+)+(I-)] (Parsons et al., 2013): {with_su(value, value_su, 2)}."
    if x - 3 * su > 0.5:
        fit.model.warn(
            f"The Flack parameter is {with_su(x, su, 2)}: the crystal has the other absolute structure. Invert the model."
        )
    return Flack(x, su, pairs, how)


def by_quotients(fit: Fit) -> tuple[float, float, int] | None:
    """x, its s.u. and the number of pairs from Qo = (1 - 2x) Qc; None without pairs of mates.

    Q = (I+ - I-)/(I+ + I-) is free of the errors that mates share (Parsons, Flack & Wagner, Acta Cryst. B69 (2013) 249). Pairs
    below three s.u. of their sum, or more than five s.u. off, are left out.
    """
    distinct, observed, sigma, calculated = _merged(fit)
    mates = distinct.match_bijvoet_mates()[1].pairs()
    plus, minus = (np.array([pair[k] for pair in mates], dtype=int) for k in (0, 1))
    if len(plus) < _FEWEST_PAIRS:
        return None
    total = observed[plus] + observed[minus]
    noise = np.hypot(sigma[plus], sigma[minus])
    plus, minus = plus[total > 3 * noise], minus[total > 3 * noise]
    total = observed[plus] + observed[minus]
    q_o = (observed[plus] - observed[minus]) / total
    q_c = (calculated[plus] - calculated[minus]) / (calculated[plus] + calculated[minus])
    su = 2 * np.hypot(observed[minus] * sigma[plus], observed[plus] * sigma[minus]) / total**2
    kept = np.ones(len(q_o), bool)
    for _ in range(3):
        weight = kept / su**2
        if kept.sum() < _FEWEST_PAIRS or not (weight * q_c**2).sum() > 0:
            return None
        slope = float((weight * q_o * q_c).sum() / (weight * q_c**2).sum())
        kept = np.abs(q_o - slope * q_c) < 5 * su
    chi_sq = float((weight * (q_o - slope * q_c) ** 2).sum() / max(kept.sum() - 1, 1))
    slope_su = float(np.sqrt(max(chi_sq, 1.0) / (weight * q_c**2).sum()))
    return (1 - slope) / 2, slope_su / 2, int(kept.sum())


def _merged(fit: Fit) -> tuple[miller.set, np.ndarray, np.ndarray, np.ndarray]:
    """Reflections unique in the point group, their mean Fo² with σ, and Fc²: with MERG 0 the fit has equivalents apart."""
    observed, sigma, calculated = fit.equations.on_fc_scale()
    every = fit.reflections.unique.set().map_to_asu()
    _, first, group = np.unique(to_array(every.indices()), axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    weight = np.bincount(group, sigma**-2.0)
    mean, model = (np.bincount(group, values / sigma**2) / weight for values in (observed, calculated))
    return every.select(flex.size_t(first.tolist())), mean, weight**-0.5, model


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
