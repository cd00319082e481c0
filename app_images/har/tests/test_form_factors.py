"""What the computer of form factors asks for and how it puts answers together, with a stand-in for the wavefunctions."""

from __future__ import annotations

import numpy as np
import pytest
from crystals import structure
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import molecules
from qcrbox_har.form_factors import Computer, TableOptions
from qcrbox_har.method import Accuracy, AtomicDensity, FormFactorRequest, Method

HKL = np.array([(0, 0, 0), (1, 0, 0)])
WATER = "O1 O 0 0 0 1 . .\nH1 H 0.0757 0.0587 0 1 . .\n"
TWO_PLACES = WATER + "H2A H -0.0757 0.0587 0 0.7 A 1\nH2B H -0.0757 -0.02 0.05 0.3 A 2\n"
COLUMNS = ("occupancy", "disorder_assembly", "disorder_group")


class Wavefunctions:
    """Answers with numbers that say which molecule and atom they are of."""

    def __init__(self, formula: dict[str, int] | None = None) -> None:
        self.formula = formula
        self.asked: list[tuple] = []

    def call(self, function: str, *arguments, progress=None):
        if function.endswith("formula_of_file"):
            return self.formula
        number, molecule, method, request = arguments
        assert isinstance(request, FormFactorRequest)
        self.asked.append((function.rpartition(":")[2], number, molecule, method, request))
        if progress is not None:
            progress({"stage": "form factors"})
        n = len(molecule.symbols)
        atoms = np.arange(n)
        factors = np.array(
            [np.full(len(HKL), 100 * number + atom) for atom, _ in request.wanted], dtype=complex
        )
        dipoles = np.zeros((n, 3))
        dipoles[:, 2] = 0.1 * number
        charges = number * 0.1 * (atoms + 1)
        return factors, AtomicDensity(
            atoms + 1.0, charges, dipoles, np.zeros(n), 10.0, -76.0, 7, True, np.zeros(3)
        )


def computer_of(crystal: Structure, wavefunctions: Wavefunctions, **keywords) -> Computer:
    return Computer(
        crystal, molecules.plan(crystal), Method("hf", "sto-3g"), wavefunctions, TableOptions(**keywords)
    )


def test_a_disordered_molecule_is_averaged_by_occupancy():
    crystal = structure(TWO_PLACES, columns=COLUMNS)
    table = computer_of(crystal, Wavefunctions()).table(crystal.sites.fract, HKL)
    column = dict(zip(table.labels(crystal), table.values[0].real, strict=True))
    assert column["O1"] == pytest.approx(0.7 * 100 + 0.3 * 200)
    assert column["H2A"] == pytest.approx(102)
    assert column["H2B"] == pytest.approx(202)
    assert len(table.molecules) == 2


def test_the_basis_of_a_brought_wavefunction_is_not_that_of_the_method():
    crystal = structure(WATER + "H2 H -0.0757 0.0587 0 1 . .\n", columns=COLUMNS)
    ours = computer_of(crystal, Wavefunctions())
    assert ours.settings["basis"] == "sto-3g"
    assert not ours.is_fixed
    stand_in = Wavefunctions({"H": 2, "O": 1})
    brought = computer_of(crystal, stand_in, wavefunction="/tmp/water.fchk")
    assert brought.settings["basis"] == "def2-TZVP"
    assert brought.is_fixed
    brought.table(crystal.sites.fract, HKL)
    assert stand_in.asked[0][0] == "given_density"
    assert stand_in.asked[0][3] == "/tmp/water.fchk"


def test_a_file_of_another_molecule_is_refused():
    crystal = structure(WATER + "H2 H -0.0757 0.0587 0 1 . .\n", columns=COLUMNS)
    with pytest.raises(UserInputError, match="no molecule of the crystal") as error:
        computer_of(crystal, Wavefunctions({"C": 1, "H": 4}), wavefunction="x.fchk")
    assert "H2O" in error.value.why


def test_the_first_round_has_no_field_and_the_next_one_has(urea_cif):
    crystal = Structure.from_cif(urea_cif)
    stand_in = Wavefunctions()
    computer = computer_of(crystal, stand_in, field_radius=4.0)
    for _ in range(2):
        computer.table(crystal.sites.fract, HKL)
    first, second = (molecule for _, _, molecule, *_ in stand_in.asked)
    assert first.surroundings is None
    assert len(second.surroundings.charges) > 20


def test_without_a_field_no_neighbours_are_sent(urea_cif):
    crystal = Structure.from_cif(urea_cif)
    stand_in = Wavefunctions()
    computer = computer_of(crystal, stand_in)
    for _ in range(2):
        computer.table(crystal.sites.fract, HKL)
    assert all(molecule.surroundings is None for _, _, molecule, *_ in stand_in.asked)


def test_early_rounds_are_cheaper_but_never_finer_than_the_method():
    crystal = structure(WATER + "H2 H -0.0757 0.0587 0 1 . .\n", columns=COLUMNS)
    stand_in = Wavefunctions()
    computer = computer_of(crystal, stand_in)
    computer.table(crystal.sites.fract, HKL, accuracy=Accuracy(1e-4, 0, 1, 1e-3))
    computer.table(crystal.sites.fract, HKL, accuracy=Accuracy(1e-12, 5, 5))
    computer.table(crystal.sites.fract, HKL)
    early, finer, exact = ((method, request.settings) for *_, method, request in stand_in.asked)
    assert (early[0].conv_tol, early[0].grid_level) == (1e-4, 0)
    assert (early[1]["grid_level"], early[1]["transform"]) == (1, 1e-3)
    assert finer == exact
    assert (exact[0].conv_tol, exact[0].grid_level) == (Method().conv_tol, Method().grid_level)
    assert "transform" not in exact[1]


def test_progress_names_the_molecule():
    crystal = structure(TWO_PLACES, columns=COLUMNS)
    seen = []
    computer_of(crystal, Wavefunctions()).table(
        crystal.sites.fract,
        HKL,
        progress=lambda molecule, news: seen.append((molecule.number, news["stage"])),
    )
    assert seen == [(1, "form factors"), (2, "form factors")]


def test_moved_sites_move_the_molecule():
    crystal = structure(WATER + "H2 H -0.0757 0.0587 0 1 . .\n", columns=COLUMNS)
    computer = computer_of(crystal, Wavefunctions())
    moved = crystal.sites.fract + np.array([0.01, 0.0, 0.0])
    before, after = computer.inputs(crystal.sites.fract)[0], computer.inputs(moved)[0]
    assert after.positions - before.positions == pytest.approx(np.tile([0.1, 0, 0], (3, 1)))
