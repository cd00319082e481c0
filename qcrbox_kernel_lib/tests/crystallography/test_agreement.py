"""R factors against sums by hand, and the weights of SHELXL."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qcrbox.contract.errors import MissingItemsError
from qcrbox.crystallography.reflections import Reflections
from qcrbox.crystallography.reflections.agreement import agreement, shelx_weights


def data(observed, calculated, sigma=None, **more) -> Reflections:
    count = len(observed)
    return Reflections(
        np.column_stack([np.arange(1, count + 1), np.zeros((count, 2), int)]),
        np.array(observed, float),
        np.ones(count) if sigma is None else np.array(sigma, float),
        calculated=None if calculated is None else np.array(calculated, float),
        **more,
    )


def test_r_factors_of_three_reflections_by_hand():
    """F(obs) 10, 4, 1 and F(calc) 9, 5, 1: R1 = (1 + 1 + 0) / 15. σ = 1: the third, Fo² = 1, is weak.

    wR2² = Σ w (Fo² - Fc²)² / Σ w Fo⁴ = (19² + 9² + 0) / (100² + 16² + 1).
    """
    found = agreement(data([100, 16, 1], [81, 25, 1]))
    assert found.r1_all == pytest.approx(2 / 15)
    assert found.r1_gt == pytest.approx(2 / 14)
    assert found.wr2 == pytest.approx(math.sqrt((19**2 + 9**2) / (100**2 + 16**2 + 1)))
    assert (found.n_all, found.n_gt, found.scale, found.goof) == (3, 2, 1.0, None)


def test_goodness_of_fit_counts_degrees_of_freedom():
    """S² = Σ w (Fo² - Fc²)² / (n - p) = (19² + 9²) / (3 - 1)."""
    assert agreement(data([100, 16, 1], [81, 25, 1]), parameters=1).goof == pytest.approx(math.sqrt(442 / 2))


@pytest.mark.parametrize("parameters", [3, 4])
def test_without_degrees_of_freedom_there_is_no_goodness_of_fit(parameters):
    assert agreement(data([100, 16, 1], [81, 25, 1]), parameters=parameters).goof is None


@pytest.mark.parametrize("factor", [0.25, 1.0, 7.0])
def test_a_fitted_scale_makes_the_unit_of_the_calculated_values_indifferent(factor):
    calculated = np.array([81.0, 25.0, 1.0])
    found = agreement(data([100, 16, 1], factor * calculated), scale=None)
    same = agreement(data([100, 16, 1], calculated), scale=None)
    assert found.scale * factor == pytest.approx(same.scale)
    assert (found.r1_all, found.wr2) == (pytest.approx(same.r1_all), pytest.approx(same.wr2))


def test_a_fitted_scale_is_that_of_least_squares():
    """k = Σ Fo² Fc² / σ² / Σ Fc⁴ / σ², here (2 * 1 / 1 + 6 * 2 / 4) / (1 + 4 / 4) = 2.5."""
    assert agreement(data([2, 6], [1, 2], [1, 2]), scale=None).scale == pytest.approx(2.5)


def test_a_negative_intensity_has_no_amplitude_and_counts_for_w_r2():
    """F(obs) 0 beside F(calc) 2: R1 = 2 / 10; wR2² = (4 + 4)² / (10000 + 16)."""
    found = agreement(data([100, -4], [100, 4]))
    assert found.r1_all == pytest.approx(2 / 10)
    assert found.wr2 == pytest.approx(math.sqrt(64 / 10016))


@pytest.mark.parametrize(
    ("status", "count"),
    [
        (["o", "o", "o"], 3),
        (["o", "<", "o"], 3),
        (["o", "-", "o"], 2),
        (["o", "x", "h"], 1),
        (["?", ".", ""], 3),
    ],
)
def test_excluded_reflections_do_not_count_and_weak_ones_do(status, count):
    assert agreement(data([100, 16, 1], [81, 25, 1], status=status)).n_all == count


@pytest.mark.parametrize("sigma", [0, -1, math.nan])
def test_a_reflection_without_positive_su_does_not_count(sigma):
    assert agreement(data([100, 16, 1], [81, 25, 1], [1, sigma, 1])).n_all == 2


def test_amplitudes_are_compared_as_their_squares():
    squares = agreement(data([100, 16], [81, 25], [20, 8]))
    amplitudes = agreement(data([10, 4], [9, 5], [1, 1], is_f=True))
    assert amplitudes.r1_all == pytest.approx(squares.r1_all)
    assert amplitudes.wr2 == pytest.approx(squares.wr2)


def test_without_calculated_values_the_missing_item_is_named():
    with pytest.raises(MissingItemsError) as caught:
        agreement(data([1], None, source="loop"))
    assert (caught.value.items, caught.value.where) == (["_refln_F_squared_calc"], "loop")


# P = (max(Fo², 0) + 2 Fc²) / 3 with f = 1/3; Fo² 9, Fc² 6, σ 2: P = 7.
WEIGHTS = [
    ((0, 0), 9, 1 / 4),
    ((0.1, 0), 9, 1 / (4 + 0.49)),
    ((0, 2), 9, 1 / (4 + 14)),
    ((0.1, 2), 9, 1 / (4 + 0.49 + 14)),
    ((0.1, 2, 0, 3), 9, 1 / (4 + 0.49 + 14 + 3)),
    # A negative Fo² counts as 0 in P = 2 * 6 / 3.
    ((0, 1), -9, 1 / (4 + 4)),
    # P = Fo² for f = 1, Fc² for f = 0.
    ((0, 1, 0, 0, 0, 1), 9, 1 / (4 + 9)),
    ((0, 1, 0, 0, 0, 0), 9, 1 / (4 + 6)),
    # e sin θ/λ with (sin θ/λ)² = 0.25.
    ((0, 0, 0, 0, 2), 9, 1 / (4 + 2 * 0.5)),
    ((0, 0, 3), 9, math.exp(3 * 0.25) / 4),
    ((0, 0, -3), 9, (1 - math.exp(-3 * 0.25)) / 4),
]


@pytest.mark.parametrize(("wght", "f_squared", "weight"), WEIGHTS, ids=[str(row[0]) for row in WEIGHTS])
def test_weights_of_shelxl_by_hand(wght, f_squared, weight):
    found = shelx_weights(np.array([f_squared]), np.array([2.0]), np.array([6.0]), wght, np.array([0.25]))
    assert found == pytest.approx([weight])
