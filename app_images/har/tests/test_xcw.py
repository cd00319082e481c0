"""X-ray constrained wavefunctions: transforms, slope, limits, and a fit whose answer is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from crystals import structure
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import xcw
from qcrbox_har.form_factors import Computer
from qcrbox_har.method import Charges, Method, MoleculeInput
from qcrbox_har.molecules import plan
from qcrbox_har.options import Options

WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
HF = Method("hf", "sto-3g")
HKL = np.array([h for h in itertools.product(range(-3, 4), range(4), range(4)) if any(h)])


@pytest.mark.parametrize("u", [0.0, 0.02])
def test_structure_factors_are_the_transform_of_the_density(quantum, u):
    """With one displacement for all atoms the mean of two is exact, so the grid gives the same."""
    analytic, by_grid = quantum.call("quantum_reference:structure_factors", WATER, HF, HKL[::9], u)
    assert np.abs(analytic - by_grid).max() < 1e-3


def test_the_operator_is_the_slope_of_chi_squared(quantum):
    operator, differences = quantum.call("quantum_reference:slope_of_chi_squared", WATER, HF, HKL, 5)
    assert operator == pytest.approx(differences, rel=1e-5)


@pytest.fixture(scope="module")
def scan(quantum):
    around = Charges(np.array([[0.0, 0.0, 3.0]]), np.array([-0.8]), np.zeros((1, 3)))
    strengths = [0.0005, 0.002, 0.01]
    arguments = (WATER, Method("hf", "6-31g"), around, HKL, strengths)
    return quantum.call("quantum_reference:fit_to_polarised", *arguments)


def test_without_a_constraint_it_is_the_plain_field(scan):
    energy, steps, _ = scan
    assert steps[0].energy == pytest.approx(energy, abs=1e-7)


def test_chi_squared_falls_and_the_energy_rises_with_the_strength(scan):
    _, steps, _ = scan
    chi = [step.chi_squared for step in steps]
    assert all(later < earlier for earlier, later in itertools.pairwise(chi))
    energies = [step.energy for step in steps]
    assert all(later > earlier for earlier, later in itertools.pairwise(energies))
    assert [step.strength for step in steps] == [0.0, 0.0005, 0.002, 0.01]


def test_the_fit_finds_the_polarisation_that_made_the_data(scan):
    _, steps, dipole = scan
    before, after = (np.linalg.norm(np.array(step.dipole) - dipole) for step in (steps[0], steps[-1]))
    assert after < 0.6 * before
    assert sum(steps[-1].charges) == pytest.approx(0, abs=1e-3)


def test_the_scale_of_the_data_is_found(scan):
    _, steps, _ = scan
    assert steps[-1].scale == pytest.approx(7, rel=0.01)


def test_a_crystal_with_symmetry_gives_the_structure_factors_of_its_atoms(quantum, urea_cif):
    """A molecule on its special position: analytic transforms of the cell against the sum over Hirshfeld atoms, at rest."""
    crystal = Structure.from_cif(urea_cif)
    molecule = xcw.sole_molecule(crystal)
    hkl = np.array([(1, 1, 0), (1, 0, 1), (2, 1, 1), (3, 2, 1), (0, 0, 2), (4, 1, -3)])
    rotations, translations = crystal.space_group.rotations, crystal.space_group.translations
    rows = np.unique(np.concatenate([hkl @ r for r in rotations]), axis=0)
    table = Computer(crystal, plan(crystal), HF, quantum).table(crystal.sites.fract, rows)
    place = {tuple(h): k for k, h in enumerate(rows.tolist())}
    expected = np.zeros(len(hkl), dtype=complex)
    multiplicity = crystal.images.symmetry.multiplicity[table.site] / len(rotations)
    for rotation, translation in zip(rotations, translations, strict=True):
        image = hkl @ rotation
        factors = table.values[[place[tuple(h)] for h in image.tolist()]]
        phase = np.exp(
            2j * np.pi * (image @ crystal.sites.fract[table.site].T + (hkl @ translation)[:, None])
        )
        expected += (factors * phase) @ multiplicity
    given = MoleculeInput(molecule.symbols, crystal.cell.to_cartesian(molecule.fract(crystal)))
    parts = {
        "rotations": rotations,
        "translations": translations,
        "share": molecule.copies / len(rotations),
        "fractional": crystal.cell.fractionalisation,
        "u_star": np.zeros((len(molecule.symbols), 3, 3)),
    }
    found = quantum.call("quantum_reference:structure_factors_of_crystal", given, HF, parts, hkl)
    assert np.abs(found - expected).max() < 5e-3


def test_displacements_follow_the_operation_and_isotropic_ones_are_spheres(urea_cif):
    crystal = Structure.from_cif(urea_cif)
    molecule = xcw.sole_molecule(crystal)
    star = xcw.displacements(crystal, molecule)
    h = np.array([2.0, -1.0, 3.0])
    s_squared = 1 / (4 * crystal.cell.d_spacing(h[None])[0] ** 2)
    for atom, symbol in enumerate(molecule.symbols):
        if symbol == "H":
            # exp(-8 π² U s²) = exp(-2 π² h U* h)
            assert h @ star[atom] @ h == pytest.approx(4 * 0.030 * s_squared, rel=1e-6)
    nitrogen = [k for k, label in enumerate(molecule.labels) if label == "N1"]
    assert len(nitrogen) == 2
    first, second = (star[k] for k in nitrogen)
    assert np.linalg.det(first) == pytest.approx(np.linalg.det(second))
    assert first[0, 2] == pytest.approx(-second[0, 2])  # the two sides of the twofold axis


def test_dispersion_of_one_atom_is_its_number_times_the_temperature_factor():
    crystal = structure("Br1 Br 0 0 0 0.02\n", columns=("U_iso_or_equiv",))
    hkl = np.array([(0, 0, 0), (2, 0, 0), (1, 2, 3)])
    found = xcw.dispersion(crystal, hkl, {"Br": -0.3 + 2.5j})
    damping = np.exp(-2 * np.pi**2 * 0.02 * (hkl**2).sum(axis=1) / 100)
    assert found == pytest.approx((-0.3 + 2.5j) * damping)


def test_dispersion_of_a_special_position_counts_each_atom_once():
    """An atom on the inversion centre: one in the cell, not two."""
    crystal = structure("Br1 Br 0 0 0 0\n", group="P -1", columns=("U_iso_or_equiv",))
    assert xcw.dispersion(crystal, np.array([(1, 1, 1)]), {"Br": 1 + 1j}) == pytest.approx([1 + 1j])


def test_amplitudes_leave_out_weak_and_negative_reflections():
    kept, f, sigma = xcw.amplitudes(np.array([100.0, 4.0, -3.0, 0.5]), np.array([2.0, 1.0, 1.0, 1.0]), 3.0)
    assert kept.tolist() == [True, True, False, False]
    assert f == pytest.approx([10, 2])
    assert sigma == pytest.approx([0.1, 0.25])


def test_several_molecules_are_refused_by_name():
    rows = "O1 O 0 0 0\nH1 H 0.0757 0.0587 0\nH2 H -0.0757 0.0587 0\nNe1 Ne 0.5 0.5 0.5\n"
    with pytest.raises(UserInputError, match="2 wavefunctions") as error:
        xcw.sole_molecule(structure(rows))
    assert "H2O" in str(error.value)


def test_a_fit_beyond_the_memory_is_refused():
    xcw.refuse_beyond_memory(50, 1000, 8 * 10**9)
    with pytest.raises(UserInputError, match=r"GB of memory, and there are 8\.0 GB"):
        xcw.refuse_beyond_memory(1000, 10_000, 8 * 10**9)


def test_open_shells_are_refused(quantum):
    oxygen = structure("O1 O 0 0 0\nO2 O 0.121 0 0\n")
    options = Options(functional="hf", basis="sto-3g", multiplicities="1: 3")
    with pytest.raises(UserInputError, match="unpaired electrons"):
        xcw.fit(oxygen, {}, options, xcw.Scan(), quantum)
