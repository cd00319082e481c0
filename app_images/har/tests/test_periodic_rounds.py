"""A periodic density in the place of wavefunctions: rounds, estimates and refusals. GPAW is stood in for."""

from __future__ import annotations

from contextlib import chdir
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from crystals import cif, structure
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import commands, comparison, estimate, experience, planning
from qcrbox_har.form_factors import TableOptions
from qcrbox_har.loop import Refinement
from qcrbox_har.method import Accuracy
from qcrbox_har.options import Options
from qcrbox_har.periodic import crystal, interpreter
from qcrbox_har.periodic.computer import PeriodicComputer
from qcrbox_har.periodic.estimate import estimate as estimate_of
from qcrbox_har.periodic.estimate import iteration_seconds
from qcrbox_har.periodic.interpreter import Interpreter

CELL = (5.0, 6.0, 7.0, 90, 103, 90)
# General positions in a group with a screw axis and a glide plane: four images of each atom.
ROWS = "He1 He 0.1 0.2 0.3\nNe1 Ne 0.4 0.6 0.15\n"
GROUP = "P 1 21/c 1"
# Rock salt: half the diagonals of the faces of its cube, a / √2 = 3.988 Å.
PRIMITIVE_SALT = (3.9881, 3.9881, 3.9881, 60, 60, 60)
HKL = np.array([[0, 0, 0], [1, 0, 0], [-1, 2, 1], [3, 1, -2], [0, 0, 4]])


class FreeAtoms:
    """Stands for GPAW: its density is that of free atoms."""

    def __init__(self, quantum) -> None:
        self.quantum = quantum
        self.partly_filled = 0.0
        self.requests: list[dict[str, Any]] = []

    def setups(self, symbols: list[str], functional: str) -> dict[str, int]:
        return dict.fromkeys(symbols, 6)

    def density(self, request: dict[str, Any], progress) -> dict[str, Any]:
        self.requests.append(request)
        progress(1, -2.5)
        self.quantum.call(
            "periodic_reference:write_free_atoms", request["file"], request["symbols"], "def2-TZVP"
        )
        seconds = {"seconds": 0.1, "processor_seconds": 0.1}
        return {"energy": -2.5, "iterations": 7, "partly_filled": self.partly_filled} | seconds

    def close(self) -> None:
        self.requests.clear()


@pytest.fixture
def gpaw(quantum):
    return FreeAtoms(quantum)


def computer_of(gpaw: FreeAtoms, *description) -> PeriodicComputer:
    """For the crystal that `structure` makes of a description. It writes into the working directory."""
    made = structure(*description)
    method = crystal.method(Options(density="periodic"), set(made.sites.element))
    return PeriodicComputer(made, crystal.plan(made, set()), method, gpaw.quantum, TableOptions(), gpaw=gpaw)


@pytest.fixture
def computer(gpaw, tmp_path, monkeypatch) -> PeriodicComputer:
    """One helium atom in the same cell: enough where the atoms do not matter."""
    monkeypatch.chdir(tmp_path)
    return computer_of(gpaw, "He1 He 0.1 0.2 0.3\n", CELL)


@pytest.fixture(scope="module")
def done(quantum, tmp_path_factory) -> SimpleNamespace:
    """The table of a crystal of free atoms, with its computer, the progress seen and the requests to GPAW. Its bands are those of an insulator."""
    gpaw, seen = FreeAtoms(quantum), []
    gpaw.partly_filled = 0.005
    with chdir(tmp_path_factory.mktemp("free_atoms")):
        computer = computer_of(gpaw, ROWS, CELL, GROUP)
    sites, accuracy = computer.structure.sites.fract, Accuracy(conv_tol=1e-4)
    table = computer.table(sites, HKL, accuracy=accuracy, progress=lambda molecule, news: seen.append(news))
    return SimpleNamespace(computer=computer, table=table, seen=seen, requests=gpaw.requests)


def test_every_site_gets_the_form_factors_of_its_own_place(done, quantum):
    """A crystal of free atoms: whichever image of a site is integrated, it is the free atom."""
    table, fractional = done.table, done.computer.structure.cell.fractionalisation
    for column, symbol in enumerate(("He", "Ne")):
        free = quantum.call("periodic_reference:free_factor", symbol, "def2-TZVP", HKL, fractional)
        assert table.values[:, column] == pytest.approx(free, abs=2e-4)
    assert table.electrons == pytest.approx([2, 10], abs=1e-4)
    assert table.charges == pytest.approx([0, 0], abs=1e-4)
    (result,) = table.molecules
    assert (result.energy, result.iterations) == (-2.5, 7)
    assert result.total_electrons == pytest.approx(48, abs=1e-3)
    assert result.spin == pytest.approx(np.zeros(8), abs=1e-6)
    assert done.seen[0] == {"stage": "scf", "iteration": 1, "energy": -2.5}
    assert done.seen[-1]["stage"] == "form factors"


