"""Peaks and holes as a table."""

from __future__ import annotations

import numpy as np
from qcrbox.analysis.density.peaks import Peak
from qcrbox.display.peaks import Peaks


def peak(name, height, nearest="C1", unit="e Å⁻³"):
    return Peak(name, np.array([0.1, -0.2, 1.25]), height, height / 0.05, nearest, 0.71, unit)


def test_each_has_height_place_and_nearest_atom():
    (row,) = Peaks([peak("Q1", 0.314)]).table().rows
    assert row == ("Q1", "+0.31", "+6.3", "0.1000", "-0.2000", "1.2500", "0.71 Å from C1")


def test_the_unit_is_that_of_the_density():
    assert Peaks([peak("Q1", 0.3, unit="fm Å⁻³")]).table().heads[1] == "height / fm Å⁻³"
    assert Peaks().table().heads[1] == "height / e Å⁻³"


def test_labels_are_escaped_and_holes_have_a_minus_sign():
    peaks = Peaks([peak("Q1", 0.3, "<b>"), peak("N1", -0.4)])
    assert "<b>" not in peaks._repr_mimebundle_()["text/html"]
    assert "−0.40" in repr(peaks)


def test_peaks_are_a_list():
    peaks = Peaks([peak("Q1", 0.3), peak("Q2", 0.2)])
    assert [each.name for each in peaks] == ["Q1", "Q2"]
    assert peaks[0].height == 0.3
