"""Wavefunctions, partitions and form factors, in the process with pyscf."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox_har.method import Charges, FormFactorRequest, Method, MoleculeInput

WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
HF = Method("hf", "sto-3g")
FRACTIONAL = np.eye(3) / 6
IDENTITY = np.eye(3, dtype=int)
HKL = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 2), (5, -3, 2), (0, -1, -2)])


def density(quantum, molecule=WATER, method=HF, number=1, partition="hirshfeld", rotation=IDENTITY, grid=3):
    settings = {"partition": partition, "basis": method.basis, "grid_level": grid}
    wanted = [(atom, rotation) for atom in range(len(molecule.symbols))]
    return quantum.call(
        "qcrbox_har.quantum.task:molecule_density",
        number,
        molecule,
        method,
        FormFactorRequest(settings, wanted, FRACTIONAL, HKL),
    )


@pytest.mark.parametrize("partition", ["hirshfeld", "iterative-hirshfeld", "mbis", "becke"])
def test_forward_form_factors_are_the_electrons(quantum, partition):
    factors, result = density(quantum, partition=partition)
    assert factors[:, 0].real == pytest.approx(result.electrons, abs=1e-5)
    assert result.total_electrons == pytest.approx(10, abs=1e-4)
    assert result.charges[0] < 0 < result.charges[1]


def test_friedel_mates_are_conjugate(quantum):
    factors, _ = density(quantum)
    assert factors[:, 2] == pytest.approx(factors[:, 4].conj(), abs=1e-6)


def test_form_factors_by_direct_summation(quantum):
    """The transform against the plain sum over the grid."""
    factors, reference = quantum.call("quantum_reference:direct", WATER, HF, FRACTIONAL, HKL)
    assert np.abs(factors - reference).max() < 1e-5


def test_a_symmetry_image_gives_the_form_factors_of_the_atom(quantum):
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turned = MoleculeInput(WATER.symbols, WATER.positions @ turn.T)
    straight, _ = density(quantum)
    image, _ = density(quantum, turned, rotation=turn, number=2)
    assert np.abs(straight - image).max() < 1e-3


def test_a_spherical_atom_has_the_form_factor_of_the_tables(quantum):
    """Neon by Hartree-Fock against International Tables, volume C."""
    neon = MoleculeInput(["Ne"], np.zeros((1, 3)))
    factors, _ = density(quantum, neon, Method("hf", "def2-tzvp"), number=3)
    s_squared = (HKL**2).sum(axis=1) / 6.0**2 / 4
    tabulated = [gemmi.Element("Ne").it92.calculate_sf(value) for value in s_squared]
    assert factors[0].real == pytest.approx(tabulated, abs=0.02)
    assert np.abs(factors[0].imag).max() < 1e-5


def test_the_next_round_begins_from_the_last_density(quantum):
    density(quantum, number=4)
    moved = MoleculeInput(
        WATER.symbols, WATER.positions + np.array([[0, 0, 0], [0, 0.005, 0], [0, 0, 0.005]])
    )
    _, second = density(quantum, moved, number=4)
    _, cold = density(quantum, moved, number=5)
    assert second.iterations < cold.iterations
    assert second.energy == pytest.approx(cold.energy, abs=1e-6)


@pytest.mark.slow
def test_densities_outlive_their_process(quantum, tmp_path):
    density(quantum, number=6)
    quantum.call("qcrbox_har.quantum.task:save", str(tmp_path / "kept.npz"))
    quantum.close()
    taken = quantum.call("qcrbox_har.quantum.task:restore", str(tmp_path / "kept.npz"), {6: WATER}, HF)
    assert taken == [6]
    assert density(quantum, number=6)[1].iterations <= 3


def test_a_density_of_another_molecule_is_not_taken(quantum, tmp_path):
    density(quantum, number=6)
    quantum.call("qcrbox_har.quantum.task:save", str(tmp_path / "kept.npz"))
    other = MoleculeInput(["O", "H"], WATER.positions[:2], charge=-1)
    path = str(tmp_path / "kept.npz")
    assert quantum.call("qcrbox_har.quantum.task:restore", path, {6: other}, HF) == []


def test_neighbours_polarise_the_molecule(quantum):
    _, alone = density(quantum, number=7)
    around = Charges(np.array([[0.0, 0, 3.0]]), np.array([-0.5]), np.array([[0.0, 0, 0.1]]))
    given = MoleculeInput(WATER.symbols, WATER.positions, surroundings=around)
    _, polarised = density(quantum, given, number=7)
    assert polarised.dipole[2] > alone.dipole[2] + 0.01


def test_an_open_shell_has_its_spin(quantum):
    oxygen = MoleculeInput(["O", "O"], np.array([[0.0, 0, 0], [0, 0, 1.21]]), multiplicity=3)
    _, result = density(quantum, oxygen, number=8)
    assert result.spin == pytest.approx([1, 1], abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("molecule", "method", "words"),
    [
        (MoleculeInput(["O", "H"], WATER.positions[:2]), HF, "cannot have multiplicity 1"),
        (WATER, Method("b97-nonsense", "sto-3g"), "no density functional"),
        (WATER, Method("hf", "no-such-basis"), "no all-electron functions"),
        (MoleculeInput(["I", "H"], np.array([[0.0, 0, 0], [0, 0, 1.6]])), Method("hf", "def2-svp"), "for I"),
    ],
    ids=["spin", "functional", "basis", "core potential"],
)
def test_what_cannot_be_computed_is_refused(quantum, molecule, method, words):
    with pytest.raises(UserInputError, match=words):
        density(quantum, molecule, method, number=9)


def test_hydrogen_distances_of_gfn2_are_those_of_neutrons(quantum):
    short = MoleculeInput(["C", "H", "H", "H", "H"], np.array([[0.0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.55)  # fmt: skip
    pairs = [(i, 0) for i in range(1, 5)]
    moved = quantum.call("qcrbox_har.quantum.task:hydrogen_distances", short, pairs)
    assert np.linalg.norm(moved[1:], axis=1) == pytest.approx([1.09] * 4, abs=0.015)


def test_a_child_that_dies_says_so_and_the_next_call_works(quantum):
    with pytest.raises(CalculationFailed, match="SIGKILL"):
        quantum.call("quantum_reference:die")
    assert density(quantum)[1].total_electrons == pytest.approx(10, abs=1e-4)


@pytest.mark.parametrize("basis", ["sto-3g", "def2-svp"])
def test_a_wavefunction_file_gives_the_same_form_factors_however_it_lies(quantum, tmp_path, basis):
    method, path = Method("hf", basis), str(tmp_path / "water.molden")
    turn = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
    quantum.call("quantum_reference:write_molden", WATER, method, path, turn)
    own, expected = density(quantum, method=method, number=20)
    settings = {"partition": "hirshfeld", "basis": basis, "grid_level": 3}
    wanted = [(atom, IDENTITY) for atom in range(3)]
    factors, result = quantum.call(
        "qcrbox_har.quantum.task:given_density",
        20,
        WATER,
        path,
        FormFactorRequest(settings, wanted, FRACTIONAL, HKL),
    )
    assert np.abs(factors - own).max() < 2e-3
    assert result.total_electrons == pytest.approx(10, abs=1e-4)
    assert result.charges == pytest.approx(expected.charges, abs=1e-3)
    assert result.dipoles == pytest.approx(expected.dipoles, abs=1e-3)


def test_a_wavefunction_file_of_another_molecule_is_refused(quantum, tmp_path):
    path = str(tmp_path / "water.molden")
    quantum.call("quantum_reference:write_molden", WATER, HF, path, np.eye(3))
    other = MoleculeInput(["O", "H"], WATER.positions[:2], charge=-1)
    arguments = (1, other, path, FormFactorRequest({}, [], FRACTIONAL, HKL))
    with pytest.raises(UserInputError, match="is of H2O"):
        quantum.call("qcrbox_har.quantum.task:given_density", *arguments)


def test_what_is_no_wavefunction_file_is_refused(quantum, tmp_path):
    path = tmp_path / "water.fchk"
    path.write_text("nothing of the kind\n")
    with pytest.raises(UserInputError, match="cannot be read"):
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))


def test_a_coarse_grid_loses_no_electrons(quantum):
    """Tetrafluoroethene: with its free atoms on the grid as well 1.5e-4 electrons are missing."""
    places = [[0, 0, 0.66], [0, 0, -0.66], *([0, y, z] for z in (1.38, -1.38) for y in (1.1, -1.1))]
    molecule = MoleculeInput(["C", "C", "F", "F", "F", "F"], np.array(places, dtype=float))
    assert abs(quantum.call("quantum_reference:electrons_off", molecule, HF, 1)) < 3e-5


def test_a_machine_has_a_speed(quantum):
    assert quantum.call("qcrbox_har.quantum.task:speed") > 1e6
