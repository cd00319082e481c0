"""What the address of a table asks for, the order of its rows, and CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from qcrbox_hub.admin.tables import PAGE_SIZE, Asked, Column, arrange, csv_lines, last_page, read_asked

COLUMNS = (
    Column("name", "Name", sortable=True),
    Column("size", "Size", sortable=True),
    Column("note", "Note"),
)


def asked(**arguments: str) -> Asked:
    return read_asked("/t", arguments, COLUMNS, ("state",), sort="name")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ("name", False)),
        ("size", ("size", False)),
        ("-size", ("size", True)),
        ("--size", ("name", False)),
        ("note", ("name", False)),
        ("id; DROP TABLE users", ("name", False)),
    ],
)
def test_order_is_one_of_a_sortable_column(sort: str, order: tuple[str, bool]) -> None:
    assert asked(sort=sort).order == order


@pytest.mark.parametrize(
    ("page", "number"),
    [("", 1), ("0", 1), ("-3", 1), ("7", 7), ("٣", 1), ("1e9", 1), ("9" * 30, 1_000_000)],
)
def test_page_is_a_number_from_one(page: str, number: int) -> None:
    found = asked(page=page)
    assert (found.page, found.offset) == (number, (number - 1) * PAGE_SIZE)


def test_texts_are_cut_and_unknown_filters_left_out() -> None:
    found = asked(q="x" * 500, state="locked", other="1", after="k" * 100)
    assert (len(found.text), found.filters, len(found.after)) == (200, {"state": "locked"}, 64)


def test_links_keep_filters_and_begin_at_the_first_page() -> None:
    found = asked(q="a&b", state="locked", page="4")
    assert found.link(page=5) == "/t?q=a%26b&sort=name&state=locked&page=5"
    assert found.sort_link(COLUMNS[0]) == "/t?q=a%26b&sort=-name&state=locked"
    assert found.sort_link(COLUMNS[1]) == "/t?q=a%26b&sort=size&state=locked"
    assert (
        "javascript" not in Asked("/t", text='"><script>').link()
        or "%3Cscript" in Asked("/t", text="<script>").link()
    )


def test_order_is_said_to_those_who_do_not_see_it() -> None:
    assert asked(sort="-size").sorted_by(COLUMNS[1]) == "descending"
    assert asked(sort="size").sorted_by(COLUMNS[1]) == "ascending"
    assert asked(sort="size").sorted_by(COLUMNS[0]) == "none"


ROWS: list[dict[str, Any]] = [
    {"name": "beta", "size": 2},
    {"name": "Alpha", "size": None},
    {"name": "gamma", "size": 10},
    {"name": "", "size": 1},
]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Alpha", "beta", "gamma", ""]),
        ("-name", ["gamma", "beta", "Alpha", ""]),
        ("size", ["", "beta", "gamma", "Alpha"]),
        ("-size", ["gamma", "beta", "", "Alpha"]),
    ],
)
def test_rows_without_a_value_come_last_in_both_directions(sort: str, names: list[str]) -> None:
    assert [row["name"] for row in arrange(ROWS, asked(sort=sort), ("name",))] == names


def test_search_is_without_regard_to_case_and_in_the_named_columns() -> None:
    assert [row["name"] for row in arrange(ROWS, asked(q="ALPH"), ("name",))] == ["Alpha"]
    assert arrange(ROWS, asked(q="10"), ("name",)) == []


def test_page_is_cut_from_the_rows() -> None:
    rows = list(range(120))
    assert asked(page="3").cut(rows) == list(range(100, 120))
    assert asked(page="9").cut(rows) == []


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (50, 1), (51, 2), (10_001, 201)])
def test_last_page(total: int, pages: int) -> None:
    assert last_page(total) == pages


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_formula_becomes_text(sign: str) -> None:
    text = csv_lines(COLUMNS, [{"name": f"{sign}cmd|' /C calc'!A0", "size": -5, "note": ["=a", "b"]}])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["name"].startswith(f"'{sign}")
    assert row["size"] == "-5", "a number stays one"
    assert row["note"] == "'=a b"


def test_quotes_lines_and_commas_survive() -> None:
    nasty = 'a "b", c\nd'
    text = csv_lines(COLUMNS, [{"name": nasty}], heading=False)
    assert next(csv.reader(io.StringIO(text, newline=""))) == [nasty, "", ""]
