"""SHELX instructions inside a CIF: what is taken from them, and what from the atom list of the CIF."""

import pytest
from qcrbox_refine.cif_instructions import follow_instructions, is_shelx
from qcrbox_refine.model import Atom
from qcrbox_refine.parameters import FREE, UNSTATED
from small_models import ins_text, model_in

CELL = (9.1, 10.3, 11.7, 90.0, 101.0, 90.0)
ATOMS = """C1 1 0.123456 0.2 0.3 11 0.03
C2 1 10.5 0.5 0.5 11 0.02 0.03 0.04 0.001 0.002 0.003
AFIX 43
H2 2 0.52 0.55 0.55 11 -1.2
AFIX 0
O1 4 0.8 0.7 0.6 21 0.05"""


def listed(**changed):
    """The atoms of ATOMS as a CIF has them, rounded; `changed` gives fields of an atom by its label."""
    atoms = [
        Atom("C1", "C", (0.1235, 0.2, 0.3), u_iso=0.03),
        Atom("C2", "C", (0.5, 0.5, 0.5), u_iso=0.03, u_aniso=(0.02, 0.03, 0.04, 0.003, 0.002, 0.001)),
        Atom("H2", "H", (0.52, 0.55, 0.55), u_iso=0.036),
        Atom("O1", "O", (0.8, 0.7, 0.6), 0.6, u_iso=0.05),
    ]
    for atom in atoms:
        for name, value in changed.get(atom.label, {}).items():
            setattr(atom, name, value)
    return model_in(CELL, "P 1", atoms)


def followed(model=None, atoms=ATOMS, *cards, prefix="", **options):
    model = model or listed()
    follow_instructions(model, prefix + ins_text(atoms, *cards, **options), "_shelx_res_file")
    return model


def test_instructions_that_fit_are_applied_to_the_model():
    model = followed(
        listed(O1={"u_iso": 0.03}), ATOMS, "EADP C1 O1", "DFIX 1.5 C1 C2", "TEMP -100", "WGHT 0.04 0.5"
    )
    assert model.from_shelx
    assert model.atom("C2").site_coding[0].is_fixed
    assert model.atom("H2").group.pivot is model.atom("C2")
    assert model.atom("O1").occupancy_coding.variable == 2
    assert [[atom.label for atom in group] for group in model.equal_displacements] == [["C1", "O1"]]
    assert [placed.instruction.text for placed in model.placed] == ["DFIX 1.5 C1 C2"]
    assert model.settings.temperature_k == pytest.approx(173.15)
    assert model.weights[:2] == (0.04, 0.5)
    assert model.notes == []
    assert model.left_out == []


def test_the_value_with_more_digits_counts_where_both_agree():
    assert followed().atom("C1").site[0] == 0.123456


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"C1": {"site": (0.14, 0.2, 0.3)}}, "C1"),
        ({"C1": {"u_iso": 0.05}}, "C1"),
        ({"O1": {"occupancy": 0.8}}, "O1"),
        ({"C2": {"u_aniso": (0.05, 0.03, 0.04, 0.003, 0.002, 0.001)}}, "C2"),
        ({"C2": {"u_aniso": None, "u_iso": 0.03}}, "C2"),
        ({"H2": {"u_aniso": (0.02, 0.03, 0.04, 0.003, 0.002, 0.001)}}, "H2"),
    ],
    ids=["position", "U", "occupancy", "tensor", "isotropic in the CIF", "anisotropic in the CIF"],
)
def test_values_of_the_atom_list_count_where_they_differ_and_are_named(changed, label):
    model = followed(listed(**changed))
    atom = model.atom(label)
    for name, value in changed[label].items():
        assert getattr(atom, name) == value
    assert f"Values of the atom list count where the SHELX instructions differ: {label}." in model.notes
    assert model.kinds[model.notes[0]] == "warning"


def test_a_value_that_is_taken_from_the_cif_loses_its_coding():
    model = followed(listed(C2={"site": (0.55, 0.5, 0.5)}, O1={"occupancy": 0.8}))
    assert model.atom("C2").site_coding == (FREE,) * 3
    assert model.atom("O1").occupancy_coding == UNSTATED


