"""Sums of free atoms: electrons counted, far ends, many points."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.density.promolecule import REACH, STEP, Promolecule, log_density
from qcrbox.contract.errors import UserInputError


@pytest.mark.parametrize(("element", "electrons"), [("H", 1), ("C", 6), ("O", 8), ("S", 16)])
def test_an_atom_holds_its_electrons(element, electrons):
    """∫ 4πr² ρ dr by the trapezoidal rule on a finer grid than the table's."""
    r = np.linspace(0.0005, REACH - 2 * STEP, 40_000)
    density = Promolecule([element], np.zeros((1, 3))).density(np.stack([r, 0 * r, 0 * r], axis=1))[0]
    assert np.trapezoid(4 * np.pi * r**2 * density, r) == pytest.approx(electrons, rel=0.02)


def test_deuterium_is_hydrogen():
    assert np.array_equal(log_density("D"), log_density("H"))


@pytest.mark.parametrize(("element", "named"), [("U", "U"), ("", "a site without element"), ("Qq", "Qq")])
def test_an_element_without_a_density_is_named(element, named):
    with pytest.raises(UserInputError, match=f"no free-atom density for {named}.*hydrogen to xenon"):
        log_density(element)


def test_the_sum_of_two_atoms_is_the_sum():
    places = np.array([[0.0, 0, 0], [1.2, 0, 0]])
    points = np.random.default_rng(1).uniform(-2, 3, (50, 3))
    both = Promolecule(["C", "O"], places).density(points)[0]
    one = Promolecule(["C"], places[:1]).density(points)[0]
    other = Promolecule(["O"], places[1:]).density(points)[0]
    assert both == pytest.approx(one + other)


def test_beyond_its_reach_an_atom_is_not_there():
    density, slope = Promolecule(["C"], np.zeros((1, 3))).density(
        np.array([[REACH, 0, 0], [100.0, 0, 0]]), gradient=True
    )
    assert not density.any()
    assert not slope.any()


def test_on_the_nucleus_the_gradient_is_finite():
    density, slope = Promolecule(["O"], np.zeros((1, 3))).density(np.zeros((1, 3)), gradient=True)
    assert density[0] > 0
    assert np.isfinite(slope).all()


def test_no_atoms_and_no_points_are_nothing():
    assert len(Promolecule([], np.zeros((0, 3)))) == 0
    assert Promolecule([], np.zeros((0, 3))).density(np.ones((2, 3)))[0].tolist() == [0, 0]
    assert Promolecule(["C"], np.zeros((1, 3))).density(np.zeros((0, 3)))[0].shape == (0,)
