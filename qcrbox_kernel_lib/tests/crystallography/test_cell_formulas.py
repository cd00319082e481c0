"""Cells of every crystal system against the formulae of textbooks (Int. Tables B, 1.1; Giacovazzo, table 2.1)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cctbx import uctbx
from hypothesis import assume, given
from hypothesis import strategies as st
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.cell import UnitCell, orthogonalisation_matrix, primitive_axes
from qcrbox.crystallography.space_group import SpaceGroup

HKL = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 2), (2, 3, -4), (-5, 1, 7)]


def cubic(h, k, l, a):  # noqa: E741
    return (h * h + k * k + l * l) / a**2


def tetragonal(h, k, l, a, c):  # noqa: E741
    return (h * h + k * k) / a**2 + l * l / c**2


def hexagonal(h, k, l, a, c):  # noqa: E741
    return 4 / 3 * (h * h + h * k + k * k) / a**2 + l * l / c**2


def orthorhombic(h, k, l, a, b, c):  # noqa: E741
    return h * h / a**2 + k * k / b**2 + l * l / c**2


def monoclinic(h, k, l, a, b, c, beta):  # noqa: E741
    s, x = math.sin(beta), math.cos(beta)
    return (h * h / a**2 + k * k * s * s / b**2 + l * l / c**2 - 2 * h * l * x / (a * c)) / s**2


def rhombohedral(h, k, l, a, alpha):  # noqa: E741
    x, s = math.cos(alpha), math.sin(alpha)
    above = (h * h + k * k + l * l) * s * s + 2 * (h * k + k * l + h * l) * (x * x - x)
    return above / (a**2 * (1 - 3 * x * x + 2 * x**3))


R = math.radians
SYSTEMS = {
    "cubic": ((5.64,) * 3 + (90,) * 3, lambda hkl: cubic(*hkl, 5.64), 5.64**3),
    "tetragonal": ((4.6, 4.6, 2.96, 90, 90, 90), lambda hkl: tetragonal(*hkl, 4.6, 2.96), 4.6**2 * 2.96),
    "hexagonal": (
        (4.9, 4.9, 5.4, 90, 90, 120),
        lambda hkl: hexagonal(*hkl, 4.9, 5.4),
        4.9**2 * 5.4 * math.sqrt(3) / 2,
    ),
    "orthorhombic": (
        (5, 7.9, 5.7, 90, 90, 90),
        lambda hkl: orthorhombic(*hkl, 5, 7.9, 5.7),
        5 * 7.9 * 5.7,
    ),
    "monoclinic": (
        (7.1, 11.3, 9.2, 90, 103.5, 90),
        lambda hkl: monoclinic(*hkl, 7.1, 11.3, 9.2, R(103.5)),
        7.1 * 11.3 * 9.2 * math.sin(R(103.5)),
    ),
    "rhombohedral": (
        (6.37, 6.37, 6.37, 46.1, 46.1, 46.1),
        lambda hkl: rhombohedral(*hkl, 6.37, R(46.1)),
        6.37**3 * math.sqrt(1 - 3 * math.cos(R(46.1)) ** 2 + 2 * math.cos(R(46.1)) ** 3),
    ),
}


@pytest.mark.parametrize(("parameters", "squared", "volume"), SYSTEMS.values(), ids=SYSTEMS)
def test_volume_and_spacings_by_the_formula_of_the_system(parameters, squared, volume):
    cell = UnitCell.from_values(parameters)
    assert cell.volume == pytest.approx(volume, rel=1e-12)
    assert cell.d_spacing(HKL) == pytest.approx([1 / math.sqrt(squared(hkl)) for hkl in HKL], rel=1e-12)


@pytest.mark.parametrize(("parameters", "squared", "volume"), SYSTEMS.values(), ids=SYSTEMS)
def test_the_volume_of_the_reciprocal_cell_is_the_inverse(parameters, squared, volume):
    cell = UnitCell.from_values(parameters)
    assert np.linalg.det(cell.reciprocal_metric) == pytest.approx(1 / volume**2)
    assert cell.fractionalisation @ cell.orthogonalisation == pytest.approx(np.eye(3), abs=1e-12)
    for axis in range(3):
        unit = np.eye(3, dtype=int)[axis]
        assert 1 / cell.d_spacing([unit])[0] == pytest.approx(cell.reciprocal_lengths[axis])


def test_the_origin_of_reciprocal_space_has_no_spacing():
    assert UnitCell.from_values((5, 5, 5, 90, 90, 90)).d_spacing([(0, 0, 0)]).tolist() == [math.inf]


# s.u. of the volume by hand: of a³ it is 3 a² σ, of a² c with σ(a), σ(c): sqrt((2 a c σa)² + (a² σc)²).
UNCERTAIN = {
    "cubic": ((5.0,) * 3 + (90,) * 3, (0.01,) * 3 + (None,) * 3, "cubic", 3 * 25 * 0.01),
    "tetragonal": (
        (4, 4, 6, 90, 90, 90),
        (0.01, 0.01, 0.02, None, None, None),
        "tetragonal",
        math.hypot(0.48, 0.32),
    ),
    "orthorhombic": (
        (4, 5, 6, 90, 90, 90),
        (0.01, 0.02, 0.03, None, None, None),
        "orthorhombic",
        math.sqrt(0.3**2 + 0.48**2 + 0.6**2),
    ),
    # V = a b c sin β: near 90° the angle does not matter, at 120° its part is V cot β σ(β).
    "monoclinic, 90°": ((4, 5, 6, 90, 90, 90), (0, 0, 0, None, 0.05, None), "monoclinic", 0.0),
    "monoclinic, 120°": (
        (4, 5, 6, 90, 120, 90),
        (0, 0, 0, None, 0.05, None),
        "monoclinic",
        120 * 0.5 * math.radians(0.05),
    ),
    "none given": ((4, 5, 6, 90, 90, 90), (None,) * 6, "orthorhombic", None),
    "triclinic without system": ((4, 5, 6, 90, 90, 90), (0.01,) + (None,) * 5, None, 0.3),
}


@pytest.mark.parametrize(("parameters", "su", "system", "expected"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_the_uncertainty_of_the_volume_by_hand(parameters, su, system, expected):
    found = UnitCell.from_values(parameters, su).volume_number(system).su
    if not expected:
        assert not found or found < 1e-6
    else:
        assert found == pytest.approx(expected, rel=1e-4)


def test_equal_parameters_of_a_rhombohedral_cell_move_together():
    """Trigonal on rhombohedral axes: three lengths are one, and three angles are one."""
    cell = UnitCell.from_values((6, 6, 6, 50, 50, 50), (0.01, None, None, 0.02, None, None))
    covariance = cell.covariance("trigonal")
    assert covariance[:3, :3] == pytest.approx(np.full((3, 3), 1e-4))
    assert covariance[3:, 3:] == pytest.approx(np.full((3, 3), 4e-4))
    assert covariance[:3, 3:] == pytest.approx(np.zeros((3, 3)))


LENGTHS = st.floats(2, 60)
ANGLES = st.floats(40, 140)


@given(LENGTHS, LENGTHS, LENGTHS, ANGLES, ANGLES, ANGLES)
def test_any_cell_agrees_with_cctbx(a, b, c, alpha, beta, gamma):
    parameters = (a, b, c, alpha, beta, gamma)
    try:
        matrix = orthogonalisation_matrix(parameters)
    except CifError:
        assume(False)
    assume(np.linalg.det(matrix) > 0.05 * a * b * c)
    reference, cell = uctbx.unit_cell(parameters), UnitCell.from_values(parameters)
    assert cell.parameters == pytest.approx(parameters, rel=2e-5)
    reference = uctbx.unit_cell(cell.parameters.tolist())
    assert cell.orthogonalisation.ravel() == pytest.approx(
        reference.orthogonalization_matrix(), rel=1e-6, abs=1e-6
    )
    assert cell.volume == pytest.approx(reference.volume(), rel=1e-9)
    point = np.array([0.3, -1.2, 7.7])
    assert cell.to_fractional(cell.to_cartesian(point)) == pytest.approx(point, abs=1e-9)
    squared = float(point @ cell.metric @ point)
    assert np.linalg.norm(cell.to_cartesian(point)) ** 2 == pytest.approx(squared)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_the_nearest_image_is_no_farther_than_any_of_its_neighbours(difference):
    cell = UnitCell.from_values((5, 6, 7, 70, 100, 125))
    nearest = cell.nearest(difference)
    assert (nearest - difference) == pytest.approx(np.rint(nearest - difference), abs=1e-9)
    shifts = np.array(np.meshgrid(*[range(-2, 3)] * 3)).reshape(3, -1).T
    others = np.linalg.norm(cell.to_cartesian(nearest + shifts), axis=1)
    assert np.linalg.norm(cell.to_cartesian(nearest)) <= others.min() + 1e-7


@pytest.mark.parametrize(
    "parameters",
    [
        (-1, 1, 1, 90, 90, 90),
        (1, 1, 0, 90, 90, 90),
        (math.nan, 1, 1, 90, 90, 90),
        (math.inf, 1, 1, 90, 90, 90),
        (1, 1, 1, math.nan, 90, 90),
        (1, 1, 1, 60, 60, 120),
        # Their cosines are those of cells that are possible.
        (1, 1, 1, -90, 90, 90),
        (1, 1, 1, 90, 270, 90),
        (1, 1, 1, 90, 90, -60),
        (1, 1, 1, -1e308, 90, 90),
        (1, 1, 1, 90, math.inf, 90),
        (1, 1, 1, 90, 90, 0),
        (1, 1, 1, 120, 120, 120),
        (1e200, 1e200, 1e200, 90, 90, 90),
    ],
    ids=str,
)
def test_what_encloses_no_volume_is_refused_with_its_numbers(parameters):
    with pytest.raises(CifError, match="encloses no volume") as caught:
        orthogonalisation_matrix(parameters)
    assert caught.value.next


@pytest.mark.parametrize("letter", list("PABCIFR"))
def test_the_volume_of_the_primitive_cell_is_that_of_the_cell_over_its_lattice_points(letter):
    """Lattice points in the cell: 1, 2 for A B C I, 3 for R on hexagonal axes, 4 for F."""
    symbol = {"P": "P 1", "A": "A 1", "B": "B 1", "C": "C 1", "I": "I 1", "F": "F 1", "R": "R 3"}[letter]
    group = SpaceGroup.from_hm(symbol)
    points = {"P": 1, "F": 4, "R": 3}.get(letter, 2)
    axes = primitive_axes(group.centring_vectors)
    assert abs(np.linalg.det(axes)) == pytest.approx(1 / points)
    for vector in group.centring_vectors:
        steps = np.array([float(part) for part in vector]) @ np.linalg.inv(axes)
        assert steps == pytest.approx(np.rint(steps), abs=1e-9)


def test_a_cell_on_other_axes_has_the_same_lattice():
    cell = UnitCell.from_values((5, 6, 7, 80, 95, 110))
    turned = cell.with_axes(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], float))
    assert turned.parameters == pytest.approx((6, 7, 5, 95, 110, 80))
    doubled = cell.with_axes(np.diag([2.0, 1, 1]))
    assert doubled.volume == pytest.approx(2 * cell.volume)


def test_a_cell_shows_its_parameters_as_they_are_written():
    shown = repr(UnitCell.from_values((5.1234, 6, 7, 90, 95.5, 90), (0.0012, None, None, None, 0.02, None)))
    assert shown == "<cell: a 5.1234(12), b 6, c 7 Å, α 90, β 95.50(2), γ 90°>"
