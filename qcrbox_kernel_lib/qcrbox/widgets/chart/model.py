"""A chart as data: the browser draws it live, matplotlib for paper and for notebooks without a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8c8c8c"


@dataclass(frozen=True)
class Series:
    """Points or a line through them, in the units of the axes.

    kind: "points", "line" or "both". labels name the points (h k l, for example). marker: o, s, ^, v or . (small).
    ring: open markers, to point at others.
    """

    x: ArrayLike
    y: ArrayLike
    name: str = ""
    kind: str = "points"
    colour: str = BLUE
    marker: str = "."
    dashed: bool = False
    ring: bool = False
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Axis:
    """Label with unit; logarithmic or not; ends where they are not those of the data; ticks at (value, text)."""

    label: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    ticks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Panel:
    """One pair of axes. levels: lines across at (value of y, words). top: a second axis with ticks at values of x."""

    x: Axis
    y: Axis
    series: Sequence[Series]
    title: str = ""
    levels: Sequence[tuple[float, str]] = ()
    top: Axis | None = None
    square: bool = False


@dataclass(frozen=True)
class Chart:
    """Panels side by side. picks: what clicking collects, as the option it is for (`omit`)."""

    panels: Sequence[Panel]
    picks: str = ""

    def packed(self) -> dict[str, Any]:
        """For the browser: f4 arrays as bytes, names of points in lines of one text."""
        return {"picks": self.picks, "panels": [_packed_panel(panel) for panel in self.panels]}


def _packed_panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "x": _packed_axis(panel.x),
        "y": _packed_axis(panel.y),
        "top": None if panel.top is None else _packed_axis(panel.top),
        "square": panel.square,
        "levels": [list(level) for level in panel.levels],
        "series": [_packed_series(series) for series in panel.series],
    }


def _packed_axis(axis: Axis) -> dict[str, Any]:
    ticks = [list(tick) for tick in axis.ticks]
    return {"label": axis.label, "log": axis.log, "low": axis.low, "high": axis.high, "ticks": ticks}


def _packed_series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "kind": series.kind,
        "colour": series.colour,
        "marker": series.marker,
        "dashed": series.dashed,
        "ring": series.ring,
        "labels": "\n".join(series.labels),
        "x": as_array(series.x).astype("<f4").tobytes(),
        "y": as_array(series.y).astype("<f4").tobytes(),
    }


def as_array(values: ArrayLike) -> NDArray[np.float64]:
    """Numbers with NaN where there is none."""
    return np.array(
        [np.nan if value is None else value for value in np.asarray(values).tolist()], dtype=float
    )
