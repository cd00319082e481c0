"""Figures of quality in words: those that programs report and those computed from a CIF share labels, units and decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Figure(NamedTuple):
    """How a figure is shown. unit: "" for a pure number."""

    label: str
    decimals: int
    unit: str = ""


# `make types` gives the same table to the front end. Figures that it lacks are shown by their names and four digits.
FIGURES = {
    # reported by programs
    "cycle": Figure("cycle", 0),
    "round": Figure("round", 0),
    "R1": Figure("R1", 4),
    "R1_before": Figure("R1 before", 4),
    "wR2": Figure("wR2", 4),
    "S": Figure("S", 3),
    "max_shift_su": Figure("max shift/s.u.", 3),
    "mean_shift_su": Figure("mean shift/s.u.", 3),
    "shift_su": Figure("max shift/s.u.", 3),
    "residual_max": Figure("Δρ max", 2, "e Å⁻³"),
    "residual_min": Figure("Δρ min", 2, "e Å⁻³"),
    "residual_max_neutron": Figure("Δρ max", 2, "fm Å⁻³"),
    "residual_min_neutron": Figure("Δρ min", 2, "fm Å⁻³"),
    "residual_max_electron": Figure("Δρ max", 2, "Å⁻²"),
    "residual_min_electron": Figure("Δρ min", 2, "Å⁻²"),
    "rounds": Figure("rounds", 0),
    "scf_iteration": Figure("SCF iteration", 0),
    "scf_iterations": Figure("SCF iterations", 0),
    "estimated_s": Figure("estimated time", 0, "s"),
    # indicators of `qcrbox.analysis.quality`; those of the residual density stand above
    "observations": Figure("reflections used", 0),
    "unique": Figure("unique reflections", 0),
    "d_min": Figure("d min", 3, "Å"),
    "completeness": Figure("completeness", 4),
    "redundancy": Figure("redundancy", 2),
    "r_int": Figure("R(int)", 4),
    "r_sigma": Figure("R(sigma)", 4),
    "mean_i_over_sigma": Figure("mean I/σ(I)", 1),
    "absences": Figure("systematic absences", 0),
    "absent_above_3_sigma": Figure("absences above 3σ", 0),
    "wilson_b": Figure("Wilson B", 2, "Å²"),
    "mean_e2_1": Figure("mean |E²−1|", 3),
    "r1_gt": Figure("R1 (I > 2σ)", 4),
    "wr2_ref": Figure("wR2 (all data)", 4),
    "goof": Figure("S", 3),
    "shift_su_max": Figure("max shift/s.u.", 3),
    "flack": Figure("Flack parameter", 2),
    "data_to_parameter_ratio": Figure("data : parameters", 1),
}


def figure_text(name: str, value: float | None) -> str:
    """A figure with its number of decimals, without its unit; "–" for one that could not be computed."""
    if value is None:
        return "–"
    if name in ("converged", "refined"):
        return "yes" if value else "no"
    digits = f".{FIGURES[name].decimals}f" if name in FIGURES else ".4g"
    text = f"{value:z{digits}}"  # z: what is rounded to zero has no sign
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text


def figure_label(name: str) -> str:
    """The words for a figure, with its unit: "Δρ max / e Å⁻³"."""
    if name not in FIGURES:
        return name.replace("_", " ")
    label, _, unit = FIGURES[name]
    return f"{label} / {unit}" if unit else label


def figures(metrics: Mapping[str, float]) -> list[tuple[str, str]]:
    """Metrics as (label, text), in their order."""
    return [(figure_label(name), figure_text(name, value)) for name, value in metrics.items()]
