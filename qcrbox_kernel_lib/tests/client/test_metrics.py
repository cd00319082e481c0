"""Figures that programs report, with their digits and words."""

from __future__ import annotations

import pytest
from qcrbox.analysis.quality import NAMES
from qcrbox.client.metrics import FIGURES, figure_label, figure_text, figures


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("R1", 0.04123, "0.0412"),
        ("S", 1.0, "1.000"),
        ("cycle", 3.0, "3"),
        ("residual_min", -0.314, "−0.31"),
        ("residual_min", -0.001, "0.00"),
        ("mean_shift_su", -0.0004, "0.000"),
        ("converged", 1.0, "yes"),
        ("converged", 0, "no"),
        ("refined", True, "yes"),
        ("energy", -1234.5678, "−1235"),
        ("observations", 13910, "13910"),
        ("r_int", 0.05438, "0.0544"),
        ("flack", -0.001, "0.00"),
        ("wilson_b", None, "–"),
    ],
)
def test_a_figure_has_the_digits_that_it_has_everywhere(name, value, text):
    assert figure_text(name, value) == text


def test_an_unknown_figure_is_called_by_its_name():
    assert figure_label("max_force_eV") == "max force eV"
    assert figure_label("R1") == "R1"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("residual_min", "Δρ min / e Å⁻³"),
        ("residual_max_neutron", "Δρ max / fm Å⁻³"),
        ("estimated_s", "estimated time / s"),
        ("r_int", "R(int)"),
    ],
)
def test_a_label_ends_with_the_unit(name, label):
    assert figure_label(name) == label


def test_each_indicator_of_quality_has_words():
    assert set(NAMES) <= set(FIGURES)


def test_figures_keep_their_order():
    assert figures({"S": 1.0, "R1": 0.05}) == [("S", "1.000"), ("R1", "0.0500")]


def test_each_figure_has_a_label_and_formats_a_number():
    for name, figure in FIGURES.items():
        assert figure.label
        assert float(figure_text(name, 1.0)) == 1.0
