"""Difference density against cctbx: the refinement writes what it found, we must find the same."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.maps import around, difference_density, structure_factors
from qcrbox.contract.errors import MissingItemsError
from qcrbox.crystallography.reflections import find_reflections


@pytest.fixture(scope="session")
def model(refined):
    block = refined.files["refined.fcf"].document.blocks[0]
    return refined.structure, find_reflections(block, prefer="loop").as_f_squared()


def test_structure_factors_agree_with_those_of_the_refinement(model):
    structure, data = model
    ours, theirs = np.abs(structure_factors(structure, data.hkl)), np.sqrt(data.calculated)
    assert np.abs(ours - theirs).sum() / theirs.sum() < 0.004


def test_extremes_of_the_density_are_those_of_the_refinement(refined):
    density = refined.difference_density()
    assert density.maximum == pytest.approx(refined.cif["_refine_diff_density_max"].value, abs=0.005)
    assert density.minimum == pytest.approx(refined.cif["_refine_diff_density_min"].value, abs=0.005)
    assert density.sigma == pytest.approx(refined.cif["_refine_diff_density_rms"].value, abs=0.002)


def test_density_has_the_symmetry_of_the_crystal(refined):
    density = refined.difference_density()
    group = refined.structure.space_group
    points = np.random.default_rng(3).random((200, 3))
    here = density.at(points)
    for rotation, translation in zip(group.rotations, group.translations, strict=True):
        there = density.at(points @ rotation.T + translation)
        np.testing.assert_allclose(there, here, atol=0.15 * density.maximum)
        assert np.corrcoef(here, there)[0, 1] > 0.98


def test_box_around_atoms_holds_the_map_where_it_says(refined):
    density = refined.difference_density()
    structure = refined.structure
    box = around(density, structure.asymmetric_unit.fract)
    for index in ((5, 5, 5), (10, 20, 12)):
        place = structure.cell.to_fractional(box.origin + np.array(index) @ box.steps)
        value = box.values[index]
        assert value == 0 or value == pytest.approx(float(density.at(place[None])[0]), abs=1e-4)
    assert np.count_nonzero(box.values) > 1000


def test_far_from_all_atoms_nothing_is_drawn(refined):
    structure = refined.structure
    box = around(refined.difference_density(), structure.asymmetric_unit.fract, margin=6.0)
    index = np.argwhere(box.values != 0)
    places = box.origin + index @ box.steps
    nearest = np.min(
        np.linalg.norm(places[:, None] - structure.asymmetric_unit.cartesian[None], axis=2), axis=1
    )
    assert nearest.max() <= 2.0 + 1e-6


def test_reflections_without_calculated_values_are_refused(refined):
    data = find_reflections(refined.cif.block)
    assert data.calculated is None
    with pytest.raises(MissingItemsError, match="calculated structure factors"):
        difference_density(refined.structure, data)


def test_view_with_density_says_so_in_the_still_picture(refined):
    view = refined.view(density=True)
    assert "Fo − Fc density" in view._still()["text/html"]
