"""A chart drawn by matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from qcrbox.widgets.chart.model import Axis, Chart, Panel, Series, as_array

_NAMED = 12  # points that are named in print; the pointer names the others


def drawn(chart: Chart) -> Any:
    """The matplotlib figure, with one pair of axes for each panel."""
    # Start-up time: matplotlib is loaded when the first figure is drawn.
    from matplotlib.figure import Figure

    count = len(chart.panels)
    figure = Figure(figsize=(4.8 if count == 1 else 8.4, 3.4), layout="constrained")
    for axes, panel in zip(np.atleast_1d(figure.subplots(1, count)), chart.panels, strict=True):
        _draw_panel(axes, panel)
    return figure


def _draw_panel(axes: Any, panel: Panel) -> None:
    for series in panel.series:
        _draw_series(axes, series)
    for value, words in panel.levels:
        axes.axhline(value, ls=":", c="0.55", lw=1)
        if words:
            axes.annotate(
                words, (0.99, value), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7
            )
    _set_axis(axes.xaxis, axes.set_xscale, axes.set_xlim, panel.x)
    _set_axis(axes.yaxis, axes.set_yscale, axes.set_ylim, panel.y)
    axes.set(xlabel=panel.x.label, ylabel=panel.y.label, title=panel.title)
    axes.spines[["right", "top"]].set_visible(False)
    if panel.square:
        axes.set_aspect("equal")
    if panel.top is not None:
        axes.spines["top"].set_visible(True)
        upper = axes.secondary_xaxis("top")
        upper.set_xlabel(panel.top.label)
        upper.set_xticks([value for value, _ in panel.top.ticks], [text for _, text in panel.top.ticks])
    if any(series.name for series in panel.series):
        axes.legend(frameon=False, fontsize=8)


def _set_axis(axis: Any, set_scale: Any, set_limits: Any, said: Axis) -> None:
    if said.log:
        set_scale("log")
    if said.low is not None or said.high is not None:
        set_limits(said.low, said.high)
    if said.ticks:
        axis.set_ticks([value for value, _ in said.ticks], [text for _, text in said.ticks])


def _draw_series(axes: Any, series: Series) -> None:
    x, y = as_array(series.x), as_array(series.y)
    line = "" if series.kind == "points" else ":" if series.dashed else "-"
    marker = "" if series.kind == "line" else series.marker
    face = {"mfc": "none"} if series.ring else {}
    axes.plot(
        x, y, linestyle=line or "none", marker=marker or "none", ms=2.5 if marker == "." else 4.5, lw=1.2,
        c=series.colour, label=series.name or None, rasterized=len(x) > 2000, **face,
    )  # fmt: skip
    if 0 < len(series.labels) <= _NAMED:
        for px, py, text in zip(x, y, series.labels, strict=True):
            axes.annotate(text, (px, py), xytext=(5, -3), textcoords="offset points", fontsize=7)
