"""Every format of a wavefunction that is read gives the density of the same wavefunction."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_har.method import FormFactorRequest, Method, MoleculeInput

WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
HF = Method("hf", "sto-3g")
HKL = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 2), (5, -3, 2)])
IDENTITY = np.eye(3, dtype=int)
SETTINGS = {"partition": "hirshfeld", "basis": "sto-3g", "grid_level": 2}


def request(grid: int = 2) -> FormFactorRequest:
    return FormFactorRequest(
        SETTINGS | {"grid_level": grid}, [(atom, IDENTITY) for atom in range(3)], np.eye(3) / 6, HKL
    )


@pytest.fixture(scope="module")
def own(quantum):
    """Form factors of the product's own wavefunction."""
    return quantum.call("qcrbox_har.quantum.task:molecule_density", 40, WATER, HF, request())[0]


@pytest.fixture(scope="module")
def molden(quantum, tmp_path_factory) -> str:
    path = str(tmp_path_factory.mktemp("wavefunctions") / "water.molden")
    quantum.call("quantum_reference:write_molden", WATER, HF, path, np.eye(3))
    return path


@pytest.mark.parametrize("ending", ["fchk", "wfn", "wfx", "mkl"])
def test_the_format_of_a_wavefunction_does_not_matter(quantum, own, molden, tmp_path, ending):
    path = str(tmp_path / f"water.{ending}")
    quantum.call("quantum_reference:convert", molden, path)
    factors, result = quantum.call("qcrbox_har.quantum.task:given_density", 41, WATER, path, request())
    assert result.total_electrons == pytest.approx(10, abs=1e-4)
    assert np.abs(factors[:, 0].real - result.electrons).max() < 1e-5
    assert np.abs(factors - own).max() < 2e-3
    assert quantum.call("qcrbox_har.quantum.task:formula_of_file", path) == {"H": 2, "O": 1}


@pytest.mark.parametrize(
    ("basis", "cartesian", "ending"),
    [
        ("6-31g*", True, "fchk"),
        ("6-31g*", False, "molden"),
        ("cc-pvtz", False, "fchk"),
        ("cc-pvtz", False, "mkl"),
        ("6-31g*", True, "wfn"),
        ("cc-pvtz", True, "wfx"),
    ],
)
def test_d_and_f_functions_are_read_with_the_signs_and_norms_of_each_format(
    quantum, tmp_path, basis, cartesian, ending
):
    """cc-pVTZ of oxygen has f functions: seven pure ones, or ten Cartesian ones."""
    molden, path = str(tmp_path / "w.molden"), str(tmp_path / f"w.{ending}")
    own = quantum.call("quantum_reference:write_plain_molden", WATER, basis, molden, cartesian=cartesian)
    if ending != "molden":
        quantum.call("quantum_reference:convert", molden, path)
    factors, _ = quantum.call("qcrbox_har.quantum.task:given_density", 42, WATER, path, request(grid=0))
    assert np.abs(factors - own).max() < 1e-6


def test_primitives_that_add_nothing_take_no_function_away(quantum, tmp_path):
    """CFOUR writes every exponent for every contraction, with coefficient 0 where it has none."""
    path = tmp_path / "w.molden"
    own = quantum.call("quantum_reference:write_plain_molden", WATER, "6-31g*", str(path))
    text, changed = re.subn(
        r"(?m)^( *[spd] +)(\d+)( .*\n)",
        lambda found: f"{found[1]}{int(found[2]) + 2}{found[3]}  7000.0  0.0\n  0.002  0.0\n",
        path.read_text(),
    )
    assert changed == 10  # s, s, s, p, p, d of oxygen, and twice s, s
    path.write_text(text)
    factors, _ = quantum.call("qcrbox_har.quantum.task:given_density", 42, WATER, str(path), request(grid=0))
    assert np.abs(factors - own).max() < 1e-6


def test_a_density_of_perturbation_theory_may_be_negative_in_places(quantum, tmp_path):
    """Relaxed densities have natural orbitals with occupations below zero."""
    path = tmp_path / "w.molden"
    quantum.call("quantum_reference:write_plain_molden", WATER, "6-31g*", str(path))
    text = path.read_text().split("Occup=")
    occupations = [float(part.split()[0]) for part in text[1:]]
    assert occupations[:6] == [2, 2, 2, 2, 2, 0]
    text[5] = text[5].replace("2.0", "2.2", 1)
    text[6] = text[6].replace("0.0", "-0.2", 1)
    path.write_text("Occup=".join(text))
    _, result = quantum.call("qcrbox_har.quantum.task:given_density", 42, WATER, str(path), request())
    assert result.total_electrons == pytest.approx(10, abs=1e-4)


CATION = MoleculeInput(WATER.symbols, WATER.positions, charge=1, multiplicity=2)


@pytest.mark.parametrize("kind", ["UHF", "ROHF"])
def test_open_shells_keep_all_their_electrons(quantum, tmp_path, kind):
    path = str(tmp_path / "cation.molden")
    own = quantum.call("quantum_reference:write_plain_molden", CATION, "sto-3g", path, kind=kind)
    factors, result = quantum.call("qcrbox_har.quantum.task:given_density", 43, CATION, path, request(grid=0))
    assert np.abs(factors - own).max() < 1e-6
    assert result.total_electrons == pytest.approx(9, abs=0.01)  # of a coarse grid


def test_a_wavefunction_of_another_charge_is_refused_with_both_counts(quantum, tmp_path):
    """Formats that do not state core potentials show them by the number of electrons only."""
    path = str(tmp_path / "cation.molden")
    quantum.call("quantum_reference:write_plain_molden", CATION, "sto-3g", path, kind="UHF")
    with pytest.raises(UserInputError, match=r"has 9 electrons, and H2O with charge \+0 has 10") as error:
        quantum.call("qcrbox_har.quantum.task:given_density", 44, WATER, path, request())
    assert "core potentials" in error.value.why
    assert "charges='1: +1'" in error.value.next


