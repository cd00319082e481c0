"""Triangulated surfaces of known bodies, and their refinement."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.surface import Surface
from qcrbox.analysis.density.surface_net import subdivided, surface_net


def distance_to(body, n=24):
    """Values on a grid, positive inside."""
    axis = np.arange(n) - (n - 1) / 2
    return body(*np.meshgrid(axis, axis, axis, indexing="ij"))


def ball(x, y, z):
    return 8.0 - np.sqrt(x**2 + y**2 + z**2)


def torus(x, y, z):
    return 3.0 - np.sqrt((np.sqrt(x**2 + y**2) - 7.0) ** 2 + z**2)


BODIES = {
    # Volume and area by the usual formulas: 4/3 πr³ and 4πr²; 2π²Rr² and 4π²Rr.
    "ball": (ball, 4 / 3 * np.pi * 8**3, 4 * np.pi * 8**2, 2),
    "torus": (torus, 2 * np.pi**2 * 7 * 3**2, 4 * np.pi**2 * 7 * 3, 0),
}


@pytest.mark.parametrize("name", BODIES)
def test_volume_area_and_holes_are_those_of_the_body(name):
    body, volume, area, characteristic = BODIES[name]
    vertices, faces = surface_net(distance_to(body))
    surface = Surface(vertices, faces)
    assert surface.volume == pytest.approx(volume, rel=0.05)
    assert surface.area == pytest.approx(area, rel=0.05)
    edges = len(faces) * 3 // 2
    assert len(vertices) - edges + len(faces) == characteristic  # Euler: 2 − 2 · holes


@pytest.mark.parametrize("name", BODIES)
def test_every_edge_belongs_to_two_triangles_that_run_opposite_ways(name):
    _, faces = surface_net(distance_to(BODIES[name][0]))
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    one_way = {tuple(edge) for edge in edges.tolist()}
    assert len(one_way) == len(edges)
    assert {(b, a) for a, b in one_way} == one_way


def test_triangles_run_anticlockwise_seen_from_outside():
    vertices, faces = surface_net(distance_to(ball))
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    outwards = (a + b + c) / 3 - 11.5
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), outwards) > 0).all()


@pytest.mark.parametrize("value", [-1.0, 1.0], ids=["nothing inside", "all inside"])
def test_without_a_change_of_sign_there_is_no_surface(value):
    vertices, faces = surface_net(np.full((4, 5, 6), value))
    assert (len(vertices), faces.shape) == (0, (0, 3))


def test_each_triangle_becomes_four_of_the_same_area_and_sense():
    vertices, faces = surface_net(distance_to(ball))
    finer, smaller, edges = subdivided(vertices, faces)
    assert len(smaller) == 4 * len(faces)
    assert np.array_equal(finer[: len(vertices)], vertices)
    assert np.allclose(finer[len(vertices) :], vertices[edges].mean(axis=1))
    assert Surface(finer, smaller).area == pytest.approx(Surface(vertices, faces).area)
    assert Surface(finer, smaller).volume == pytest.approx(Surface(vertices, faces).volume)
