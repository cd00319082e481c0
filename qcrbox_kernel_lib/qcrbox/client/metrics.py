"""The figures that programs report, in words: `converged=1.0` is "converged yes", R1 has four decimals."""

from __future__ import annotations

from collections.abc import Mapping

# name: (label, format); `make types` gives the same table to the front end. What a program reports beyond these is shown by its name and four digits.
FIGURES = {
    "cycle": ("cycle", ".0f"),
    "round": ("round", ".0f"),
    "R1": ("R1", ".4f"),
    "R1_before": ("R1 before", ".4f"),
    "wR2": ("wR2", ".4f"),
    "S": ("S", ".3f"),
    "max_shift_su": ("max shift/s.u.", ".3f"),
    "mean_shift_su": ("mean shift/s.u.", ".3f"),
    "shift_su": ("max shift/s.u.", ".3f"),
    "residual_max": ("Δρ max / e Å⁻³", ".2f"),
    "residual_min": ("Δρ min / e Å⁻³", ".2f"),
    "residual_max_neutron": ("Δρ max / fm Å⁻³", ".2f"),
    "residual_min_neutron": ("Δρ min / fm Å⁻³", ".2f"),
    "residual_max_electron": ("Δρ max / Å⁻²", ".2f"),
    "residual_min_electron": ("Δρ min / Å⁻²", ".2f"),
    "rounds": ("rounds", ".0f"),
    "scf_iteration": ("SCF iteration", ".0f"),
    "scf_iterations": ("SCF iterations", ".0f"),
    "estimated_s": ("estimated time / s", ".0f"),
}


def figure_text(name: str, value: float) -> str:
    """A figure with the digits that it has everywhere."""
    if name in ("converged", "refined"):
        return "yes" if value else "no"
    _, digits = FIGURES.get(name, ("", ".4g"))
    text = f"{value:z{digits}}"  # z: what is rounded to zero has no sign
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text


def figure_label(name: str) -> str:
    """The words for a figure."""
    label, _ = FIGURES.get(name, (name.replace("_", " "), ""))
    return label


def figures(metrics: Mapping[str, float]) -> list[tuple[str, str]]:
    """Metrics as (label, text), in their order."""
    return [(figure_label(name), figure_text(name, value)) for name, value in metrics.items()]