def test_orbitals_that_are_not_normalised_are_refused(quantum, molden, tmp_path):
    """Formats of primitive functions have nothing to check them by but the electrons."""
    path = tmp_path / "water.wfn"
    quantum.call("quantum_reference:convert", molden, str(path))
    head, *orbitals = re.split(r"(?m)(?=^MO )", path.read_text())
    assert len(orbitals) >= 5
    shrunk = [
        re.sub(
            r"-?\d\.\d+[ED][+-]\d+", lambda found: f"{0.9 * float(found[0].replace('D', 'E')):.8E}", orbital
        )
        for orbital in orbitals
    ]
    path.write_text(head + "".join(shrunk))
    with pytest.raises(UserInputError, match=r"has 8\.10 electrons, and its orbitals have 10"):
        quantum.call("qcrbox_har.quantum.task:given_density", 44, WATER, str(path), request())


def test_a_file_with_ghost_atoms_is_refused(quantum, molden, tmp_path):
    """Gaussian gives them an atomic number and no nuclear charge."""
    path = tmp_path / "water.fchk"
    quantum.call("quantum_reference:convert", molden, str(path))
    lines = path.read_text().splitlines()
    row = next(i for i, line in enumerate(lines) if line.startswith("Nuclear charges"))
    numbers = lines[row + 1].split()
    lines[row + 1] = "".join(f"{float(x):16.8E}" for x in [*numbers[:-1], "0"])
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(UserInputError, match="has ghost atoms"):
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))


def test_a_file_that_is_cut_off_is_refused_in_words(quantum, molden, tmp_path):
    path = tmp_path / "water.fchk"
    quantum.call("quantum_reference:convert", molden, str(path))
    text = path.read_text()
    path.write_text(text[: len(text) // 3])
    with pytest.raises(UserInputError) as error:
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))
    assert error.value.where == "water.fchk"
    assert error.value.next
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(
    ("name", "way"), [("job.gbw", "orca_2mkl NAME -molden"), ("job.chk", "formchk"), ("job.json", ".molden")]
)
def test_a_file_that_only_its_own_program_reads_is_refused_with_the_way(quantum, tmp_path, name, way):
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(UserInputError, match="Neither its ending nor its first lines") as error:
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))
    assert way in error.value.next


def test_a_file_without_orbitals_names_what_it_lacks(quantum, molden, tmp_path):
    """An optimisation of which only the path was kept."""
    path = tmp_path / "water.fchk"
    quantum.call("quantum_reference:convert", molden, str(path))
    path.write_text(path.read_text().replace("Shell types", "Other types"))
    with pytest.raises(UserInputError) as error:
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))
    assert error.value.why == "It has no section 'Shell types'."
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("change", ["capital ending", "no ending", "exponents with D", "Windows line ends"])
def test_a_molden_file_is_known_by_its_content(quantum, own, molden, tmp_path, change):
    """Turbomole writes exponents with D; other systems write endings in capitals."""
    name = {"capital ending": "WATER.MOLDEN", "no ending": "water"}.get(change, "water.molden")
    text = Path(molden).read_text()
    if change == "exponents with D":
        text = re.sub(r"(\d)e([+-]\d)", r"\1D\2", text)
        assert re.search(r"\dD[+-]\d", text)
    if change == "Windows line ends":
        text = text.replace("\n", "\r\n")
    (tmp_path / name).write_bytes(text.encode())
    path = str(tmp_path / name)
    factors, _ = quantum.call("qcrbox_har.quantum.task:given_density", 45, WATER, path, request())
    assert np.abs(factors - own).max() < 2e-3


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_a_file_of_another_geometry_says_how_far_it_is(quantum, molden, shift):
    """Two O-H stretched by 0.3 Å: the r.m.s. of a least-squares overlay is given."""
    bonds = WATER.positions[1:] - WATER.positions[0]
    lengths = np.linalg.norm(bonds, axis=1, keepdims=True)
    moved = np.vstack([WATER.positions[:1], WATER.positions[0] + bonds * (1 + shift / lengths)])
    _, result = quantum.call(
        "qcrbox_har.quantum.task:given_density", 46, MoleculeInput(WATER.symbols, moved), molden, request()
    )
    # Both moves have the component shift cos(α/2) along the axis in common, of which the overlay takes two thirds.
    half = np.arccos(np.dot(*bonds) / np.prod(lengths)) / 2
    along, across = shift * np.cos(half), shift * np.sin(half)
    expected = np.sqrt((2 * across**2 + (2 / 3) * along**2) / 3)
    assert result.apart == pytest.approx(expected, abs=1e-6)


def test_a_wavefunction_of_another_spin_state_is_refused(quantum, tmp_path):
    """A triplet has as many electrons as the singlet."""
    path = str(tmp_path / "triplet.molden")
    triplet = MoleculeInput(WATER.symbols, WATER.positions, multiplicity=3)
    quantum.call("quantum_reference:write_plain_molden", triplet, "sto-3g", path, kind="UHF")
    with pytest.raises(
        UserInputError, match="has 2 unpaired electrons, and H2O with multiplicity 1 has 0"
    ) as error:
        quantum.call("qcrbox_har.quantum.task:given_density", 47, WATER, path, request())
    assert "multiplicities='1: 3'" in error.value.next
    quantum.call("qcrbox_har.quantum.task:given_density", 48, triplet, path, request(grid=0))
