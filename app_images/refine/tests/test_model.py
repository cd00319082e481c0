"""The model: scattering types, formula, Z, removed and renamed atoms, copies."""

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.elements import atomic_mass, element_symbol, hill_formula, scattering_type
from qcrbox_refine.model import AfixGroup, Atom, sentence
from small_models import model_in, shelx_model

CELL = (7.0, 8.0, 9.0, 90.0, 103.0, 90.0)


@pytest.mark.parametrize(
    ("symbol", "label", "expected"),
    [
        ("C", "C1", "C"),
        ("CL", "CL1", "Cl"),
        ("cl", "x1", "Cl"),
        ("Cl1-", "Cl1", "Cl1-"),
        ("Cl-", "Cl1", "Cl1-"),
        ("Fe3+", "Fe1", "Fe3+"),
        ("Fe+3", "Fe1", "Fe3+"),
        ("O2-", "O1", "O2-"),
        # No table of this ion.
        ("C4+", "C1", "C"),
        ("D", "D1", "D"),
        ("T", "T1", "H"),
        # The label counts where there is no type: two letters if they are an element, one otherwise.
        ("?", "Cl2", "Cl"),
        (".", "Ca1", "Ca"),
        ("", "CX1", "C"),
        ("", "O1W", "O"),
        (" N ", "N1", "N"),
        # Never the beginning of a longer symbol: Cf is not C.
        ("Cf", "Cf1", "Cf"),
    ],
)
def test_a_symbol_becomes_a_scattering_type(symbol, label, expected):
    assert scattering_type(symbol, label) == expected


@pytest.mark.parametrize(
    ("symbol", "label"), [("Q", "Q1"), ("X", "X1"), ("?", "1A"), ("Cx", "C1"), ("Xx", "C2")]
)
def test_a_symbol_that_is_no_element_is_refused(symbol, label):
    with pytest.raises(UserInputError, match=f"atom {label} has the type"):
        scattering_type(symbol, label)


@pytest.mark.parametrize(
    ("kind", "element"), [("Cl1-", "Cl"), ("Fe3+", "Fe"), ("C", "C"), ("D", "D"), ("O2-", "O")]
)
def test_an_ion_is_one_of_its_element(kind, element):
    assert element_symbol(kind) == element


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"O": 1, "H": 6, "C": 2}, "C2 H6 O"),
        ({"N": 1, "Cl": 2, "C": 1, "Br": 1}, "C Br Cl2 N"),
        # Without carbon by alphabet, hydrogen too.
        ({"O": 4, "S": 1, "H": 2}, "H2 O4 S"),
        ({"Na": 1, "Cl": 1}, "Cl Na"),
        ({"C": 10.5, "H": 3.004, "N": 0.0}, "C10.5 H3"),
        ({"C": 1, "D": 3, "H": 1}, "C D3 H"),
        ({"C": 2.333333}, "C2.33"),
    ],
)
def test_formulas_are_in_the_order_of_hill(counts, expected):
    assert hill_formula(counts) == expected


@pytest.mark.parametrize(
    # IUPAC 2021, abridged.
    ("element", "mass"),
    [("H", 1.008), ("D", 2.014), ("C", 12.011), ("Cl", 35.45), ("Fe", 55.845), ("U", 238.03)],
)
def test_atomic_masses_are_the_standard_ones(element, mass):
    assert atomic_mass(element) == pytest.approx(mass, abs=0.01)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("there is no atom C9", "There is no atom C9."), ("Done.", "Done."), ("  ", ""), ("", "")],
)
def test_words_of_an_error_become_a_sentence(words, expected):
    assert sentence(words) == expected


@pytest.mark.parametrize(
    ("group", "site", "occupancy", "expected"),
    [
        ("P 1 21/c 1", (0.1, 0.2, 0.3), 1.0, 4.0),
        ("P 1 21/c 1", (0.5, 0.0, 0.5), 1.0, 2.0),
        ("P 1 21/c 1", (0.5, 0.0, 0.5), 0.5, 1.0),
        ("C 1 2/c 1", (0.1, 0.2, 0.3), 1.0, 8.0),
        ("C 1 2/c 1", (0.0, 0.2, 0.25), 1.0, 4.0),
    ],
)
def test_the_cell_holds_each_atom_as_often_as_its_site(group, site, occupancy, expected):
    model = model_in(CELL, group, [Atom("Fe1", "Fe3+", site, occupancy)])
    assert model.cell_content() == {"Fe": pytest.approx(expected)}
    assert model.cell_content(by_kind=True) == {"Fe3+": pytest.approx(expected)}


def test_an_atom_of_a_negative_part_counts_for_itself_near_a_special_position():
    model = model_in(CELL, "P 1 21/c 1", [Atom("C1", "C", (0.501, 0.0, 0.5), 0.5, part=-1)])
    assert model.cell_content() == {"C": pytest.approx(4 * 0.5)}


