"""Floating origins: which directions are free, and what keeps the weighted mean of the sites in place."""

import numpy as np
import pytest
from cctbx import crystal, sgtbx, xray
from qcrbox_refine.origin_fixing import OriginFixing
from scitbx import sparse

ATOMS = {"C1": ("C", (0.1, 0.2, 0.3)), "D1": ("D", (0.4, 0.5, 0.6)), "Fe1": ("Fe", (0.7, 0.8, 0.9))}
CHARGES = np.array([6, 1, 26])  # deuterium has the charge of hydrogen


@pytest.fixture
def structure_in():
    def make(symbol: str) -> xray.structure:
        info = sgtbx.space_group_info(symbol)
        made = xray.structure(
            crystal_symmetry=crystal.symmetry(
                unit_cell=info.any_compatible_unit_cell(volume=1000), space_group_info=info
            )
        )
        for label, (element, site) in ATOMS.items():
            made.add_scatterer(xray.scatterer(label, site=site, u=0.02, scattering_type=element))
        for scatterer in made.scatterers():
            scatterer.flags.set_grad_site(True)
        return made

    return make


class Equations:
    """Keeps the equations that are added."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, np.ndarray, float]] = []

    def add_equation(self, value, gradient, weight) -> None:
        self.rows.append((value, np.array(gradient), weight))


def gradients(fixing: OriginFixing, n_parameters: int) -> list[np.ndarray]:
    unit = sparse.matrix(n_parameters, n_parameters)
    for number in range(n_parameters):
        unit[number, number] = 1.0
    equations = Equations()
    fixing.add_to(equations, unit)
    assert [(value, weight) for value, _, weight in equations.rows] == [(0.0, 1.0)] * len(equations.rows)
    return [gradient for _, gradient, _ in equations.rows]


@pytest.mark.parametrize(
    ("symbol", "polar"),
    [
        ("P 1", {(1, 0, 0), (0, 1, 0), (0, 0, 1)}),
        ("P -1", set()),
        ("P 1 21 1", {(0, 1, 0)}),
        ("P 1 c 1", {(1, 0, 0), (0, 0, 1)}),
        ("P 21 21 21", set()),
        ("P n a 21", {(0, 0, 1)}),
        ("F d d 2", {(0, 0, 1)}),
        ("P 61", {(0, 0, 1)}),
        ("R 3 :H", {(0, 0, 1)}),
        ("R 3 :R", {(1, 1, 1)}),
        ("P 31 2 1", set()),
        ("P 21 3", set()),
    ],
)
def test_directions_without_an_origin_are_those_of_international_tables(structure_in, symbol, polar) -> None:
    structure = structure_in(symbol)
    fixing = OriginFixing(structure.space_group(), structure)
    assert {tuple(int(x) for x in direction) for direction in fixing.directions} == polar
    assert fixing.n_restraints == len(polar)


def test_the_equation_weighs_the_sites_by_the_squares_of_the_charges(structure_in) -> None:
    structure = structure_in("P 1 21 1")
    parameters = xray.parameter_map(structure.scatterers())
    (gradient,) = gradients(OriginFixing(structure.space_group(), structure), parameters.n_parameters)
    expected = np.zeros(parameters.n_parameters)
    for place, charge in zip(parameters, CHARGES, strict=True):
        expected[place.site + 1] = charge**2
    assert gradient == pytest.approx(expected, abs=1e-12)


def test_shifting_every_atom_alike_is_what_the_equation_forbids(structure_in) -> None:
    """Along the polar axis the residual of a common shift is the shift times the sum of the weights; else it is 0."""
    structure = structure_in("R 3 :R")
    parameters = xray.parameter_map(structure.scatterers())
    (gradient,) = gradients(OriginFixing(structure.space_group(), structure), parameters.n_parameters)
    for shift, expected in [((1, 1, 1), 3 * (CHARGES**2).sum()), ((1, -1, 0), 0.0), ((1, 1, -2), 0.0)]:
        common = np.zeros(parameters.n_parameters)
        for place in parameters:
            common[place.site : place.site + 3] = shift
        assert gradient @ common == pytest.approx(expected)


@pytest.mark.parametrize(
    ("symbol", "fixed", "left"),
    [
        ("P 1 21 1", [1], 0),
        ("P 1 21 1", [0, 2], 1),
        ("P 1", [0], 2),
        ("P 1", [0, 1, 2], 0),
        ("R 3 :R", [2], 0),
    ],
)
def test_a_coordinate_that_is_fixed_takes_the_place_of_the_restraint(
    structure_in, symbol, fixed, left
) -> None:
    structure = structure_in(symbol)
    assert OriginFixing(structure.space_group(), structure, fixed).n_restraints == left
