"""Shortest vectors of random cells against a search through all lattice points in reach, and against ASE."""

from __future__ import annotations

import numpy as np
import pytest
from ase.geometry import find_mic
from qcrbox.analysis.density.peaks import _beside_model
from qcrbox.analysis.difference.crystal import _distances
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.nearest import obtuse_superbase
from qcrbox.crystallography.structure import Structure

from ..conftest import write_cif


def oblique_cells(count, seed):
    """Cells with edges from 3 to 30 Å and angles from 30 to 150°, as far as they enclose a volume."""
    random, found = np.random.default_rng(seed), []
    while len(found) < count:
        try:
            cell = UnitCell.from_values([*random.uniform(3, 30, 3), *random.uniform(30, 150, 3)])
        except CifError:
            continue
        if cell.volume > 0.05 * np.prod(cell.parameters[:3]):
            found.append(cell)
    return found


def by_search(cell, differences):
    """Shortest lengths: all translations whose fractional step can lead below the rounded vector's length."""
    rounded = differences - np.rint(differences)
    longest = np.linalg.norm(cell.to_cartesian(rounded), axis=1).max()
    reach = np.ceil(longest * cell.reciprocal_lengths + 0.5).astype(int)
    steps = np.array(list(np.ndindex(*(2 * reach + 1)))) - reach
    lengths = np.full(len(differences), np.inf)
    for row, vector in enumerate(rounded):
        lengths[row] = np.linalg.norm(cell.to_cartesian(vector + steps), axis=1).min()
    return lengths


@pytest.mark.parametrize(
    "cell", oblique_cells(25, seed=7), ids=lambda cell: "-".join(f"{x:.0f}" for x in cell.parameters)
)
def test_no_lattice_point_is_nearer_in_oblique_cells(cell):
    differences = np.random.default_rng(3).uniform(-3, 3, (40, 3))
    found = cell.nearest(differences)
    assert np.allclose(found - differences, np.rint(found - differences), atol=1e-9)
    assert np.linalg.norm(cell.to_cartesian(found), axis=1) == pytest.approx(by_search(cell, differences))


def test_rounding_would_have_been_wrong():
    cell = UnitCell.from_values([10, 10, 10, 40, 45, 50])
    difference = np.array([0.45, 0.45, -0.1])
    rounded = np.linalg.norm(cell.to_cartesian(difference - np.rint(difference)))
    assert np.linalg.norm(cell.to_cartesian(cell.nearest(difference))) < rounded - 1


@pytest.mark.parametrize("parameters", [(7.1, 8.2, 9.3, 90, 104, 90), (6, 9, 13, 62, 131, 75)])
def test_ase_agrees(parameters):
    cell = UnitCell.from_values(parameters)
    differences = np.random.default_rng(5).uniform(-1, 1, (200, 3))
    _, expected = find_mic(cell.to_cartesian(differences), cell.orthogonalisation.T)
    assert np.linalg.norm(cell.to_cartesian(cell.nearest(differences)), axis=1) == pytest.approx(expected)


def test_shapes_stay_and_unknown_places_stay_unknown():
    cell = UnitCell.from_values([5, 6, 7, 90, 90, 90])
    given = np.full((2, 4, 3), 0.75)
    given[1, 2, 0] = np.nan
    found = cell.nearest(given)
    assert found.shape == given.shape
    assert np.isnan(found[1, 2, 0])
    assert found[0, 0] == pytest.approx([-0.25] * 3)


def test_points_half_way_stay_half_way():
    """In the middle between lattice points each choice is right; the search has to end."""
    cell = UnitCell.from_values([5, 5, 5, 60, 60, 60])
    halves = np.array([[0.5, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]])
    assert np.linalg.norm(cell.to_cartesian(cell.nearest(halves)), axis=1) == pytest.approx(
        by_search(cell, halves)
    )


@pytest.mark.parametrize("cell", oblique_cells(10, seed=11))
def test_a_superbase_has_no_acute_angles_and_spans_the_lattice(cell):
    base = obtuse_superbase(cell.metric)
    products = base @ cell.metric @ base.T
    assert (products[~np.eye(4, dtype=bool)] <= 1e-6).all()
    assert base.sum(axis=0).tolist() == [0, 0, 0]
    assert abs(round(np.linalg.det(base[:3]))) == 1


def test_peaks_and_differences_find_the_nearest_image_in_an_oblique_cell():
    cell = UnitCell.from_values([8, 9, 7, 48, 55, 50])
    structure = Structure.from_cif(write_cif(cell.parameters, group="_space_group_name_H-M_alt 'P -1'"))
    atom = structure.sites.fract[0]
    places = np.random.default_rng(2).uniform(-2, 2, (30, 3))
    both = np.stack([places - atom, -places - atom])
    expected = np.minimum(*(by_search(cell, differences) for differences in both))
    for place, length in zip(places, expected, strict=True):
        moved, label, distance = _beside_model(structure, place)
        assert (label, distance) == ("C1", pytest.approx(length))
        assert np.linalg.norm(cell.to_cartesian(moved - atom)) == pytest.approx(length)
        assert _distances(structure, place, atom[None, :]) == pytest.approx([length])
