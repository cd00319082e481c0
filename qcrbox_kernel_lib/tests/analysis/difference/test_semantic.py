"""Differences by meaning: numbers, texts, tables and what is left out."""

from __future__ import annotations

import pytest
from qcrbox.analysis.difference.semantic import semantic_difference


def changes(one: str, other: str, **options):
    found = semantic_difference(f"data_a\n{one}\n".encode(), f"data_a\n{other}\n".encode(), **options)
    return [(change.kind, change.tag, change.row, change.first, change.second) for change in found.changes]


BONDS = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("_cell_volume 1000", "_cell_volume 1000.0"),
        ("_cell_volume 1.0E3", "_cell_volume 1000"),
        ("_exptl_special_details 'a  b'", "_exptl_special_details\n;\na\nb\n;\n"),
        (f"{BONDS}C1 C2 1.5\nC2 C3 1.6", f"{BONDS}C2 C3 1.6\nC1 C2 1.50"),
        ("_cell_volume 1000\n_cell_length_a 10", "_cell_length_a 10\n_cell_volume 1000"),
        (f"{BONDS}C1 C2 1.5", "_geom_bond_atom_site_label_1 C1\n_geom_bond_atom_site_label_2 C2\n_geom_bond_distance 1.5"),
    ],
    ids=["digits", "exponent", "white space", "order of rows", "order of items", "table of one row"],
)  # fmt: skip
def test_what_means_the_same_is_no_difference(one, other):
    assert changes(one, other) == []
    assert changes(other, one) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("_cell_volume 1000", "_cell_volume ?", ("changed", "_cell.volume", "", "1000", "?")),
        ("_cell_volume ?", "_cell_volume .", ("changed", "_cell.volume", "", "?", ".")),
        ("_cell_volume 1000", "_cell_length_a 10", ("removed", "_cell.volume", "", "1000", None)),
    ],
    ids=["unknown", "unknown and inapplicable", "gone"],
)
def test_a_change_says_what_was_and_what_is(one, other, expected):
    assert changes(one, other)[0] == expected


def test_an_added_item_and_an_added_table_are_told():
    kinds = {(kind, tag, second) for kind, tag, _, _, second in changes("_cell_volume 1", f"_cell_volume 1\n_cell_length_a 10\n{BONDS}C1 C2 1.5")}  # fmt: skip
    assert ("added", "_cell.length_a", "10") in kinds
    assert any(
        kind == "added" and tag.startswith("_geom_bond") and second == "1 row" for kind, tag, second in kinds
    )


def test_a_table_that_is_gone_is_told_once():
    (change,) = changes(f"_cell_volume 1\n{BONDS}C1 C2 1.5\nC2 C3 1.6", "_cell_volume 1")
    assert (change[0], change[3]) == ("removed", "2 rows")


@pytest.mark.parametrize("su", [0.0, 1.0, 1.41, 1.42, 3.0])
def test_numbers_count_from_the_su_that_is_asked_for(su):
    """|1.52 − 1.50| / √(0.01² + 0.01²) = 1.414."""
    found = semantic_difference(b"data_a\n_cell_volume 1.50(1)\n", b"data_a\n_cell_volume 1.52(1)\n", su=su)
    assert len(found) == (1 if su < 1.4142 else 0)
    assert found.small == 1 - len(found)


def test_a_number_without_su_changes_at_all():
    found = semantic_difference(b"data_a\n_cell_volume 1.5\n", b"data_a\n_cell_volume 1.6\n", su=100)
    assert found.changes[0].shift_in_su is None


def test_a_number_too_large_for_a_float_is_never_left_out():
    assert changes("_cell_volume 1e400", "_cell_volume 2e400", su=3.0)


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        (["_cell_*"], {"_refine_ls.r_factor_gt"}),
        ("_cell_*", {"_refine_ls.r_factor_gt"}),
        (["_cell.volume"], {"_cell.length_a", "_refine_ls.r_factor_gt"}),
        (["_CELL_VOLUME"], {"_cell.length_a", "_refine_ls.r_factor_gt"}),
        (["_cell.*"], {"_refine_ls.r_factor_gt"}),
        (["_("], {"_cell.volume", "_cell.length_a", "_refine_ls.r_factor_gt"}),
        (["*"], set()),
        ([], {"_cell.volume", "_cell.length_a", "_refine_ls.r_factor_gt"}),
    ],
    ids=[
        "star",
        "without brackets",
        "name",
        "capitals",
        "regular expression",
        "no expression",
        "everything",
        "nothing",
    ],
)
def test_items_to_be_ignored_are_counted_and_left_out(ignore, left):
    one = "_cell_volume 1\n_cell_length_a 2\n_refine_ls_R_factor_gt 3"
    other = "_cell_volume 2\n_cell_length_a 3\n_refine_ls_R_factor_gt 4"
    found = semantic_difference(f"data_a\n{one}\n".encode(), f"data_a\n{other}\n".encode(), ignore=ignore)
    assert {change.tag.lower() for change in found.changes} == left
    assert found.ignored == 3 - len(left)


def test_rows_of_one_key_twice_are_compared_by_their_content():
    double = f"{BONDS}C1 C2 1.5\nC1 C2 1.6"
    assert changes(double, f"{BONDS}C1 C2 1.6\nC1 C2 1.5") == []
    kinds = [change[0] for change in changes(double, f"{BONDS}C1 C2 1.6\nC1 C2 1.7")]
    assert kinds == ["row removed", "row added"]


def test_blocks_are_chosen_by_name():
    two = b"data_a\n_cell_volume 1\ndata_b\n_cell_volume 2\n"
    assert len(semantic_difference(two, two, blocks=("a", "b"))) == 1
    assert not semantic_difference(two, two, blocks=("b", "b"))