ELEMENTS = {
    "centre": ("P -1", (0.0, 0.0, 0.0)),
    "mirror": ("P 1 m 1", (0.2, 0.0, 0.3)),
    "twofold axis": ("P 1 2 1", (0.0, 0.3, 0.0)),
    "threefold axis": ("P 3", (0.0, 0.0, 0.2)),
    "fourfold axis": ("P 4", (0.0, 0.0, 0.2)),
    "sixfold axis": ("P 6", (0.0, 0.0, 0.2)),
    "fourfold inversion": ("P -4", (0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize(
    ("within", "away", "special"),
    [(0.2, 0.19, True), (0.2, 0.21, False), (0.05, 0.06, False), (0.0, 0.01, False), (-1.0, 0.0, False)],
)
@pytest.mark.parametrize(("group", "site"), ELEMENTS.values(), ids=ELEMENTS.keys())
def test_an_atom_of_shelx_is_special_within_a_distance_from_the_element(group, site, within, away, special):
    """SPEC d: as far from the position, not from the image, which is up to twice as far away."""
    angle = 120 if group in ("P 3", "P 6") else 90
    cell = (10.0, 10.0, 10.0, 90, 90, angle)
    # Moved away from the mirror plane along b, from axes and centres along a.
    moved = (
        (site[0], site[1] + away / 10, site[2]) if group == "P 1 m 1" else (site[0] + away / 10, *site[1:])
    )
    model = model_in(cell, group, [Atom("C1", "C", moved, special_within=within)])
    structure = model.structure()
    assert structure.site_symmetry_table().is_special_position(0) is special
    assert structure.scatterers()[0].site == pytest.approx(site if special else moved, abs=1e-9)


def test_an_atom_between_two_elements_lies_on_the_nearer_one():
    """0.15 Å from a mirror plane, 0.25 Å from the centre in it: on the plane alone."""
    cell = (10.0, 10.0, 10.0, 90, 90, 90)
    model = model_in(cell, "P 1 2/m 1", [Atom("C1", "C", (0.02, 0.015, 0.0), special_within=0.2)])
    table = model.structure().site_symmetry_table()
    assert table.get(0).n_matrices() == 2
    assert model.structure().scatterers()[0].site == pytest.approx((0.02, 0.0, 0.0))


@pytest.mark.parametrize(
    ("z", "formula", "expected"),
    [
        (3.0, {}, 3.0),
        # Four C and four O in the cell: the formula C O is in it four times, C2 O2 twice.
        (None, {"C": 1, "O": 1}, 4),
        (None, {"C": 2, "O": 2}, 2),
        # A formula that does not fit counts for nothing.
        (None, {"C": 3, "O": 3}, 4),
        (None, {}, 4),
    ],
    ids=["stated", "formula", "doubled formula", "formula of another compound", "neither"],
)
def test_z_is_stated_or_follows_from_the_formula_or_the_sites(z, formula, expected):
    atoms = [Atom("C1", "C", (0.1, 0.2, 0.3)), Atom("O1", "O", (0.3, 0.1, 0.4))]
    assert model_in(CELL, "P 1 21/c 1", atoms, z=z, formula=formula).formula_units() == expected


@pytest.mark.parametrize("u_aniso", [None, (0.02, 0.03, 0.04, 0.001, 0.002, 0.003)])
def test_a_structure_gives_back_what_the_atoms_have(u_aniso):
    atom = Atom("C1", "C", (0.1, 0.2, 0.3), 0.7, u_iso=0.03, u_aniso=u_aniso)
    model = model_in(CELL, "P 1 21/c 1", [atom])
    model.absorb(model.structure())
    assert atom.site == pytest.approx((0.1, 0.2, 0.3))
    assert atom.occupancy == pytest.approx(0.7)
    if u_aniso is None:
        assert (atom.u_iso, atom.u_aniso) == (pytest.approx(0.03), None)
    else:
        assert atom.u_aniso == pytest.approx(u_aniso)
        # U(eq) of a monoclinic cell: ⅓ [U22 + (U11 + U33 + 2 U13 cos β) / sin² β].
        beta = np.radians(103)
        u_eq = (0.03 + (0.02 + 0.04 + 2 * 0.002 * np.cos(beta)) / np.sin(beta) ** 2) / 3
        assert atom.u_iso == pytest.approx(u_eq, rel=1e-6)


RIDING = """C1 1 0.1 0.2 0.3 11 0.03
AFIX 43
H1 2 0.15 0.25 0.35 11 -1.2
AFIX 0
C2 1 0.3 0.2 0.3 11 0.03
C3 1 0.5 0.2 0.3 11 0.03"""


def test_hydrogen_of_a_removed_pivot_is_free():
    model = shelx_model(RIDING)
    model.remove([model.atom("C1")])
    hydrogen = model.atom("H1")
    assert (hydrogen.group, hydrogen.u_factor, hydrogen.u_pivot) == (None, None, None)
    assert [atom.label for atom in model.atoms] == ["H1", "C2", "C3"]


@pytest.mark.parametrize(
    ("gone", "left"), [(["C1"], []), (["C3"], [["C1", "C2"]]), (["H1"], [["C1", "C2", "C3"]])]
)
def test_groups_of_equal_atoms_lose_removed_atoms(gone, left):
    cards = ("EADP C1 C2",) if left == [] else ("EADP C1 C2 C3",)
    model = shelx_model(RIDING, *cards)
    model.remove([model.atom(label) for label in gone])
    assert [[atom.label for atom in group] for group in model.equal_displacements] == left


def test_an_instruction_before_a_removed_atom_stands_before_the_next_one():
    model = shelx_model(RIDING.replace("C2 1", "SAME C1 C2\nC2 1"))
    (placed,) = model.placed
    assert placed.before is model.atom("C2")
    third = model.atom("C3")
    model.remove([model.atom("C2")])
    assert placed.before is third
    model.remove([third])
    assert placed.before is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DFIX 1.5 C1 C2", "DFIX 1.5 X1 C2"),
        ("DFIX 1.5 c1 C2", "DFIX 1.5 X1 C2"),
        ("SADI C1 C2_$1", "SADI X1 C2_$1"),
        ("SADI C2 C1_$1", "SADI C2 X1_$1"),
        ("FLAT C1 > C3 H1", "FLAT X1 > C3 H1"),
        ("SIMU C11 C12", "SIMU C11 C12"),
        # Not the name of an atom: the element of DISP.
        ("DISP $C 0.1 0.2", "DISP $C 0.1 0.2"),
    ],
)
def test_another_label_stands_in_the_instructions_that_name_the_atom(line, expected):
    model = shelx_model(RIDING, line)
    model.rename(model.atom("C1"), "X1")
    assert [placed.instruction.text for placed in model.placed] == [expected]


@pytest.mark.parametrize("line", ["DISP C 0.1 0.2", "REM C is a carbon atom"])
def test_an_atom_with_the_name_of_its_element_may_get_another(line):
    """`DISP C` means the element, whatever the atoms are called, and remarks stay as they are."""
    model = shelx_model("C 1 0.1 0.2 0.3 11 0.03", line)
    model.rename(model.atom("C"), "C1")
    assert [placed.instruction.text for placed in model.placed] == [line]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DFIX_2 1.5 C1 C2", "DFIX_2 1.5 C1 C2"),
        ("DFIX 1.5 C1_2 C2", "DFIX 1.5 C1_2 C2"),
        ("DFIX_0 1.5 C1 C2", "DFIX_0 1.5 X1 C2"),
    ],
)
def test_atoms_of_other_residues_keep_their_names_in_instructions(line, expected):
    residue = "\nRESI 2\nC1 1 0.1 0.5 0.3 11 0.03\nC2 1 0.3 0.5 0.3 11 0.03\nRESI 0"
    model = shelx_model(RIDING + residue, line)
    model.rename(model.atom("C1"), "X1")
    assert [placed.instruction.text for placed in model.placed] == [expected]


