"""Grids around molecules and the cube files made on them."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import BOHR, read_cube
from qcrbox_har import maps
from qcrbox_har.maps import Box

ATOMS = [("O", np.array([0.0, 0.0, 0.0])), ("H", np.array([0.0, 0.8, 0.6]))]


def test_a_box_has_its_margin_on_every_side():
    box = Box.around(ATOMS, 0.25)
    points = box.points
    low, high = points.min(axis=0), points.max(axis=0)
    assert low == pytest.approx([-2, -2, -2])
    assert (high >= np.array([2, 2.8, 2.6]) - 1e-9).all()
    assert (high < np.array([2, 2.8, 2.6]) + 0.26).all()
    assert len(points) == np.prod(box.shape)


def test_the_last_axis_runs_fastest():
    box = Box.around(ATOMS, 0.5)
    assert box.points[1] - box.points[0] == pytest.approx([0, 0, 0.5])
    assert box.points[box.shape[2]] - box.points[0] == pytest.approx([0, 0.5, 0])


def test_a_large_molecule_gets_a_coarser_grid():
    far = [("C", np.zeros(3)), ("C", np.array([40.0, 40.0, 40.0]))]
    box = Box.around(far, 0.12)
    assert box.spacing > 0.12
    assert np.prod(box.shape) < 1.1 * maps.MOST_POINTS


def test_a_cube_file_reads_back_on_the_same_points(tmp_path):
    box = Box.around(ATOMS, 0.4)
    values = np.exp(-((box.points - ATOMS[1][1]) ** 2).sum(axis=1))
    maps.write_cube(tmp_path / "x.cube", "Test, e/bohr^3", box, values)
    cube = read_cube(tmp_path / "x.cube")
    assert cube.values.ravel() == pytest.approx(values, rel=1e-5)
    assert cube.origin == pytest.approx(box.corner, abs=1e-5)
    assert np.diag(cube.steps) == pytest.approx([0.4] * 3, abs=1e-6)
    assert cube.numbers.tolist() == [8, 1]
    assert cube.places == pytest.approx(np.array([place for _, place in ATOMS]), abs=1e-5)
    assert cube.at_cartesian(ATOMS[1][1][None])[0] == pytest.approx(1, abs=0.12)


def test_a_density_in_the_file_integrates_to_its_electrons(tmp_path):
    """A Gaussian of two electrons, written per cubic bohr, read back per cubic ångström."""
    box = Box.around([("H", np.zeros(3))], 0.1)
    per_angstrom = 2 * (4 / np.pi) ** 1.5 * np.exp(-4 * (box.points**2).sum(axis=1))
    maps.write_cube(tmp_path / "x.cube", "e/bohr^3", box, per_angstrom * BOHR**3)
    assert read_cube(tmp_path / "x.cube").per_cubic_angstrom().integral == pytest.approx(2, rel=1e-3)
