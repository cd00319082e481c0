"""One data block as the refinement reads and writes it."""

import gemmi
import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import CifError
from qcrbox_refine.cif_block import CifBlock, read_blocks, value_and_su, with_su


def block_of(text):
    return CifBlock(block=read(f"data_x\n{text}".encode()).blocks[0])


@pytest.mark.parametrize(
    ("value", "su", "decimals", "expected"),
    [
        (1.23456, 0.0012, 5, "1.2346(12)"),
        (1.23456, 0.002, 5, "1.235(2)"),
        (-0.00004, None, 4, "0.0000"),
        (-0.00006, None, 4, "-0.0001"),
        (0.5, 0.0, 3, "0.500"),
        (0.5, -1.0, 3, "0.500"),
        (123.4, 12.0, 2, "123(12)"),
        (float("nan"), 0.1, 2, "nan"),
    ],
)
def test_a_value_with_its_su(value, su, decimals, expected):
    assert with_su(value, su, decimals) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234(5)", (1.234, 0.005)),
        (" 1.5 ", (1.5, 0.0)),
        ("-0.5(12)", (-0.5, 1.2)),
        ("1e3", (1000.0, 0.0)),
        ("?", None),
        (".", None),
        ("", None),
        (None, None),
        ("abc", None),
    ],
)
def test_a_text_as_value_and_su(text, expected):
    assert value_and_su(text) == (pytest.approx(expected) if expected else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_cell_length_a 7.123(4)", (7.123, 0.004)),
        ("_cell.length_a 7.123\n_cell.length_a_su 0.004", (7.123, 0.004)),
        ("_CELL_LENGTH_A 7.123", (7.123, 0.0)),
        ("_cell_length_a ?", None),
        ("_cell_length_b 8", None),
    ],
    ids=["brackets", "su beside it", "capitals", "unknown", "missing"],
)
def test_a_number_is_found_in_every_spelling(text, expected):
    assert block_of(text).number("_cell_length_a") == (pytest.approx(expected) if expected else None)


def test_an_item_that_is_written_replaces_every_spelling_and_its_su():
    block = block_of("_cell.length_a 7.1\n_cell.length_a_su 0.1\n_cell_length_b 8\n")
    block.set("_cell_length_a", "7.5")
    read_back = gemmi.cif.read_string(str(block)).sole_block()
    values = [read_back.find_value(tag) for tag in ("_cell_length_a", "_cell.length_a", "_cell.length_a_su")]
    assert [value for value in values if value] == ["7.5"]
    block.set("_cell_length_b", None)
    assert block.number("_cell_length_b") is None


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "two words",
        "it's quoted",
        "with \" and '",
        "_tag like",
        "data_x",
        "line one\nline two",
        "; begins",
        "loop_",
        "#no comment",
        "$ref",
        "[1]",
    ],
)
def test_any_text_comes_back_as_it_was(value):
    block = CifBlock("x")
    block.set("_refine_special_details", value)
    again = gemmi.cif.read_string(str(block)).sole_block().find_value("_refine_special_details")
    assert gemmi.cif.as_string(again).strip("\n") == value


@pytest.mark.parametrize("value", ["?", "."])
def test_unknown_stays_unknown(value):
    block = CifBlock("x")
    block.set("_refine_special_details", value)
    assert gemmi.cif.read_string(str(block)).sole_block().find_value("_refine_special_details") == value
    assert block.text("_refine_special_details") is None


def test_a_loop_has_its_rows_and_none_without_rows():
    block = CifBlock("x")
    block.add_loop(["_a_x", "_a_y"], [["1", "two words"], ["?", "."]])
    block.add_loop(["_b_x"], [])
    assert (block.column("_a_x"), block.column("_a_y")) == (["1", "?"], ["two words", "."])
    assert block.column("_b_x") is None


def test_a_copy_lacks_what_the_pattern_names_and_is_independent():
    block = block_of(
        "_cell_length_a 7\n_refine_ls_r_factor_gt 0.05\n_refine.special_details x\nloop_\n_geom_bond_distance\n"
        "_geom_bond_atom_site_label_1\n1.5 C1\nloop_\n_atom_type_symbol\nC\n"
    )
    copy = block.copy(without="_refine_|_geom_")
    assert copy.text("_cell_length_a") == "7"
    assert copy.column("_atom_type_symbol") == ["C"]
    assert copy.text("_refine_ls_R_factor_gt", "_refine_special_details") is None
    assert copy.column("_geom_bond_distance") is None
    copy.set("_cell_length_a", "9")
    assert block.text("_cell_length_a") == "7"


def test_the_first_item_that_is_known_counts():
    block = block_of("_a ?\n_b ' '\n_c found\n")
    assert block.text("_a", "_b", "_c") == "found"
    assert block.text("_a", "_b") is None


def test_a_file_without_a_block_is_refused(tmp_path):
    path = tmp_path / "empty.cif"
    path.write_text("# nothing\n")
    with pytest.raises(CifError, match="no data block") as caught:
        read_blocks(path)
    assert "empty.cif" in caught.value.where
