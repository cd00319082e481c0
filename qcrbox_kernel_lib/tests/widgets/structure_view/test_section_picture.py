"""A section as contours: levels, signs and words."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.section import Section
from qcrbox.contract.errors import UserInputError
from qcrbox.widgets.structure_view.section_picture import section_picture


def section(values=None, sigma=0.1, **more):
    axis = np.linspace(-2, 2, 41)
    x, y = np.meshgrid(axis, axis)
    density = np.exp(-(x**2) - y**2) - 0.5 * np.exp(-((x - 1) ** 2) - y**2) if values is None else values
    places = np.array([[0.0, 0.0], [9.0, 9.0]])
    return Section("Fo − Fc", sigma, axis, axis, density, places, ["C1", "far"], **more)


def levels(picture):
    return sorted(
        {
            round(float(level), 6)
            for contours in picture.figure.axes[0].collections
            for level in contours.levels
        }
    )


def test_contours_begin_at_two_sigma_on_both_sides():
    found = levels(section_picture(section()))
    assert 0.2 in found
    assert -0.2 in found
    assert 0.1 not in found
    assert 0.0 in found


def test_a_step_of_ones_own_begins_at_itself():
    found = levels(section_picture(section(), 0.05))
    assert 0.05 in found
    assert -0.05 in found


def test_atoms_in_the_frame_are_named():
    picture = section_picture(section())
    assert [text.get_text() for text in picture.figure.axes[0].texts] == ["C1"]
    assert "1 atom within 0.4 Å" in picture.alt


def test_the_sentence_has_levels_extremes_and_unit_with_minus_signs():
    alt = section_picture(section(unit="fm Å⁻³")).alt
    assert "contours every 0.10 fm Å⁻³ (σ 0.100) from ±0.20" in alt
    assert "−0." in alt
    assert "-0" not in alt


@pytest.mark.parametrize("step", [0, -0.1, float("nan"), float("inf"), "0.1"], ids=repr)
def test_a_step_is_a_number_above_zero(step):
    with pytest.raises(UserInputError, match="step between contours must be a number above 0"):
        section_picture(section(), step)


def test_a_level_density_has_a_picture_without_contours():
    picture = section_picture(section(np.zeros((41, 41)), sigma=0.0))
    assert "Fo − Fc" in picture.alt
    assert picture.image("png").startswith(b"\x89PNG")
