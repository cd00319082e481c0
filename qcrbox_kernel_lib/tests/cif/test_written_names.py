"""Results in the spelling of their authors: what people read and take away, with nothing lost or changed."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.cif.convert import unify
from qcrbox.cif.convert.written_names import Spelling, as_written, checked_names, with_brackets
from qcrbox.contract.errors import UserInputError

AUTHORS = b"""data_mine
_cell_length_a 10.0(1)
_CELL_LENGTH_B 5.123(4)
_symmetry_cell_setting monoclinic
_my_Note kept
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_U_iso_or_equiv
C1 0.10000 0.02
"""
RESULT = b"""data_mine
_cell.length_a 10.0
_cell.length_a_su 0.1
_cell.length_b 5.12346
_cell.length_b_su 0.00123456
_cell.length_c 7.5
_cell.length_c_su 0.0004
_cell.angle_beta 99.0
_cell.angle_beta_su ?
_space_group.crystal_system monoclinic
_my_Note kept
_refine_ls.shift_over_su_max 0.001
_qcrbox.refinement_note 'three restraints'
_shelx.res_file
;
DFIX 1.54 C1 C2
TWIN -1 0 0 0 -1 0 0 0 1 2
BASF 0.123(4)
;
_twin.refln_details 'no overlap'
_foo.bar 1
loop_
_atom_site.label
_atom_site.fract_x
_atom_site.fract_x_su
_atom_site.u_iso_or_equiv
_atom_site.u_iso_or_equiv_su
C1 0.10001 0.00012 0.0211 0.0003
H1 0.3 0 0.025 .
X(1) ? ? . .
"1(2)" 1 2 0.5 0.04
loop_
_restr_distance.atom_site_label_1
_restr_distance.target
_restr_distance.target_weight_param
C1 1.54 0.02
loop_
_twin_individual.id
_twin_individual.mass_fraction_refined
_twin_individual.mass_fraction_refined_su
1 0.877 0.004
2 0.123 0.004
"""
NOTHING = {"0", ".", "?", None}


def rows(block):
    """Every item with its values as numbers where they are, s.u. that say nothing as one thing."""
    found = {}
    for tag in block.tags:
        cells = []
        for cell in block.column(tag):
            if tag.endswith("_su") and cell in NOTHING:
                cell = "none"
            try:
                cells.append(float(cell))
            except ValueError:
                cells.append(cell)
        found[tag] = cells
    return found


def test_names_are_those_of_the_author_and_classic_where_there_are_none():
    block = read(as_written(RESULT, [AUTHORS])).sole_block()
    assert block.tags[:5] == [
        "_cell_length_a",
        "_CELL_LENGTH_B",
        "_cell_length_c",
        "_cell_angle_beta",
        "_cell_angle_beta_su",  # an s.u. of "?" cannot stand in brackets
    ]
    assert {"_symmetry_cell_setting", "_my_Note", "_refine_ls_shift/su_max", "_shelx_res_file"} <= set(
        block.tags
    )
    assert {"_atom_site_U_iso_or_equiv", "_qcrbox_refinement_note"} <= set(block.tags)
    assert "_foo.bar" in block.tags, "a name of no dictionary is not changed"


def test_every_su_is_in_brackets_with_all_its_digits():
    block = read(as_written(RESULT, [AUTHORS])).sole_block()
    assert [block.text(f"_cell_length_{axis}") for axis in "abc"] == [
        "10.0(1)",
        "5.12346000(123456)",
        "7.5000(4)",
    ]
    assert block.column("_atom_site_fract_x") == ["0.10001(12)", "0.3", "?", "1(2)"]
    assert block.column("_atom_site_U_iso_or_equiv") == ["0.0211(3)", "0.025", ".", "0.50(4)"]
    assert not [tag for tag in block.loop("_atom_site_label").tags if tag.endswith("_su")]


@pytest.mark.parametrize("like", [[AUTHORS], [], [RESULT]])
def test_unifying_again_gives_what_is_stored(like):
    stored = unify(RESULT).block
    again = unify(as_written(unify(RESULT).bytes, like)).block
    assert rows(again) == rows(stored)
    assert again.text("_shelx_res_file") == stored.text("_shelx_res_file")


def test_an_author_of_names_with_points_reads_names_with_points():
    spelling = Spelling(["_cell.length_a", "_my_note"])
    assert spelling("_refine_ls.r_factor_gt") == "_refine_ls.r_factor_gt"
    assert Spelling([])("_refine_ls.r_factor_gt") == "_refine_ls_R_factor_gt"


def test_the_first_file_decides_on_a_spelling():
    first, second = (
        read(b"data_a\n_symmetry_cell_setting cubic\n"),
        read(b"data_b\n_space_group_crystal_system cubic\n"),
    )
    assert Spelling.of([first, second])("_space_group.crystal_system") == "_symmetry_cell_setting"
    assert Spelling.of([second, first])("_space_group.crystal_system") == "_space_group_crystal_system"


def test_an_su_that_would_not_come_back_stays_apart():
    block = read(
        b"data_a\n_x.a 1.5E-3\n_x.a_su 0.0002\n_y.a text\n_y.a_su 3\n_z.a 1\n_z.a_su 0\n"
    ).sole_block()
    kept = with_brackets(block)
    assert rows(kept) == rows(block)


@pytest.mark.parametrize(
    "content",
    [
        b"data_a\n# as the program wrote it\n_cell_length_a   1.0(1)\n",
        b"data_a\n_cell.length_a 1.0\nsave_frame\n_b 1\nsave_\n",
    ],
)
def test_what_would_lose_something_is_returned_byte_for_byte(content):
    assert as_written(content, [AUTHORS]) == content


def test_the_option_knows_two_words():
    assert checked_names("unified") == "unified"
    with pytest.raises(UserInputError, match=r'no names .ddl1.*Use "as written"'):
        checked_names("ddl1")
