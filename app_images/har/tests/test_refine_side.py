"""The least squares between the rounds: hydrogen treatments, moves, files and figures of one session with cctbx."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har.processes import Child

EXAMPLES = Path(__file__).parents[1] / "examples"
CIF, HKL = str(EXAMPLES / "urea.cif"), str(EXAMPLES / "urea.hkl")
OPTIONS = {"weighting": "0, 0"}
FILES = {"cif": "r.cif", "res": "r.res", "fcf": "r.fcf", "peaks": "peaks.json"}


class Engine:
    """The process with cctbx in a folder of its own; `call` by the name of the function."""

    def __init__(self, child: Child, folder: Path) -> None:
        self.child, self.folder = child, folder

    def call(self, name: str, *arguments):
        return self.child.call(f"qcrbox_har.refine_side:{name}", *arguments)

    def structure(self) -> Structure:
        self.call("write_model", "model.cif")
        return Structure.from_cif(self.folder / "model.cif")

    def displacements(self) -> dict[str, str]:
        """Uani or Uiso by label."""
        self.call("write_model", "model.cif")
        block = read(self.folder / "model.cif").blocks[0]
        names = block.column("_atom_site_label"), block.column("_atom_site_adp_type")
        return {str(a): str(b) for a, b in zip(*names, strict=True)}


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session")
    with chdir(folder), Child("The least-squares program", threads=1) as child:
        yield Engine(child, folder)


@pytest.fixture
def engine(process) -> Engine:
    """A session that has just begun with spherical atoms."""
    process.begun = process.call("start", CIF, HKL, OPTIONS, "iam.cif")
    return process


def spherical_round(engine: Engine, cycles: int = 10):
    return engine.call(
        "round_", [], engine.begun["hkl"], np.zeros((len(engine.begun["hkl"]), 0)), cycles, False
    )


def test_a_session_begins_with_a_refined_model_and_the_indices_of_its_table(engine):
    assert engine.begun["summary"]["converged"]
    assert engine.begun["summary"]["reflections"] > 100
    assert (engine.folder / "iam.cif").exists()
    hkl = {tuple(h) for h in engine.begun["hkl"].tolist()}
    group = Structure.from_cif(EXAMPLES / "urea.cif").space_group
    first = next(iter(hkl))
    # Every rotation of a row is a row, and so is its Friedel mate: the crystal is acentric.
    assert all(tuple((np.array(first) @ r).tolist()) in hkl for r in group.rotations)
    assert tuple(-i for i in first) in hkl


@pytest.mark.parametrize(
    ("choice", "kind"),
    [("anisotropic", "Uani"), ("isotropic", "Uiso"), ("keep", "Uiso"), ("riding", "Uiso")],
)
def test_hydrogen_atoms_are_treated_as_asked(engine, choice, kind):
    engine.call("treat_hydrogens", choice)
    found = engine.displacements()
    assert {found["H1"], found["H2"]} == {kind}
    assert {found["C1"], found["O1"], found["N1"]} == {"Uani"}


def test_parameters_follow_the_treatment(engine):
    count = {}
    for choice in ("isotropic", "anisotropic", "riding"):
        engine.call("start", CIF, HKL, OPTIONS, "iam.cif")
        engine.call("treat_hydrogens", choice)
        count[choice] = spherical_round(engine)["summary"]["parameters"]
    assert count["riding"] < count["isotropic"] < count["anisotropic"]


def test_a_round_with_spherical_factors_moves_nothing(engine):
    found = spherical_round(engine)
    assert found["moved"]["ratio"] < 0.02
    assert found["moved"]["distance"] < 1e-3
    assert found["summary"]["R1"] == pytest.approx(engine.begun["summary"]["R1"], abs=2e-5)
    assert sorted(found["sites"]) == ["C1", "H1", "H2", "N1", "O1"]
    assert 0 < found["step_seconds"] <= 60


def test_atoms_can_be_put_somewhere_by_label(engine):
    engine.call("move", {"H2": (0.14, 0.64, -0.03)})
    placed = engine.structure()
    row = placed.sites.label.index("H2")
    assert placed.sites.fract[row] == pytest.approx((0.14, 0.64, -0.03), abs=1e-5)


def test_a_move_is_not_counted_as_a_shift_of_the_round(engine):
    """The first round compares with where the hydrogen atoms were put."""
    moved = engine.structure().sites.fract[4] + np.array([0.0, 0.0, 0.004])
    engine.call("move", {"H2": tuple(moved)})
    found = spherical_round(engine)
    assert found["moved"]["farthest"] == "H2"
    assert found["moved"]["distance"] == pytest.approx(0.004 * 4.684, rel=0.1)


def test_riding_hydrogen_keeps_the_distance_it_has(engine):
    before = engine.structure()
    places = before.cell.to_cartesian(before.sites.fract)
    longer = before.cell.to_fractional(places[2] + 1.02 * unit(places[4] - places[2]))
    engine.call("move", {"H2": tuple(longer)})
    engine.call("treat_hydrogens", "riding")
    spherical_round(engine)
    after = engine.structure()
    places = after.cell.to_cartesian(after.sites.fract)
    lengths = [float(np.linalg.norm(places[k] - places[2])) for k in (3, 4)]
    # Both hydrogen atoms of the group take its mean, which is not that of spherical atoms.
    assert lengths[0] == pytest.approx(lengths[1], abs=2e-3)
    assert lengths[1] > 0.93


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_the_end_writes_model_reflections_and_peaks(engine):
    spherical_round(engine)
    summary = engine.call("finish", FILES)
    for name in FILES.values():
        assert (engine.folder / name).stat().st_size > 0
    assert summary["min"] < 0 < summary["max"]
    assert summary["rms"] < summary["max"]
    assert json.loads((engine.folder / "peaks.json").read_text())
    assert "_refine_ls_R_factor_gt" in (engine.folder / "r.cif").read_text()


def test_the_residual_density_is_periodic_and_within_its_extremes(engine):
    spherical_round(engine)
    summary = engine.call("finish", FILES)
    places = np.random.default_rng(1).random((200, 3))
    here, there = (engine.call("residual_at", p) for p in (places, places + np.array([1, -2, 3])))
    assert here == pytest.approx(there, abs=1e-9)
    assert summary["min"] - 1e-6 <= here.min()
    assert here.max() <= summary["max"] + 1e-6
    # Operations of the group leave it as it is.
    turned = places @ np.array([[-1, 0, 0], [0, -1, 0], [0, 0, 1]]).T
    assert engine.call("residual_at", turned) == pytest.approx(here, abs=1e-6)


def test_a_model_that_was_written_can_be_continued(engine):
    engine.call("treat_hydrogens", "anisotropic")
    spherical_round(engine)
    kept = engine.displacements()
    engine.begun = engine.call("resume", "model.cif", HKL, OPTIONS)
    assert engine.displacements() == kept
    assert spherical_round(engine)["moved"]["ratio"] < 0.05


def test_a_model_that_is_continued_says_what_the_first_attempt_said_of_the_input(process, tmp_path):
    """The written model has no anharmonic terms and instructions of the program's own: only their absence showed."""
    cards = with_instructions(tmp_path, "TWIN -1 0 0 0 -1 0 0 0 -1 2", "BASF 0.3", "HTAB")
    anharmonic = "loop_\n_atom_site_anharm_GC_C_label\n_atom_site_anharm_GC_C_111\nO1 0.0001\n"
    Path(cards).write_text(f"{Path(cards).read_text()}\n{anharmonic}")
    begun = process.call("start", cards, HKL, OPTIONS, "iam.cif")
    said = process.call("finish", FILES)["remarks"]
    assert [kind for kind, text in said if "Anharmonic" in text] == ["not_applied"]
    process.call("write_model", "model.cif")
    process.begun = process.call("resume", "model.cif", HKL, OPTIONS, begun["remarks"])
    spherical_round(process)
    assert process.call("finish", FILES)["remarks"] == said


