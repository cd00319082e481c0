"""Every format of a wavefunction that is read gives the density of the same wavefunction."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_har.method import FormFactorRequest, Method, MoleculeInput

WATER = MoleculeInput(["O", "H", "H"], np.array([[0.0, 0, 0], [0, 0.757, 0.587], [0, -0.757, 0.587]]))
HF = Method("hf", "sto-3g")
HKL = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 2), (5, -3, 2)])
IDENTITY = np.eye(3, dtype=int)
SETTINGS = {"partition": "hirshfeld", "basis": "sto-3g", "grid_level": 2}


def request() -> FormFactorRequest:
    return FormFactorRequest(SETTINGS, [(atom, IDENTITY) for atom in range(3)], np.eye(3) / 6, HKL)


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


def test_a_file_that_is_cut_off_is_refused_in_words(quantum, molden, tmp_path):
    path = tmp_path / "water.fchk"
    quantum.call("quantum_reference:convert", molden, str(path))
    text = path.read_text()
    path.write_text(text[: len(text) // 3])
    with pytest.raises(UserInputError) as error:
        quantum.call("qcrbox_har.quantum.task:formula_of_file", str(path))
    assert error.value.where == "water.fchk"
    assert error.value.next
