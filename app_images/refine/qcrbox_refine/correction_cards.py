"""Instructions of a .res file for data, weights, twins, extinction and solvent, as they were refined."""

from __future__ import annotations

from qcrbox.crystallography.shelx.lines import wrapped
from qcrbox.crystallography.shelx.refinement_texts import weight_card

from qcrbox_refine.data_settings import limit_cards, twin_card
from qcrbox_refine.fit import Fit
from qcrbox_refine.scattering import Radiation, factors_of, radiation_of


def data_cards(fit: Fit) -> list[str]:
    """DISP, MERG, OMIT and SHEL as they were applied, so that the next refinement treats the data alike."""
    model = fit.model
    lines = []
    if radiation_of(model) is Radiation.XRAY:
        factors = factors_of(model, {atom.element for atom in model.atoms})
        # Those of ions stand among their numbers in SFAC.
        lines += [
            f"DISP {kind} {found.f_prime:.4f} {found.f_double_prime:.4f}"
            for kind, found in factors.items()
            if not kind.endswith(("+", "-"))
        ]
    return [*lines, *limit_cards(model.settings)]


def correction_cards(fit: Fit) -> list[str]:
    """WGHT, TWIN, BASF, EXTI, SWAT and ABIN."""
    corrections, settings = fit.corrections, fit.model.settings
    lines = [weight_card(fit.weights), *twin_card(settings)]
    domains = corrections.domains
    if domains.fractions and (settings.basf or any(domains.refined)):
        values = (
            f"{value:.5f}" if refined else f"{10 + value:.5f}"
            for value, refined in zip(domains.fractions, domains.refined, strict=True)
        )
        lines += wrapped(["BASF", *values])
    if corrections.extinction is not None:
        lines.append(f"EXTI {corrections.extinction.coefficient:.6f}")
    if corrections.solvent is not None:
        lines.append(f"SWAT {corrections.solvent.g:.5f} {corrections.solvent.u:.5f}")
    if corrections.mask is not None:
        lines.append("ABIN" if settings.fab is None else f"ABIN {settings.fab[0]:g} {settings.fab[1]:g}")
    return lines
