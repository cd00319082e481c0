"""Cutting a cube file by a plane."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.section import section
from qcrbox.contract.errors import UserInputError


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


def test_places_on_a_line_are_refused(ramp):
    """A plane through them could be any."""
    for points in ([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]):
        places = np.array(points, dtype=float)
        with pytest.raises(UserInputError, match="lie on a line"):
            section(ramp, places, places, ["A", "B", "C"])
    with pytest.raises(UserInputError, match="three atoms"):
        section(ramp, np.zeros((2, 3)), np.zeros((2, 3)), ["A", "B"])


@pytest.mark.parametrize("seed", range(5))
def test_a_tilted_plane_shows_the_values_at_its_points(ramp, seed):
    """Axes x and y of the section are at right angles, in Å, and x runs from the first atom to the second."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.4, 0.4, (4, 3))[:3]
    cut = section(ramp, points, points, ["A", "B", "C"])
    assert np.linalg.norm(cut.places[1] - cut.places[0]) == pytest.approx(
        np.linalg.norm(points[1] - points[0])
    )
    assert cut.places[1, 0] > cut.places[0, 0]
    assert cut.places[1, 1] == pytest.approx(cut.places[0, 1])
    for place, point in zip(cut.places, points, strict=True):
        column, row = np.abs(cut.x - place[0]).argmin(), np.abs(cut.y - place[1]).argmin()
        pitch = cut.x[1] - cut.x[0]
        assert cut.values[row, column] == pytest.approx(point @ [1, 2, 3], abs=pitch * 4)


def test_atoms_away_from_the_plane_are_left_out(ramp):
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    atoms = np.array([[0.2, 0.2, 0.39], [0.2, 0.2, 0.41], [0.5, 0, -0.2]])
    cut = section(ramp, points, atoms, ["near", "far", "below"])
    assert cut.labels == ["near", "below"]