@pytest.mark.slow
def test_atoms_with_long_tails_take_nothing_of_cores_beyond_their_neighbours(gpaw, tmp_path, monkeypatch):
    """The outermost shell of sodium reaches beyond the atoms that share it; points there once gave it 21 electrons too many."""
    monkeypatch.chdir(tmp_path)
    made = computer_of(gpaw, "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5\n", PRIMITIVE_SALT, "R -3 m :R")
    table = made.table(made.structure.sites.fract, HKL[:1])
    assert table.electrons == pytest.approx([11, 17], abs=0.01)


def test_gpaw_is_asked_for_the_whole_cell(done):
    (asked,) = done.requests
    assert sorted(asked["symbols"]) == ["He"] * 4 + ["Ne"] * 4
    axes = np.array(asked["cell"])
    assert np.linalg.norm(axes, axis=1) == pytest.approx(CELL[:3])
    assert axes[0] @ axes[2] / 35 == pytest.approx(np.cos(np.radians(103)))
    assert asked["tolerance"] == pytest.approx(1e-3)
    assert (asked["functional"], asked["unpaired"], asked["cutoff_ev"]) == ("PBE", 0, 600.0)
    # 12 Å along every axis; the reciprocal axes of a monoclinic cell are longer than the inverse edges.
    assert asked["kpoints"] == [3, 2, 2]


def test_partly_filled_bands_without_a_declared_spin_are_refused(computer, gpaw):
    """Magnesium diboride looks like that, and so does oxygen whose two unpaired electrons were made a pair."""
    gpaw.partly_filled = 0.3
    with pytest.raises(UserInputError, match="partly filled") as error:
        computer.table(computer.structure.sites.fract, HKL[:1])
    assert error.value.where == "multiplicities"
    assert "'1: 1' for a conductor" in error.value.next


def test_a_declared_conductor_is_computed_with_the_k_points_of_one(computer, gpaw, capsys):
    gpaw.partly_filled = 0.3
    computer.plan.molecules[0].is_spin_declared = True
    sites = computer.structure.sites.fract
    (result,) = computer.table(sites, HKL[:1]).molecules
    assert [asked["kpoints"] for asked in gpaw.requests] == [[3, 2, 2], [8, 6, 6]]
    assert (result.iterations, result.kpoints) == (14, (8, 6, 6))
    assert not computer.was_foreseen  # what it took says nothing about insulators
    computer.table(sites, HKL[:1])
    assert [asked["kpoints"] for asked in gpaw.requests[2:]] == [[8, 6, 6]]
    assert "8 x 6 x 6 k points instead of 3 x 2 x 2" in capsys.readouterr().out


def test_the_gap_of_an_insulator_is_none_of_a_conductor(done):
    (result,) = done.table.molecules
    assert result.kpoints == (3, 2, 2)
    assert done.computer.was_foreseen


def test_free_atoms_have_no_deformation_density(done):
    (given,), (cell,) = (
        done.computer.inputs(done.computer.structure.sites.fract),
        done.computer.plan.molecules,
    )
    points = np.random.default_rng(3).uniform(0, 5, (200, 3))
    assert done.computer.deformation(cell, given, None, points) == pytest.approx(np.zeros(200), abs=1e-3)


class Machine:
    """Stands for the wavefunction process: other programs' demand of the processors."""

    def __init__(self, slowness: float) -> None:
        self.answers = {"slowness": slowness}

    def call(self, function: str, *_: object):
        return self.answers[function.rpartition(":")[2]]


def cost(gpaw, rows: str = ROWS, cell=CELL, slowness: float = 1.0, **options):
    state = planning.prepare(
        structure(rows, cell, GROUP), Options(density="periodic", **options), {}, were_placed=False
    )
    return estimate_of(state, gpaw, Machine(slowness))


def test_time_and_memory_follow_cell_and_electrons(gpaw):
    small, slow = cost(gpaw), cost(gpaw, slowness=2.0)
    large = cost(gpaw, ROWS + "Ne2 Ne 0.7 0.1 0.7\n", (5.0, 6.0, 14.0, 90, 103, 90))
    assert slow.seconds > 1.5 * small.seconds
    assert large.memory_bytes > small.memory_bytes
    assert "8 atoms with 48 valence electrons in the unit cell" in str(small)


@pytest.mark.parametrize(
    ("size", "measured"),
    [((9, 12271, 4), 0.104), ((14, 10433, 10), 0.222), ((38, 32343, 4), 0.739), ((33, 26151, 6), 0.878)],
    ids=["LiH", "NH4Cl", "NaCl", "urea"],
)
def test_an_iteration_is_estimated_within_a_quarter(size, measured):
    """Processor seconds of GPAW 22.8 at 600 eV; bands, grid points and k points as the estimate counts them."""
    assert iteration_seconds(*size) == pytest.approx(measured, rel=0.25)


def test_what_earlier_runs_took_changes_the_estimate(gpaw):
    before = cost(gpaw)
    experience.add(before.kind, before.model_seconds, 3 * before.model_seconds)
    after = cost(gpaw)
    assert after.runs == 1
    assert after.seconds > 1.5 * before.seconds


