"""A density in a plane through atoms: values on a grid, and the atoms near the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.maps import DensityMap
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.geometry import least_squares_plane, span_a_plane

Array = NDArray[np.float64]
_MARGIN = 2.0  # Å around the atoms that were chosen
NEAR = 0.4  # Å from the plane at which an atom is still drawn
_POINTS = 120  # along the longer edge


@dataclass(frozen=True)
class Section:
    """A density in a plane: values (len(y), len(x)) in `unit` at x and y in Å, and places (k, 2) of the atoms near it."""

    kind: str
    sigma: float
    x: Array
    y: Array
    values: Array
    places: Array
    labels: list[str]
    unit: str = "e Å⁻³"


def section(density: DensityMap | Cube, points: Array, atoms: Array, labels: list[str]) -> Section:
    """The density in the least-squares plane of points (n, 3), n ≥ 3, Å on the crystal's Cartesian axes.

    atoms (m, 3) with their labels: those within NEAR Å of the plane are kept. x runs from the first point to the second.
    Raises UserInputError for fewer than three points and for points on a line.
    """
    if len(points) < 3:
        raise UserInputError("A section needs three atoms.")
    if not span_a_plane(points):
        raise UserInputError(
            "These atoms lie on a line: they span no plane.", next="Choose another third atom."
        )
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
    values = density.at_cartesian(grid.reshape(-1, 3)).reshape(grid.shape[:2])
    near = np.flatnonzero(np.abs((atoms - plane.centroid) @ plane.normal) < NEAR)
    places = (atoms[near] - plane.centroid) @ frame.T
    return Section(
        density.kind, density.sigma, x, y, values, places, [labels[row] for row in near], density.unit
    )
