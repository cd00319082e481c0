"""Loops: columns, cells and rows, from a file and made here alike."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.cif import UNKNOWN, Block, Document, Loop, Number, read
from qcrbox.contract.errors import CifError

PLAIN = "data_x\nloop_\n_atom_site_label\n_atom_site_fract_x\n_my_note\nC1 0.1(2) a\nC2 ? .\nC3 0.3 c\n"
MIXED = PLAIN.replace("C2 ? .", "'C2' ? '.'").replace("0.3 c", "0.3\n;t\nu\n;")


def from_file(text: str) -> Loop:
    return read(text).sole_block().loops[0]


def made() -> Loop:
    return Loop.of(
        {
            "_atom_site_label": ["C1", "C2", "C3"],
            "_atom_site_fract_x": ["0.1(2)", "?", "0.3"],
            "_my_note": ["a", ".", "c"],
        }
    )


KINDS = {"from a file": lambda: from_file(PLAIN), "made here": made}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def loop(request: pytest.FixtureRequest) -> Loop:
    return request.param()


def test_a_loop_has_its_rows_columns_and_category(loop):
    assert (len(loop), loop.n_rows, loop.category) == (3, 3, "_atom_site")
    assert list(loop.rows) == [("C1", "0.1(2)", "a"), ("C2", "?", "."), ("C3", "0.3", "c")]
    assert loop.columns("_my_note", "_ATOM_SITE.label") == [["a", ".", "c"], ["C1", "C2", "C3"]]
    assert loop.columns() == []


def test_a_column_as_values_texts_and_numbers(loop):
    values = loop.values("_atom_site_fract_x")
    assert values == [Number.of("0.1", "0.2"), UNKNOWN, Number(0.3, None, "0.3")]
    assert loop.texts("_atom_site_fract_x") == ["0.1(2)", "?", "0.3"]
    assert loop.numbers("_atom_site.fract_x") == pytest.approx([0.1, np.nan, 0.3], nan_ok=True)
    numbers, su = loop.numbers_and_su("_atom_site_fract_x")
    assert numbers == pytest.approx([0.1, np.nan, 0.3], nan_ok=True)
    assert su == pytest.approx([0.2, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize("act", ["column", "values", "texts", "numbers", "numbers_and_su", "drop_column"])
def test_a_column_that_is_absent_is_a_key_error_with_its_name(loop, act):
    with pytest.raises(KeyError, match="_absent"):
        getattr(loop, act)("_absent")


def test_names_are_found_in_any_spelling(loop):
    assert "_atom_site.fract_x" in loop
    assert "_ATOM_SITE_FRACT_X" in loop
    assert loop.index("_My_Note") == 2
    assert loop.index("_absent") is None


def test_cells_are_changed_one_by_one_and_seen_in_every_view(loop):
    loop.set_cell(1, "_atom_site.fract_x", "0.25(5)")
    loop.set_cell(0, "_my_note", "'two words'")
    assert loop.column("_atom_site_fract_x") == ["0.1(2)", "0.25(5)", "0.3"]
    assert next(loop.rows) == ("C1", "0.1(2)", "'two words'")
    assert [cell for piece in loop.pieces() for cell in piece][4] == "0.25(5)"
    loop.add_row({"_atom_site_label": "C4"})
    assert list(loop.rows)[1] == ("C2", "0.25(5)", ".")


@pytest.mark.parametrize("row", [-1, 3, 100])
def test_a_row_that_is_absent_cannot_be_changed(loop, row):
    with pytest.raises(IndexError, match=f"Row {row} of a loop of 3 rows"):
        loop.set_cell(row, "_my_note", "x")


@pytest.mark.parametrize("raw", ["", "a b", "_x", "'open", "loop_", "#", "\n"])
def test_a_cell_is_one_value(loop, raw):
    for act in (
        lambda: loop.set_cell(0, "_my_note", raw),
        lambda: loop.set_column("_my_note", ["a", raw, "c"]),
        lambda: loop.add_row({"_my_note": raw}),
    ):
        with pytest.raises(CifError, match="is not one CIF value"):
            act()
    assert loop.column("_my_note") == ["a", ".", "c"]


def test_a_column_is_replaced_added_and_put_in_its_place(loop):
    loop.set_column("_MY_note", ["1", "2", "3"])
    loop.set_column("_last", ["x", "y", "z"])
    loop.set_column("_second", ["p", "q", "r"], after="_atom_site.label")
    assert loop.tags == ["_atom_site_label", "_second", "_atom_site_fract_x", "_my_note", "_last"]
    assert list(loop.rows)[2] == ("C3", "r", "0.3", "3", "z")


def test_a_column_of_another_length_is_refused_with_both_lengths(loop):
    with pytest.raises(CifError, match=r"_new has 2 values for a loop of 3 rows"):
        loop.set_column("_new", ["1", "2"])
    assert loop.tags[-1] == "_my_note"


def test_a_column_after_one_that_is_absent_is_refused(loop):
    with pytest.raises(KeyError, match="_absent"):
        loop.set_column("_new", ["1", "2", "3"], after="_absent")


def test_columns_go_but_not_the_last_one(loop):
    """No program reads a loop without names."""
    loop.drop_column("_atom_site_label")
    loop.drop_column("_my_note")
    with pytest.raises(CifError, match="last column"):
        loop.drop_column("_atom_site_fract_x")
    assert list(loop.rows) == [("0.1(2)",), ("?",), ("0.3",)]


def test_rows_are_kept_in_the_given_order_and_may_repeat(loop):
    loop.keep_rows([2, 0, 0])
    assert loop.column("_atom_site_label") == ["C3", "C1", "C1"]
    loop.keep_rows([])
    assert (loop.n_rows, list(loop.rows)) == (0, [])


def test_a_row_gets_question_marks_where_nothing_is_given(loop):
    loop.add_row({})
    assert list(loop.rows)[3] == ("?", "?", "?")
    with pytest.raises(KeyError, match="_absent"):
        loop.add_row({"_absent": "1"})


def test_a_column_is_renamed_and_keeps_its_values(loop):
    loop.rename("_atom_site.fract_x", "_atom_site_fract_y")
    assert loop.column("_atom_site.fract_y") == ["0.1(2)", "?", "0.3"]
    assert "_atom_site_fract_x" not in loop
    with pytest.raises(KeyError, match="_absent"):
        loop.rename("_absent", "_x")


def test_a_loop_has_no_name_twice(loop):
    for name in ("_my_note", "_MY_NOTE"):
        with pytest.raises(CifError, match="is in this loop already"):
            loop.rename("_atom_site_label", name)
    assert loop.tags[0] == "_atom_site_label"


def test_a_loop_may_be_renamed_in_letter_case_and_to_its_other_spelling(loop):
    loop.rename("_atom_site_label", "_atom_site.label")
    loop.rename("_my_note", "_My_Note")
    assert loop.tags == ["_atom_site.label", "_atom_site_fract_x", "_My_Note"]


@pytest.mark.parametrize("text", [PLAIN, MIXED], ids=["plain", "mixed"])
@pytest.mark.parametrize(
    "change",
    [
        lambda loop: loop.set_cell(2, "_my_note", "'two words'"),
        lambda loop: loop.set_cell(0, "_atom_site_fract_x", ";two\nlines\n;"),
        lambda loop: loop.set_column("_new", ["1", "'a b'", "?"]),
        lambda loop: loop.keep_rows([1, 2]),
        lambda loop: loop.add_row({"_atom_site_label": "C4"}),
        lambda loop: loop.rename("_my_note", "_other"),
        lambda loop: loop.drop_column("_atom_site_label"),
    ],
    ids=["cell", "text field", "column", "rows", "row", "name", "less"],
)
def test_every_change_is_read_again_as_it_was_made(text, change):
    document = read(text + "_after 1\n")
    loop = document.sole_block().loops[0]
    change(loop)
    again = read(document.to_bytes()).sole_block()
    assert list(again.loops[0].rows) == list(loop.rows)
    assert again.loops[0].tags == loop.tags
    assert again["_after"] == "1"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"_a": ["1"], "_b": []}, r"Lengths: \[0, 1\]"),
        ({"_a": ["1", "2"], "_b": ["1"]}, r"Lengths: \[1, 2\]"),
    ],
)
def test_columns_of_a_loop_have_one_length(columns, words):
    with pytest.raises(CifError, match=words):
        Loop.of(columns)


def test_a_loop_without_rows_is_written_where_no_name_follows_it():
    document = Document([Block("x", [Loop.of({"_a": [], "_b": []}), *read("data_y\n_c 1\n").sole_block()])])
    again = read(document.to_bytes()).sole_block()
    assert again["_c"] == "1"
    assert again.loop("_a").n_rows == 0


def test_given_lists_are_not_changed():
    cells = ["1", "2"]
    loop = Loop.of({"_a": cells})
    loop.set_cell(0, "_a", "9")
    loop.add_row({"_a": "3"})
    assert cells == ["1", "2"]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ([], []),
        (["1", "2.5", "-3e-1"], [1, 2.5, -0.3]),
        (["1", "?", "."], [1, np.nan, np.nan]),
        (["1(2)", "'3'"], [1, 3]),
        (["nan"], [np.nan]),
        (["inf", "1e999", "-1e999"], [np.nan, np.nan, np.nan]),
        (["1_0", "0x1", "٣"], [np.nan, np.nan, np.nan]),
        ([".5", "5.", "+5"], [0.5, 5, 5]),
        (["1e400(2)"], [np.nan]),
    ],
    ids=str,
)
def test_a_column_as_finite_numbers(cells, numbers):
    loop = Loop.of({"_a": cells})
    assert loop.numbers("_a") == pytest.approx(np.array(numbers, float), nan_ok=True)
    assert loop.numbers_and_su("_a")[0] == pytest.approx(np.array(numbers, float), nan_ok=True)
