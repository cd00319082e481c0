"""Writing: unchanged bytes stay, changed tokens alone are rewritten, new documents read back."""

from __future__ import annotations

import pytest
from qcrbox.cif import UNKNOWN, Block, Document, Item, Loop, Number, raw_of, read, text_of
from qcrbox.contract.errors import CifError

FILE = b"""# head
data_x   # name
_cell_length_a   10.0(1)   # measured
_CELL_LENGTH_B\t11
_note
;
  text 'x'
;
loop_ # atoms
 _atom_site_label  _atom_site_occupancy
 C1   1.0  # first
 'C 2' .
# tail
_last 5
"""


def test_only_the_changed_value_is_rewritten() -> None:
    document = read(FILE)
    document.sole_block().set("_cell.length_a", Number.of(10.25, 0.02))
    assert document.to_bytes() == FILE.replace(b"10.0(1)", b"10.25(2)")


def test_only_the_changed_cell_is_rewritten() -> None:
    document = read(FILE)
    document.sole_block().loop("_atom_site").set_cell(1, "_atom_site.occupancy", "0.5")
    assert document.to_bytes() == FILE.replace(b"'C 2' .", b"'C 2' 0.5")


def test_value_that_becomes_a_text_field_stands_on_its_own_line() -> None:
    document = read(FILE)
    document.sole_block().set("_CELL_length_b", "a\nb")
    again = read(document.to_bytes()).sole_block()
    assert again.text("_cell_length_b") == "a\nb"
    assert again.column("_atom_site_label") == ["C1", "'C 2'"]


def test_text_field_that_becomes_short_leaves_a_valid_file() -> None:
    document = read(FILE)
    document.sole_block().set("_note", ";x")
    assert read(document.to_bytes()).sole_block().text("_note") == ";x"


def test_removed_item_takes_its_line_with_it() -> None:
    document = read(FILE)
    assert document.sole_block().remove("_cell_length_b")
    assert not document.sole_block().remove("_cell_length_b")
    assert document.to_bytes() == FILE.replace(b"_CELL_LENGTH_B\t11\n", b"")


def test_new_item_stands_after_the_last_one_and_keeps_the_rest() -> None:
    document = read(FILE.rstrip(b"\n"))
    document.sole_block().set("_new_item", UNKNOWN)
    assert document.to_bytes().startswith(FILE.rstrip(b"\n"))
    assert read(document.to_bytes()).sole_block()["_new_item"] == "?"


def test_line_ends_of_the_file_are_used_for_new_text() -> None:
    content = FILE.replace(b"\n", b"\r\n")
    document = read(content)
    document.sole_block().set("_new_item", "a\nb")
    written = document.to_bytes()
    assert written.replace(b"\r\n", b"").count(b"\n") == 0
    assert read(written).sole_block().text("_new_item") == "a\nb"


def test_column_is_added_and_dropped() -> None:
    document = read(FILE)
    loop = document.sole_block().loop("_atom_site")
    loop.set_column("_atom_site_calc_flag", ["d", "calc"], after="_atom_site_label")
    loop.drop_column("_atom_site.occupancy")
    document.sole_block().forget_index()
    again = read(document.to_bytes()).sole_block()
    assert again.loop("_atom_site").tags == ["_atom_site_label", "_atom_site_calc_flag"]
    assert again.column("_atom_site_calc_flag") == ["d", "calc"]
    assert again["_last"] == "5"


def test_rows_are_added_and_chosen() -> None:
    document = read(FILE)
    loop = document.sole_block().loop("_atom_site")
    loop.add_row({"_atom_site_label": "C3"})
    loop.keep_rows([2, 0])
    again = read(document.to_bytes()).sole_block().loop("_atom_site")
    assert list(again.rows) == [("C3", "?"), ("C1", "1.0")]


def test_changes_to_one_document_never_reach_another() -> None:
    first, second = read(FILE), read(FILE)
    first.sole_block().set("_last", 6)
    assert second.to_bytes() == FILE


