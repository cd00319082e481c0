"""Edits of a model: what each word does, and what is refused before anything is refined."""

import json
from pathlib import Path

import numpy as np
import pytest
from cctbx import adptbx
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.edits import apply_edits
from qcrbox_refine.hydrogens import place_hydrogens
from qcrbox_refine.shelx_input import parse_shelx

INS = """TITL edits
CELL 0.71073 9.1 10.3 11.7 93 101 88
ZERR 2 0 0 0 0 0 0
LATT 1
SFAC C N O H
UNIT 8 2 2 2
FVAR 0.5
C1 1 0.20 0.30 0.10 11 0.021 0.034 0.028 0.004 0.002 0.001
C2 1 0.32 0.36 0.17 11 0.031 0.024 0.090 0.002 0.006 -0.003
N3 2 0.44 0.29 0.24 10.5 0.04
H1A 4 0.33 0.46 0.16 11 0.05
H1B 4 0.25 0.40 0.06 11 0.05
HKLF 4
END
"""


# The picture in the browser applies the same words: extension/tests/edits.test.mjs holds it to the same file.
SHARED = json.loads(Path(__file__).with_name("edit_cases.json").read_text("utf-8"))


@pytest.fixture
def model():
    return parse_shelx(INS, "edits.ins")


def labels(model):
    return [atom.label for atom in model.atoms]


def refused(model, text):
    """The error; a refused edit leaves the list of atoms as it was."""
    before = labels(model)
    with pytest.raises(UserInputError) as error:
        apply_edits(model, text)
    assert labels(model) == before
    assert error.value.where == "edits" or "no atom" in error.value.message
    return error.value


@pytest.mark.parametrize("text", [None, "", " ", ";;\n;"])
def test_no_edit_changes_nothing(model, text):
    assert apply_edits(model, text) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("delete C1", ["C2", "N3", "H1A", "H1B"]),
        ("delete c1 n3", ["C2", "H1A", "H1B"]),
        ("delete H*", ["C1", "C2", "N3"]),
        ("delete H1?", ["C1", "C2", "N3"]),
        ("delete C1; delete C2\ndelete N3", ["H1A", "H1B"]),
        ("rename C1 C9", ["C9", "C2", "N3", "H1A", "H1B"]),
        ("rename C1 C1", ["C1", "C2", "N3", "H1A", "H1B"]),
        ("add O5 O 0.1 0.2 0.3", ["C1", "C2", "N3", "H1A", "H1B", "O5"]),
        ("split C2 0.6", ["C1", "C2A", "C2B", "N3", "H1A", "H1B"]),
    ],
)
def test_which_atoms_there_are_afterwards(model, text, left):
    apply_edits(model, text)
    assert labels(model) == left


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("occupancy N3 1", "N3", {"occupancy": 1.0, "part": 0}),
        ("N3 = 0.25", "N3", {"occupancy": 0.25}),
        ("N3=0.25", "N3", {"occupancy": 0.25}),
        ("part 2 B C1", "C1", {"part": 2, "assembly": "B"}),
        ("part -1 C1", "C1", {"part": -1}),
        ("move C1 0.5 -0.25 1.5", "C1", {"site": (0.5, -0.25, 1.5)}),
        ("iso C1", "C1", {"u_aniso": None}),
        ("riding H1A", "H1A", {"riding": True}),
        ("free H*", "H1B", {"riding": False}),
    ],
)
def test_what_an_edit_sets(model, text, label, expected):
    apply_edits(model, text)
    atom = model.atom(label)
    assert {name: getattr(atom, name) for name in expected} == expected


def test_an_ordered_atom_leaves_its_assembly(model):
    apply_edits(model, "part 1 A C1 C2; part 0 C1")
    assert [(model.atom(label).part, model.atom(label).assembly) for label in ("C1", "C2")] == [
        (0, ""),
        (1, "A"),
    ]


def test_another_element_scatters_as_such(model):
    apply_edits(model, "element N3 C1 O")
    assert {model.atom("N3").element, model.atom("C1").element} == {"O"}