def test_a_refinement_beyond_the_time_allowed_is_refused_with_its_size(gpaw):
    with pytest.raises(UserInputError, match="would take about") as error:
        estimate.refuse_beyond(cost(gpaw, slowness=1e4), 1.0)
    assert "valence electrons in the unit cell" in error.value.why


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setattr("qcrbox_har.periodic.program.find", lambda: Interpreter("/nowhere/python3", "1"))


def test_the_plan_of_a_refinement_is_the_cell(found, capsys, urea_cif):
    with Refinement(Options(density="periodic"), {}, None, None) as refinement:  # type: ignore[arg-type]
        state = refinement.prepare(Structure.from_cif(urea_cif), {})
        assert isinstance(refinement.make_computer(state), PeriodicComputer)
        assert refinement.gpaw.pid is None  # nothing runs before it is needed
    assert [m.formula for m in state.plan.molecules] == ["C2H8N4O2"]
    assert state.method.level == "PBE, periodic"


def test_first_distances_to_hydrogen_are_those_of_the_molecules(urea_cif):
    beside = planning.molecules_beside(Structure.from_cif(urea_cif))
    assert [m.formula for m in beside.molecules] == ["CH4N2O"]
    network = structure("Si1 Si 0.125 0.125 0.125\n", (5.43, 5.43, 5.43, 90, 90, 90), "F d -3 m :2")
    assert planning.molecules_beside(network) is None


AMMONIUM = (
    "N1 N 0 0 0\nH1 H 0.1535 0.1535 0.1535\nCl1 Cl 0.5 0.5 0.5\n",
    (3.868, 3.868, 3.868, 90, 90, 90),
    "P -4 3 m",
)
BOND = """loop_
_geom_bond_atom_site_label_1
_geom_bond_atom_site_label_2
_geom_bond_distance
N1 H1 1.028(4)
"""


def test_distances_to_hydrogen_are_compared_though_the_cell_has_no_bonds(found, tmp_path):
    """Ammonium chloride: four hydrogen atoms at nitrogen, whose neutron mean is that of N+-H."""
    salt = structure(*AMMONIUM)
    state = planning.prepare(salt, Options(density="periodic"), {}, were_placed=False)
    file = tmp_path / "salt.cif"
    file.write_text(cif(*AMMONIUM) + BOND, encoding="utf-8")
    figures = dict.fromkeys(
        ("R1", "R1_all", "wR2", "S", "parameters", "reflections", "max", "min", "rms"), 0.0
    )
    (row,) = comparison.compare(file, file, figures, figures, planning.with_bonds(state))["hydrogen"]
    assert (row["x"], row["hydrogen"], row["bond_class"]) == ("N1", "H1", "N+-H")
    assert (row["har"], row["har_su"], row["neutron"]) == (1.028, pytest.approx(0.004), 1.036)


def test_molecules_are_compared_with_their_own_bonds(found, urea_cif):
    urea = planning.prepare(Structure.from_cif(urea_cif), Options(), {}, were_placed=False)
    assert planning.with_bonds(urea) is urea.plan


def test_a_network_that_no_fragment_closes_is_one_cell(found):
    silicon = structure("Si1 Si 0.125 0.125 0.125\n", (5.43, 5.43, 5.43, 90, 90, 90), "F d -3 m :2")
    state = planning.prepare(silicon, Options(density="periodic"), {}, were_placed=False)
    assert state.plan.molecules[0].formula == "Si8"


@pytest.mark.parametrize("command", ["form_factors", "refine_har", "plan_har"])
def test_without_gpaw_commands_are_refused_before_anything_is_computed(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(interpreter.VARIABLE, "/nowhere/python3")
    file = tmp_path / "water.cif"
    file.write_text(cif("O1 O 0 0 0\nH1 H 0.0757 0.0587 0\nH2 H -0.0757 0.0587 0\n"), encoding="utf-8")
    more = {"d_min": 1.0} if command == "form_factors" else {}
    with pytest.raises(UserInputError, match="needs GPAW, which is not installed"):
        getattr(commands, command)(str(file), density="periodic", **more)
    assert [path.name for path in tmp_path.iterdir()] == ["water.cif"]


def test_the_density_is_part_of_what_a_checkpoint_must_agree_with(found, tmp_path):
    file = tmp_path / "a.cif"
    file.write_text("data_a\n", encoding="utf-8")
    made = [
        Refinement(Options(density=density), {}, None, None)._fingerprint(str(file), None)  # type: ignore[arg-type]
        for density in ("molecules", "periodic")
    ]
    assert made[0] != made[1]


def test_words_for_logs_name_the_plane_waves():
    method = crystal.method(SimpleNamespace(**vars(Options(functional="rpbe"))), {"O"})  # type: ignore[arg-type]
    assert method.in_words == "RPBE, periodic, plane waves to 600 eV, scalar relativistic atomic data"
