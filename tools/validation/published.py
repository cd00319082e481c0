"""What others found with the same measurements and another program, for docs/validation.md."""

from __future__ import annotations

# (data set, model, wR2 of all reflections, notebook of the XHARPy repository that prints it).
_XHARPY = (
    ("l_alanine", "spherical", 0.0637, "L-Alanin_iam"),
    ("l_alanine", "PBE, periodic (Quantum Espresso)", 0.0320, "L-Alanin_qe"),
    ("l_alanine", "SCAN, periodic (GPAW)", 0.0170, "L-Alanin_gpaw"),
    ("urea", "SCAN, periodic (GPAW)", 0.0179, "Urea_gpaw"),
    ("xylitol", "SCAN, periodic (GPAW), extinction", 0.0273, "Xylitol_gpaw_extinction"),
)


def table(names: set[str]) -> str:
    """Rows of Markdown for those data sets of `names` that somebody has published; empty without any."""
    rows = [
        f"| {name} | {model} | {wr2:.4f} | examples/{notebook} |\n"
        for name, model, wr2, notebook in _XHARPY
        if name in names
    ]
    if not rows:
        return ""
    return (
        "\nThe same measurements, weights 1/σ² and all atoms anisotropic, with XHARPy (Ruth, Herbst-Irmer & Stalke, IUCrJ 9 (2022) 286), as "
        "the example notebooks of its public repository print it. Its first figure for L-alanine is that of our spherical atoms to four digits. "
        "The one with GPAW cannot be told from the file: it would mean S = 0.6 where reflections beyond 0.7 Å⁻¹, whose form factors hardly "
        "differ between models, scatter by their σ. R1 of a molecular refinement at one of our levels was found for urea "
        "alone (Tonto, above).\n\n"
        "| data set | model of XHARPy | wR2 | notebook |\n|---|---|---|---|\n" + "".join(rows)
    )