def test_hydrogen_that_becomes_another_element_does_not_ride_at_the_distance_of_hydrogen():
    model = parse_shelx(INS.replace("H1A 4", "AFIX 23\nH1A 4").replace("HKLF", "AFIX 0\nHKLF"), "edits.ins")
    assert model.atom("H1A").group.rides
    apply_edits(model, "element H1A F; element H1B D")
    assert model.atom("H1A").group is None
    assert not model.atom("H1A").riding
    assert model.atom("H1B").group.rides


def test_a_tensor_equal_to_the_isotropic_u(model):
    apply_edits(model, "aniso N3")
    cell = model.symmetry.unit_cell()
    u_cart = adptbx.u_cif_as_u_cart(cell, model.atom("N3").u_aniso)
    assert u_cart == pytest.approx((0.04, 0.04, 0.04, 0, 0, 0), abs=1e-12)


def test_an_atom_that_is_anisotropic_keeps_its_tensor(model):
    before = model.atom("C1").u_aniso
    apply_edits(model, "aniso C*")
    assert model.atom("C1").u_aniso == before


def test_an_isotropic_u_is_that_of_the_tensor(model):
    cell = model.symmetry.unit_cell()
    u_eq = sum(adptbx.u_cif_as_u_cart(cell, model.atom("C2").u_aniso)[:3]) / 3
    apply_edits(model, "iso C2")
    assert model.atom("C2").u_iso == pytest.approx(u_eq, rel=0.02)


def test_the_alternatives_of_a_split_atom_share_its_place_and_occupancy(model):
    centre = np.array(model.atom("C2").site)
    apply_edits(model, "split C2 0.6")
    first, second = model.atom("C2A"), model.atom("C2B")
    assert (first.occupancy, second.occupancy) == pytest.approx((0.6, 0.4))
    assert (first.part, second.part) == (1, 2)
    assert first.assembly == second.assembly == "A"
    assert (np.array(first.site) + second.site) / 2 == pytest.approx(centre)
    assert model.symmetry.unit_cell().distance(first.site, second.site) == pytest.approx(0.7)


def test_alternatives_lie_along_the_longest_axis(model):
    cell = model.symmetry.unit_cell()
    u = adptbx.u_cif_as_u_cart(cell, model.atom("C2").u_aniso)
    longest = np.linalg.eigh(np.array([[u[0], u[3], u[4]], [u[3], u[1], u[5]], [u[4], u[5], u[2]]]))[1][:, -1]
    apply_edits(model, "split C2 0.5")
    along = np.array(cell.orthogonalize(model.atom("C2A").site)) - cell.orthogonalize(model.atom("C2B").site)
    assert abs(along @ longest) == pytest.approx(0.7)


@pytest.mark.parametrize("words", ["at 0.4 0.3 0.2", "0.4 0.3 0.2"])
def test_the_second_alternative_may_be_given(model, words):
    apply_edits(model, f"split C2 0.88 {words}")
    assert model.atom("C2B").site == (0.4, 0.3, 0.2)
    assert model.atom("C2A").site == (0.32, 0.36, 0.17)


def test_each_split_has_an_assembly_of_its_own(model):
    apply_edits(model, "split C1 0.5; split C2 0.5")
    assert [model.atom(label).assembly for label in ("C1A", "C1B", "C2A", "C2B")] == ["A", "A", "B", "B"]


