"""A section through a density as contours, with the atoms near the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from qcrbox.analysis.density.section import NEAR, Section
from qcrbox.contract.errors import UserInputError
from qcrbox.language import counted
from qcrbox.widgets.chart import Picture


def section_picture(cut: Section, step: float | None = None) -> Picture:
    """Contours of a section, solid above zero and dashed below.

    step: between contours in the unit of the section; by default 1 σ, beginning at 2 σ.
    """
    if step is not None and (not isinstance(step, (int, float, np.number)) or not 0 < step < np.inf):
        raise UserInputError(f"The step between contours must be a number above 0; you gave {step!r}.")
    # Start-up time: matplotlib is loaded when the first figure is drawn.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 5.2 * np.ptp(cut.y) / np.ptp(cut.x)), layout="constrained")
    axes: Any = figure.subplots()
    pitch = step or cut.sigma
    levels = (np.arange(2, 41) if step is None else np.arange(1, 41)) * pitch
    if pitch > 0:  # a level density has no σ, and no contours
        for values, colour, line in ((levels, "#0072B2", "solid"), (-levels[::-1], "#D55E00", "dashed")):
            axes.contour(
                cut.x, cut.y, cut.values, levels=values, colors=colour, linewidths=0.9, linestyles=line
            )
        axes.contour(cut.x, cut.y, cut.values, levels=[0], colors="0.6", linewidths=0.6, linestyles="dotted")
    shown = 0
    for (px, py), name in zip(cut.places, cut.labels, strict=True):
        if cut.x[0] <= px <= cut.x[-1] and cut.y[0] <= py <= cut.y[-1]:
            axes.plot(px, py, "o", ms=3.5, c="k")
            axes.annotate(name, (px, py), xytext=(4, 4), textcoords="offset points", fontsize=9)
            shown += 1
    axes.set(aspect="equal", xlabel="Å", ylabel="Å", title=f"{cut.kind}, section")
    first = levels[0]
    return Picture(
        figure,
        f"{cut.kind} in the plane, {counted(shown, 'atom')} within {NEAR} Å of it; contours every {pitch:.2f} {cut.unit} "
        f"(σ {cut.sigma:.3f}) from ±{first:.2f}, above zero solid, below dashed; "
        f"from {cut.values.min():.2f} to {cut.values.max():.2f} {cut.unit} here.".replace("-", "−"),
    )
