"""Extremes of periodic maps beside the function that the map was made from."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.grid_values import highest


def bumps(shape: tuple[int, int, int], place: tuple[float, float, float]) -> np.ndarray:
    """A periodic bump of height 1 at `place`, as wide as a peak is on a grid of four points within the resolution."""
    axes = [np.arange(n) / n - x for n, x in zip(shape, place, strict=True)]
    return np.prod(
        np.meshgrid(*(np.exp(np.cos(2 * np.pi * axis) - 1) for axis in axes), indexing="ij"), axis=0
    )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "place", [(0.5, 0.5, 0.5), (0.54, 0.46, 0.45), (0.96, 0.03, 0.0), (0.05, 0.45, 0.55)], ids=str
)
def test_the_top_lies_between_the_points(place: tuple[float, float, float], sign: int) -> None:
    values = sign * bumps((10, 12, 10), place)
    found = highest(values, sign)
    assert found.value == pytest.approx(sign, abs=0.03)
    assert np.abs((found.place - place + 0.5) % 1 - 0.5).max() < 0.02
    assert abs(found.value) >= np.abs(values).max() - 1e-12


def test_of_two_tops_the_higher_one_counts_though_its_points_are_lower() -> None:
    on_a_point, between = bumps((20, 20, 20), (0.25, 0.25, 0.25)), bumps((20, 20, 20), (0.765, 0.765, 0.765))
    found = highest(0.9 * on_a_point**6 + between**6)
    assert found.value == pytest.approx(1, abs=0.06)
    assert found.place == pytest.approx([0.765] * 3, abs=0.015)


@pytest.mark.parametrize("level", [0.0, 2.5, -1.0])
def test_a_level_map_has_its_level(level: float) -> None:
    values = np.full((4, 5, 6), level)
    assert highest(values).value == level
    assert highest(values, -1).value == level
