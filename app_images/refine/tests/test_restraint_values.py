"""What restraints compare: distances, planes and volumes of symmetry equivalents and residues, by plain coordinates."""

import numpy as np
import pytest
from cctbx import uctbx
from qcrbox_refine.constraints import parametrise
from small_models import restraint_derivatives, shelx_model

CELL = (9.1, 10.3, 11.7, 90, 101, 90)
ATOMS = """C1 1 0.20 0.30 0.10 11 0.03
C2 1 0.32 0.36 0.17 11 0.03
N1 3 0.44 0.29 0.24 11 0.03
O1 4 0.55 0.35 0.30 11 0.03
RESI 2 ABC
C1 1 0.10 0.70 0.50 11 0.03
C2 1 0.22 0.76 0.53 11 0.03
RESI 3 ABC
C1 1 0.80 0.15 0.76 11 0.03
C2 1 0.90 0.20 0.84 11 0.03
RESI 0"""
SITES = {
    "C1": (0.20, 0.30, 0.10),
    "C2": (0.32, 0.36, 0.17),
    "N1": (0.44, 0.29, 0.24),
    "O1": (0.55, 0.35, 0.30),
    "C1_2": (0.10, 0.70, 0.50),
    "C2_2": (0.22, 0.76, 0.53),
    "C1_3": (0.80, 0.15, 0.76),
    "C2_3": (0.90, 0.20, 0.84),
}
# P 21/c; $1 is a centre, $2 the glide plane.
GROUP = {"latt": 1, "symm": ("-x, 0.5+y, 0.5-z",)}
EQIV = ("EQIV $1 1-x, 1-y, 1-z", "EQIV $2 x-1, 0.5-y, z-0.5")


def place(name):
    """Cartesian coordinates of an atom, `C1_2` with its residue, `C1_$1` with its operation."""
    label, _, operation = name.partition("_$")
    x, y, z = SITES[label]
    moved = {"": (x, y, z), "1": (1 - x, 1 - y, 1 - z), "2": (x - 1, 0.5 - y, z - 0.5)}[operation]
    return np.array(uctbx.unit_cell(CELL).orthogonalize(moved))


def length(first, second):
    return float(np.linalg.norm(place(first) - place(second)))


def volume(o, a, b, c):
    return float(np.dot(place(a) - place(o), np.cross(place(b) - place(o), place(c) - place(o))))


def residuals(line, **options):
    model = shelx_model(ATOMS, *EQIV, line, **GROUP, **options)
    made = parametrise(model)
    assert model.left_out == []
    _, equations = made.restraints.equations(made.structure, made.reparametrisation.parameter_map())
    return [(equation.residual, equation.sigma) for equation in equations]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DFIX 1.5 C1 C2", [(length("C1", "C2") - 1.5, 0.02)]),
        ("DFIX 1.5 0.01 C1 C2_$1", [(length("C1", "C2_$1") - 1.5, 0.01)]),
        ("DFIX 1.5 C1_$1 C2_$1", [(length("C1", "C2") - 1.5, 0.02)]),
        ("DFIX 1.5 C1_$1 C2_$2", [(length("C1_$1", "C2_$2") - 1.5, 0.02)]),
        ("DFIX 1.5 C1_2 C2_3", [(length("C1_2", "C2_3") - 1.5, 0.02)]),
        ("DFIX_2 1.5 C1 C2", [(length("C1_2", "C2_2") - 1.5, 0.02)]),
        ("DFIX_ABC 1.5 C1 C2", [(length("C1_2", "C2_2") - 1.5, 0.02), (length("C1_3", "C2_3") - 1.5, 0.02)]),
        ("DFIX_2 1.5 C1 C1_+", [(length("C1_2", "C1_3") - 1.5, 0.02)]),
        ("DFIX_3 1.5 C1 C1_-", [(length("C1_2", "C1_3") - 1.5, 0.02)]),
        ("DANG 2.5 C1 N1_$1", [(length("C1", "N1_$1") - 2.5, 0.04)]),
        # 21.5 is 1.5 times free variable 2, and -41.5 is 1.5 times 1 - free variable 4.
        ("DFIX 21.5 C1 C2", [(length("C1", "C2") - 1.5 * 0.6, 0.02)]),
        ("DFIX -41.5 C1 C2", [(length("C1", "C2") - 1.5 * (1 - 0.25), 0.02)]),
        ("SADI C1 C2 N1 O1_$1", [(length("C1", "C2") - length("N1", "O1_$1"), 0.02)]),
        ("SADI 0.03 C1 C2_$2 C1 N1", [(length("C1", "N1") - length("C1", "C2_$2"), 0.03)]),
        ("SADI_ABC C1 C2", [(length("C1_2", "C2_2") - length("C1_3", "C2_3"), 0.02)]),
        ("FLAT C1 C2 N1 O1", [(volume("C1", "C2", "N1", "O1"), 0.1)]),
        ("FLAT C1 C2 C1_$1 C2_$1", [(volume("C1", "C2", "C1_$1", "C2_$1"), 0.1)]),
        ("FLAT 0.05 C1 C2 N1 O1_$2", [(volume("C1", "C2", "N1", "O1_$2"), 0.05)]),
        ("FLAT C1_2 C2_2 C1 C2", [(volume("C1_2", "C2_2", "C1", "C2"), 0.1)]),
        (
            "FLAT C1 > N1 O1 C1_$1",
            [(volume("C1", "C2", "N1", "O1"), 0.1), (volume("C2", "N1", "O1", "C1_$1"), 0.1)],
        ),
    ],
)
def test_a_restraint_compares_the_atoms_that_it_names(line, expected):
    found = residuals(line)
    assert sorted((abs(residual), sigma) for residual, sigma in found) == [
        pytest.approx(pair) for pair in sorted((abs(residual), sigma) for residual, sigma in expected)
    ]


