"""Plots of data alone: made reflections with a known answer, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.display.data_plots import _centric, _flat, _layer_of
from qcrbox.display.plots import Plots

from ..conftest import write_cif
from .test_report import Model

HEAD = "loop_\n" + "".join(f"_diffrn_refln_{name}\n" for name in ("index_h", "index_k", "index_l", "intensity_net", "intensity_u"))  # fmt: skip


def plots(*rows, group="_space_group_name_H-M_alt 'P 1'"):
    text = HEAD + "".join(f"{' '.join(map(str, row))}\n" for row in rows)
    return Plots(Model(write_cif((5, 6, 7, 90, 90, 90), group=group, more=text)))


def test_each_parity_class_has_its_mean():
    """(1 0 0) and (3 0 0) are oee: (10/2 + 20/2)/2 = 7.5; (2 2 2) is eee: 9/3 = 3."""
    picture = plots((1, 0, 0, 10, 2), (3, 0, 0, 20, 2), (2, 2, 2, 9, 3)).parity()
    (panel,) = picture.chart.panels
    means = dict(zip([text for _, text in panel.x.ticks], panel.series[0].y, strict=True))
    assert (means["oee"], means["eee"]) == (7.5, 3.0)
    assert np.isnan(means["ooo"])
    assert "3.0 (eee) to 7.5 (oee)" in picture.alt
    assert panel.series[0].labels[4] == "oee: 2 reflections"


def test_negative_indices_have_a_parity_too():
    (panel,) = plots((-1, 0, 0, 10, 1), (1, -2, 3, 30, 1)).parity().chart.panels
    counts = [int(label.split(": ")[1].split()[0]) for label in panel.series[0].labels]
    assert counts == [0, 0, 0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("row", [(1, 0, 0, 10, 0), (1, 0, 0, "?", 1)], ids=["no s.u.", "no intensity"])
def test_without_an_intensity_with_its_su_there_is_no_plot(row):
    with pytest.raises(MissingItemsError, match=r"intensity with its s.u."):
        plots(row).parity()


@pytest.mark.parametrize(
    ("name", "layer"),
    [("hk0", (2, 0)), ("h1l", (1, 1)), ("-2kl", (0, -2)), (" H K 3 ", (2, 3)), ("0kl", (0, 0))],
)
def test_a_layer_is_named_by_its_fixed_index(name, layer):
    assert _layer_of(name) == layer


@pytest.mark.parametrize("name", ["", "hkl", "h00", "h-0-1", "hk", "khl0", "hk1.5", "000"])
def test_what_is_no_layer_is_refused(name):
    with pytest.raises(UserInputError, match=r"is no layer. One index is a number"):
        _layer_of(name)


def test_a_layer_without_reflections_says_so():
    with pytest.raises(MissingItemsError, match="No reflection of the layer hk5 was measured"):
        plots((1, 0, 0, 10, 1)).layer("hk5")


def test_friedel_mates_stand_on_both_sides_of_the_origin():
    (panel,) = plots((1, 2, 0, 10, 1), (2, 0, 0, 40, 1)).layer("hk0").chart.panels
    places = np.array([[x, y] for series in panel.series if series.name != "not measured" for x, y in zip(series.x, series.y, strict=True)])  # fmt: skip
    assert len(places) == 4
    # a* = 1/5, b* = 1/6 Å⁻¹ at a right angle.
    assert {tuple(np.round(place, 4)) for place in places} == {
        (0.2, 0.3333),
        (-0.2, -0.3333),
        (0.4, 0),
        (-0.4, 0),
    }


def test_distances_in_a_layer_are_those_of_the_reciprocal_lattice():
    """Monoclinic, β = 110°: |h a* + l c*| from the plane of h0l."""
    beta = np.radians(110)
    a, c = np.array([5.0, 0, 0]), np.array([7 * np.cos(beta), 0, 7 * np.sin(beta)])
    b = np.array([0, 6.0, 0])
    reciprocal = np.linalg.inv(np.array([a, b, c])).T
    places, _ = _flat(reciprocal, np.array([[1, 0, 2], [3, 0, -1]]), 1)
    expected = [np.linalg.norm(h * reciprocal[0] + k * reciprocal[2]) for h, k in ((1, 2), (3, -1))]
    assert np.linalg.norm(places, axis=1) == pytest.approx(expected)


def test_the_centric_distribution_is_that_of_the_tables():
    """N(z) = erf √(z/2): International Tables B 2.1: 0.248 at 0.1, 0.520 at 0.5, 0.683 at 1."""
    assert _centric(np.array([0.1, 0.5, 1.0])) == pytest.approx([0.2482, 0.5205, 0.6827], abs=1e-4)
