"""The page of aspherical refinements is made from rows that are kept in the repository, whatever data are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import charges, fragments, molecules

from tools.validation import hirshfeld, hirshfeld_fragments
from tools.validation.sections import Context

FIGURES = {"R1": 0.02, "wR2": 0.04, "S": 1.1, "max": 0.2, "min": -0.2}


def row(**changed):
    bond = {"x": "C1", "hydrogen": "H1", "bond_class": "C-H methyl", "neutron": 1.077}
    bond |= {"iam": 0.96, "iam_su": 0.01, "har": 1.08, "har_su": 0.005}
    figures = {
        "iam": FIGURES | {"R1": 0.03}, "har": FIGURES, "hydrogen": [bond], "similarity": 0.1, "atoms": 26,
        "mean_deviation": {"iam": 0.1, "har": 0.01}, "processor_s": 30.0, "cold_processor_s": 20.0,
        "rounds": 3, "scf_iterations": 19, "seconds": 40.0, "estimated_seconds": 50.0, "load": 1.0, "processors": 2,
        "memory": 5e8, "forward_off": 1e-9, "electrons_off": 1e-6,
    }  # fmt: skip
    return figures | changed


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "aspherical.json"
    monkeypatch.setattr(hirshfeld, "KEPT", path)
    return path


def keep(path: Path, name: str, level: str, **changed) -> None:
    place = {"data set": name, "level": level, "day": "2026-01-02"}
    hirshfeld.keep(path, f"{name} {level}", place | row(**changed))


def test_rows_of_data_that_are_not_at_hand_stay_on_the_page(kept):
    keep(kept, "xylitol", "B3LYP/def2-SVP")
    keep(kept, "thpp", "B3LYP/def2-SVP")
    page = hirshfeld.table(Context(None, rows=("nothing",)))
    assert page.index("| thpp | B3LYP/def2-SVP | 0.0200") < page.index("| xylitol | B3LYP/def2-SVP | 0.0200")
    assert page.count("2026-01-02") == 2
    assert "40 s / 50 s = 0.8" in page
    assert "30.0 s / 20.0 s = 1.5" in page


def test_a_row_that_is_run_anew_replaces_its_own_alone(kept, monkeypatch):
    for level in ("HF/def2-SVP", "B3LYP/def2-SVP"):
        keep(kept, "thpp", level)
    monkeypatch.setattr(hirshfeld, "_run", lambda *_: row(har=FIGURES | {"R1": 0.0123}))
    page = hirshfeld.table(Context(None, rows=("thpp HF*",)))
    assert "| thpp | HF/def2-SVP | 0.0123" in page
    assert "| thpp | B3LYP/def2-SVP | 0.0200" in page
    assert hirshfeld.load(kept)["thpp HF/def2-SVP"]["day"] > "2026-01-02"


def test_a_second_run_that_writes_meanwhile_loses_nothing(kept):
    keep(kept, "thpp", "HF/def2-SVP")
    keep(kept, "urea", "HF/def2-SVP")
    assert sorted(hirshfeld.load(kept)) == ["thpp HF/def2-SVP", "urea HF/def2-SVP"]
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_row_that_could_not_be_done_says_why_below_the_table(kept):
    place = {"data set": "thpp", "level": "HF/def2-SVP", "day": "2026-01-02"}
    hirshfeld.keep(kept, "thpp HF/def2-SVP", place | {"refused": "not finished\nafter 5 s"})
    page = hirshfeld.table(Context(None, rows=("nothing",)))
    assert "- thpp, HF/def2-SVP: not finished after 5 s" in page


def test_the_chain_for_fragments_is_a_molecule_with_whole_bonds():
    """100 atoms; hydrogen beside nitrogen and carbon at their distances, and nothing too near."""
    elements, places = hirshfeld_fragments.chain(hirshfeld_fragments.RESIDUES)
    assert len(elements) == 100
    distance = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    hydrogen = np.array(elements) == "H"
    assert set(distance[hydrogen].min(axis=1).round(2)) == {1.03, 1.09}
    assert distance[~hydrogen][:, ~hydrogen].min() == pytest.approx(1.23, abs=1e-9)


def test_the_chain_for_fragments_is_cut_into_closed_shells(tmp_path):
    (tmp_path / "chain.cif").write_text(hirshfeld_fragments.cif(4))
    structure = Structure.from_cif(tmp_path / "chain.cif")
    whole, parts = molecules.plan(structure), fragments.plan(structure)
    for plan in (whole, parts):
        charges.assign(plan.molecules)
        assert {m.charge for m in plan.molecules} == {0}
        assert sorted(plan.sources) == list(range(30))
    assert [m.formula for m in whole.molecules] == ["C8H14N4O4"]
    assert len(parts.molecules) > 1