def test_the_data_of_a_fit_to_amplitudes_are_merged_with_dispersion(process):
    found = process.call("observed", CIF, HKL, OPTIONS)
    assert len(found["hkl"]) == len(found["squares"]) == len(found["sigma"])
    assert (found["sigma"] > 0).all()
    assert sorted(found["dispersion"]) == ["C", "H", "N", "O"]
    assert 0 < found["dispersion"]["O"].real < 0.02
    assert not [text for kind, text in found["remarks"] if kind == "not_applied"]


def with_instructions(folder: Path, *cards: str) -> str:
    """Urea with these instructions about the data."""
    text = "\n".join(["TITL urea", "CELL 0.71073 5.565 5.565 4.684 90 90 90", *cards, "HKLF 4", "END"])
    path = folder / "urea.cif"
    path.write_text(f"{Path(CIF).read_text()}\n_shelx_res_file\n;\n{text}\n;\n")
    return str(path)


def test_amplitudes_of_twins_are_refused_for_fitting(process, tmp_path):
    """A twin's intensities, mask and solvent were taken for amplitudes of one crystal without a word."""
    twin = with_instructions(tmp_path, "TWIN -1 0 0 0 -1 0 0 0 -1 2", "BASF 0.3")
    with pytest.raises(UserInputError, match="several domains"):
        process.call("observed", twin, HKL, OPTIONS)


def test_corrections_that_amplitudes_do_without_are_named(process, tmp_path):
    found = process.call("observed", with_instructions(tmp_path, "EXTI 0.01", "SWAT 0.1 2"), HKL, OPTIONS)
    named = [text.split(":")[0] for kind, text in found["remarks"] if kind == "not_applied"]
    assert named[:2] == ["Extinction", "Bulk solvent (SWAT)"]


def test_changes_are_measured_from_where_the_last_round_leads(engine):
    """Nothing moves any more, so a step ahead of the move of the round before is the whole of the next change."""
    begun = engine.structure().sites
    spherical_round(engine)
    assert engine.call("look_ahead", 0.3) == {}  # one round says nothing
    labels = list(begun.label)
    there = {"O1": tuple(begun.fract[labels.index("O1")] + [0.0, 0.0, 0.002])}
    engine.call("move", there)
    spherical_round(engine, cycles=0)
    moved = engine.call("look_ahead", 0.5)
    again = spherical_round(engine, cycles=0)
    place = again["sites"]["O1"]
    assert np.subtract(moved["O1"], place) == pytest.approx([0, 0, 0.001], abs=1e-5)
    length = engine.structure().cell.to_cartesian(np.array([[0, 0, 0.001]]))
    assert again["moved"]["distance"] == pytest.approx(np.linalg.norm(length), abs=2e-4)
    assert again["moved"]["farthest"] == "O1"
