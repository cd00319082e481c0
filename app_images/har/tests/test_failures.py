"""What is kept when a refinement fails in the middle, and what the next attempt does. Both processes are stood in for."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from crystals import cif
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox_har import checkpoint, experience
from qcrbox_har.loop import Refinement
from qcrbox_har.method import AtomicDensity
from qcrbox_har.options import Options

WATER = "O1 O .5 .5 .5\nH1 H .5757 .5587 .5\nH2 H .4243 .5587 .5\n"
HKL = np.array([(0, 0, 1), (1, 0, 0)])
REMARKS = {"notes": ["No wavelength."], "kinds": {}, "left_out": []}
SUMMARY = {"R1": 0.03, "wR2": 0.05, "S": 1.0}


class Quantum:
    """Wavefunctions that cost nothing. fails: number of the one that does not converge, counted from 1."""

    def __init__(self, fails: int | None = None) -> None:
        self.fails, self.made, self.restored = fails, 0, ""

    def call(self, function: str, *arguments, progress=None):
        return getattr(self, function.rpartition(":")[2])(*arguments)

    def speed(self) -> float:
        return 1e10

    def slowness(self) -> float:
        return 1.0

    def size(self, *_) -> dict[str, int]:
        return {"basis": 24, "auxiliary": 100, "occupied": 5, "scf_points": 1e4, "points": 2e4}

    def hydrogen_distances(self, molecule, pairs):
        """Hydrogen and oxygen move: only hydrogen may follow."""
        return molecule.positions + 0.02

    def molecule_density(self, _number, molecule, _method, request):
        self.made += 1
        if self.made == self.fails:
            raise CalculationFailed("the wavefunction did not converge.", reason="SCF not converged")
        n = len(molecule.symbols)
        nothing, vectors = np.zeros(n), np.zeros((n, 3))
        factors = np.ones((len(request.wanted), len(request.hkl)), dtype=complex)
        density = AtomicDensity(nothing, nothing, vectors, nothing, 10.0, -76.0, 5, True, np.zeros(3))
        return factors, density

    def save(self, path: str) -> None:
        Path(path).write_bytes(b"densities")

    def restore(self, path: str, *_) -> list[int]:
        self.restored = Path(path).read_text()
        return [1]


class LeastSquares:
    """Shifts that shrink by a factor of ten a round."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.moved: dict[str, tuple] = {}
        self.remarks: dict = {}
        self.shift = 5.0

    def call(self, function: str, *arguments):
        name = function.rpartition(":")[2]
        self.calls.append(name)
        return getattr(self, name)(*arguments)

    def start(self, _structure, _hkl, _options, iam_cif):
        Path(iam_cif).write_text(cif(WATER))
        return {"summary": SUMMARY, "hkl": HKL, "remarks": REMARKS}

    def resume(self, model, _hkl, _options, remarks):
        assert Path(model).exists()
        self.remarks = remarks
        return {"hkl": HKL}

    def move(self, sites) -> None:
        self.moved = sites

    def treat_hydrogens(self, _choice) -> None:
        pass

    def round_(self, *_):
        self.shift /= 10
        moved = {"distance": 0.001, "farthest": "H1", "ratio": self.shift, "worst": "H1"}
        return {"summary": SUMMARY, "moved": moved, "seconds": 0.1, "step_seconds": 0.01, "sites": {}}

    def write_model(self, path: str) -> None:
        Path(path).write_text(cif(WATER))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "water.cif").write_text(cif(WATER))
    return tmp_path


def refinement(quantum: Quantum, least_squares: LeastSquares, **options) -> Refinement:
    return Refinement(Options(**options), {}, quantum, least_squares)  # type: ignore[arg-type]


def failed_in_round_2(folder: Path) -> Refinement:
    made = refinement(Quantum(fails=2), LeastSquares())
    with pytest.raises(CalculationFailed, match="did not converge"):
        made.run("water.cif", None, last_cif="har.cif")
    return made


def test_the_last_good_model_and_the_checkpoint_outlive_a_failure(folder):
    failed_in_round_2(folder)
    assert "O1 O" in (folder / "har.cif").read_text()
    with zipfile.ZipFile(folder / checkpoint.FILE) as archive:
        assert sorted(archive.namelist()) == ["density.npz", "iam.cif", "model.cif", "state.json"]
        assert len(json.loads(archive.read("state.json"))["rounds"]) == 1


def test_the_next_attempt_goes_on_after_the_last_good_round(folder):
    failed_in_round_2(folder)
    quantum, least_squares = Quantum(), LeastSquares()
    least_squares.shift = 0.5
    state = refinement(quantum, least_squares).run("water.cif", None, last_cif="har.cif")
    assert [one.number for one in state.rounds] == [1, 2]
    assert state.converged
    assert quantum.restored == "densities"
    assert least_squares.remarks == REMARKS
    assert "start" not in least_squares.calls
    assert "treat_hydrogens" not in least_squares.calls  # the model has them as they were left


def test_an_attempt_with_other_settings_begins_anew(folder):
    failed_in_round_2(folder)
    least_squares = LeastSquares()
    state = refinement(Quantum(), least_squares, functional="hf").run("water.cif", None)
    assert least_squares.calls[0] == "start"
    assert state.rounds[0].number == 1


def test_a_refinement_that_was_converged_but_not_written_is_written(folder):
    """The table of form factors is not kept: one more round makes it."""
    refinement(Quantum(), LeastSquares()).run("water.cif", None)
    quantum = Quantum()
    state = refinement(quantum, LeastSquares()).run("water.cif", None)
    assert quantum.made == 1
    assert state.table is not None
    assert state.converged


def test_rounds_that_are_used_up_are_not_converged_and_teach_no_estimate(folder):
    made = refinement(Quantum(), LeastSquares(), rounds=1)
    state = made.run("water.cif", None)
    assert not state.converged
    assert experience.factor("any") == (1.0, 0)


def test_a_refinement_that_converged_teaches_the_next_estimate(folder, monkeypatch):
    monkeypatch.setattr(experience, "_MOST_OFF", 1e9)  # this one takes no time at all
    first = refinement(Quantum(), LeastSquares())
    first.run("water.cif", None)
    (folder / checkpoint.FILE).unlink()
    second = refinement(Quantum(), LeastSquares())
    second.run("water.cif", None)
    assert first.cost is not None
    assert second.cost is not None
    assert (first.cost.runs, second.cost.runs) == (0, 1)
    assert second.cost.seconds < first.cost.seconds


def test_a_resumed_refinement_teaches_nothing(folder):
    failed_in_round_2(folder)
    resumed = refinement(Quantum(), LeastSquares())
    resumed.run("water.cif", None)
    assert resumed.cost is None
    assert experience.factor("any") == (1.0, 0)


def test_only_hydrogen_follows_the_first_guess(folder):
    least_squares = LeastSquares()
    made = refinement(Quantum(), least_squares)
    made.run("water.cif", None)
    assert sorted(least_squares.moved) == ["H1", "H2"]
    assert least_squares.moved["H1"] == pytest.approx((0.5777, 0.5607, 0.502))
    assert made.sites[0] == pytest.approx((0.5, 0.5, 0.5))


def test_what_would_take_too_long_is_refused_before_any_wavefunction(folder):
    quantum = Quantum()
    with pytest.raises(UserInputError, match=r"more than the 0\.001 h allowed"):
        refinement(quantum, LeastSquares(), most_hours=0.001).run("water.cif", None)
    assert quantum.made == 0
    assert not (folder / checkpoint.FILE).exists()