def test_a_copy_may_change_without_its_original():
    model = shelx_model(RIDING, "EADP C2 C3")
    copy = model.copy()
    copy.atoms[0].site = (0.9, 0.9, 0.9)
    copy.free_variables[0] = 7.0
    copy.note("of the copy")
    copy.leave_out("X", "why")
    copy.remove([copy.atom("C3")])
    assert model.atoms[0].site == (0.1, 0.2, 0.3)
    assert model.free_variables[0] == 0.6
    assert (model.notes, model.left_out) == ([], [])
    assert len(model.equal_displacements) == 1
    # Inside the copy atoms refer to one another, not to the originals.
    assert copy.atom("H1").group.pivot is copy.atom("C1")
    assert copy.atom("H1").u_pivot is copy.atom("C1")


def test_remarks_have_their_kinds_and_stand_once():
    model = shelx_model(RIDING)
    for _ in range(2):
        model.note("a note")
        model.warn("a warning")
        model.not_applied("something is not applied")
        model.leave_out("BOND  $H", "why")
    assert model.remarks_by_kind() == [
        ("note", "a note"),
        ("warning", "a warning"),
        ("not_applied", "something is not applied"),
        ("not_applied", "BOND $H (Why)"),
    ]
    assert model.remarks()[-1] == "Not applied: BOND $H (Why.)"


@pytest.mark.parametrize(
    ("n", "rides", "is_first"),
    [(3, True, False), (7, True, False), (6, False, True), (9, False, True), (1, False, False)],
)
def test_the_last_digit_of_afix_says_how_its_atoms_move(n, rides, is_first):
    group = AfixGroup(6, n)
    assert (group.rides, group.rigid is group, group.code) == (rides, is_first, 60 + n)


def test_a_member_moves_with_the_group_that_was_begun():
    first = AfixGroup(6, 6)
    assert AfixGroup(6, 5, first=first).rigid is first


def test_an_unknown_label_names_those_that_begin_alike():
    with pytest.raises(UserInputError, match="there is no atom C9") as caught:
        shelx_model(RIDING).atom("C9")
    assert "C1, C2, C3" in caught.value.why


def test_a_released_atom_is_tied_to_nothing():
    hydrogen = shelx_model(RIDING).atom("H1")
    hydrogen.release()
    assert not hydrogen.riding
    assert hydrogen.group is None
    assert hydrogen.u_factor is None
    assert all(coding.is_free for coding in (*hydrogen.site_coding, *hydrogen.u_coding))
