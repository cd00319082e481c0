"""Crystals that others send: what can be computed is planned, the rest is refused in words. No wavefunction is computed."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from crystals import structure
from qcrbox.contract.errors import QcError, UserInputError
from qcrbox_har import commands, fragments
from qcrbox_har.loop import Refinement
from qcrbox_har.options import Options
from qcrbox_har.processes import Child

WATER = "O1 O .5 .5 .5\nH1 H .5757 .5587 .5\nH2 H .4243 .5587 .5\n"
METHANE = (
    "C1 C .5 .5 .5\nH1 H .5629 .5629 .5629\nH2 H .5629 .4371 .4371\nH3 H .4371 .5629 .4371\n"
    "H4 H .4371 .4371 .5629\n"
)
AQUA_COPPER = (
    "Cu1 Cu .5 .5 .5\nO1 O .7 .5 .5\nO2 O .3 .5 .5\nH1 H .75 .58 .5\nH2 H .75 .42 .5\nH3 H .25 .58 .5\n"
    "H4 H .25 .42 .5\n"
)
ROCK_SALT = "Na1 Na 0 0 0\nCl1 Cl .5 .5 .5\n"
SALT_CELL: dict[str, Any] = {"cell": (5.64, 5.64, 5.64, 90, 90, 90), "group": "F m -3 m"}
OCCUPANCY = {"columns": ("occupancy",)}


# Diamond structure with bonds of a double one, so that none may be cut.
SILICON = "Si1 Si .125 .125 .125\n"
SILICON_CELL = {"cell": (4.6, 4.6, 4.6, 90, 90, 90), "group": "F d -3 m"}


def prepared(rows: str, options: dict[str, Any] | None = None, **crystal: Any):
    """What a refinement would begin with: no process is needed for that."""
    refinement = Refinement(Options(**(options or {})), {}, None, None)  # type: ignore[arg-type]
    return refinement.prepare(structure(rows, **crystal), {})


def formulas(rows: str, options: dict[str, Any] | None = None, **crystal: Any) -> list[tuple[str, int]]:
    return [(m.formula, m.charge) for m in prepared(rows, options, **crystal).plan.molecules]


def shifted(rows: str, by: float, name: str) -> str:
    """The same atoms moved along all axes, their labels ending in `name`."""
    made = []
    for line in rows.splitlines():
        label, element, *place = line.split()
        made.append(f"{label}{name} {element} " + " ".join(f"{float(x) + by:.4f}" for x in place))
    return "\n".join(made) + "\n"


@pytest.mark.parametrize(
    ("rows", "crystal", "found"),
    [
        (WATER, {}, [("H2O", 0)]),
        (WATER.replace(" H ", " D "), {}, [("H2O", 0)]),
        (WATER + "X1 X .1 .1 .1\n", {}, [("H2O", 0)]),
        (METHANE + shifted(METHANE, -0.45, "B"), {}, [("CH4", 0), ("CH4", 0)]),
        (ROCK_SALT, {"cell": (9, 9, 9, 90, 90, 90)}, [("Cl", -1), ("Na", 1)]),
        (
            "O1 O .5 .5 .5 .5\nH1 H .5757 .5587 .5 .5\nH2 H .4243 .5587 .5 .5\n",
            OCCUPANCY,
            [("H2O", 0)],
        ),
        ("He1 He .5 .5 .5\n", {}, [("He", 0)]),
    ],
    ids=[
        "water",
        "deuterium",
        "dummy atom",
        "two independent molecules",
        "ions",
        "half occupied",
        "one atom",
    ],
)
def test_what_can_be_computed_is_planned(rows, crystal, found):
    assert formulas(rows, **crystal) == found


@pytest.mark.parametrize(
    ("rows", "crystal", "words"),
    [
        ("C1 C .5 .5 .5\nO1 O .62 .5 .5\n", {}, "no hydrogen atoms.*missing_hydrogens='place'"),
        ("Fe1 Fe .5 .5 .5\n", {}, "Fe, whose d or f shell may be open.*'1: 5' for four unpaired"),
        ("U1 U .5 .5 .5\nO1 O .68 .5 .5\nO2 O .32 .5 .5\n", {}, "U, whose d or f shell may be open"),
        (AQUA_COPPER, {}, "49 electrons, which cannot have multiplicity 1.*multiplicities='1: 2'"),
        (ROCK_SALT, SALT_CELL, "cannot be closed below.*spherical='Na'; or use.*refine_tsc"),
        (SILICON, SILICON_CELL, r"fragment around Si1 cannot be closed.*cut\. Use density='periodic'.*refine_tsc"),
        ("H1 H .5 .5 .5\n", {}, "1 electrons, which cannot have multiplicity 1"),
        (
            "C1 C .5 .5 .5 1\nC2 C .6 .5 .5 .5\nC3 C .61 .52 .5 .5\nH1 H .45 .58 .5 1\n",
            OCCUPANCY,
            "C2 and C3 are 0.22 Å apart.*disorder groups",
        ),
        (
            "C1 C .5 .5 .5 1\nN1 N .6 .5 .5 .5\nC2 C .6 .5 .5 .5\nH1 H .45 .58 .5 1\n",
            OCCUPANCY,
            "N1 and C2 are 0.00 Å apart",
        ),
        (WATER.replace("H2 H", "H1 H"), {}, "two atoms are called H1.*rename H1"),
        (WATER.replace("H2 H", "h1 H"), {}, "two atoms are called h1"),
        (WATER, {"cell": (0, 0, 0, 90, 90, 90)}, "encloses no volume"),
        ("", {}, "no atoms"),
        ("O1 O ? ? ?\n", {}, "No atom has coordinates"),
    ],
    ids=[
        "no hydrogen", "open d shell", "open f shell", "odd electrons", "network", "network without metals", "lone hydrogen",
        "disorder without groups", "two elements on a site", "one label twice", "labels but for case", "no cell",
        "no atoms", "no coordinates",
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_in_words(rows, crystal, words):
    with pytest.raises(QcError) as error:
        prepared(rows, **crystal)
    assert re.search(words, " ".join(str(error.value).split()))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"spherical": "Zz"}, "no atom and no element is called Zz.*O1, H1, H2"),
        ({"spherical": "H O"}, "every atom is to stay spherical.*refine_iam"),
        ({"charges": "hello"}, "'hello' is no pair"),
        ({"charges": "2: 1"}, "there is no molecule 2"),
        ({"charges": "1: 10"}, "0 electrons"),
        ({"charges": "1: 99"}, "-89 electrons"),
        ({"charges": "1: 1"}, "9 electrons, which cannot have multiplicity 1"),
        ({"multiplicities": "1: 0"}, "cannot have multiplicity 0"),
        ({"multiplicities": "1: -1"}, "cannot have multiplicity -1"),
        ({"multiplicities": "1: 2"}, "cannot have multiplicity 2"),
        ({"multiplicities": "1: 21"}, "cannot have multiplicity 21"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_settings_that_fit_no_molecule_are_refused_in_words(options, words):
    with pytest.raises(UserInputError) as error:
        prepared(WATER, options)
    assert re.search(words, " ".join(str(error.value).split()))


def test_a_water_without_its_hydrogen_atoms_keeps_spherical_form_factors():
    """It got the wavefunction of a neutral oxygen atom with paired electrons."""
    state = prepared(METHANE + "O1 O .1 .1 .1\n")
    assert [m.formula for m in state.plan.molecules] == ["CH4"]
    assert state.plan.spherical == [5]
    assert [text for text in state.warnings if text.startswith("O1: no other atom is bonded")]


def test_atoms_that_do_not_occur_alone_are_no_crystal():
    with pytest.raises(UserInputError, match=r"nothing but single atoms.*O1, O2"):
        prepared("O1 O .1 .1 .1\nO2 O .6 .6 .6\n")


def test_a_part_of_a_disorder_that_refined_to_nothing_is_refused():
    """Its wavefunction counted backwards: 1.13 of one part and −0.13 of the other."""
    columns = ("occupancy", "disorder_assembly", "disorder_group")
    rows = [f"{line} 1 . ." for line in METHANE.splitlines()]
    for name, group, occupancy in (("A", 1, 1.13), ("B", 2, -0.13)):
        rows += [
            f"{line} {occupancy} X {group}" for line in shifted(WATER, 0.3 + 0.05 * group, name).splitlines()
        ]
    with pytest.raises(UserInputError, match=r"O1B, H1B, H2B has an occupancy of −0\.13") as error:
        prepared("\n".join(rows), columns=columns)
    assert "edits='delete O1B'" in error.value.next


def test_fragments_take_no_crystal_field():
    with pytest.raises(UserInputError, match="fragments='off'"):
        prepared(ROCK_SALT, {"crystal_field": "charges", "spherical": "Na"}, **SALT_CELL)


def test_molecules_too_small_to_be_cut_are_no_fragments():
    """With fragments='on' as well: their charges are held against the cell, and neighbours may act on them."""
    state = prepared(WATER, {"fragments": "on", "crystal_field": "charges"})
    assert [m.copies for m in state.plan.molecules] == [1.0]
    with pytest.raises(UserInputError, match="add up to"):
        prepared(HYDROXIDE, {"fragments": "on"})


def test_spherical_metals_end_the_fragments_of_a_network():
    state = prepared(ROCK_SALT, {"spherical": "Na"}, **SALT_CELL)
    assert [(m.formula, m.charge) for m in state.plan.molecules] == [("Cl", -1)]
    assert state.plan.spherical == [0]


def test_spherical_atoms_that_are_no_metals_stay_in_the_fragments():
    plan = fragments.plan(structure(WATER), {0})
    assert [m.formula for m in plan.molecules] == ["H2O"]
    assert plan.spherical == [0]


HYDROXIDE = "O1 O .5 .5 .5\nH1 H .5757 .5587 .5\n"


def test_a_guess_that_leaves_the_cell_charged_is_refused_with_the_way_out():
    with pytest.raises(UserInputError, match="add up to −1 in the unit cell") as error:
        prepared(HYDROXIDE)
    assert error.value.where == "charges"
    assert "guessed from its bonds" in error.value.message
    assert "charges='1: +1" in error.value.next


@pytest.mark.parametrize(
    "stated",
    [{"options": {"charges": "1: -1"}}, {"extra": "_chemical_formula_moiety 'H O 1-'\n"}],
    ids=["by the user", "by the file"],
)
def test_a_charged_cell_whose_charges_are_stated_is_refined_and_named(stated):
    state = prepared(HYDROXIDE, **stated)
    assert [m.charge for m in state.plan.molecules] == [-1]
    assert any("not neutral" in warning and "add up to −1" in warning for warning in state.warnings)


def test_atoms_without_coordinates_are_named():
    state = prepared(WATER + "O9 O ? ? ?\n")
    assert state.warnings == ["Left out, since they have no coordinates: O9."]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """One process with cctbx for all refusals, and the folder it works in."""
    folder = tmp_path_factory.mktemp("refused")
    with chdir(folder), Child("The least-squares program", threads=1) as child:
        yield child, folder


@pytest.mark.parametrize(
    ("probe", "hkl", "words"),
    [
        ("neutron", "urea.hkl", "the data are neutron data.*refine_iam"),
        ("electron", "urea.hkl", "the data are electron data"),
        ("", "", "needs reflections"),
        ("", "empty.hkl", "zero reflections"),
        ("", "words.hkl", "not in SHELX format"),
        ("", "few.hkl", "21 parameters cannot be refined against 8 reflections"),
    ],
    ids=["neutrons", "electrons", "no data", "empty file", "words", "few reflections"],
)
def test_data_that_cannot_be_used_are_refused_in_words(engine, probe, hkl, words):
    """Before anything of a wavefunction is computed."""
    child, folder = engine
    examples = Path(__file__).parents[1] / "examples"
    measured = (examples / "urea.hkl").read_text()
    (folder / "urea.hkl").write_text(measured)
    (folder / "few.hkl").write_text("".join(measured.splitlines(keepends=True)[:8]))
    (folder / "empty.hkl").write_text("")
    (folder / "words.hkl").write_text("hello\nworld\n")
    text = (examples.parent / "tests" / "data" / "urea.cif").read_text()
    (folder / "x.cif").write_text(
        re.sub(r"^(data_\S+)", rf"\1\n_diffrn_radiation_probe {probe}" if probe else r"\1", text)
    )
    with pytest.raises(QcError) as error:
        child.call("qcrbox_har.refine_side:start", "x.cif", hkl or None, {}, "iam.cif")
    assert re.search(words, " ".join(str(error.value).split()))


def test_what_a_file_leaves_open_is_said_with_the_form_factors():
    """An unknown symbol of the space group means P 1: notes of the crystal go to the result."""
    crystal = structure(WATER, group="P 99")
    assert any("P 1 is assumed" in note for note in crystal.notes)
    assert ("warning", crystal.notes[0]) in commands._of_file(crystal)
