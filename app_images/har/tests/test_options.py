"""The level of theory by size and elements, and atoms that stay spherical."""

from __future__ import annotations

import numpy as np
import pytest
from crystals import structure
from qcrbox.contract.errors import UserInputError
from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.options import Options, choose_method, spherical_sites


@pytest.mark.parametrize(
    ("symbols", "largest", "basis", "relativistic"),
    [
        ({"C", "H"}, 12, "def2-TZVP", False),
        ({"C", "H"}, 13, "def2-SVP", False),
        ({"C", "Zn"}, 50, "def2-SVP", False),
        ({"C", "Br"}, 50, "def2-SVP", True),
        ({"C", "Kr"}, 5, "def2-TZVP", True),
        ({"C", "I"}, 5, "x2c-TZVPall", True),
        ({"C", "I"}, 50, "x2c-SVPall", True),
    ],
    ids=["small", "larger", "zinc", "bromine", "krypton", "iodine, small", "iodine, larger"],
)
def test_auto_chooses_basis_and_relativity(symbols, largest, basis, relativistic):
    method = choose_method(Options(), symbols, largest)
    assert (method.functional, method.basis, method.relativistic) == ("b3lyp", basis, relativistic)


def test_what_is_named_is_taken():
    options = Options(functional="PBE", basis="cc-pVTZ", relativistic="yes", dispersion="d4", scf_grid=3)
    method = choose_method(options, {"C", "I"}, 3)
    assert method == Method("PBE", "cc-pVTZ", 3, True, "d4")
    assert not choose_method(Options(relativistic="no"), {"I"}, 3).relativistic


@pytest.mark.parametrize(
    ("functional", "level", "exchange"),
    [
        ("hf", "HF/b", True),
        ("B3LYP", "B3LYP/b", True),
        ("pbe", "PBE/b", False),
        ("r2scan", "r2SCAN/b", False),
        ("wb97x", "wb97x/b", True),
    ],
)
def test_levels_are_written_as_chemists_do(functional, level, exchange):
    method = Method(functional, "b")
    assert method.level == level
    assert method.has_exact_exchange is exchange
    assert method.is_hf is (functional == "hf")


def test_a_formula_has_carbon_and_hydrogen_first():
    assert MoleculeInput(["O", "H", "N", "C", "H"], np.zeros((5, 3))).formula == "CH2NO"


ROWS = "Fe1 Fe 0 0 0\nCl1 Cl 0.2 0 0\nCl2 Cl 0 0.2 0\nC1 C 0.5 0.5 0.5\n"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", set()),
        ("Fe1", {0}),
        ("fe1, c1", {0, 3}),
        ("Cl*", {1, 2}),
        ("Cl", {1, 2}),
        ("C*", {1, 2, 3}),
        ("C", {3}),
        ("Fe; Cl2", {0, 2}),
    ],
)
def test_spherical_atoms_go_by_label_pattern_or_element(text, rows):
    assert spherical_sites(structure(ROWS), text) == rows


def test_a_name_that_fits_no_atom_is_refused_with_the_names_there_are():
    with pytest.raises(UserInputError, match="no atom and no element is called Zn") as error:
        spherical_sites(structure(ROWS), "Fe1 Zn")
    assert "Fe1, Cl1, Cl2, C1" in error.value.next


@pytest.mark.parametrize(
    ("tolerance", "conv_tol"), [(0.05, 1e-6), (0.02, 1e-6), (0.002, 1e-8), (1e-6, 1e-10)]
)
def test_energies_are_as_exact_as_the_sites_that_are_asked_for(tolerance, conv_tol):
    method = choose_method(Options(tolerance=tolerance), {"C"}, 3)
    assert method.conv_tol == pytest.approx(conv_tol)
