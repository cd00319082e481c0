"""Flack parameter of a non-centrosymmetric structure."""

from __future__ import annotations

from smtbx.absolute_structure import flack_analysis

from qcrbox_refine.least_squares import Fit


def flack(fit: Fit) -> tuple[float, float, int] | None:
    """Flack x, its s.u. and the number of Friedel pairs; None for centrosymmetric groups or too few pairs.

    x is refined against the final model as an inversion twin (Flack, Acta Cryst. A39 (1983) 876).
    """
    unique = fit.reflections.unique
    if unique.space_group().is_centric() or not unique.anomalous_flag():
        return None
    pairs = unique.n_bijvoet_pairs()
    if pairs < 20:
        return None
    try:
        analysis = flack_analysis(fit.parametrisation.structure, fit.engine.observations)
    except RuntimeError as error:
        fit.model.note(f"The Flack parameter could not be determined: {error}.")
        return None
    return analysis.flack_x, analysis.sigma_x, pairs
