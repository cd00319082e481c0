"""A density in a plane: contours, solid above zero, dashed below, with the atoms near the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.maps import DensityMap
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.geometry import least_squares_plane
from qcrbox.display.history import Picture

Array = NDArray[np.float64]
_MARGIN = 2.0  # Å around the atoms that were chosen
_NEAR = 0.4  # Å from the plane at which an atom is still drawn
_POINTS = 120  # along the longer edge


def section(
    density: DensityMap, points: Array, atoms: Array, labels: list[str], step: float | None = None
) -> Picture:
    """Contours in the least-squares plane of points (n, 3), n ≥ 3, Å on the crystal's Cartesian axes.

    atoms (m, 3) with labels: those near the plane are named. step: between contours in e/Å³, default 1 σ from 2 σ on.
    """
    if len(points) < 3:
        raise UserInputError("A section needs three atoms.")
    plane = least_squares_plane(points)
    across = points[1] - points[0]
    across = across - (across @ plane.normal) * plane.normal
    if np.linalg.norm(across) < 1e-6:
        raise UserInputError("These atoms do not span a plane.")
    across /= np.linalg.norm(across)
    frame = np.array([across, np.cross(plane.normal, across)])
    flat = (points - plane.centroid) @ frame.T
    low, high = flat.min(axis=0) - _MARGIN, flat.max(axis=0) + _MARGIN
    pitch = (high - low).max() / _POINTS
    x, y = (np.arange(a, b + pitch, pitch) for a, b in zip(low, high, strict=True))
    grid = plane.centroid + x[None, :, None] * frame[0] + y[:, None, None] * frame[1]
    values = density.at(density.structure.cell.to_fractional(grid.reshape(-1, 3))).reshape(grid.shape[:2])
    near = np.flatnonzero(np.abs((atoms - plane.centroid) @ plane.normal) < _NEAR)
    places = (atoms[near] - plane.centroid) @ frame.T
    return _drawn(density, x, y, values, places, [labels[row] for row in near], step)


def _drawn(
    density: DensityMap,
    x: Array,
    y: Array,
    values: Array,
    places: Array,
    names: list[str],
    step: float | None,
) -> Picture:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 5.2 * np.ptp(y) / np.ptp(x)), layout="constrained")
    axes: Any = figure.subplots()
    pitch = step or density.sigma
    levels = (np.arange(2, 41) if step is None else np.arange(1, 41)) * pitch
    axes.contour(x, y, values, levels=levels, colors="#0072B2", linewidths=0.9)
    axes.contour(x, y, values, levels=-levels[::-1], colors="#D55E00", linewidths=0.9, linestyles="dashed")
    axes.contour(x, y, values, levels=[0], colors="0.6", linewidths=0.6, linestyles="dotted")
    shown = 0
    for (px, py), name in zip(places, names, strict=True):
        if x[0] <= px <= x[-1] and y[0] <= py <= y[-1]:
            axes.plot(px, py, "o", ms=3.5, c="k")
            axes.annotate(name, (px, py), xytext=(4, 4), textcoords="offset points", fontsize=9)
            shown += 1
    axes.set(aspect="equal", xlabel="Å", ylabel="Å", title=f"{density.kind}, section")
    first = levels[0]
    return Picture(
        figure,
        f"{density.kind} in the plane, {shown} atoms within {_NEAR} Å of it; contours every {pitch:.2f} e Å⁻³ "
        f"(σ {density.sigma:.3f}) from ±{first:.2f}, above zero solid, below dashed; "
        f"from {values.min():.2f} to {values.max():.2f} e Å⁻³ here.".replace("-", "−"),
    )