def test_block_is_renamed_added_and_deleted() -> None:
    document = read(b"data_a\n_x 1\ndata_b\n_y 2\n")
    document["a"].name = "c"
    document.blocks.remove(document["b"])
    document.blocks.append(Block("new", [Item("_z", "3")]))
    again = read(document.to_bytes())
    assert [(block.name, block.tags) for block in again] == [("c", ["_x"]), ("new", ["_z"])]


@pytest.mark.parametrize("raw", ["a b", "", "_x", "'a", "data_y", "#", ";x\n;\ny", "loop_", "1 # 2"])
def test_raw_value_that_is_not_one_token_is_refused(raw: str) -> None:
    with pytest.raises(CifError, match="not one CIF value"):
        read(FILE).sole_block().set_raw("_last", raw)


def test_value_of_a_table_cannot_be_set_as_an_item() -> None:
    with pytest.raises(CifError, match="column of 2 rows"):
        read(FILE).sole_block().set("_atom_site_label", "C9")


def test_loop_must_be_new_and_its_columns_of_one_length() -> None:
    block = read(FILE).sole_block()
    with pytest.raises(CifError, match="already"):
        block.add_loop({"_atom_site.label": ["C1"]})
    with pytest.raises(CifError, match="one length"):
        block.add_loop({"_a": ["1"], "_b": ["1", "2"]})
    with pytest.raises(CifError, match="not a name"):
        block.set("no_underscore", 1)


QUOTED = [
    ("abc", "abc"),
    ("a b", "'a b'"),
    ("it's", "it's"),
    ("a dog's life", "'a dog's life'"),
    ("say 'so' now", "\"say 'so' now\""),
    ("?", "'?'"),
    (".", "'.'"),
    ("", "''"),
    ("_x", "'_x'"),
    ("data_x", "'data_x'"),
    ("loop_", "'loop_'"),
    ("loop_x", "loop_x"),
    ("#1", "'#1'"),
    ("[1]", "'[1]'"),
    ("$a", "'$a'"),
    (";a", "';a'"),
    ("1.2(3)", "1.2(3)"),
    ("a\nb", ";a\nb\n;"),
    ("'a' \"b\" c", ";'a' \"b\" c\n;"),
]


@pytest.mark.parametrize(("text", "raw"), QUOTED, ids=[repr(row[0]) for row in QUOTED])
def test_texts_get_the_least_quoting_that_is_safe(text: str, raw: str) -> None:
    assert raw_of(text) == raw
    assert text_of(raw) == text
    assert (
        read(f"data_x\n_a\n{raw if raw.startswith(';') else ' ' + raw}\n_b 1\n").sole_block().text("_a")
        == text
    )


@pytest.mark.parametrize(
    "text",
    [
        "a\n;b",
        "\n;",
        "x" * 5000,
        "\\\nnot folded",
        ">\\\n>no prefix",
        "ends in \\",
        "a\n" + "y" * 4000 + "\\",
    ],
)
@pytest.mark.parametrize("cif2", [False, True])
def test_texts_that_no_plain_text_field_can_hold_survive(text: str, cif2: bool) -> None:
    raw = raw_of(text, cif2=cif2)
    assert max(map(len, raw.split("\n"))) <= 2048
    document = Document(
        [Block("x", [Item("_a", raw, cif2=cif2), Item("_b", "1", cif2=cif2)], cif2=cif2)], cif2=cif2
    )
    assert read(document.to_bytes()).sole_block().text("_a") == text


def test_new_document_reads_back_with_all_kinds_of_cells() -> None:
    cells = ["a b", "it's", ";start", "?", "a\nb", "", "plain", "_tag"]
    loop = Loop.of({"_l": [raw_of(cell) for cell in cells], "_m": [str(n) for n in range(len(cells))]})
    again = read(Document([Block("x", [loop, Item("_z", "9")])]).to_bytes()).sole_block()
    assert again.loop("_l").texts("_l") == cells
    assert again.column("_m") == [str(n) for n in range(len(cells))]
    assert again["_z"] == "9"


def test_lines_written_are_not_longer_than_2048() -> None:
    loop = Loop.of({f"_c{n}": ["x" * 300] for n in range(20)})
    written = Document([Block("x", [loop])]).to_bytes()
    assert max(map(len, written.split(b"\n"))) <= 2048
    assert read(written).sole_block().column("_c19") == ["x" * 300]
