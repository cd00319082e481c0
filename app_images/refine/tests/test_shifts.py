"""Shifts of one step: their size in Å and Å², the name of what moves most, and steps that overshoot."""

import numpy as np
import pytest
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.extinction import Extinction
from qcrbox_refine.intensities import Corrections
from qcrbox_refine.shifts import largest_site_shift, largest_u_shift, parameter_name, without_overshoot
from qcrbox_refine.solvent_mask import BulkSolvent
from qcrbox_refine.twinning import Domains
from small_models import shelx_model

ATOMS = """C1 1 0.1 0.2 0.3 11 0.02 0.03 0.04 0.001 0.002 0.003
N1 3 0.3 0.4 0.2 11 0.03
O1 4 0.5 0.1 0.2 21 0.03"""


@pytest.fixture
def made():
    return parametrise(shelx_model(ATOMS))


def step_of(made, **named):
    """A step with these shifts; names have `_` for the blank."""
    names = made.reparametrisation.independent_names()
    step = np.zeros(len(names))
    for name, value in named.items():
        step[names.index(name.replace("_", " "))] = value
    return step


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ({"C1_x": 0.01}, 0.01 * 9.1),
        ({"C1_y": -0.02}, 0.02 * 10.3),
        ({"C1_x": 0.01, "N1_y": 0.02}, 0.02 * 10.3),
        # |0.01 a + 0.01 c|² = 0.01² (a² + c² + 2ac cos β)
        (
            {"O1_x": 0.01, "O1_z": 0.01},
            0.01 * np.sqrt(9.1**2 + 11.7**2 + 2 * 9.1 * 11.7 * np.cos(np.radians(101))),
        ),
        ({"N1_Uiso": 0.5, "FVAR_2": 0.3}, 0.0),
    ],
    ids=["along a", "along b", "the largest of two", "oblique", "no site moves"],
)
def test_the_largest_shift_of_a_site_is_in_angstrom(made, shifts, expected):
    assert largest_site_shift(made, step_of(made, **shifts)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ({"N1_Uiso": -0.02}, 0.02),
        # U* = U a*²; a* = 1 / (a sin β)
        ({"C1_U11": 1e-4}, 1e-4 * (9.1 * np.sin(np.radians(101))) ** 2),
        ({"C1_U22": 1e-4}, 1e-4 * 10.3**2),
        ({"C1_U12": 1.0}, 0.0),
        ({"C1_x": 0.3}, 0.0),
    ],
    ids=["isotropic", "U11", "U22", "off the diagonal", "a site"],
)
def test_the_largest_change_of_u_is_in_square_angstrom(made, shifts, expected):
    assert largest_u_shift(made, step_of(made, **shifts)) == pytest.approx(expected)


def test_each_parameter_has_the_name_of_its_atom(made):
    names = made.reparametrisation.independent_names()
    assert [parameter_name(made, k) for k in range(len(names))] == names
    assert names[0] == "FVAR 2"
    assert "C1 U33" in names


def test_corrections_are_named_behind_the_atoms(made):
    n = made.reparametrisation.n_independents
    corrections = Corrections(
        Domains("twin", [0.1, 0.2], [True, False]), Extinction(0.1), BulkSolvent(0.1, 2.0)
    )
    named = [parameter_name(made, n + k, corrections) for k in range(5)]
    assert named == ["BASF 1", "extinction", "SWAT g", "SWAT U", ""]
    assert parameter_name(made, n) == ""


@pytest.mark.parametrize(
    ("before", "step", "expected"),
    [
        (None, [1.0, 1.0], [1.0, 1.0]),
        ([1.0], [1.0, 1.0], [1.0, 1.0]),
        ([1.0, 0.0], [0.5, 0.3], [0.5, 0.3]),
        ([1.0, 0.0], [-0.2, 0.3], [-0.2, 0.3]),
        # Each step overshoots to -1 times the last one: half of it leads to the minimum.
        ([1.0, 0.0], [-1.0, 0.3], [-0.5, 0.3]),
        ([2.0, 0.0], [-6.0, 0.0], [-1.5, 0.0]),
    ],
    ids=["the first step", "another number of parameters", "onwards", "a little back", "back", "far back"],
)
def test_a_step_that_turns_back_is_shortened_along_the_last_one(before, step, expected):
    last = None if before is None else np.array(before)
    found = without_overshoot(np.array(step), last, np.ones(2))
    assert found == pytest.approx(expected)


def test_overshoot_is_judged_in_units_of_the_variances():
    """A large part of the step in a parameter that is hardly determined does not count as turning back."""
    before, step = np.array([1.0, 10.0]), np.array([0.5, -10.0])
    assert without_overshoot(step, before, np.array([1.0, 1e6])) == pytest.approx(step)
    assert without_overshoot(step, before, np.array([1e6, 1.0]))[1] == pytest.approx(-5.0, rel=1e-3)


@pytest.mark.parametrize("overshoot", [1.5, 2.0, 3.0])
def test_steps_that_overshoot_reach_the_minimum(overshoot):
    """x'= x - overshoot · x: at 2 and more it never gets there by itself."""
    x, last = 1.0, None
    for _ in range(12):
        last = without_overshoot(np.array([-overshoot * x]), last, np.ones(1))
        x += float(last[0])
    assert abs(x) < 1e-3
