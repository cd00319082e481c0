"""Densities of whole crystals: their evaluation and their atoms, and GPAW's place in the program. No GPAW is needed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from crystals import structure
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import charges
from qcrbox_har.options import Options
from qcrbox_har.periodic import crystal, interpreter
from qcrbox_har.periodic.estimate import grid_points
from qcrbox_har.periodic.interpreter import Interpreter
from qcrbox_har.periodic.program import GpawProgram

HKL = np.array([[0, 0, 0], [1, 0, 0], [0, -1, 1], [2, 1, 0], [1, 2, -3], [4, 0, 1], [2, -2, 1]])
ROCK_SALT = ("Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5\n", (5.64, 5.64, 5.64, 90, 90, 90), "F m -3 m")


def test_plane_waves_and_spheres_are_evaluated_exactly(quantum):
    """Against a sum over the lattice, in a cell without right angles; spheres with l = 0, 1 and 2."""
    points = np.random.default_rng(0).uniform(-8, 15, (400, 3))
    found, known = quantum.call("periodic_reference:at_points", points)
    assert found == pytest.approx(known, abs=1e-7)


@pytest.mark.parametrize(("level", "off"), [(3, 1e-3), (5, 1e-4)])
def test_points_around_the_atoms_fill_the_cell(quantum, level, off):
    """The volume is the determinant of the axes; a wave of the lattice has no mean."""
    volume, known, wave = quantum.call("periodic_reference:over_the_cell", level)
    assert volume == pytest.approx(known, rel=off)
    assert wave == pytest.approx(0, abs=off)


def test_every_image_of_an_atom_shares_a_point(quantum):
    points = np.random.default_rng(5).uniform(-4, 9, (200, 3))
    found, known = quantum.call("periodic_reference:shares_of_all", points)
    assert found == pytest.approx(known, abs=1e-7)


@pytest.mark.slow
def test_atoms_together_scatter_as_the_density_does(quantum, tmp_path):
    """Σ f_A exp(2πi h·x_A) is the Fourier coefficient of the density, which is known: Gaussians and their moments."""
    known = quantum.call("periodic_reference:coefficients", HKL)
    found, electrons, of_density = quantum.call("periodic_reference:put_together", HKL, str(tmp_path), 4)
    assert of_density == pytest.approx(7, abs=1e-6)
    assert known[0] == pytest.approx(7)
    assert found == pytest.approx(known, abs=3e-4)
    assert electrons.sum() == pytest.approx(found[0].real, abs=1e-6)


def test_a_crystal_of_free_atoms_gives_the_free_atom_back(quantum, tmp_path):
    found, free, deformation = quantum.call("periodic_reference:free_atoms", HKL, str(tmp_path))
    assert found == pytest.approx(free, abs=1e-5)
    assert found[0] == pytest.approx(2, abs=1e-5)
    assert deformation < 1e-4


def test_a_density_that_lacks_electrons_is_refused(quantum, tmp_path):
    with pytest.raises(CalculationFailed, match=r"5\.9000 electrons in the cell, and its atoms have 7"):
        quantum.call("periodic_reference:without_one_electron", str(tmp_path))


def test_the_unit_cell_is_one_molecule_whose_sites_have_one_atom_each(urea_cif):
    urea = Structure.from_cif(urea_cif)
    plan = crystal.plan(urea, {0})
    (cell,) = plan.molecules
    assert cell.formula == "C2H8N4O2"
    assert plan.spherical == [0]
    assert sorted(plan.sources) == [1, 2, 3, 4]
    fract = cell.fract(urea)
    assert ((fract > -1e-6) & (fract < 1)).all()
    for row, (source,) in plan.sources.items():
        assert cell.site[source.atom] == row


def test_rock_salt_has_eight_atoms_in_its_cell():
    (cell,) = crystal.plan(structure(*ROCK_SALT), set()).molecules
    assert cell.formula == "Cl4Na4"
    charges.assign_to_cell(cell)
    assert (cell.charge, cell.multiplicity) == (0, 1)


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        ("C1 C 0 0 0 0.5\n", ("occupancy",), "disordered: C1"),
        ("C1 C 0 0 0 1\nC2 C 0.2 0 0 2\n", ("disorder_group",), "disordered: C1, C2"),
        ("C1 C 0 0 0\nC2 C 0.99 0 0.03\n", (), r"apart"),
    ],
    ids=["partly filled", "groups", "overlap over the face of the cell"],
)
def test_crystals_whose_cells_differ_are_refused(rows, columns, words):
    with pytest.raises(UserInputError, match=words) as error:
        crystal.plan(structure(rows, columns=columns), set())
    assert "density='molecules'" in error.value.next


def test_open_shells_of_the_cell_must_be_declared():
    (odd,) = crystal.plan(structure("N1 N 0 0 0\nO1 O 0.12 0 0\n"), set()).molecules
    with pytest.raises(UserInputError, match="15 electrons, which cannot have multiplicity 1"):
        charges.assign_to_cell(odd)
    charges.assign_to_cell(odd, "1: 2")
    assert odd.multiplicity == 2
    charges.assign_to_cell(odd, "1: 1")
    assert (odd.multiplicity, odd.is_spin_declared) == (1, True)
    (iron,) = crystal.plan(structure("Fe1 Fe 0 0 0\nO1 O 0.2 0 0\n"), set()).molecules
    with pytest.raises(UserInputError, match="Fe, whose d or f shell may be open") as error:
        charges.assign_to_cell(iron)
    assert "Spins that alternate are not offered" in error.value.next


def test_metals_may_have_an_odd_number_of_electrons_without_spin():
    (lithium,) = crystal.plan(structure("Li1 Li 0 0 0\n", (3.5, 3.5, 3.5, 90, 90, 90)), set()).molecules
    charges.assign_to_cell(lithium)
    assert (lithium.multiplicity, lithium.is_spin_declared) == (1, False)
    with pytest.raises(UserInputError, match="3 electrons, which cannot have multiplicity 3"):
        charges.assign_to_cell(lithium, "1: 3")


BRUCITE = ("Mg1 Mg 0 0 0\nO1 O 0.33333 0.66667 0.2203\n", (3.15, 3.15, 4.77, 90, 90, 120), "P -3 m 1")


def test_a_cell_without_the_hydrogen_of_its_formula_is_refused():
    """Its electrons would be even in number: a peroxide without any sign of it."""
    with pytest.raises(UserInputError, match="has hydrogen, and the model has none") as error:
        crystal.plan(structure(*BRUCITE, extra="_chemical_formula_sum 'H2 Mg O2'\n"), set())
    assert "missing_hydrogens='place'" in error.value.next
    assert not crystal.plan(structure(*BRUCITE, extra="_chemical_formula_sum 'Mg O2'\n"), set()).doubts


def test_atoms_of_the_formula_that_the_cell_lacks_are_said():
    rows = BRUCITE[0] + "H1 H 0.33333 0.66667 0.43\n"
    formula = "_chemical_formula_sum 'H4 Mg O2 Cl'\n"
    (doubt,) = crystal.plan(structure(rows, *BRUCITE[1:], extra=formula), set()).doubts
    assert "lacks 2 H, 1 Cl of its formula" in doubt
    deuterated = "_chemical_formula_sum 'D2 Mg O2'\n"
    assert not crystal.plan(structure(rows, *BRUCITE[1:], extra=deuterated), set()).doubts


def test_the_level_of_theory_is_pbe_unless_gpaw_has_data_for_another():
    method = crystal.method(Options(density="periodic"), {"C", "H"})
    assert (method.level, method.basis, method.cutoff_ev) == ("PBE, periodic", "def2-TZVP", 600.0)
    assert crystal.method(Options(functional="LDA"), {"I"}).basis == "x2c-TZVPall"
    with pytest.raises(UserInputError, match="cannot be computed with 'b3lyp'"):
        crystal.method(Options(functional="b3lyp"), {"C"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partition", "mbis"),
        ("crystal_field", "charges"),
        ("wavefunction", "a.fchk"),
        ("charges", "1: +1"),
        ("fragments", "on"),
        ("relativistic", "no"),
    ],
)
def test_options_of_molecules_are_refused_in_words(name, value):
    with pytest.raises(UserInputError, match="does not go with density='periodic'") as error:
        crystal.method(Options(density="periodic", **{name: value}), {"C"})
    assert error.value.where == name
    assert error.value.why


def test_meshes_of_k_points_follow_the_cell():
    cube = structure("Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5\n", (6.0, 4.0, 13.0, 90, 90, 90))
    assert crystal.kpoints(cube, conducts=False) == (2, 3, 1)
    assert crystal.kpoints(cube, conducts=True) == (6, 9, 3)
    assert crystal.is_metallic(["Na", "Al"])
    assert not crystal.is_metallic(["Na", "Cl"])


def test_symmetry_and_time_reversal_leave_few_k_points():
    """Known: a cubic mesh of 2 has Γ, X, M and R; without symmetry only k and -k are one, 14 of 27."""
    assert crystal.irreducible(structure(*ROCK_SALT), (2, 2, 2)) == 4
    bare = structure("C1 C 0 0 0\n")
    assert crystal.irreducible(bare, (2, 2, 2)) == 8
    assert crystal.irreducible(bare, (3, 3, 3)) == 14


def test_the_grid_of_the_estimate_is_that_of_gpaw():
    """GPAW took 30 x 30 x 25 points for urea (145.06 Å³) at 500 eV; it rounds up to sizes that transform fast."""
    assert grid_points(145.06, 500.0) == pytest.approx(30 * 30 * 25, rel=0.15)


def test_without_gpaw_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv(interpreter.VARIABLE, "/nowhere/python3")
    with pytest.raises(UserInputError, match="needs GPAW, which is not installed") as error:
        GpawProgram()
    assert "/nowhere/python3" in error.value.why
    assert "apt-get install" in error.value.next
    assert interpreter.VARIABLE in error.value.next


def program(folder: Path, body: str) -> str:
    """A Python whose GPAW is `body`."""
    path = folder / "python3"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_python_that_has_gpaw_is_found_on_the_path(tmp_path, monkeypatch):
    path = program(tmp_path, "print('99.1' if 'PYTHONPATH' not in os.environ else '')")
    monkeypatch.delenv(interpreter.VARIABLE, raising=False)
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert path in interpreter.candidates()
    monkeypatch.setenv(interpreter.VARIABLE, path)
    assert interpreter.find() == Interpreter(path, "99.1")


def test_a_python_that_is_slow_is_not_said_to_lack_gpaw(tmp_path, monkeypatch):
    """On a busy machine the probe timed out, and GPAW was reported as missing."""
    monkeypatch.setattr(interpreter, "_PROBE_S", 0.2)
    monkeypatch.setenv(interpreter.VARIABLE, program(tmp_path, "time.sleep(60)"))
    with pytest.raises(CalculationFailed, match="did not import GPAW within"):
        interpreter.find()


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A Python with GPAW that counts how often it is asked: (its path, the file with a line for each time)."""
    asked = tmp_path / "asked"
    path = program(tmp_path, f"open({str(asked)!r}, 'a').write('once\\n')\nprint('99.1')")
    monkeypatch.setenv(interpreter.VARIABLE, path)
    return Path(path), asked