def test_displacements_of_riding_hydrogen_are_those_of_the_instructions():
    model = followed(listed(H2={"u_iso": 0.09}))
    assert model.atom("H2").u_factor == 1.2
    assert model.notes == []


def test_atoms_stand_in_the_order_of_the_instructions_and_others_behind():
    model = listed()
    model.atoms = [Atom("N9", "N", (0.2, 0.9, 0.9)), *reversed(model.atoms)]
    followed(model)
    assert [atom.label for atom in model.atoms] == ["C1", "C2", "H2", "O1", "N9"]
    assert model.notes == ["Atoms without SHELX instructions: N9."]


def test_atoms_that_the_list_does_not_have_are_named_and_left_out():
    model = followed(None, ATOMS + "\nN9 3 0.2 0.9 0.9 11 0.05", "EADP C1 N9")
    assert "N9" not in [atom.label for atom in model.atoms]
    assert "Atoms of _shelx_res_file that the atom list of the CIF does not have: N9." in model.notes
    assert model.equal_displacements == []


def test_labels_are_found_in_any_case_and_through_the_remarks_of_shortened_ones():
    model = listed()
    model.atoms[0].label, model.atoms[3].label = "C101A", "o1"
    followed(model, ATOMS.replace("C1 1", "C10A 1"), "REM C10A is C101A", "DFIX 1.5 C10A C2")
    assert [atom.label for atom in model.atoms] == ["C101A", "C2", "H2", "o1"]
    assert model.atoms[0].site[0] == 0.123456
    assert "DFIX 1.5 C101A C2" in [placed.instruction.text for placed in model.placed]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"cell": "0.71073 9.9 10.3 11.7 90 101 90"}, "Its unit cell is not that of the CIF."),
        ({"latt": 1}, "Its space group is P -1, the CIF has P 1."),
        ({"symm": ("-x, y, -z",)}, "Its space group is P 1 2 1, the CIF has P 1."),
    ],
    ids=["cell", "centre", "axis"],
)
def test_instructions_of_another_crystal_are_left_out_and_named(options, why):
    model = followed(**options)
    assert not model.from_shelx
    assert [(entry.text, entry.why) for entry in model.left_out] == [("_shelx_res_file", why)]
    assert model.atom("C1").site[0] == 0.1235


def test_instructions_of_other_atoms_are_left_out():
    model = followed(None, ATOMS.replace("C1", "C81").replace("C2", "C82").replace("O1", "O81"))
    assert not model.from_shelx
    assert model.left_out[0].why == "Only 1 of its 4 atoms are in the atom list of the CIF."


def test_a_text_that_cannot_be_read_is_left_out_with_its_error():
    model = followed(None, ATOMS + "\nC9 77 0.1 0.1 0.1 11 0.05")
    assert "It cannot be read" in model.left_out[0].why
    assert "scatterer 77" in model.left_out[0].why


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("0.71073 9.1 10.3 11.7 90 101 90", ""),
        ("0.71073 9.12 10.3 11.7 90 101 90", "has the cell 9.12"),
        ("1.54184 9.1 10.3 11.7 90 101 90", "has the wavelength 1.54184"),
        ("0.71073 9.1 10.3 11.7 90 101.5 90", "has the cell 9.1"),
    ],
)
def test_a_cell_that_differs_a_little_is_named_and_that_of_the_cif_is_used(cell, said):
    model = followed(cell=cell)
    assert model.from_shelx
    assert model.symmetry.unit_cell().parameters() == pytest.approx(CELL)
    assert (said in " ".join(model.notes)) if said else model.notes == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ins_text(ATOMS), True),
        ("cell 1 2 3 4 5 6 7\nsfac C", True),
        ("CELL 1 2 3", False),
        ("#LIST 5 of CRYSTALS", False),
        ("", False),
        (None, False),
    ],
)
def test_texts_of_other_programs_are_told_apart(text, expected):
    assert is_shelx(text) is expected
