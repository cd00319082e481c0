"""Shape index and curvedness where they are known: spheres, a cylinder, a saddle."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.curvature import curvature, curvedness, shape_index
from qcrbox.analysis.density.surface_net import surface_net

# Shifted, so that no surface goes exactly through points of the grid.
LOW = -2.037
GRID = np.stack(np.meshgrid(*(LOW + 0.1 * np.arange(42),) * 3, indexing="ij"), axis=-1)


def mesh(value, slope):
    """The surface value = 0 (positive inside), its vertices moved onto it."""
    vertices, faces = surface_net(value(GRID))
    vertices = 0.1 * vertices + LOW
    for _ in range(3):
        gradient = slope(vertices)
        vertices = vertices - (value(vertices) / np.sum(gradient**2, axis=1))[:, None] * gradient
    return vertices, faces


def inner(vertices):
    """Away from where the grid cuts the surface."""
    return np.abs(vertices).max(axis=1) < 1.5


@pytest.mark.parametrize("radius", [0.8, 1.3])
@pytest.mark.parametrize(("sign", "index"), [(1, 1), (-1, -1)])
def test_ball_is_a_bump_from_outside_and_a_hollow_from_inside(radius, sign, index):
    vertices, faces = mesh(
        lambda x: sign * (radius - np.linalg.norm(x, axis=-1)),
        lambda x: -sign * x / np.linalg.norm(x, axis=-1)[:, None],
    )
    first, second = curvature(vertices, faces)
    assert first == pytest.approx(sign / radius, rel=0.04)
    assert second == pytest.approx(sign / radius, rel=0.04)
    assert np.median(shape_index(first, second)) == pytest.approx(index, abs=0.03)
    assert curvedness(first, second) == pytest.approx(2 / np.pi * np.log(1 / radius), abs=0.02)


def test_cylinder_is_a_ridge():
    def value(x):
        return 1 - np.hypot(x[..., 0], x[..., 1])

    def slope(x):
        flat = x * [1, 1, 0]
        return -flat / np.linalg.norm(flat, axis=1)[:, None]

    vertices, faces = mesh(value, slope)
    first, second = (k[inner(vertices)] for k in curvature(vertices, faces))
    assert first == pytest.approx(1, rel=0.04)
    assert second == pytest.approx(0, abs=0.03)
    assert shape_index(first, second) == pytest.approx(0.5, abs=0.02)


def test_saddle_has_index_zero_in_its_middle():
    def value(x):
        return 0.5 * (x[..., 0] ** 2 - x[..., 1] ** 2) - x[..., 2]

    def slope(x):
        return np.stack([x[:, 0], -x[:, 1], -np.ones(len(x))], axis=1)

    vertices, faces = mesh(value, slope)
    middle = np.linalg.norm(vertices, axis=1) < 0.25
    first, second = (k[middle] for k in curvature(vertices, faces))
    assert shape_index(first, second) == pytest.approx(0, abs=0.06)
    assert np.median(first) == pytest.approx(1, rel=0.05)
