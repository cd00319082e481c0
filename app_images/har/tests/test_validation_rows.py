"""The page of aspherical refinements is made from rows that are kept in the repository, whatever data are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import charges, fragments, molecules

from tools.validation import hirshfeld, hirshfeld_fragments, neutron_values
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


def test_a_small_molecule_stays_small_though_one_of_its_levels_has_no_row_yet(kept, monkeypatch):
    keep(kept, "thpp", "HF/def2-SVP", atoms=8)
    monkeypatch.setattr("shutil.which", lambda name: f"/somewhere/{name}")
    monkeypatch.setattr(hirshfeld, "_run", lambda *_: row(atoms=16, cold_processor_s=None))
    page = hirshfeld.table(Context(None, rows=("thpp PBE*",)))
    assert "| thpp | PBE, periodic |" in page


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


def test_all_bonds_to_carbon_have_a_mean_of_their_own(kept):
    """Two classes: 1.08 and 1.10 Å beside 1.077 and 1.099 Å; 0.005 and 0.013 Å of s.u. make 0.007 Å for the mean."""
    methyl = row()["hydrogen"][0]
    methine = methyl | {
        "hydrogen": "H2",
        "bond_class": "C-H methine",
        "neutron": 1.099,
        "har": 1.1,
        "har_su": 0.012,
    }
    keep(kept, "thpp", "HF/def2-SVP", hydrogen=[methyl, methine])
    page = hirshfeld.table(Context(None, rows=("nothing",)))
    assert "| thpp | 2 C-H together | 1.088 | HF/def2-SVP | 1.090(7) | +0.3 |" in page


def test_distances_are_held_against_neutrons_in_the_same_crystal(kept):
    """1.006 Å for N-H1 and 1.000 Å for N-H2 of urea; a bond that the row does not have is left out."""

    def bond(hydrogen: str, length: float | None) -> dict:
        place = {"x": "N", "hydrogen": hydrogen, "bond_class": "N-H", "neutron": 1.015}
        return place | {"iam": 0.9, "iam_su": 0.01, "har": length, "har_su": 0.004}

    level = "B3LYP/def2-SVP, charges"
    keep(kept, "urea", level, hydrogen=[bond("H1", 1.004), bond("H2", 0.990)])
    keep(kept, "urea", "HF/def2-SVP", hydrogen=[bond("H1", None)])
    keep(kept, "thpp", "HF/def2-SVP")
    page = hirshfeld.table(Context(None, rows=("nothing",)))
    assert f"| urea | {level} | 0.0200 / - | N-H1 | 1.006 | 1.004(4) | 1.007(4) | -0.5 | yes |" in page
    assert f"| urea | {level} | 0.0200 / - | N-H2 | 1.000 | 0.990(4) | 1.001(4) | -2.5 | no |" in page
    assert page.count("| N-H1 |") == 1
    assert neutron_values.table([("thpp", "HF/def2-SVP", row())]) == ""


@pytest.mark.parametrize("name", hirshfeld_fragments.CHAINS)
def test_the_chains_for_fragments_are_molecules_with_whole_bonds(name):
    """At least 100 atoms; hydrogen at its distances from nitrogen, carbon and oxygen, and nothing too near."""
    elements, places = hirshfeld_fragments.chain(hirshfeld_fragments.CHAINS[name].sequence)
    assert f"{len(elements)} atoms" in name
    assert len(elements) >= 100
    distance = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    hydrogen = np.array(elements) == "H"
    assert set(distance[hydrogen].min(axis=1).round(2)) <= {0.97, 1.03, 1.09}
    assert distance[hydrogen][:, hydrogen].min() > 1.7
    heavy = distance[~hydrogen][:, ~hydrogen]
    assert set(heavy[heavy < 2.2].round(3)) <= {1.23, 1.335, 1.42, 1.455, 1.525}


def test_side_groups_are_tetrahedral_and_staggered():
    """Serine: 109.47° at CB and its oxygen, and 180° about CA-CB from the bond that is given."""
    elements, places = hirshfeld_fragments.chain("S")
    start = elements.index("C", 3)
    carbon, oxygen, last = places[start], places[start + 3], places[start + 4]
    alpha, below = places[1], places[start - 1]
    assert elements[start - 1 : start + 5] == ["H", "C", "H", "H", "O", "H"]

    def angle(a, b, c):
        u, v = a - b, c - b
        return np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))

    assert angle(alpha, carbon, oxygen) == pytest.approx(109.47, abs=0.01)
    assert angle(carbon, oxygen, last) == pytest.approx(109.47, abs=0.01)
    normals = np.cross(below - alpha, carbon - alpha), np.cross(carbon - alpha, oxygen - carbon)
    assert abs(normals[0] @ normals[1]) == pytest.approx(np.prod(np.linalg.norm(normals, axis=1)), rel=1e-6)
    assert (oxygen - carbon) @ (below - alpha) < 0


def test_chains_that_are_measured_anew_stand_beside_those_that_are_kept(tmp_path, monkeypatch):
    cut = {"fragments": 9, "bonds": 44, "mean_off": 0.0004, "largest_off": 0.0012}
    depths = {
        "2": cut | {"largest_fragment": 24, "processor_s": 8.0, "mean_off": None},
        "3": cut | {"largest_fragment": 30, "processor_s": 10.0},
    }
    figures = {"level": "HF/sto-3g", "whole_processor_s": 120.0, "depths": depths, "day": "2026-01-02"}
    monkeypatch.setattr(hirshfeld_fragments, "KEPT", tmp_path / "fragments.json")
    monkeypatch.setattr(hirshfeld_fragments, "measure", lambda _: figures)
    assert hirshfeld_fragments.refresh(Context(None, rows=("nothing",))) == ""
    first, *_ = hirshfeld_fragments.CHAINS
    assert hirshfeld_fragments.main([first]) == 0
    page = hirshfeld_fragments.refresh(Context(None, rows=("nothing",)))
    for depth, atoms, mean, times in (("2", 24, "-", "8 s = 15.0"), ("3", 30, "0.0004", "10 s = 12.0")):
        cells = (first, "HF/sto-3g", depth, f"9, {atoms} atoms", "44", f"{mean}, 0.0012", f"120 s / {times}")
        assert f"| {' | '.join(cells)} | 2026-01-02 |" in page


def test_the_chain_for_fragments_is_cut_into_closed_shells(tmp_path):
    (tmp_path / "chain.cif").write_text(hirshfeld_fragments.cif("GGGG"))
    structure = Structure.from_cif(tmp_path / "chain.cif")
    whole, parts = molecules.plan(structure), fragments.plan(structure)
    for plan in (whole, parts):
        charges.assign(plan.molecules)
        assert {m.charge for m in plan.molecules} == {0}
        assert sorted(plan.sources) == list(range(30))
    assert [m.formula for m in whole.molecules] == ["C8H14N4O4"]
    assert len(parts.molecules) > 1