def test_gpaw_is_asked_for_its_version_once_in_a_process(counted):
    path, asked = counted
    assert interpreter.find() == interpreter.find() == Interpreter(str(path), "99.1")
    assert asked.read_text().count("once") == 1


def test_gpaw_is_asked_again_when_it_was_replaced_or_removed_or_did_not_answer(counted, monkeypatch):
    path, asked = counted
    found = interpreter.find()
    path.write_text(path.read_text().replace("99.1", "99.22"), encoding="utf-8")
    assert interpreter.find().version == "99.22"
    interpreter.forget(found)
    assert asked.read_text().count("once") == 2
    with GpawProgram() as made, pytest.raises(CalculationFailed, match="GPAW ended"):
        made.setups(["C"], "PBE")  # it ends without an answer
    path.unlink()
    with pytest.raises(UserInputError, match="needs GPAW"):
        interpreter.find()


def test_gpaw_that_was_not_there_is_looked_for_again(tmp_path, monkeypatch):
    monkeypatch.setenv(interpreter.VARIABLE, str(tmp_path / "python3"))
    with pytest.raises(UserInputError, match="needs GPAW"):
        interpreter.find()
    program(tmp_path, "print('99.1')")
    assert interpreter.find().version == "99.1"


ANSWERS = """
answers = os.fdopen(int(sys.argv[2]), 'w')
for line in sys.stdin:
    request = json.loads(line)
    if request['kind'] == 'setups':
        said = [{'kind': 'value', 'value': {'C': 4}}]
    elif request['case'] == 'hangs':
        said = [{'kind': 'progress', 'iteration': 1, 'energy': -1.0}]
    elif request['case'] == 'value':
        said = [{'kind': 'progress', 'iteration': i, 'energy': -i} for i in (1, 2)] + [{'kind': 'value', 'value': 5}]
    elif request['case'] == 'dies':
        os.kill(os.getpid(), 9)
    else:
        said = [{'kind': 'error', 'name': request['case'], 'text': 'because'}]
    for one in said:
        print(json.dumps(one), file=answers, flush=True)
"""


