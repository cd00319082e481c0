"""Specific CIF: what a command reads, spelled as it asks."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.cif.convert import Conversion, InputEntries, can_run, missing_entries, specific
from qcrbox.contract.errors import CifError, MissingItemsError, SpecError

UNIFIED = """data_x
_cell.length_a 10.032
_cell.length_a_su 0.004
_cell.length_b 5.0
_exptl.note ?
_shelx.res_file
;
TITL a ; b
  'quoted' _x loop_
;
loop_
_atom_site.label
_atom_site.fract_x
_atom_site.fract_x_su
_atom_site.occupancy
C1 0.1234 0.0005 1
C2 0.678 0 ?
C3 ? ? 0.5
"""


def made(source: str = UNIFIED, **entries: object) -> Conversion:
    return specific(source, InputEntries(**entries))


# What is chosen


def test_only_the_chosen_items_are_written_spelled_as_requested() -> None:
    conversion = made(required=["_cell_length_a"])
    assert [(item.tag, item.raw) for item in conversion.block.items] == [("_cell_length_a", "10.032")]


def test_source_may_be_in_any_dialect() -> None:
    conversion = made("data_x\n_cell_length_a 10.032(4)\n", required=["_cell.length_a"])
    assert [(item.tag, item.raw) for item in conversion.block.items] == [("_cell.length_a", "10.032")]


def test_request_in_other_letter_case_is_found_and_written_as_requested() -> None:
    assert made(required=["_CELL_LENGTH_A"]).block.tags == ["_CELL_LENGTH_A"]


def test_two_spellings_of_one_item_are_both_written() -> None:
    block = made(required=["_cell_length_b", "_cell.length_b", "_atom_site_label", "_atom_site.label"]).block
    assert block.tags == ["_cell_length_b", "_cell.length_b", "_atom_site_label", "_atom_site.label"]
    assert next(iter(block.loops[0].rows)) == ("C1", "C1")


def test_order_is_that_of_the_source() -> None:
    block = made(
        required=["_atom_site_occupancy", "_atom_site_label", "_cell_length_b", "_cell_length_a"]
    ).block
    assert block.tags == ["_cell_length_a", "_cell_length_b", "_atom_site_label", "_atom_site_occupancy"]
    assert block.loops[0].n_rows == 3


def test_all_missing_entries_are_listed_with_both_names() -> None:
    with pytest.raises(MissingItemsError) as caught:
        made(required=["_cell_length_a", "_cell_length_c", "_my_thing"])
    assert caught.value.items == ["_cell_length_c", "_my_thing"]
    assert "_cell_length_c (_cell.length_c)" in caught.value.message


def test_missing_optional_entries_are_no_matter() -> None:
    assert made(optional=["_cell_length_c", "_cell_length_a"]).block.tags == ["_cell_length_a"]


def test_required_item_that_is_unknown_passes_with_a_warning() -> None:
    conversion = made(required=["_exptl_note", "_cell_length_a"])
    assert conversion.block["_exptl_note"] == "?"
    assert [(remark.code, remark.tag) for remark in conversion.warnings] == [
        ("required-unknown", "_exptl.note")
    ]


def test_embedded_files_pass_unchanged() -> None:
    block = made(required=["_shelx_res_file"], custom_categories=["shelx"]).block
    assert block["_shelx_res_file"] == ";\nTITL a ; b\n  'quoted' _x loop_\n;"


@pytest.mark.parametrize("categories", [[], ["shelx"]])
@pytest.mark.parametrize("written", ["_shelx.res_file", "_shelx_res_file"])
@pytest.mark.parametrize("asked", ["_shelx.res_file", "_shelx_res_file"])
def test_both_forms_of_a_category_are_found(written: str, asked: str, categories: list[str]) -> None:
    block = made(f"data_x\n{written} y\n", required=[asked], custom_categories=categories).block
    assert [(item.tag, item.raw) for item in block.items] == [(asked, "y")]


# Sets and choices

SETS = {
    "cell": {"required": ["_cell_length_a"], "optional": ["_cell_length_b"]},
    "more": {"required": ["_atom_site_label"]},
}


def test_sets_add_required_and_optional_entries() -> None:
    block = made(required_sets=["cell"], optional_sets=["more"], entry_sets=SETS).block
    assert block.tags == ["_cell_length_a", "_cell_length_b", "_atom_site_label"]


def test_sets_may_be_given_as_the_list_of_a_spec() -> None:
    listed = [
        {"name": "cell", "required": ["_cell_length_a"]},
        {"name": "empty", "required": [], "optional": None},
    ]
    assert made(required_sets=["cell", "empty"], entry_sets=listed).block.tags == ["_cell_length_a"]


def test_required_part_of_a_required_set_is_required_of_an_optional_set_is_not() -> None:
    sets = {"c": {"required": ["_cell_length_c"]}}
    with pytest.raises(MissingItemsError):
        made(required_sets=["c"], entry_sets=sets)
    assert made(optional_sets=["c"], optional=["_cell_length_a"], entry_sets=sets).block.tags == [
        "_cell_length_a"
    ]


def test_unknown_set_and_unknown_key_are_errors_that_name_them() -> None:
    with pytest.raises(SpecError, match="'nothing'"):
        made(required_sets=["nothing"], entry_sets=SETS)
    with pytest.raises(SpecError, match="'requird'"):
        made(required_sets=["a"], entry_sets={"a": {"requird": []}})


ONE_OF = [
    ([["_cell_length_c"], ["_cell_length_a"], ["_cell_length_b"]], ["_cell_length_a"]),
    ([["_cell_length_c", "_cell_length_a"], ["_cell_length_b"]], ["_cell_length_b"]),
    ([["_cell_length_a", "_cell_length_b"], ["_atom_site_label"]], ["_cell_length_a", "_cell_length_b"]),
]


@pytest.mark.parametrize(("alternatives", "tags"), ONE_OF)
@pytest.mark.parametrize("kind", ["required", "optional"])
def test_first_alternative_that_is_whole_wins(
    kind: str, alternatives: list[list[str]], tags: list[str]
) -> None:
    choice = {"one_of": [one[0] if len(one) == 1 else one for one in alternatives]}
    assert made(**{kind: [choice]}).block.tags == tags


def test_choice_that_cannot_be_met_fails_only_when_required() -> None:
    choice = {"one_of": ["_no_a", ["_no_b", "_cell_length_a"]]}
    with pytest.raises(MissingItemsError, match="one of _no_a, \\(_no_b and _cell_length_a\\)"):
        made(required=[choice])
    assert made(optional=[choice, "_cell_length_a"]).block.tags == ["_cell_length_a"]


# The whole file


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"required": ["all_unified"]},
        {"optional": ["_Cell.length_A", "all_unified"], "required": ["_no_such"]},
    ],
)
def test_whole_unified_file_is_given(entries: dict) -> None:
    block = made("data_x\n_cell_length_a 10.032(4)\n_my_Thing 1\n", **entries).block
    assert [tag.lower() for tag in block.tags] == ["_cell.length_a", "_cell.length_a_su", "_my_thing"]


def test_spelling_asked_for_beside_the_whole_file_wins() -> None:
    source = (
        "data_x\n_cell_length_a 10.032(4)\n_cell_length_b 5\n_shelx_res_file y\nloop_\n_atom_site_label\nC1\n"
    )
    asked = ["_cell_length_a", "_atom_site_label", "_CELL_LENGTH_A", {"one_of": ["_no", "_shelx_res_file"]}]
    block = made(source, required=["all_unified"], optional=asked, custom_categories=["shelx"]).block
    assert block.tags == [
        "_cell_length_a", "_CELL_LENGTH_A", "_cell.length_a_su", "_cell.length_b", "_shelx_res_file", "_atom_site_label",
    ]  # fmt: skip


@pytest.mark.parametrize("entries", [{}, {"optional": ["all_unified"]}])
def test_dialect_ddl1_spells_everything_classically(entries: dict) -> None:
    source = (
        "data_x\n_cell.length_a 10.0(4)\n_space_group.name_h-m_alt 'P 1'\n_shelx.res_file y\n_my_Thing 1\n"
    )
    block = made(source, dialect="ddl1", merge_su=True, custom_categories=["shelx"], **entries).block
    assert block.tags == ["_cell_length_a", "_space_group_name_H-M_alt", "_shelx_res_file", "_my_Thing"]
    assert block["_cell_length_a"] == "10.0(4)"
    plain = made(source, dialect="ddl1", optional=["all_unified", "_cell.length_a"]).block
    assert plain.tags[:2] == ["_cell.length_a", "_cell_length_a_su"]


def test_two_spellings_kept_apart_do_not_become_one_name() -> None:
    source = "data_x\n_symmetry_cell_setting triclinic\n_space_group_crystal_system monoclinic\n"
    block = made(source, dialect="ddl1").block
    assert sorted((item.tag, item.raw) for item in block.items) == [
        ("_space_group_crystal_system", "monoclinic"),
        ("_symmetry_cell_setting", "triclinic"),
    ]


def test_unknown_dialect_is_refused() -> None:
    with pytest.raises(SpecError, match="unified or ddl1"):
        InputEntries(dialect="ddl2")


def test_whole_file_with_merged_su() -> None:
    for entries in ({}, {"required": ["all_unified"]}):
        block = made(merge_su=True, **entries).block
        assert block["_cell.length_a"] == "10.032(4)"
        assert "_cell.length_a_su" not in block.tags
        assert block.column("_atom_site.fract_x") == ["0.1234(5)", "0.678", "?"]


# Merging s.u.


def test_su_is_merged_and_its_item_left_out() -> None:
    block = made(required=["_cell_length_a", "_atom_site_label", "_atom_site_fract_x"], merge_su=True).block
    assert block["_cell_length_a"] == "10.032(4)"
    assert block.tags == ["_cell_length_a", "_atom_site_label", "_atom_site_fract_x"]
    assert block.column("_atom_site_fract_x") == ["0.1234(5)", "0.678", "?"]


def test_su_that_is_requested_stays_beside_its_plain_value() -> None:
    block = made(required=["_cell_length_a", "_cell_length_a_su"], merge_su=True).block
    assert [(item.tag, item.raw) for item in block.items] == [
        ("_cell_length_a", "10.032"),
        ("_cell_length_a_su", "0.004"),
    ]


@pytest.mark.parametrize("source", [UNIFIED, "data_x\n_cell_length_a 10.032(4)\n_cell_length_b 5.0(1)\n"])
def test_su_that_is_requested_beside_the_whole_file_stays(source: str) -> None:
    block = made(source, optional=["all_unified", "_cell_length_a_su"], merge_su=True).block
    assert (block["_cell.length_a"], block["_cell_length_a_su"]) == ("10.032", "0.004")
    assert "_cell_length_b_su" not in block


AUTHORS = [
    ("-0.0025(24)", "-0.0025(24)"),
    ("0.29406(33)", "0.29406(33)"),
    ("4.71453(100)", "4.71453(100)"),
    ("123456(1234)", "123456(1234)"),
    ("'1.5(2)'", "1.5(2)"),
    # Unusual forms are written in the usual one, with the same digits.
    ("2.1(1.3)", "2.1(13)"),
    ("2.15(1.3)", "2.15(130)"),
    ("2.1(.25)", "2.10(25)"),
    ("+1.5(2)", "1.5(2)"),
    (".5(2)", "0.5(2)"),
    ("5.(2)", "5(2)"),
    ("1.5E-3(24)", "0.0015(24)"),
    ("1.0(0)", "1.0"),
]


@pytest.mark.parametrize(("written", "given"), AUTHORS, ids=[row[0] for row in AUTHORS])
def test_brackets_of_the_author_are_not_rounded(written: str, given: str) -> None:
    assert made(f"data_x\n_x {written}\n", required=["_x"], merge_su=True).block["_x"] == given
    column = made(f"data_x\nloop_\n_k\n_x\na {written}\nb ?\nc 1.2(3)\n", merge_su=True).block.column("_x")
    assert column == [given, "?", "1.2(3)"]


def test_su_beside_a_text_is_not_lost() -> None:
    block = made("data_x\n_x about\n_x_su 0.1\nloop_\n_y\n_y_su\na 1\nb 2\n", merge_su=True).block
    assert block.tags == ["_x", "_x_su", "_y", "_y_su"]


def test_without_merging_su_is_written_only_when_requested() -> None:
    assert made(required=["_cell_length_a"]).block.tags == ["_cell_length_a"]
    assert made(required=["_cell_length_a", "_cell_length_a_su"]).block.tags == [
        "_cell_length_a",
        "_cell_length_a_su",
    ]


def test_su_whose_value_is_absent_is_kept() -> None:
    block = made("data_x\n_a_su 0.1\n_b 1.00\n_b_su 0.02\n", merge_su=True).block
    assert [(item.tag, item.raw) for item in block.items] == [("_a_su", "0.1"), ("_b", "1.00(2)")]


ZERO_SU = [
    ("loop_\n_x\n_x_su\n0.678 0\n1.23456 0.045", ["0.678", "1.23(4)"]),
    ("loop_\n_x\n_x_su\n123.4 0\n5.60 0.0", ["123.4", "5.60"]),
    ("loop_\n_x\n_x_su\n0 0\n0.0 0", ["0", "0.0"]),
    ("loop_\n_x\n_x_su\n1.5 ?\n2.5 .\n3.5 0.1", ["1.5", "2.5", "3.50(10)"]),
]


@pytest.mark.parametrize(("body", "cells"), ZERO_SU)
def test_cells_without_su_keep_their_own_text(body: str, cells: list[str]) -> None:
    assert made(f"data_x\n{body}\n", merge_su=True).block.column("_x") == cells


@pytest.mark.parametrize("su", ["0.0", "0", "?", "."])
def test_item_without_su_to_show_keeps_its_text(su: str) -> None:
    block = made(f"data_x\n_x 1.0\n_x_su {su}\n", merge_su=True).block
    assert [(item.tag, item.raw) for item in block.items] == [("_x", "1.0")]


def test_bracketed_zero_splits_and_merges_without_brackets() -> None:
    assert made("data_x\n_x 1.0(0)\n", required=["_x"], merge_su=True).block["_x"] == "1.0"


# Blocks


def test_only_the_chosen_block_counts() -> None:
    source = "data_a\n_cell_length_a 1\ndata_b\n_cell_length_b 2\n"
    assert made(source, required=["_cell_length_a"]).block.name == "a"
    entries = InputEntries(required=["_cell_length_b"])
    assert specific(source, entries, block="b").block.name == "b"
    with pytest.raises(MissingItemsError):
        specific(source, entries)


# Questions


def test_missing_entries_are_told_without_converting() -> None:
    entries = InputEntries(
        required=["_cell_length_a", "_cell_length_c", {"one_of": ["_no", "_cell_length_b"]}]
    )
    assert missing_entries(UNIFIED, entries) == ["_cell_length_c"]
    assert (
        missing_entries("data_x\n_cell_length_a 1.0(1)\n", InputEntries(required=["_cell_length_a_su"])) == []
    )


def test_can_run_takes_files_of_any_dialect() -> None:
    entries = InputEntries(required=["_cell.length_a"])
    assert can_run("data_x\n_cell_length_a 1\n", entries)
    assert not can_run("data_x\n_cell_length_b 1\n", entries)
    assert not can_run(b"\x00\x01", entries)
    assert can_run(b"", None)
    assert can_run(UNIFIED, InputEntries())


def test_result_reads_back() -> None:
    conversion = made(required=["_cell_length_a", "_atom_site_label"])
    again = read(conversion.bytes).sole_block()
    assert again.tags == conversion.block.tags
    with pytest.raises(CifError):
        specific("not a cif", InputEntries())
