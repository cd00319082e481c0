"""The dictionary check, value by value."""

from __future__ import annotations

import pytest
from qcrbox.cif import names, read
from qcrbox.cif.check import check, value_problem

RIGHT = [
    ("_cell_length_a", "5.1"),
    ("_cell_length_a", "5.1(2)"),
    ("_cell_length_a", "0"),
    ("_cell_angle_beta", "180"),
    ("_space_group_IT_number", "230"),
    ("_space_group_IT_number", "14.0"),
    ("_space_group_crystal_system", "MONOCLINIC"),
    ("_atom_site_occupancy", "0.0"),
    ("_atom_site_refinement_flags", "PDR"),
    ("_atom_site_adp_type", "Uani"),
    ("_exptl_crystal_colour", "anything at all"),
    ("_nobody_knows_this", "-1e99"),
    ("_cell_length_a", "?"),
    ("_cell_length_a", "."),
]


@pytest.mark.parametrize(("tag", "value"), RIGHT, ids=[f"{row[0]} {row[1]}" for row in RIGHT])
def test_right_values_pass(tag, value):
    assert check(f"data_x\n{tag} {value if ' ' not in value else repr(value)}\n") == []


WRONG = [
    ("_cell_length_a", "-1", "'-1' is below the least value allowed, 0 angstroms."),
    ("_cell_length_a", "abc", "'abc' is not a number."),
    ("_cell_length_a", "'?'", "'?' is not a number."),
    ("_cell_length_a", "1e999", "'1e999' is not a number."),
    ("_cell_length_a", "'5.1 Å'", "'5.1 Å' is a number with its unit; it is read as 5.1 here."),
    ("_cell_length_a", "5,1", "'5,1' is a number with a decimal comma; it is read as 5.1 here."),
    ("_cell_angle_beta", "180.5", "'180.5' is above the greatest value allowed, 180 degrees."),
    ("_space_group_IT_number", "0", "below the least value allowed, 1."),
    ("_space_group_IT_number", "231", "above the greatest value allowed, 230."),
    ("_space_group_IT_number", "14.5", "'14.5' is not a whole number."),
    # A whole number beyond the range of floats.
    ("_space_group_IT_number", "1e999", "'1e999' is not a number."),
    ("_space_group_crystal_system", "wrong", "'wrong' is none of the values allowed: triclinic,"),
    ("_atom_site_refinement_flags", "PX", "'PX' is none of the values allowed"),
    ("_cell_length_a_su", "0.1(2)", "is an s.u. and cannot have one itself."),
    ("_cell_length_a", "x" * 60, f"'{'x' * 37}...' is not a number."),
]


@pytest.mark.parametrize(("tag", "value", "words"), WRONG, ids=[f"{row[0]} {row[1][:12]}" for row in WRONG])
def test_wrong_values_are_shown_with_what_is_allowed(tag, value, words):
    (remark,) = check(f"data_x\n\n{tag} {value}\n", filename="f.cif")
    assert words in remark.what
    assert (remark.file, remark.block, remark.line, remark.tag) == ("f.cif", "x", 3, tag)
    assert remark.column == len(tag) + 2


def test_a_wrong_cell_of_a_loop_is_named_by_its_row_and_place():
    (remark,) = check("data_x\nloop_\n_atom_site_label\n_atom_site_occupancy\nC1 1\nC2 'x y'\n")
    assert remark.what.startswith("Row 2: 'x y' is not a number")
    assert (remark.line, remark.column) == (6, 4)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_lines_are_counted_whatever_ends_them(newline):
    text = "data_x\n_cell_length_a 1\n_cell_length_b -1\n_cell_length_c -2\n".replace("\n", newline)
    assert [remark.line for remark in check(text)] == [3, 4]


@pytest.mark.parametrize(("count", "said"), [(10, 10), (11, 11), (500, 11)])
def test_of_many_wrong_cells_ten_are_named_and_the_rest_is_counted(count, said):
    rows = "".join(f"C{n} -1\n" for n in range(count))
    remarks = check(f"data_x\nloop_\n_atom_site_label\n_atom_site_occupancy\n{rows}")
    assert len(remarks) == said
    if count > 10:
        assert f"{count - 10} more values of _atom_site_occupancy are wrong" in remarks[-1].what


@pytest.mark.parametrize(
    ("line", "warned"),
    [("x" * 2037, False), ("x" * 2046, True), ("é" * 2037, False), ("é" * 1500, False), ("é" * 2046, True)],
    ids=["ASCII, short", "ASCII, long", "accents, short", "accents, shorter", "accents, long"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_line_is_long_by_its_characters_and_not_by_its_bytes(line, warned, encoding):
    """1100 accented letters are 2200 bytes in UTF-8."""
    remarks = check(f"data_x\n_a '{line}'\n".encode(encoding))
    long = [remark for remark in remarks if remark.code == "long-line"]
    assert bool(long) is warned
    if warned:
        assert f"A line has {len(line) + 5} characters; CIF allows 2048." in long[0].what
        assert long[0].line == 2


def test_a_long_name_of_a_block_is_named():
    (remark,) = check(f"data_{'x' * 76}\n_a 1\n")
    assert "The name of the block has 76 characters; CIF allows 75." in remark.what
    assert check(f"data_{'x' * 75}\n_a 1\n") == []


@pytest.mark.parametrize(
    "place", ["_cell_length_a [1 2]", "loop_\n_cell_length_a\n[1 2]\n[3 4]"], ids=["item", "loop"]
)
def test_lists_of_cif_2_are_not_judged_as_numbers(place):
    """Neither as single items nor in loops."""
    assert check(f"#\\#CIF_2.0\ndata_x\n{place}\n") == []


def test_a_document_is_checked_like_its_text():
    text = "data_x\n_cell_length_a -1\n"
    assert [remark.what for remark in check(read(text))] == [remark.what for remark in check(text)]


def test_items_that_are_not_from_a_file_are_checked_without_a_place():
    block = read("data_x\n_a 1\n").sole_block()
    document = read("data_x\n_a 1\n")
    document.blocks[0] = block
    block.set("_cell_length_a", -1)
    (remark,) = check(document)
    assert (remark.line, remark.column) == (0, 0)


def test_a_quoted_question_mark_is_a_text():
    facts = names.facts("_cell_length_a")
    assert value_problem(facts, "?") == ""
    assert value_problem(facts, "?", quoted=True) == "'?' is not a number."
