"""When the rounds end, which reflections a table lists, and what is refused before a run: without a wavefunction."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from crystals import cif, structure
from qcrbox.cif import read
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import commands, fragments, molecules, planning
from qcrbox_har.checks import refuse_without_hydrogen
from qcrbox_har.loop import Refinement, hydrogen_pairs
from qcrbox_har.loop_state import Progress, Round
from qcrbox_har.method import Method
from qcrbox_har.options import Options

from tools.validation.hirshfeld_fragments import cif as peptide_cif

WATER = "O1 O 0 0 0\nH1 H 0.0757 0.0587 0\nH2 H -0.0757 0.0587 0\n"


def refinement(fixed: bool = False, **options) -> Refinement:
    made = Refinement(Options(**options), {}, None, None)
    made.computer = SimpleNamespace(is_fixed=fixed)
    return made


def after(*ratios: float) -> Progress:
    """A refinement whose rounds moved the worst parameter by these s.u."""
    state = Progress(None, None, Method(), {})
    state.rounds = [
        Round(k, {}, {"ratio": ratio, "worst": "H1"}, 5, {}) for k, ratio in enumerate(ratios, start=1)
    ]
    return state


@pytest.mark.parametrize(
    ("ratios", "converged"),
    [
        ((), False),
        ((0.01,), False),  # the first round is not exact
        ((0.01, 0.01), True),
        ((5.0,), False),
        ((5.0, 0.5), False),  # the next would move 0.05
        ((5.0, 0.2), True),  # the next would move 0.008
        ((0.5, 0.3), False),
        ((0.03, 0.025), False),  # it hardly shrinks, so the rate says nothing
        ((9.0, 0.1, 0.019), True),
        ((10.0, 2.0, 0.15), False),  # a prediction took most of it; the next round would move 0.03
    ],
    ids=str,
)
def test_rounds_end_when_the_next_would_move_nothing(ratios, converged):
    assert refinement()._is_converged(after(*ratios)) is converged


def test_a_wider_tolerance_ends_sooner():
    assert not refinement()._is_converged(after(5.0, 0.5))
    assert refinement(tolerance=0.1)._is_converged(after(5.0, 0.5))


def test_densities_from_files_need_one_round():
    assert not refinement(fixed=True)._is_converged(after())
    assert refinement(fixed=True)._is_converged(after(30.0))


def test_scf_iterations_of_all_rounds_count():
    assert after(1.0, 0.1, 0.01).scf_iterations == 15


def test_a_checkpoint_belongs_to_files_and_settings_but_not_to_limits(tmp_path):
    first, second = tmp_path / "a.cif", tmp_path / "b.cif"
    first.write_text("data_a")
    second.write_text("data_b")
    key = refinement()._fingerprint(str(first), None)
    assert refinement(rounds=3, tolerance=0.5, most_hours=1)._fingerprint(str(first), None) == key
    assert refinement(functional="pbe")._fingerprint(str(first), None) != key
    assert refinement()._fingerprint(str(second), None) != key
    assert refinement()._fingerprint(str(first), str(second)) != key


def test_organic_structures_need_hydrogen_and_others_do_not():
    refuse_without_hydrogen(structure(WATER))
    refuse_without_hydrogen(structure("Na1 Na 0 0 0\nCl1 Cl 0.28 0 0\n"))
    with pytest.raises(UserInputError, match="no hydrogen atoms") as error:
        refuse_without_hydrogen(structure("C1 C 0 0 0\nO1 O 0.12 0 0\n"))
    assert "by C1:" in error.value.why
    assert "missing_hydrogens='place'" in error.value.next


DIAMOND = ("C1 C 0.125 0.125 0.125\n", (3.567, 3.567, 3.567, 90, 90, 90), "F d -3 m :2")
CALCITE = ("Ca1 Ca 0 0 0\nC1 C 0 0 0.25\nO1 O 0.257 0 0.25\n", (4.99, 4.99, 17.06, 90, 90, 120), "R -3 c :H")
DRY_ICE = ("C1 C 0 0 0\nO1 O 0.1185 0.1185 0.1185\n", (5.624, 5.624, 5.624, 90, 90, 90), "P a -3")
CYANIDE = (
    "K1 K 0.5 0.5 0.5\nC1 C 0.942 0 0\nN1 N 0.058 0 0\n",
    (10.0, 10.0, 10.0, 90, 90, 90),
)


@pytest.mark.parametrize(
    "crystal",
    [DIAMOND, CALCITE, DRY_ICE, CYANIDE],
    ids=["diamond", "carbonate", "carbon dioxide", "cyanide"],
)
def test_crystals_in_which_no_bond_is_open_have_no_hydrogen(crystal):
    (note,) = refuse_without_hydrogen(structure(*crystal))
    assert "none seem to be missing" in note


METHYL = "C1 C 0 0 0\nC2 C 0.154 0 0\n"
# Two sides of a benzene ring.
ARYL = "C1 C 0 0 0\nC2 C 0.12 0.07 0\nC3 C -0.12 0.07 0\nCl2 Cl 0.27 -0.02 0\nCl3 Cl -0.27 -0.02 0\n"
PYRAMID = "C1 C 0 0 0\nCl1 Cl 0.166 0 0.059\nCl2 Cl -0.083 0.144 0.059\nCl3 Cl -0.083 -0.144 0.059\n"
UREA = "C1 C 0 0 0\nO1 O 0 0 0.126\nN1 N 0.114 0 -0.072\nN2 N -0.114 0 -0.072\n"
HYDRATE = "C1 C 0 0 0\nO1 O 0.116 0 0\nO2 O -0.116 0 0\nO3 O 0.5 0.5 0.5\n"


@pytest.mark.parametrize(
    ("rows", "lacking"),
    [
        (METHYL, "C1, C2"),
        (ARYL, "C1, C2"),
        (PYRAMID, "C1"),
        (UREA, "N1, N2"),
        (HYDRATE, "O3"),
    ],
    ids=["methyl", "ring", "chloroform", "amine", "water"],
)
def test_the_atoms_that_lack_hydrogen_are_named(rows, lacking):
    with pytest.raises(UserInputError) as error:
        refuse_without_hydrogen(structure(rows))
    assert f"by {lacking}" in error.value.why


def test_a_formula_with_hydrogen_says_that_it_is_missing():
    with pytest.raises(UserInputError, match="no hydrogen atoms") as error:
        refuse_without_hydrogen(structure(*DIAMOND, extra="_chemical_formula_sum 'C H'\n"))
    assert "the formula" in error.value.why


def test_a_crystal_that_has_no_hydrogen_is_refined_where_placing_found_none_missing():
    """Asking for hydrogen is the way out that the refusal names, and must not end in it again."""
    rows = "C1 C .5 .5 .5\n" + "".join(
        f"Cl{i} Cl {0.5 + x * 0.102} {0.5 + y * 0.102} {0.5 + z * 0.102}\n"
        for i, (x, y, z) in enumerate(((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)), start=1)
    )
    for hydrogens in ("place", "keep"):
        state = Refinement(Options(), {"hydrogens": hydrogens}, None, None).prepare(structure(rows), {})
        assert [m.formula for m in state.plan.molecules] == ["CCl4"]
        assert any("none seem to be missing" in warning for warning in state.warnings)
    assert refuse_without_hydrogen(structure(UREA), were_placed=True)


def test_each_hydrogen_is_paired_with_the_atom_it_is_bonded_to():
    (water,) = molecules.plan(structure(WATER)).molecules
    labels = [(water.labels[h], water.labels[x]) for h, x in hydrogen_pairs(water)]
    assert labels == [("H1", "O1"), ("H2", "O1")]


@pytest.fixture(scope="module")
def peptide() -> Structure:
    """Four residues of glycine: long enough to be cut, small enough to be whole."""
    return Structure.from_cif(peptide_cif("GGGG").encode())


def test_fragments_and_a_crystal_field_do_not_go_together(peptide):
    with pytest.raises(UserInputError, match="cannot be embedded"):
        planning.in_parts(peptide, set(), Options(fragments="on", crystal_field="charges"))


def test_fragments_are_taken_from_their_size_on(peptide, monkeypatch):
    assert not planning.in_parts(peptide, set(), Options()).notes
    monkeypatch.setattr(fragments, "LARGE", 10)
    assert "overlapping fragments" in planning.in_parts(peptide, set(), Options()).notes[0]
    assert not planning.in_parts(peptide, set(), Options(fragments="off")).notes


HKL = "   1   0   0  100.00    1.00\n   0   2   1   50.00    1.00\n   0   0   0    0.00    0.00\n"


def block_of(text: str):
    return read(text.encode()).sole_block()


def test_a_table_lists_measured_reflections_with_equivalents_and_mates(tmp_path):
    (tmp_path / "x.hkl").write_text(HKL)
    text = cif(WATER, group="P 21")
    found = commands._indices(structure(WATER, group="P 21"), block_of(text), str(tmp_path / "x.hkl"), None)
    listed = {tuple(row) for row in found.tolist()}
    # P 2₁: -h k -l, and the mates of both.
    assert listed == {(1, 0, 0), (-1, 0, 0), (0, 2, 1), (0, 2, -1), (0, -2, -1), (0, -2, 1)}


def test_a_table_to_a_resolution_is_a_sphere():
    found = commands._indices(structure(WATER), block_of(cif(WATER)), None, 2.0)
    lengths = np.linalg.norm(found, axis=1) / 10
    assert lengths.max() <= 0.5 + 1e-9
    assert (found != 0).any(axis=1).all()
    assert len(found) == pytest.approx(4 / 3 * np.pi * 5**3, rel=0.05)


def test_without_reflections_or_resolution_the_way_out_is_named():
    with pytest.raises(MissingItemsError, match="no reflections") as error:
        commands._indices(structure(WATER), block_of(cif(WATER)), None, None)
    assert "d_min=0.5" in error.value.next


def test_the_first_block_with_atoms_is_taken(tmp_path):
    path = tmp_path / "x.cif"
    path.write_text("data_global\n_journal_year 2026\n" + cif(WATER))
    block, said = commands.block_with_atoms(path)
    assert (block.name, said) == ("t", [])
    path.write_text(cif(WATER) + cif(WATER).replace("data_t", "data_second"))
    assert commands.block_with_atoms(path)[1] == [("note", "The CIF has 2 structures; t is taken.")]
    path.write_text("data_global\n_journal_year 2026\n")
    with pytest.raises(MissingItemsError, match="no atoms"):
        commands.block_with_atoms(path)


def test_a_plan_says_what_would_be_done(tmp_path, monkeypatch):
    """With the real processes: molecules, level, time and memory, before anything is refined."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.cif").write_text(cif(WATER, group="P 21"))
    commands.plan_har("x.cif", functional="hf", basis="sto-3g")
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan["level"] == "HF/sto-3g"
    (water,) = plan["molecules"]
    assert (water["formula"], water["charge"], water["multiplicity"], water["in_unit_cell"]) == (
        "H2O",
        0,
        1,
        2,
    )
    assert plan["basis_functions"] == 7
    assert 1 < plan["seconds"] < 600
    assert 1e8 < plan["memory_bytes"] < 2e9


def test_a_plan_beyond_the_time_allowed_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.cif").write_text(cif(WATER))
    with pytest.raises(UserInputError, match=r"more than the 0\.0001 h allowed"):
        commands.plan_har("x.cif", functional="hf", basis="sto-3g", most_hours=0.0001)