@pytest.fixture
def fake(tmp_path):
    with GpawProgram(Interpreter(program(tmp_path, ANSWERS), "1")) as made:
        yield made


def test_requests_give_progress_and_a_value(fake):
    seen = []
    assert fake.density({"case": "value"}, lambda i, e: seen.append((i, e))) == 5
    assert seen == [(1, -1), (2, -2)]


def test_elements_without_data_are_named(fake):
    assert fake.setups(["C", "C"], "PBE") == {"C": 4}
    with pytest.raises(UserInputError, match=r"no PBE data \(PAW setups\) for Po"):
        fake.setups(["C", "Po"], "PBE")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("KohnShamConvergenceError", "did not converge"),
        ("MemoryError", "not enough memory"),
        ("ValueError", "GPAW: ValueError: because"),
        ("dies", "GPAW was ended by SIGKILL"),
    ],
)
def test_failures_have_a_reason_and_the_next_request_is_answered(fake, case, words):
    with pytest.raises(CalculationFailed, match=words) as error:
        fake.density({"case": case})
    assert error.value.reason
    assert fake.density({"case": "value"}) == 5


def test_an_iteration_in_flight_is_ended_at_once(fake):
    """What a cancelled command does: the program that does not answer is ended by its process id."""

    class Cancelled(Exception):
        pass

    pids = []

    def stop(iteration: int, energy: float) -> None:
        pids.append(fake.pid)
        raise Cancelled

    with pytest.raises(Cancelled):
        fake.density({"case": "hangs"}, stop)
    assert fake.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], signal.SIGCONT)
