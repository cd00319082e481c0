"""Planes: closed forms, invariance under motion and order, and atoms that span none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.geometry import (
    has_torsion,
    least_squares_plane,
    plane_angle,
    plane_deviation,
    span_a_plane,
    torsion,
)

LINE = [
    ("C1", "C", 0.1, 0.1, 0.1),
    ("C2", "C", 0.2, 0.2, 0.2),
    ("C3", "C", 0.35, 0.35, 0.35),
    ("N1", "N", 0.5, 0.1, 0.2),
]


def turned(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 12))
def test_a_plane_does_not_depend_on_place_direction_and_order(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 3)) * [3, 2, 0.2]
    order, rotation, shift = rng.permutation(count), turned(seed), rng.normal(size=3) * 10
    here, there = least_squares_plane(points), least_squares_plane((points @ rotation.T + shift)[order])
    assert there.rms == pytest.approx(here.rms)
    assert np.abs(there.deviations) == pytest.approx(np.abs(here.deviations[order]))
    assert abs(there.normal @ (rotation @ here.normal)) == pytest.approx(1)
    assert there.centroid == pytest.approx(rotation @ here.centroid + shift)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_other_plane_is_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(7, 3)) * [3, 2, 0.3]
    plane = least_squares_plane(points)
    for _ in range(20):
        normal = plane.normal + rng.normal(size=3) * 0.05
        normal /= np.linalg.norm(normal)
        away = (points - plane.centroid) @ normal + rng.normal() * 0.05
        assert np.sqrt((away**2).mean()) >= plane.rms - 1e-12


@pytest.mark.parametrize("degrees", [0.0, 12.5, 60.0, 90.0, 150.0])
def test_two_planes_have_the_angle_that_they_were_turned_by(degrees: float) -> None:
    square = np.array([[0, 0, 0], [1.4, 0, 0], [1.4, 1.4, 0], [0, 1.4, 0]], dtype=float)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    other = square @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T + [3, 1, 2]
    value, _ = plane_angle(4)(np.concatenate([square, other])[None])
    assert value[0] == pytest.approx(min(degrees, 180 - degrees), abs=1e-6)


def test_an_atom_above_a_square_shares_its_height_with_the_others() -> None:
    """Height h above the middle of a square: it lies 4h/5 above the plane, the corners h/5 below."""
    corners = np.array([[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0], [0, 0, 0.5]], dtype=float)
    plane = least_squares_plane(corners)
    assert plane.deviations[4] == pytest.approx(0.4)
    assert plane.deviations[:4] == pytest.approx(-0.1)
    value, gradient = plane_deviation(4)(corners[None])
    assert value[0] == pytest.approx(0.4)
    assert gradient[0, 4, 2] == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(
    "normal", [(0, 0, 1), (1, -1, 0), (-1, 1, 0), (1, 1, -1), (1, -2, 2)], ids=lambda n: " ".join(map(str, n))
)
def test_the_gradient_of_a_deviation_turns_with_the_plane(normal: tuple[int, int, int]) -> None:
    """Two components of the normal may be equally large: which way it points must not change within a derivative."""
    z = np.array(normal) / np.linalg.norm(normal)
    x = np.cross(z, [0.3, 0.5, 0.8])
    x /= np.linalg.norm(x)
    axes = np.array([x, np.cross(z, x), z])
    corners = np.array([[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0], [0, 0, 0.5]], dtype=float)
    value, gradient = plane_deviation(4)((corners @ axes)[None])
    assert abs(value[0]) == pytest.approx(0.4)
    along = gradient[0] @ z * np.sign(value[0]) * np.sign((corners @ axes)[4] @ z)
    assert along == pytest.approx([-0.2, -0.2, -0.2, -0.2, 0.8], abs=1e-6)
    assert gradient[0] - np.outer(gradient[0] @ z, z) == pytest.approx(0, abs=0.1)


def test_planes_that_a_centre_makes_parallel_have_no_angle_and_no_su() -> None:
    rng = np.random.default_rng(4)
    ring = rng.normal(size=(5, 3)) * [2, 2, 0.1]
    value, gradient = plane_angle(5)(np.concatenate([ring, [3, 4, 5] - ring])[None])
    assert value[0] == pytest.approx(0, abs=1e-12)
    assert gradient == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(
    ("points", "spans"),
    [
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], True),
        ([[0, 0, 0], [1.5, 0, 0], [3.0, 0.1, 0]], True),  # an angle of 176°
        ([[0, 0, 0], [1.5, 0, 0], [3.0, 0.0, 0]], False),
        ([[0, 0, 0], [1, 1, 1], [2.5, 2.5, 2.5], [-1, -1, -1]], False),
        ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], False),
        ([[0, 0, 0], [1, 0, 0]], False),
        ([], False),
    ],
)
def test_points_on_a_line_span_no_plane(points: list[list[float]], spans: bool) -> None:
    assert span_a_plane(np.array(points, dtype=float).reshape(-1, 3)) is spans


def test_a_plane_of_atoms_on_a_line_is_refused(cif) -> None:
    """The normal was any direction across the line."""
    structure = Structure.from_cif(cif(sites=LINE))
    with pytest.raises(UserInputError, match="lie on a line"):
        structure.plane("C1", "C2", "C3")
    with pytest.raises(UserInputError, match="needs three atoms"):
        structure.plane("C1", "C2")
    assert structure.plane("C1", "C2", "N1").rms == pytest.approx(0, abs=1e-12)


CHAIN = [
    ("C1", "C", 0.1, 0.1, 0.1),
    ("C2", "C", 0.25, 0.1, 0.1),
    ("N1", "N", 0.37, 0.1, 0.1),
    ("O1", "O", 0.5, 0.2, 0.1),
]


@pytest.mark.parametrize(
    "atoms", [("C1", "C2", "N1", "O1"), ("O1", "N1", "C2", "C1"), ("C1", "O1", "N1", "C1")]
)
def test_a_torsion_about_atoms_on_a_line_is_refused(cif, atoms: tuple[str, ...]) -> None:
    """C-C≡N in front of O: 0.0000° was the answer; of an atom named twice 0° is right."""
    structure = Structure.from_cif(cif(sites=CHAIN))
    if atoms[0] == atoms[-1]:
        assert structure.torsion(*atoms).value == pytest.approx(0, abs=1e-4)
        return
    with pytest.raises(UserInputError, match="torsion angle is not determined"):
        structure.torsion(*atoms)


@pytest.mark.parametrize(("bend", "defined"), [(0.0, False), (1e-6, False), (0.05, True), (0.5, True)])
def test_a_torsion_needs_an_angle_on_both_sides(bend: float, defined: bool) -> None:
    points = np.array([[0, bend, 0], [1.5, 0, 0], [2.7, 0, 0], [3.5, 0, 1.0]], dtype=float)
    assert has_torsion(points) is defined
    assert has_torsion(points[::-1]) is defined
    if defined:
        assert abs(torsion(points[None])[0][0]) == pytest.approx(90)
