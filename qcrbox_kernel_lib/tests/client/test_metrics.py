"""Figures that programs report, with their digits and words."""

from __future__ import annotations

import pytest
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
    ],
)
def test_a_figure_has_the_digits_that_it_has_everywhere(name, value, text):
    assert figure_text(name, value) == text


def test_an_unknown_figure_is_called_by_its_name():
    assert figure_label("max_force_eV") == "max force eV"
    assert figure_label("R1") == "R1"


def test_figures_keep_their_order():
    assert figures({"S": 1.0, "R1": 0.05}) == [("S", "1.000"), ("R1", "0.0500")]


def test_each_figure_says_something_and_formats_a_number():
    for label, digits in FIGURES.values():
        assert label
        assert f"{1.0:{digits}}"
