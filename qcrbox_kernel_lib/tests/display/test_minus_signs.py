"""Negative numbers that people read have a minus sign; what is copied, computed with or written to files has a hyphen."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.peaks import Peak
from qcrbox.display.peaks import Peaks
from qcrbox.markup import Table, read_text


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("-0.30", "−0.30"),
        (-0.25, "−0.25"),
        ("-.5(2)", "−.5(2)"),
        ("1.0", "1.0"),
        (-1, "-1"),
        ("-1 0 2", "-1 0 2"),
        ("2026-11-30", "2026-11-30"),
        ("C1-0.5", "C1-0.5"),
    ],
)
def test_a_measured_number_is_read_with_a_minus_sign(cell, shown):
    assert read_text(cell) == shown


def test_a_table_keeps_hyphens_for_programs():
    table = Table(("Δ / σ", "omit"), [("-3.1", "-1 0 2")])
    assert "−3.1" in table.html()
    assert "−3.1   -1 0 2" in table.text()
    assert table.csv().splitlines()[1].lstrip("'") == "-3.1,'-1 0 2"
    assert table["Δ / σ"] == ["-3.1"]


def test_holes_of_a_density_have_minus_signs_in_text_and_html():
    hole = Peak("D1", np.array([-0.1, 0.5, 0.2]), -0.304, -5.2, "C1", 0.7)
    table = Peaks([hole])
    for shown in (repr(table), table._repr_mimebundle_()["text/html"]):
        assert "−0.30" in shown
        assert "−5.2" in shown
        assert "-0" not in shown


def test_a_cube_says_its_extremes_with_a_minus_sign():
    values = np.array([[[0.5, -0.25]]])
    cube = Cube(values, np.zeros(3), np.eye(3), np.array([1]), np.zeros((1, 3)))
    assert "+0.5 … −0.25," in repr(cube)
