"""Sharing of densities, Fourier transforms and free atoms, against answers known beforehand."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_har.method import MoleculeInput

SCHEMES = ["hirshfeld", "iterative-hirshfeld", "mbis", "becke"]
PAIR = [[0.0, 0.0, -0.7], [0.0, 0.0, 0.7]]


def reference(quantum, name: str, *arguments, **keywords):
    return quantum.call(f"partition_reference:{name}", *arguments, **keywords)


@pytest.mark.parametrize("scheme", ["hirshfeld", "becke"])
def test_shares_are_between_0_and_1_and_add_up_to_1(quantum, scheme):
    points = np.random.default_rng(1).normal(0, 2, (200, 3))
    shares = reference(quantum, "shares_of", scheme, ["O", "H"], PAIR, points)
    assert shares.min() >= 0
    assert shares.sum(axis=0) == pytest.approx(np.ones(200), abs=1e-9)


@pytest.mark.parametrize("scheme", ["hirshfeld", "becke"])
def test_equal_atoms_share_the_plane_between_them_equally(quantum, scheme):
    points = np.array([[x, y, 0.0] for x in (0.0, 0.5, 1.0) for y in (0.0, 0.7)])
    shares = reference(quantum, "shares_of", scheme, ["H", "H"], PAIR, points)
    assert shares == pytest.approx(np.full((2, 6), 0.5))


@pytest.mark.parametrize("scheme", ["hirshfeld", "becke"])
def test_at_a_nucleus_everything_belongs_to_it(quantum, scheme):
    far = [[0.0, 0.0, -4.0], [0.0, 0.0, 4.0]]
    shares = reference(quantum, "shares_of", scheme, ["O", "O"], far, np.array(far))
    assert np.diag(shares) == pytest.approx([1, 1], abs=1e-3)


def test_hirshfeld_of_a_sum_of_free_atoms_gives_the_free_atoms_back(quantum):
    """Stockholders of exactly what they put in: 8 and 1 electrons."""
    found = reference(quantum, "electrons_of", "hirshfeld", ["O", "H"], [[0.0, 0, 0], [0.0, 0, 1.8]])
    assert found == pytest.approx([8, 1], abs=2e-3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_electron_is_lost_or_counted_twice(quantum, scheme):
    found = reference(quantum, "electrons_of", scheme, ["O", "H"], [[0.0, 0, 0], [0.0, 0, 1.8]])
    assert found.sum() == pytest.approx(9, abs=2e-3)
    assert found.min() > 0


def test_iterative_hirshfeld_of_free_atoms_has_no_charges(quantum):
    found = reference(
        quantum, "electrons_of", "iterative-hirshfeld", ["O", "H"], [[0.0, 0, 0], [0.0, 0, 1.8]]
    )
    assert found == pytest.approx([8, 1], abs=3e-3)


def test_the_boundary_of_becke_cells_moves_towards_the_smaller_atom(quantum):
    middle = np.array([[0.0, 0.0, 0.0]])
    shares = reference(quantum, "shares_of", "becke", ["C", "H"], PAIR, middle)
    assert shares[0, 0] > 0.5


WIDTH, CELL = 1.1, 9.0
HKL = np.array([(0, 0, 0), (1, 0, 0), (2, -1, 1), (0, 3, 0), (-4, 2, 1)])


def test_the_transform_of_a_gaussian_is_a_gaussian(quantum):
    found = reference(quantum, "transform_of_gaussian", WIDTH, CELL, HKL)
    expected = 1.5 * np.exp(-2 * np.pi**2 * WIDTH**2 * (HKL**2).sum(axis=1) / CELL**2)
    assert found.real == pytest.approx(expected, abs=1e-6)
    assert np.abs(found.imag).max() < 1e-6


def test_no_reflections_have_no_form_factors(quantum):
    assert reference(quantum, "transform_of_gaussian", WIDTH, CELL, np.zeros((0, 3), int)).shape == (0,)


@pytest.mark.parametrize(
    "rotation",
    [
        [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
        [[0, -1, 0], [1, -1, 0], [0, 0, 1]],
        [[0, 1, 0], [1, 0, 0], [0, 0, -1]],
    ],
    ids=["twofold", "threefold", "twofold along ab"],
)
def test_indices_of_an_image_keep_the_phase(quantum, rotation):
    """(h R⁻¹)·(R x) = h·x for every x, in hexagonal axes too."""
    hkl = np.array([(1, 2, 3), (-4, 0, 5)])
    x = np.array([0.11, 0.23, 0.37])
    turned = reference(quantum, "image_indices", hkl, np.array(rotation))
    assert turned @ (np.array(rotation) @ x) == pytest.approx(hkl @ x)


@pytest.mark.parametrize(
    ("element", "charge", "electrons"), [("H", 0, 1), ("C", 0, 6), ("O", -1, 9), ("Na", 1, 10)]
)
def test_a_free_atom_has_its_electrons(quantum, element, charge, electrons):
    assert reference(quantum, "radial", element, charge, "def2-svp")[0] == pytest.approx(electrons, rel=2e-3)


def test_the_hydrogen_atom_is_the_exact_one(quantum):
    """exp(-2r)/π in atomic units."""
    assert reference(quantum, "radial", "H", 0, "def2-qzvp")[1] == pytest.approx(np.exp(-2) / np.pi, rel=0.01)


@pytest.mark.parametrize("element", ["B", "C", "N", "O", "F", "Na", "P", "S", "Cl", "Cr", "Fe", "Cu"])
def test_free_atoms_scatter_as_in_international_tables(quantum, element):
    """Open shells too: electrons spread evenly over a shell repel themselves, and make carbon wrong by 0.13 at 0.2 Å⁻¹."""
    stol = np.array([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0])
    tables = [gemmi.Element(element).it92.calculate_sf(s * s) for s in stol]
    found = reference(quantum, "scattering", element, "def2-tzvp", stol)
    assert found == pytest.approx(tables, abs=0.05 if gemmi.Element(element).atomic_number < 18 else 0.3)


def test_the_hydrogen_atom_scatters_as_the_exact_one(quantum):
    """f = 1/(1 + (q a₀/2)²)² with q = 4π sin θ/λ."""
    stol = np.array([0.0, 0.1, 0.25, 0.5, 1.0])
    exact = (1 + (2 * np.pi * stol * 0.529177) ** 2) ** -2
    assert reference(quantum, "scattering", "H", "def2-qzvp", stol) == pytest.approx(exact, abs=2e-3)


@pytest.mark.parametrize("element", ["C", "O", "Cl"])
def test_the_form_factor_of_a_free_atom_is_the_integral_over_its_density(quantum, element):
    """The reference sums 4,000 radii by trapezoids; at q = 0 both are the electrons."""
    q = np.array([0.0, 0.013, 0.4, 1.1, 3.3, 6.7])
    stol = q / (4 * np.pi * 0.52917721)
    found = reference(quantum, "interpolated_scattering", element, "def2-svp", q)
    assert found == pytest.approx(reference(quantum, "scattering", element, "def2-svp", stol), abs=2e-5)
    assert found[0] == pytest.approx(gemmi.Element(element).atomic_number, abs=1e-5)


def test_a_bare_proton_has_no_electrons(quantum):
    assert reference(quantum, "radial", "H", 1, "sto-3g") == pytest.approx((0, 0), abs=1e-30)


@pytest.mark.parametrize(
    ("element", "charge", "shells"),
    [
        ("C", 0, [4, 2, 0, 0]),
        ("C", 1, [4, 1, 0, 0]),
        ("O", -1, [4, 5, 0, 0]),
        ("Na", 1, [4, 6, 0, 0]),
        ("Cl", -1, [6, 12, 0, 0]),
        ("Zn", 2, [6, 12, 10, 0]),
        ("Fe", 0, [8, 12, 6, 0]),
        ("Fe", 2, [6, 12, 6, 0]),
        ("Cr", 0, [7, 12, 5, 0]),
        ("F", -2, [4, 7, 0, 0]),
    ],
)
def test_ions_lose_their_outermost_electrons_first(quantum, element, charge, shells):
    if (element, charge) == ("F", -2):
        # A full shell opens the next one of p; what counts is the number.
        assert sum(reference(quantum, "configuration", element, charge)) == 11
    else:
        assert reference(quantum, "configuration", element, charge) == shells


TURN = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
FORMAMIDE = (["C", "O", "N", "H", "H", "H"], [[0.0, 0, 0], [1.2, 0.2, 0], [-0.8, 1.05, 0], [-0.5, -0.97, 0], [-0.4, 1.98, 0], [-1.8, 0.95, 0]])  # fmt: skip


def test_a_turned_molecule_with_its_atoms_mixed_is_laid_over(quantum):
    symbols, positions = FORMAMIDE
    order = [3, 0, 5, 2, 1, 4]
    moved = (np.array(positions) @ TURN.T + [3.0, 1.0, -2.0])[order]
    fit = reference(quantum, "overlay", [symbols[i] for i in order], moved, symbols, positions)
    assert fit.apart == pytest.approx(0, abs=1e-6)
    assert [order[i] for i in fit.atom_of] == list(range(6))
    assert fit.rotation @ TURN == pytest.approx(np.eye(3), abs=1e-6)


def test_a_mirror_image_is_not_laid_over(quantum):
    """Rotations only: the other enantiomer of CHFClBr stays apart."""
    symbols = ["C", "H", "F", "Cl", "Br"]
    positions = np.array(
        [[0.0, 0, 0], [0.63, 0.63, 0.63], [-0.8, -0.8, 0.8], [-1.0, 1.0, -1.0], [1.1, -1.1, -1.1]]
    )
    fit = reference(quantum, "overlay", symbols, positions * [1, 1, -1], symbols, positions)
    assert fit.apart > 0.35


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing.fchk", "this is no wavefunction", "cannot be read"),
        ("geometry.xyz", "2\n\nH 0 0 0\nH 0 0 0.74\n", "holds no orbitals"),
    ],
)
def test_files_that_hold_no_wavefunction_are_refused(quantum, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UserInputError, match=words) as error:
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))
    assert ".molden" in error.value.next
    assert error.value.where == name


def test_a_wavefunction_of_another_molecule_is_refused(quantum, tmp_path):
    path = str(tmp_path / "water.molden")
    water = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
    from qcrbox_har.method import Method

    quantum.call("quantum_reference:write_molden", water, Method("hf", "sto-3g"), path, np.eye(3))
    assert quantum.call("qcrbox_har.quantum.task:formula_of_file", path) == {"H": 2, "O": 1}
    other = MoleculeInput(["S", "H", "H"], water.positions)
    with pytest.raises(UserInputError, match="is of H2O, and the molecule of the crystal is H2S"):
        quantum.call("qcrbox_har.quantum.external:laid_over", path, other)
    bent = MoleculeInput(water.symbols, np.array([[0.0, 0, 0], [0, 0, 1.7], [0, 0, -1.7]]))
    with pytest.raises(UserInputError, match="beside that of the crystal"):
        quantum.call("qcrbox_har.quantum.external:laid_over", path, bent)