def test_the_sum_of_free_variables_has_its_coefficients():
    # 0.5 · 0.6 + 2 · 0.25 - 1 = -0.2
    assert residuals("SUMP 1.0 0.01 0.5 2 2.0 4") == [(pytest.approx(-0.2), 0.01)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("DFIX 1.5 C1 C2_$9", "There is no EQIV $9."),
        ("SIMU C1 C2_$1", "Symmetry equivalents (C2) have no parameters of their own."),
        ("SAME C1 C2_$1", "Symmetry equivalents (C2) have no parameters of their own."),
        ("DFIX_7 1.5 C1 C2", "There is no atom C1 in residue 7."),
        ("FLAT C1 C2 N1", "A plane needs four atoms or more."),
        ("SADI C1 C2 N1", "The atoms are not pairs."),
    ],
)
def test_a_restraint_on_atoms_that_are_not_there_is_named(line, why):
    model = shelx_model(ATOMS, *EQIV, line, **GROUP)
    parametrise(model)
    assert [(entry.text, entry.why) for entry in model.left_out] == [(line, why)]


def test_an_operation_that_the_crystal_does_not_have_is_named():
    """A restraint on the distance to it would pull an atom towards a place without an atom."""
    model = shelx_model(ATOMS, "EQIV $1 0.5+x, y, z", "DFIX 1.5 C1 C2_$1", **GROUP)
    parametrise(model)
    assert "is no operation of P 1 21/c 1" in model.left_out[0].why


@pytest.mark.parametrize(
    "line",
    [
        "DFIX 1.5 0.01 C1 C1_$1",
        "DFIX 1.5 C1_$1 C2_$2",
        "DFIX 1.5 S1 C1_$1",
        "SADI C1 C1_$1 C2 N1_$2",
        "SADI S1 C1 S1 N1_$1",
        "FLAT C1 C2 C1_$1 C2_$1",
        "FLAT S1 C1 C2_$2 N1",
        "DANG 2.5 C1 N1_$1",
        "SIMU 0.02 0.04 20 S1 C1 N1",
        "ISOR S1",
        "DELU S1 C1",
    ],
)
def test_derivatives_of_restraints_on_images_and_special_positions_are_those_of_differences(line):
    """S1 lies on the centre of $1: its site is fixed, its tensor is free."""
    special = "\nS1 5 0.5 0.5 0.5 10.5 0.02 0.03 0.04 0.001 0.002 0.003\n"
    atoms = ATOMS.replace("RESI 2 ABC", special + "RESI 2 ABC", 1).replace(
        "C1 1 0.20 0.30 0.10 11 0.03", "C1 1 0.40 0.42 0.44 11 0.02 0.03 0.025 0.001 0.004 0.002", 1
    )
    model = shelx_model(atoms, *EQIV, line, elements="C H N O S", **GROUP)
    made = parametrise(model)
    assert model.left_out == []
    # The line between the atoms counts as constant in DELU.
    moved = [
        not line.startswith("DELU") or " U" in name for name in made.reparametrisation.independent_names()
    ]
    used, quotients = restraint_derivatives(made)
    assert quotients[moved] == pytest.approx(used[moved], abs=1e-4 * max(1.0, np.abs(used).max()))
    assert np.abs(used).max() > 0
