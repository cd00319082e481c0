"""Wilson statistics of invented intensities whose scale, B and distribution are known."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.reflections.merging import Merged, unique_reflections
from qcrbox.crystallography.reflections.wilson import normalised_squares, wilson
from qcrbox.crystallography.space_group import SpaceGroup

CELL = UnitCell.from_values((9, 11, 13, 90, 95, 90))
CONTENT = {"C": 40.0, "O": 8.0, "H": 60.0}


def sum_of_squares(stol2):
    total = np.zeros(len(stol2))
    for name, count in CONTENT.items():
        total += (
            count * np.array([gemmi.Element(name).it92.calculate_sf(float(value)) for value in stol2]) ** 2
        )
    return total


def invented(group, scale=2.0, b=3.0, distribution=None) -> Merged:
    """I = k ε Σf² exp(-2 B (sin θ/λ)²), times a random E² with mean 1 where a distribution is given."""
    hkl = unique_reflections(CELL, group, 0.9)
    stol2 = 1 / (4 * CELL.d_spacing(hkl) ** 2)
    epsilon = sum((hkl @ rotation == hkl).all(axis=1) for rotation in group.rotations)
    intensity = scale * epsilon * sum_of_squares(stol2) * np.exp(-2 * b * stol2)
    if distribution is not None:
        intensity = intensity * distribution(len(hkl))
    return Merged(hkl, intensity, np.ones(len(hkl)), np.ones(len(hkl), int))


@pytest.mark.parametrize("symbol", ["P 1", "P 21", "P 21/c", "C 2/c"])
@pytest.mark.parametrize(("scale", "b"), [(1.0, 0.0), (2.0, 3.0), (1e-3, 6.0)])
def test_scale_and_b_are_found_again(symbol, scale, b):
    group = SpaceGroup.from_hm(symbol)
    found = wilson(invented(group, scale, b), CELL, group, CONTENT)
    assert found.b == pytest.approx(b, rel=0.01, abs=0.02)
    assert found.scale == pytest.approx(scale, rel=0.03)
    assert found.mean_e2_1 < 0.05


# <|E² - 1|>: χ² with one degree of freedom for centric, exponential for acentric intensities.
# 0.968 and 2/e = 0.736: Int. Tables B (2008), table 2.1.3.
STATISTICS = {
    "centric": (lambda count: np.random.default_rng(5).standard_normal(count) ** 2, 0.968),
    "acentric": (lambda count: np.random.default_rng(5).exponential(size=count), 0.736),
}


@pytest.mark.parametrize(("distribution", "mean"), STATISTICS.values(), ids=STATISTICS)
def test_the_distribution_of_intensities_tells_an_inversion_centre(distribution, mean):
    group = SpaceGroup.from_hm("P 1")
    found = wilson(invented(group, distribution=distribution), CELL, group, CONTENT)
    assert found.mean_e2_1 == pytest.approx(mean, abs=0.04)


def test_normalised_squares_have_the_mean_one_in_every_shell():
    group = SpaceGroup.from_hm("P 21/c")
    merged = invented(group, distribution=STATISTICS["acentric"][0])
    squares = normalised_squares(merged, CELL, group, CONTENT)
    assert squares.mean() == pytest.approx(1.0, abs=1e-9)
    order = np.argsort(1 / CELL.d_spacing(merged.hkl))
    for part in np.array_split(order, 20):
        assert squares[part].mean() == pytest.approx(1.0)


def test_deuterium_scatters_like_hydrogen():
    group = SpaceGroup.from_hm("P 1")
    merged = invented(group)
    with_d = {"C": 40.0, "O": 8.0, "D": 60.0}
    assert wilson(merged, CELL, group, with_d).b == pytest.approx(wilson(merged, CELL, group, CONTENT).b)


def some(count: int, intensity: float = 1.0) -> Merged:
    hkl = unique_reflections(CELL, SpaceGroup.from_hm("P 1"), 0.9)[:count]
    return Merged(hkl, np.full(len(hkl), intensity), np.ones(len(hkl)), np.ones(len(hkl), int))


@pytest.mark.parametrize(
    ("merged", "content", "words"),
    [
        (some(1000), {}, "needs the content of the cell"),
        (some(59), CONTENT, "59 reflections are too few"),
        (some(1000, -1.0), CONTENT, "Too many shells have no intensity"),
        (some(1000), {"Xx": 1.0}, "No scattering factor is known for Xx"),
    ],
    ids=["no content", "few", "negative", "no element"],
)
def test_what_makes_a_wilson_plot_impossible_is_said(merged, content, words):
    with pytest.raises(UserInputError, match=words):
        wilson(merged, CELL, SpaceGroup.from_hm("P 1"), content)


def test_a_shell_without_intensity_is_left_out_of_the_plot():
    group = SpaceGroup.from_hm("P 1")
    merged = invented(group)
    order = np.argsort(1 / CELL.d_spacing(merged.hkl))
    shells = np.array_split(order, 20)
    merged.intensity[shells[7]] = -1.0
    found = wilson(merged, CELL, group, CONTENT)
    assert len(found.s_squared) == 19
    assert found.b == pytest.approx(3.0, abs=0.05)
    assert np.isnan(normalised_squares(merged, CELL, group, CONTENT)[shells[7]]).all()
