"""Sections through a density that is known everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.section import section
from qcrbox.contract.errors import UserInputError

TRIANGLE = np.array([[2.0, 2.0, 2.0], [5.0, 2.0, 2.0], [2.0, 5.0, 2.0]])


@pytest.fixture
def slope():
    """x + 10 y + 100 z on a grid of 0.5 Å: linear interpolation is exact."""
    axis = np.arange(0, 10, 0.5)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    return Cube(
        x + 10 * y + 100 * z,
        np.zeros(3),
        np.eye(3) * 0.5,
        np.zeros(0, dtype=int),
        np.zeros((0, 3)),
        kind="density",
    )


def test_values_are_those_of_the_density_at_their_places(slope):
    cut = section(slope, TRIANGLE, TRIANGLE, ["A", "B", "C"])
    # x runs from A to B; y of the section along ±y of the crystal. A is the first of the places.
    origin = cut.places[0]
    row, column = (int(np.argmin(np.abs(axis - at))) for axis, at in ((cut.y, origin[1]), (cut.x, origin[0])))
    at_a = 2 + 20 + 200
    assert cut.values[row, column] == pytest.approx(at_a, abs=0.6)
    gradient = np.gradient(cut.values, cut.y, cut.x)
    inside = slice(10, -10)
    assert gradient[1][inside, inside] == pytest.approx(1.0)
    assert np.abs(gradient[0][inside, inside]) == pytest.approx(10.0)


def test_the_first_two_atoms_lie_along_x(slope):
    cut = section(slope, TRIANGLE, TRIANGLE, ["A", "B", "C"])
    a, b, c = cut.places
    assert b - a == pytest.approx([3.0, 0.0])
    assert np.linalg.norm(c - a) == pytest.approx(3.0)


def test_it_reaches_two_angstrom_beyond_the_atoms(slope):
    cut = section(slope, TRIANGLE, TRIANGLE, ["A", "B", "C"])
    assert (cut.x[0], cut.x[-1]) == (
        pytest.approx(cut.places[:, 0].min() - 2),
        pytest.approx(cut.places[:, 0].max() + 2, abs=0.1),
    )
    assert cut.values.shape == (len(cut.y), len(cut.x))
    assert max(cut.values.shape) <= 122


@pytest.mark.parametrize(("height", "near"), [(0.0, True), (0.39, True), (-0.39, True), (0.41, False)])
def test_atoms_within_four_tenths_of_an_angstrom_are_named(slope, height, near):
    atoms = np.vstack([TRIANGLE, [[3.0, 3.0, 2.0 + height]]])
    cut = section(slope, TRIANGLE, atoms, ["A", "B", "C", "D"])
    assert ("D" in cut.labels) == near
    assert len(cut.places) == len(cut.labels)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (TRIANGLE[:2], "three atoms"),
        (np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), "on a line"),
        (np.array([[0.0, 0, 0], [0, 0, 0], [0, 0, 0]]), "on a line"),
    ],
    ids=["two", "on a line", "one place"],
)
def test_what_spans_no_plane_is_refused(slope, points, message):
    with pytest.raises(UserInputError, match=message):
        section(slope, points, points, ["A"] * len(points))
