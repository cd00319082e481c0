"""Cutting a cube file by a plane."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.section import section


@pytest.fixture
def ramp() -> Cube:
    """x + 2 y + 3 z in Å on a grid of 0.5 Å from -2 to 2."""
    axis = np.arange(-2, 2.01, 0.5)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    empty = np.zeros((0, 3))
    return Cube(x + 2 * y + 3 * z, np.full(3, -2.0), np.eye(3) * 0.5, np.zeros(0, int), empty, kind="density")


def test_values_between_the_points_are_linear(ramp):
    places = np.array([[0.1, 0.2, 0.3], [1.9, -1.9, 0.0], [2.0, 2.0, 2.0]])
    assert ramp.at_cartesian(places) == pytest.approx(places @ [1, 2, 3])


def test_outside_the_grid_there_is_nothing(ramp):
    assert ramp.at_cartesian(np.array([[2.5, 0, 0], [0, 0, -9]])) == pytest.approx([0, 0])


def test_a_plane_through_three_places_shows_the_values_in_it(ramp):
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    cut = section(ramp, points, points, ["A", "B", "C"])
    row, column = np.abs(cut.y).argmin(), np.abs(cut.x).argmin()
    there = points.mean(axis=0)
    assert cut.values[row, column] == pytest.approx(there @ [1, 2, 3], abs=0.1)
    assert cut.labels == ["A", "B", "C"]
