"""Plots of real data (thpp): what they say is what the crystal is."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.display.data_plots import ACENTRIC, CENTRIC
from qcrbox.widgets.chart import as_array


@pytest.fixture(scope="module")
def plots(refined):
    return refined.plots


def test_intensities_of_a_centrosymmetric_crystal_are_found_to_be_such(plots):
    picture = plots.intensity_distribution()
    assert "nearer to that of a centrosymmetric structure" in picture.alt
    shells, below = picture.chart.panels
    assert {value for value, _ in shells.levels} == {CENTRIC, ACENTRIC}
    observed = as_array(below.series[0].y)
    assert (np.diff(observed) >= 0).all()
    assert observed[-1] < 1


def test_parity_classes_hold_every_reflection(plots):
    series = plots.parity().chart.panels[0].series[0]
    assert series.labels[0].startswith("eee: ")
    assert sum(int(label.split()[1]) for label in series.labels) == 14205


def test_layer_lies_in_its_plane_and_keeps_the_symmetry(plots):
    panel = plots.layer("hk0").chart.panels[0]
    measured = [label.split(":")[0].split() for one in panel.series if not one.ring for label in one.labels]
    assert measured
    assert all(index[2] == "0" for index in measured)
    there = {tuple(map(int, index)) for index in measured}
    assert all((-h, -k, 0) in there for h, k, _ in there)


@pytest.mark.parametrize("name", ["hkl", "h00", "xy0", ""])
def test_name_that_is_no_layer_is_refused(plots, name):
    with pytest.raises(UserInputError, match="is no layer"):
        plots.layer(name)


def test_reflections_of_fo_fc_are_named_and_collected_for_omit(plots):
    chart = plots.fo_fc().chart
    assert chart.picks == "omit"
    points = next(series for series in chart.panels[0].series if series.kind == "points" and not series.ring)
    assert len(points.labels) == len(as_array(points.x)) > 1000
