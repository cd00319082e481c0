"""Density matrices between two rounds, densities at points and first distances of hydrogen: known properties."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox_har.method import Method, MoleculeInput

HF = Method("hf", "sto-3g")
WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
STEP = np.array([[0.0, 0, 0], [0, 0.01, -0.005], [0, 0.004, 0.01]])
MOVED = MoleculeInput(WATER.symbols, WATER.positions + STEP)
OXYGEN = MoleculeInput(["O", "O"], np.array([[0.0, 0, 0], [0, 0, 1.21]]), multiplicity=3)


def call(quantum, name: str, *arguments):
    return quantum.call(f"field_reference:{name}", *arguments)


@pytest.mark.parametrize(
    ("molecule", "electrons"), [(WATER, 10), (OXYGEN, 16)], ids=["closed shell", "open shell"]
)
def test_a_density_keeps_its_electrons_and_idempotency_on_the_way(quantum, molecule, electrons):
    near = MoleculeInput(molecule.symbols, molecule.positions * 1.01, multiplicity=molecule.multiplicity)
    found = call(quantum, "carried", molecule, near, HF)
    assert found["electrons"] == pytest.approx(electrons, abs=1e-9)
    assert found["idempotency"] < 1e-9


def test_carried_orbitals_are_nearer_to_the_next_density_than_the_orthonormalised_basis(quantum):
    found = call(quantum, "carried", WATER, MOVED, HF)
    assert found["off"] < 0.7 * found["orthonormalised_off"]


def test_a_spin_without_electrons_is_carried(quantum):
    atom = MoleculeInput(["H"], np.zeros((1, 3)), multiplicity=2)
    near = MoleculeInput(["H"], np.array([[0.01, 0, 0]]), multiplicity=2)
    assert call(quantum, "carried", atom, near, HF)["electrons"] == pytest.approx(1)


@pytest.mark.parametrize(
    "other",
    [
        MoleculeInput(["O", "H"], WATER.positions[:2], charge=-1),
        MoleculeInput(["S", "H", "H"], WATER.positions),
        MoleculeInput(WATER.symbols, WATER.positions, charge=2),
        MoleculeInput(WATER.symbols, WATER.positions + np.array([[0, 0, 0], [0, 0, 0], [0.6, 0, 0]])),
    ],
    ids=["other atoms", "other elements", "other charge", "far away"],
)
def test_a_density_that_does_not_fit_is_not_carried(quantum, other):
    assert not call(quantum, "is_carried", WATER, other, HF)
    assert call(quantum, "is_carried", WATER, MOVED, HF)


def test_natural_orbitals_make_the_matrix_they_come_from(quantum):
    found = call(quantum, "orbitals_of", WATER, HF)
    assert found["off"] < 1e-9
    assert found["norm"] < 1e-9
    assert found["occupied"] == 5  # one for each pair of electrons


def test_a_matrix_with_negative_occupations_has_no_orbitals(quantum):
    assert call(quantum, "without_orbitals", WATER, HF)


def test_charges_and_dipoles_become_charges_with_the_same_moments(quantum):
    positions = np.array([[0.0, 0, 0], [3.0, 0, 1.0], [0.0, 4.0, 0.0]])
    charges, dipoles = np.array([0.4, -0.5, 0.1]), np.array([[0.1, -0.2, 0.05], [0, 0, 0], [0, 0, 0.3]])
    places, strengths = call(quantum, "point_charges", positions, charges, dipoles)
    assert len(strengths) == 3 + 2 * 2  # an atom without a dipole needs no pair
    assert strengths.sum() == pytest.approx(charges.sum())
    assert strengths @ places == pytest.approx(charges @ positions + dipoles.sum(axis=0))


def test_the_density_of_one_gaussian_is_that_of_the_formula(quantum):
    """|φ|² = (2α/π)^(3/2) exp(-2 α r²) with α = 0.5."""
    r = np.array([0.0, 0.3, 1.0, 2.5, 6.0])
    assert call(quantum, "hydrogen_1s", r) == pytest.approx(np.pi**-1.5 * np.exp(-(r**2)), rel=1e-9)


def test_a_difference_of_densities_keeps_its_sign(quantum):
    """Spin densities and changes of density have eigenvalues of both signs."""
    points = np.random.default_rng(3).uniform(-2, 3, (40, 3))
    ours, plain = call(quantum, "signed_density", points)
    assert plain.min() < 0 < plain.max()
    assert ours == pytest.approx(plain, abs=1e-10)


def test_deformation_moves_electrons_and_makes_none(quantum):
    hydrogen = MoleculeInput(["H", "H"], np.array([[0.0, 0, 0], [0, 0, 0.74]]))
    found = call(quantum, "deformation", hydrogen, Method("hf", "def2-svp"), 60)
    assert found["integral"] == pytest.approx(0, abs=2e-3)
    assert found["middle"] > 0.1  # the bond, e/Å³


ETHANE_LIKE = MoleculeInput(
    ["C", "H", "H", "H", "O", "H"],
    np.array(
        [
            [0.0, 0, 0], [0.9, 0.3, 0.1], [-0.5, 0.8, -0.1], [-0.3, -0.3, 0.85], [-0.2, -0.9, -1.05], [-0.9, -0.6, -1.5],
        ]
    ),
)  # fmt: skip
PAIRS = [(1, 0), (2, 0), (3, 0), (5, 4)]


def test_first_distances_change_lengths_and_nothing_else(quantum):
    start = ETHANE_LIKE.positions
    found = call(quantum, "distances", ETHANE_LIKE, PAIRS)
    assert found[[0, 4]] == pytest.approx(start[[0, 4]])
    for hydrogen, parent in PAIRS:
        before, after = start[hydrogen] - start[parent], found[hydrogen] - found[parent]
        assert np.cross(before, after) == pytest.approx(np.zeros(3), abs=1e-9)
        assert before @ after > 0


def test_first_distances_stay_near_those_of_neutrons(quantum):
    """Methyl 1.077 Å, hydroxyl 0.970 Å, each within 0.04 Å."""
    found = call(quantum, "distances", ETHANE_LIKE, PAIRS)
    lengths = [np.linalg.norm(found[hydrogen] - found[parent]) for hydrogen, parent in PAIRS]
    assert lengths[:3] == pytest.approx([1.077] * 3, abs=0.0401)
    assert lengths[3] == pytest.approx(0.970, abs=0.0401)


def test_without_hydrogen_nothing_moves(quantum):
    assert (call(quantum, "distances", OXYGEN, []) == OXYGEN.positions).all()