def test_what_was_done_is_said_in_order(model):
    assert apply_edits(model, "delete H1B; occupancy N3 1\nrename C1 C9") == [
        "Deleted H1B.",
        "Occupancy of N3 set to 1.",
        "C1 is now C9.",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("remove C1", "begins with an unknown word"),
        ("delete", "cannot be understood"),
        ("delete C7", "C7"),
        ("delete Z*", "Z*"),
        ("rename C1", "cannot be understood"),
        ("rename C1 N3", "there is already an atom N3"),
        ("rename C1 n3", "there is already an atom n3"),
        ("add C1 C 0 0 0", "there is already an atom C1"),
        ("add c1 C 0 0 0", "there is already an atom c1"),
        ("add C9 C 0 0", "cannot be understood"),
        ("add C9 C 0 0 far", "cannot be understood"),
        ("add C9 C 0 0 nan", "cannot be understood"),
        ("move C1 0.1 inf 0.2", "cannot be understood"),
        ("move C1 0.1 0.2", "cannot be understood"),
        ("occupancy N3 0", "an occupancy lies above 0 and not above 1"),
        ("occupancy N3 1.1", "an occupancy lies above 0 and not above 1"),
        ("occupancy N3 nan", "an occupancy lies above 0 and not above 1"),
        ("occupancy N3 full", "cannot be understood"),
        ("split C1 1", "cannot be understood"),
        ("split C1 0", "cannot be understood"),
        ("split C1", "cannot be understood"),
        ("split C1 0.5 at 0.1", "cannot be understood"),
        ("part one C1", "cannot be understood"),
        ("part 1", "cannot be understood"),
        ("riding C1 C2", "there is no hydrogen atom among C1 C2"),
        ("free N*", "there is no hydrogen atom among N*"),
        ("move C1 0,1 0,2 0,3", "more words than move knows"),
        ("move C1 0.1 0.2 0.3 0.4", "more words than move knows"),
        ("add C9 C 0.1 0.2 0.3 0.5", "more words than add knows"),
        ("rename C1 C8 C9", "more words than rename knows"),
        ("split C1 0.5 at 0,1 0,2 0,3", "more words than split knows"),
    ],
)
def test_what_cannot_be_done_is_refused_and_named(model, text, what):
    assert what in refused(model, text).message


@pytest.mark.parametrize("taken", ["H1", "H1A"])
def test_a_split_makes_no_second_atom_of_a_label(model, taken):
    apply_edits(model, "add H1 H 0.1 0.1 0.1")
    error = refused(model, "split H1 0.5")
    assert "there is already an atom H1A" in error.message
    assert taken in labels(model)


@pytest.mark.parametrize(
    ("text", "usage"),
    [("rename C1", "rename C3 N3"), ("move C1", "move C7B 0.40 0.69 0.22"), ("occupancy", "occupancy N3 1")],
)
def test_a_refusal_shows_how_it_must_look(model, text, usage):
    assert usage in refused(model, text).next


def rows(model):
    return [
        [a.label, a.element, a.part, a.assembly, pytest.approx(a.occupancy), a.u_aniso is not None]
        for a in model.atoms
    ]


def test_the_shared_cases_begin_with_this_model(model):
    assert rows(model) == SHARED["start"]


@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda case: case["edits"])
def test_the_refinement_does_what_the_picture_shows(model, case):
    apply_edits(model, case["edits"])
    assert rows(model) == case["after"]


@pytest.mark.parametrize("text", SHARED["refused"])
def test_the_refinement_refuses_what_the_picture_refuses(model, text):
    with pytest.raises(UserInputError):
        apply_edits(model, text)


# ---------------------------------------------------------------- hydrogen atoms

BENZENE_LIKE = """TITL ring
CELL 0.71073 20 20 20 90 90 90
ZERR 1 0 0 0 0 0 0
LATT -1
SFAC C O H
UNIT 6 1 6
FVAR 1
C1 1 0.5695 0.5 0.5 11 0.03
C2 1 0.53475 0.56019 0.5 11 0.03
C3 1 0.46525 0.56019 0.5 11 0.03
C4 1 0.4305 0.5 0.5 11 0.03
C5 1 0.46525 0.43981 0.5 11 0.03
C6 1 0.53475 0.43981 0.5 11 0.03
F1 2 0.2 0.2 0.2 11 0.03
HKLF 4
END
"""


def test_hydrogen_atoms_come_to_the_named_atoms_alone_and_to_the_right_place():
    model = parse_shelx(BENZENE_LIKE, "ring.ins")
    apply_edits(model, "hydrogens C1 C4; rename C4 C44")
    assert place_hydrogens(model, only_asked=True) == ["H1", "H44"]
    cell = model.symmetry.unit_cell()
    for carbon, hydrogen, x in (("C1", "H1", 10 + 1.39 + 0.93), ("C44", "H44", 10 - 1.39 - 0.93)):
        placed = cell.orthogonalize(model.atom(hydrogen).site)
        assert placed == pytest.approx((x, 10, 10), abs=0.02)
        assert model.atom(hydrogen).riding
        assert not model.atom(carbon).lacks_hydrogen
    apply_edits(model, "hydrogens C1")
    assert place_hydrogens(model, only_asked=True) == []
    assert [(left.text, left.why) for left in model.left_out] == [
        ("hydrogens C1", "It carries hydrogen already.")
    ]
