"""Charges and dipoles of the neighbours, as symmetry puts them."""

from __future__ import annotations

import numpy as np
import pytest
from crystals import structure
from qcrbox_har import molecules
from qcrbox_har.surroundings import Surroundings

# Hydrogen fluoride in a cell of 5 Å: the neighbours of a molecule are its translations.
HF = "F1 F 0.1 0.1 0.1\nH1 H 0.1 0.1 0.284\n"
CELL = (5, 5, 5, 90, 90, 90)


def around(rows: str = HF, radius: float = 5.5, **keywords):
    crystal = structure(rows, CELL, **keywords)
    molecule = molecules.plan(crystal).molecules[0]
    return crystal, Surroundings(crystal, molecule, radius)


def test_whole_molecules_within_the_radius_are_there_and_the_molecule_itself_is_not():
    crystal, found = around(radius=5.1)
    charges = found.at(crystal.sites.fract, np.array([-0.4, 0.4]), np.zeros((2, 3)))
    own = crystal.cell.to_cartesian(crystal.sites.fract)
    nearest = np.linalg.norm(charges.positions[:, None] - own, axis=2).min(axis=1)
    assert nearest.min() > 1.0
    assert len(found) % 2 == 0  # whole molecules
    assert charges.charges.sum() == pytest.approx(0)
    # The six along the axes, and those along z come nearer by the length of the bond.
    assert len(found) >= 12


def test_a_larger_radius_has_more_neighbours():
    assert len(around(radius=8.0)[1]) > len(around(radius=5.1)[1])


def test_neighbours_follow_newer_coordinates():
    crystal, found = around()
    charges, none = np.array([-0.4, 0.4]), np.zeros((2, 3))
    before = found.at(crystal.sites.fract, charges, none).positions
    after = found.at(crystal.sites.fract + np.array([0.0, 0.0, 0.01]), charges, none).positions
    assert after - before == pytest.approx(np.tile([0, 0, 0.05], (len(before), 1)))


def test_dipoles_turn_with_the_symmetry():
    """Across the screw axis along b, x and z change sign and y does not."""
    crystal, found = around(group="P 21")
    dipole = np.array([[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]])
    charges = found.at(crystal.sites.fract, np.array([-0.4, 0.4]), dipole)
    fluorine = charges.dipoles[charges.charges < 0]
    kinds = {tuple(np.round(row, 6)) for row in fluorine}
    assert kinds == {(0.1, 0.2, 0.3), (-0.1, 0.2, -0.3)}


def test_dipoles_turn_in_a_cell_that_is_not_orthogonal():
    """Lengths stay what they are, whatever the axes."""
    crystal = structure(HF, (5, 5, 7, 90, 90, 120), group="P 3")
    molecule = molecules.plan(crystal).molecules[0]
    found = Surroundings(crystal, molecule, 6.0)
    dipole = np.array([[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]])
    turned = found.at(crystal.sites.fract, np.array([-0.4, 0.4]), dipole).dipoles
    lengths = np.linalg.norm(turned, axis=1)
    assert lengths[lengths > 0.01] == pytest.approx(np.sqrt(0.14))
    assert turned[:, 2][lengths > 0.01] == pytest.approx(0.3)
