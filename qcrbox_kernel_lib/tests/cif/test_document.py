"""Blocks and documents: what is found under which name, what may be set, and the text of a file."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from qcrbox.cif import NOT_APPLICABLE, UNKNOWN, Block, Document, Item, Loop, Number, read
from qcrbox.contract.errors import CifError

FILE = """data_x
_cell_length_a 10.1(2)
_my_note 'a b'
_unknown ?
_none .
_quoted_number '5.5'
_misprint 3/4
loop_
_one_row_a
_one_row_b
1 'x y'
loop_
_atom_site_label
_atom_site_occupancy
C1 1.0
C2 .
"""


@pytest.fixture
def block() -> Block:
    return read(FILE).sole_block()


@pytest.mark.parametrize(
    ("tag", "raw", "text", "value"),
    [
        ("_my_note", "'a b'", "a b", "a b"),
        ("_MY_NOTE", "'a b'", "a b", "a b"),
        ("_unknown", "?", None, UNKNOWN),
        ("_none", ".", None, NOT_APPLICABLE),
        ("_quoted_number", "'5.5'", "5.5", "5.5"),
        ("_one_row_b", "'x y'", "x y", "x y"),
        # A column of several rows is no single value.
        ("_atom_site_label", None, None, None),
        ("_absent", None, None, None),
    ],
)
def test_an_item_as_raw_value_as_text_and_as_value(block, tag, raw, text, value):
    assert block.get(tag) == raw
    assert block.text(tag) == text
    assert block.value(tag) == value
    assert block.get(tag, "default") == (raw or "default")


@pytest.mark.parametrize(
    ("tag", "value", "su"),
    [
        ("_cell.length_a", 10.1, 0.2),
        ("_quoted_number", 5.5, None),
        ("_misprint", 0.75, None),
        ("_one_row_a", 1, None),
    ],
)
def test_numbers_of_items(block, tag, value, su):
    number = block.number(tag)
    assert (number.value, number.su) == (pytest.approx(value), su if su is None else pytest.approx(su))


@pytest.mark.parametrize("tag", ["_my_note", "_unknown", "_none", "_absent", "_atom_site_occupancy"])
def test_what_is_no_single_number_is_none(block, tag):
    assert block.number(tag) is None


def test_a_column_is_found_wherever_the_item_stands(block):
    assert block.column("_atom_site.label") == ["C1", "C2"]
    assert block.column("_my_note") == ["'a b'"]
    assert block.column("_absent") == []


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("_atom_site_label", 2),
        ("_atom_site", 2),
        ("atom_site", 2),
        ("_ATOM_SITE.", 2),
        ("_one_row_a", 1),
        ("_absent", None),
        ("_my_note", None),
    ],
)
def test_a_loop_is_found_by_an_item_or_by_its_category(block, name, rows):
    loop = block.loop(name)
    assert (None if loop is None else loop.n_rows) == rows


def test_names_as_the_file_writes_them(block):
    assert block.written_as("_cell.length_a") == "_cell_length_a"
    assert block.written_as("_absent") is None
    assert "_CELL_LENGTH_A" in block
    assert "_absent" not in block
    assert block.tags[:2] == ["_cell_length_a", "_my_note"]
    assert block.tags[-2:] == ["_atom_site_label", "_atom_site_occupancy"]
    assert len(list(block)) == len(block.items) + len(block.loops) == 8


def test_the_very_spelling_counts_before_another_spelling_of_the_same_item():
    block = read("data_x\n_cell_length_a 1\n_cell.length_a 2\n").sole_block()
    assert (block["_cell_length_a"], block["_cell.length_a"]) == ("1", "2")


# ---------------------------------------------------------------- setting

SETTABLE = [
    (5, "5"),
    (-0.5, "-0.5"),
    (1e-7, "1e-07"),
    (0.1 + 0.2, "0.30000000000000004"),
    (float("nan"), "?"),
    (float("inf"), "?"),
    (UNKNOWN, "?"),
    (NOT_APPLICABLE, "."),
    ("?", "'?'"),
    (".", "'.'"),
    ("", "''"),
    ("a b", "'a b'"),
    ("1.5", "1.5"),
    (Number.of(1.2345, 0.005), "1.234(5)"),
    # Its repr() is np.float64(0.5), which would be a text.
    (np.float64(0.5), "0.5"),
    (np.float32(0.1), "0.1"),
    (np.int64(7), "7"),
    (np.uint8(7), "7"),
    (np.float64("nan"), "?"),
    (np.float64("-inf"), "?"),
    (Decimal("1.50"), "1.50"),
    (Fraction(1, 4), "0.25"),
]


@pytest.mark.parametrize(("value", "raw"), SETTABLE, ids=[repr(row[0]) for row in SETTABLE])
def test_values_of_python_as_values_of_a_cif(block, value, raw):
    block.set("_new", value)
    assert block["_new"] == raw


@pytest.mark.parametrize("value", [True, False, np.bool_(True), None, [1], b"x", 1j], ids=repr)
def test_what_a_cif_has_no_value_for_is_refused(block, value):
    with pytest.raises(CifError):
        block.set("_new", value)
    assert "_new" not in block


@pytest.mark.parametrize("tag", ["", "_", "x", "x_y", "_a b", "_a\tb", "_a\n", " _a"])
def test_what_is_no_name_is_refused_everywhere(block, tag):
    loop = block.loop("_atom_site")
    for act in (
        lambda: block.set(tag, 1),
        lambda: block.set_raw(tag, "1"),
        lambda: block.add_loop({tag: ["1"]}),
        lambda: loop.set_column(tag, ["1", "2"]),
        lambda: loop.rename("_atom_site_label", tag),
        lambda: Loop.of({tag: ["1"]}),
    ):
        with pytest.raises(CifError, match="is not a name of a CIF item"):
            act()


def test_a_lone_surrogate_is_refused_with_a_reason(block):
    """A CifError, not a UnicodeEncodeError of Python."""
    with pytest.raises(CifError, match="no character"):
        block.set("_new", "a\ud800b")


def test_setting_keeps_the_spelling_of_the_file_and_changes_only_what_differs():
    document = read(FILE)
    block = document.sole_block()
    block.set_raw("_my_note", "'a b'")
    assert document.to_bytes() == FILE.encode()
    block.set("_CELL.length_A", 11)
    assert document.to_bytes() == FILE.replace("10.1(2)", "11").encode()


def test_a_loop_of_one_row_is_set_like_items():
    document = read(FILE)
    document.sole_block().set("_one_row_a", 2)
    assert document.to_bytes() == FILE.replace("\n1 'x y'", "\n2 'x y'").encode()


def test_the_last_column_takes_its_loop_with_it():
    document = read(FILE)
    block = document.sole_block()
    assert block.remove("_atom_site_label")
    assert block.remove("_atom_site_occupancy")
    assert block.loop("_atom_site") is None
    again = read(document.to_bytes()).sole_block()
    assert "_atom_site_occupancy" not in again
    assert again["_one_row_a"] == "1"


def test_an_entry_is_replaced_in_its_place():
    document = read("data_x\n_a 1\n_b 2\n_c 3\n")
    block = document.sole_block()
    block.replace_entry(block.find("_b"), Item("_new", "9"))
    assert block.tags == ["_a", "_new", "_c"]
    assert read(document.to_bytes()).sole_block().tags == ["_a", "_new", "_c"]


def test_a_loop_added_to_a_block_of_cif_2_has_values_of_cif_2():
    document = read("#\\#CIF_2.0\ndata_x\n_a [1]\n")
    loop = document.sole_block().add_loop({"_b": ["'''it's'''", "[1 2]"]})
    assert loop.texts("_b") == ["it's", "[1 2]"]
    assert read(document.to_bytes()).sole_block().loop("_b").texts("_b") == ["it's", "[1 2]"]


def test_a_loop_with_a_raw_value_that_is_none_is_refused(block):
    for columns in ({"_n": ["a b"]}, Loop.of({"_n": ["a b"]})):
        with pytest.raises(CifError, match="is not one CIF value"):
            block.add_loop(columns)
    assert "_n" not in block


# ---------------------------------------------------------------- documents


@pytest.mark.parametrize(
    ("name", "found"), [("a", 0), ("A", 1), (0, 0), (-1, 2), ("B", 2), (3, None), (-4, None), ("c", None)]
)
def test_blocks_by_name_in_the_very_spelling_first_or_by_position(name, found):
    document = read("data_a\n_x 1\ndata_A\n_x 2\ndata_b\n_x 3\n")
    assert document.find(name) is (None if found is None else document.blocks[found])
    if found is None:
        with pytest.raises(CifError, match=r"There is no block .* Blocks: a, A, b\."):
            document[name]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("data_a\n_x 1\ndata_b\n_x 2\n", "The file has 2 data blocks, and none was chosen."),
        ("data_a\ndata_b\n", "No block has content."),
    ],
)
def test_the_sole_block_of_several_is_refused_with_their_names(content, words):
    with pytest.raises(CifError) as caught:
        read(content, filename="f.cif").sole_block()
    assert (caught.value.what, caught.value.where) == (words, "f.cif")
    assert caught.value.why == "Blocks: a, b."
    assert caught.value.next == "Name the block to use."


def test_a_block_without_content_is_the_sole_one_when_it_is_alone():
    assert read("data_only\n").sole_block().name == "only"


TEXTS = {
    "UTF-8": "data_x\n_n 'Müller'\n".encode(),
    "Latin-1": b"data_x\n_n 'M\xfcller'\n",
    "UTF-16, little end first": codecs.BOM_UTF16_LE + "data_x\n_n 'Müller'\n".encode("utf-16-le"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + "data_x\n_n 'Müller'\n".encode("utf-16-be"),
    "byte order mark": codecs.BOM_UTF8 + "data_x\n_n 'Müller'\n".encode(),
    "CRLF": "data_x\r\n_n 'Müller'\r\n".encode(),
    "CR": "data_x\r_n 'Müller'\r".encode(),
}


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_the_text_of_a_file_is_the_same_in_every_encoding(content):
    """UTF-16 too."""
    assert read(content).text == "data_x\n_n 'Müller'\n"


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("letter", ["x", "é", "Š", "東"])
def test_the_text_of_a_changed_file_is_what_reading_it_again_gives(content, letter):
    """A letter that Latin-1 lacks turns the file into UTF-8."""
    document = read(content)
    document.sole_block().set("_new", letter)
    assert document.text == "data_x\n_n 'Müller'\n" + f"{'_new':<34} {letter}\n"
    again = read(document.to_bytes()).sole_block()
    assert (again.text("_n"), again.text("_new")) == ("Müller", letter)


@pytest.mark.parametrize("tail", ["\n", "", "\n\x1a", "\n\x00\x00", "\n# end", "\r\n"], ids=repr)
def test_a_block_is_appended_where_it_can_be_read_again(tail):
    """Text behind the Ctrl-Z of an old program is not read."""
    document = read(b"data_a\n_x 1" + tail.encode())
    document.blocks.append(Block("new", [Item("_z", "3")]))
    again = read(document.to_bytes())
    assert [(block.name, block.tags) for block in again] == [("a", ["_x"]), ("new", ["_z"])]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("data_x\n_a 1 # of a\n", "data_x\n_a 1 # of a\n_new 2\n"),
        ("data_x # name\n", "data_x # name\n_new 2\n"),
        ("data_x\nloop_\n_l\n1\n2 # two\n# tail\n", "data_x\nloop_\n_l\n1\n2 # two\n_new 2\n# tail\n"),
        ("data_x\n_a 1 # of a\ndata_y\n_b 2 # of b\n", "data_x\n_a 1 # of a\n_new 2\ndata_y\n_b 2 # of b\n"),
        ("data_x\n_a\n;t\n; # of a\n", "data_x\n_a\n;t\n; # of a\n_new 2\n"),
        ("data_x\n_a 1 # of a", "data_x\n_a 1 # of a\n_new 2"),
    ],
    ids=["item", "name of the block", "loop", "two blocks", "text field", "no line end"],
)
def test_a_comment_stays_with_the_item_beside_which_it_stands(content, expected):
    """A new item is written behind the comment, not before it."""
    document = read(content)
    document.blocks[0].set("_new", 2)
    assert document.text.replace(f"{'_new':<34} 2", "_new 2") == expected


def test_a_document_made_here_is_written_in_utf_8(tmp_path):
    document = Document([Block("x", [Item("_a", "'é'")])])
    document.write(tmp_path / "a.cif")
    assert (tmp_path / "a.cif").read_text("utf-8") == document.text
    assert read(tmp_path / "a.cif").sole_block().text("_a") == "é"


def test_documents_and_blocks_show_what_they_are(block_of: Callable[[str], Block]):
    block = block_of("_a 1\nloop_\n_b\n1\n2\n")
    assert repr(block) == "<Block x: 1 items, 1 loops>"
    assert repr(block.loop("_b")) == "<Loop _b: 1 columns, 2 rows>"
    assert repr(block.find("_a")) == "<Item _a 1>"
    assert repr(Document([block])) == "<Document without a name: blocks x>"
    long = block_of(f"_a '{'x' * 100}'\n").find("_a")
    assert len(repr(long)) < 80
