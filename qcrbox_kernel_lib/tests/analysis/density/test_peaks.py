"""Peaks and holes of a made density with a known place and height."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.maps import DensityMap
from qcrbox.analysis.density.peaks import Peak, find_peaks
from qcrbox.crystallography.structure import Structure

from ...conftest import symops, write_cif

CELL = (10, 12, 15, 90, 105, 90)
SITE = [("C1", "C", 0.25, 0.25, 0.25)]


def density(*bumps, group="_space_group_name_H-M_alt 'P 1'", sites=SITE, shape=(40, 48, 60)):
    """Gaussian bumps (x, y, z, height) of 0.5 Å, repeated by the group."""
    structure = Structure.from_cif(write_cif(CELL, sites, group=group))
    axes = [np.arange(n) / n for n in shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.zeros(shape)
    for *place, height in bumps:
        images = structure.space_group.rotations @ np.array(place) + structure.space_group.translations
        for image in images:
            away = structure.cell.to_cartesian(structure.cell.nearest(grid - image))
            values += height * np.exp(-np.sum(away**2, axis=-1) / 0.5**2)
    return DensityMap(values, structure)


def test_a_peak_is_found_between_the_points_of_the_grid():
    """The bump lies 0.4 of a step of 0.25 Å from the grid along each axis; a parabola is not quite a Gaussian."""
    place = np.array([20.4 / 40, 10.4 / 48, 30.4 / 60])
    (peak, *_) = find_peaks(density((*place, 2.0)))
    cell = density().structure.cell
    assert np.linalg.norm(cell.to_cartesian(cell.nearest(peak.fract - place))) < 0.05
    assert peak.height == pytest.approx(2.0, rel=0.05)


def test_names_say_peak_or_hole_and_the_rank():
    found = find_peaks(density((0.5, 0.5, 0.5, 1.0), (0.1, 0.1, 0.1, 2.0), (0.8, 0.2, 0.6, -3.0)))
    assert [(peak.name, round(peak.height)) for peak in found if abs(peak.height) > 0.9] == [
        ("Q1", 2),
        ("Q2", 1),
        ("N1", -3),
    ]
    assert found[-1].sigmas < 0


@pytest.mark.parametrize(("most", "peaks", "holes"), [(0, 0, 0), (1, 1, 1), (3, 3, 1), (8, 4, 2)])
def test_their_number_is_limited(most, peaks, holes):
    bumps = [(0.1 + 0.2 * n, 0.1, 0.1, 1 + n) for n in range(4)] + [
        (0.1 + 0.2 * n, 0.6, 0.5, -1 - n) for n in range(4)
    ]
    found = find_peaks(density(*bumps), most)
    assert sum(peak.name[0] == "Q" for peak in found) == peaks
    assert sum(peak.name[0] == "N" for peak in found) == holes


def test_an_image_of_a_peak_is_no_second_peak():
    group = symops("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")
    found = find_peaks(density((0.1, 0.2, 0.3, 2.0), group=group))
    assert [peak.name for peak in found if peak.height > 1] == ["Q1"]


def test_a_peak_is_shown_beside_the_atom_that_it_is_nearest_to():
    """The bump is given a cell away; 0.05 along b from C1 is 0.6 Å."""
    (peak, *_) = find_peaks(density((1.25, -0.70, 0.25, 2.0)))
    assert peak.nearest == "C1"
    assert peak.distance == pytest.approx(0.6, abs=0.03)
    assert np.allclose(peak.fract, (0.25, 0.30, 0.25), atol=0.004)
    assert peak.words == "0.60 Å from C1"


def test_far_from_every_atom_is_said():
    (peak, *_) = find_peaks(density((0.75, 0.75, 0.75, 2.0)))
    assert peak.words == "far from every atom"
    assert Peak("Q1", np.zeros(3), 1.0, 3.0, "", float("nan")).words == "far from every atom"


@pytest.mark.parametrize("values", [np.zeros((4, 4, 4)), np.full((4, 4, 4), 0.5)], ids=["nothing", "level"])
def test_a_level_density_has_no_peaks(values):
    assert find_peaks(DensityMap(values, density().structure)) == []
