"""Weighted differences of the plots: the scheme that a file states, and figures of made data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from qcrbox.cif import read
from qcrbox.cif.document import Block, Document
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.display.plots import Plots

from ..conftest import write_cif

SHELXL = r"w=1/[\s^2^(Fo^2^)+(0.0383P)^2^+0.2342P] where P=(Fo^2^+2Fc^2^)/3"


@dataclass
class File:
    """A CIF with one block, as plots need it."""

    document: Document
    filename: str = "made.cif"

    @property
    def block(self) -> Block:
        return self.document.blocks[0]

    @property
    def structure(self) -> Structure:
        return Structure.from_block(self.block)


def plots_of(scheme: str = SHELXL, rows: list[tuple[float, ...]] | None = None) -> Plots:
    """rows: h k l Fo² σ Fc²."""
    rows = rows or [(1, 0, 0, 100, 2, 90), (0, 1, 0, 40, 1, 43), (0, 0, 1, 3, 1.5, 2), (1, 1, 1, -1, 1, 0.5)]
    names = ("index_h", "index_k", "index_l", "F_squared_meas", "F_squared_sigma", "F_squared_calc")
    loop = "loop_\n" + "".join(f"_refln_{name}\n" for name in names)
    loop += "".join(" ".join(f"{x:g}" for x in row) + "\n" for row in rows)
    return Plots(File(read(write_cif(more=f"_refine_ls_weighting_details\n;\n{scheme}\n;\n{loop}").encode())))


@pytest.mark.parametrize(
    ("scheme", "numbers"),
    [
        (SHELXL, (0.0383, 0.2342, 0, 0, 0, 1 / 3)),
        (r"w=1/[\s^2^(Fo^2^)+(0.0383P)^2^] where P=(Fo^2^+2Fc^2^)/3", (0.0383, 0, 0, 0, 0, 1 / 3)),
        (r"w=1/[\s^2^(Fo^2^)+0.2342P] where P=(Fo^2^+2Fc^2^)/3", (0, 0.2342, 0, 0, 0, 1 / 3)),
        (
            r"calc w=1/[\s^2^(Fo^2^) + (0.1 P)^2^ + 2.5 P] where P=(Fo^2^+2Fc^2^)/3",
            (0.1, 2.5, 0, 0, 0, 1 / 3),
        ),
        (r"w=1/[\s^2^(Fo^2^)]", (0, 0, 0, 0, 0, 1 / 3)),
        # More terms, exponents, another P.
        (
            r"w=1/[\s^2^(Fo^2^)+(0.0383P)^2^+0.2342P+0.5000] where P=(Fo^2^+2Fc^2^)/3",
            (0.0383, 0.2342, 0, 0.5, 0, 1 / 3),
        ),
        (
            r"w=exp[1.0000(sin\q/\l)^2^]/[\s^2^(Fo^2^)+(0.0383P)^2^] where P=(Fo^2^+2Fc^2^)/3",
            (0.0383, 0, 1, 0, 0, 1 / 3),
        ),
        (
            r"w=1/[\s^2^(Fo^2^)+(0.0383P)^2^+0.2342P] where P=0.5000Fo^2^+0.5000Fc^2^",
            (0.0383, 0.2342, 0, 0, 0, 0.5),
        ),
        ("w=1", None),
        ("Chebychev polynomial", None),
        ("", None),
    ],
)
def test_the_scheme_of_the_file(scheme, numbers):
    found = plots_of(scheme)._scheme
    assert found == (None if numbers is None else pytest.approx(numbers))


def test_weighted_differences_by_hand():
    """√w Δ with P = (max(Fo², 0) + 2 Fc²)/3."""
    plots = plots_of()
    expected = []
    for observed, sigma, calculated in ((100, 2, 90), (40, 1, 43), (3, 1.5, 2), (-1, 1, 0.5)):
        p = (max(observed, 0) + 2 * calculated) / 3
        w = 1 / (sigma**2 + (0.0383 * p) ** 2 + 0.2342 * p)
        expected.append(w**0.5 * (observed - calculated))
    assert plots._delta == pytest.approx(expected)
    assert plots._unit == "√w Δ"


def test_every_term_of_the_scheme_weights_a_difference():
    """w = exp[c s²] / [σ² + (aP)² + bP + d + e s], s = sin θ/λ, P = f Fo² + (1 - f) Fc²."""
    scheme = r"w=exp[2.0000(sin\q/\l)^2^]/[\s^2^(Fo^2^)+(0.0383P)^2^+0.2342P+0.5000+0.3000sin\q/\l] where P=0.4000Fo^2^+0.6000Fc^2^"
    plots = plots_of(scheme)
    s = 1 / (2 * plots.cif.structure.cell.d_spacing(plots.model.hkl[:1])[0])
    p = 0.4 * 100 + 0.6 * 90
    w = np.exp(2 * s**2) / (4 + (0.0383 * p) ** 2 + 0.2342 * p + 0.5 + 0.3 * s)
    assert plots._delta[0] == pytest.approx(w**0.5 * 10)


def test_without_a_known_scheme_differences_are_in_sigma_and_say_so():
    plots = plots_of("unknown")
    assert plots._delta == pytest.approx([5, -3, 2 / 3, -1.5])
    assert plots._unit == "Δ / σ"


def test_the_worst_reflections_stand_first_with_their_sign_and_the_text_of_omit():
    table = plots_of("unknown").outliers(2)
    assert [row[0] for row in table.rows] == ["1 0 0", "0 1 0"]
    assert table.rows[0] == ("1 0 0", "100.00", "90.00", "+5.0", "1 0 0")
    assert table.rows[1][3] == "-3.0"


def test_reflections_without_su_or_value_are_left_out():
    plots = plots_of(rows=[(1, 0, 0, 100, 2, 90), (0, 1, 0, 40, 0, 43), (0, 0, 1, 3, -1, 2)])
    assert plots.model.hkl.tolist() == [[1, 0, 0]]


def test_normal_data_give_a_line_of_slope_one():
    rng = np.random.default_rng(2)
    calculated = rng.exponential(100, 4000)
    sigma = 1 + 0.02 * calculated
    observed = calculated + sigma * rng.standard_normal(4000)
    h = np.arange(4000)
    rows = list(zip(h % 20 + 1, h // 20 % 20, h // 400, observed, sigma, calculated, strict=True))
    picture = plots_of(r"w=1/[\s^2^(Fo^2^)]", rows).normal_probability()
    (_, points, line) = picture.chart.panels[0].series
    slope = (line.y[1] - line.y[0]) / (line.x[1] - line.x[0])
    assert slope == pytest.approx(1.0, abs=0.04)
    assert list(points.y) == sorted(points.y)
    # Median of 4000 ranks lies between the two in the middle.
    assert points.x[1999] == pytest.approx(-points.x[2000])


def test_underrated_sigmas_show_in_the_slope():
    rng = np.random.default_rng(2)
    deviate = rng.standard_normal(2000)
    rows = [(i % 20 + 1, i // 20 % 20, i // 400, 100 + 2 * x, 1, 100) for i, x in enumerate(deviate)]
    line = plots_of(r"w=1/[\s^2^(Fo^2^)]", rows).normal_probability().chart.panels[0].series[2]
    assert (line.y[1] - line.y[0]) / (line.x[1] - line.x[0]) == pytest.approx(2.0, abs=0.1)


def test_the_analysis_of_variance_has_the_ratio_of_sums_in_each_group():
    rows = [(i + 1, 0, 0, 2.0 * (i + 1), 1, 1.0 * (i + 1)) for i in range(20)]
    for panel in plots_of(rows=rows).variance(groups=4).chart.panels:
        ratio = panel.series[0]
        assert list(ratio.x) == [1, 2, 3, 4]
        assert list(ratio.y) == pytest.approx([2.0] * 4)


def test_without_calculated_values_the_item_is_named():
    names = ("index_h", "index_k", "index_l", "F_squared_meas", "F_squared_sigma")
    loop = "loop_\n" + "".join(f"_refln_{name}\n" for name in names) + "1 0 0 5 1\n"
    with pytest.raises(MissingItemsError, match="contains no calculated structure factors"):
        _ = Plots(File(read(write_cif(more=loop).encode()))).model


# ---------------------------------------------------------------- few and odd data

ONE = [(1, 0, 0, 100, 2, 90)]
NEGATIVE = [(1, 0, 0, -5, 2, 0), (0, 1, 0, -3, 1, 0)]


def test_without_a_positive_pair_there_is_no_logarithmic_plot():
    with pytest.raises(MissingItemsError, match="has both Fo² and Fc² above 0"):
        plots_of(rows=NEGATIVE).fo_fc()


@pytest.mark.parametrize("count", [1, 9])
def test_a_line_through_few_reflections_is_refused(count):
    with pytest.raises(UserInputError, match=f"{count} reflections are too few"):
        plots_of(rows=[(h, 0, 0, 100, 2, 90) for h in range(1, count + 1)]).normal_probability()


@pytest.mark.parametrize("rows", [ONE, NEGATIVE, ONE * 12], ids=["one", "two", "twelve alike"])
def test_there_are_no_more_groups_than_reflections_and_none_is_empty(rows):
    picture = plots_of(rows=rows).variance()
    groups = min(10, len(rows))
    assert f"in {groups} group" in picture.alt
    for panel in picture.chart.panels:
        for series in panel.series:
            assert len(series.y) == groups
            assert np.isfinite(series.y).all()


@pytest.mark.parametrize("groups", [0, -1, 2.5, "ten"], ids=repr)
def test_groups_are_counted_in_whole_numbers(groups):
    with pytest.raises(UserInputError, match="groups must be a whole number above 0"):
        plots_of().variance(groups)


def test_the_distribution_of_a_few_intensities_says_nothing():
    with pytest.raises(UserInputError, match="too few for a distribution of intensities"):
        plots_of(rows=ONE * 3).intensity_distribution()
