"""A student's notebook as text: whatever was handed in is shown or named, and nothing of it runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from qcrbox_hub.teaching import notebook_text
from qcrbox_hub.teaching.notebook_text import LARGEST_BYTES, LONGEST_TEXT, MOST_CELLS, CellText, read


def notebook(*cells: Any) -> bytes:
    return json.dumps({"cells": list(cells)}).encode()


def code(source: Any, *outputs: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe{}", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "not a notebook"),
        (b"null", "not a notebook"),
        (b"{}", "not a notebook"),
        (b'{"cells": {}}', "not a notebook"),
        (b'{"cells": "x"}', "not a notebook"),
        (b" " * (LARGEST_BYTES + 1), "too large"),
    ],
    ids=["empty", "cut", "no UTF-8", "deep", "list", "null", "object", "cells as object", "as text", "large"],
)
def test_what_is_no_notebook_is_named_with_what_to_do(content: bytes, words: str) -> None:
    found = read(content)
    assert found.cells == []
    assert words in found.problem
    assert "download" in found.problem


@pytest.mark.parametrize(
    "cell",
    [None, 5, "text", [], {"cell_type": 7, "source": {"a": 1}}, {"outputs": "x"}, {"source": None}, {}],
)
def test_damaged_cell_stands_in_its_place(cell: Any) -> None:
    found = read(notebook(code("first"), cell, code("last")))
    assert [found.cells[0].source, found.cells[2].source] == ["first", "last"]
    assert found.cells[1].kind in ("damaged", "unknown")
    assert found.problem == ""


@pytest.mark.parametrize(
    ("source", "text"),
    [("x = 1", "x = 1"), (["x = 1\n", "y = 2"], "x = 1\ny = 2"), ([1, "a", None], "a"), (None, ""), (5, "")],
)
def test_source_is_text_or_lines(source: Any, text: str) -> None:
    assert read(notebook(code(source))).cells[0].source == text


OUTPUTS = {
    "printed": ({"output_type": "stream", "text": ["R1\n", "0.04"]}, "R1\n0.04"),
    "result": ({"output_type": "execute_result", "data": {"text/plain": "42"}}, "42"),
    "error": (
        {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["long"]},
        "KeyError: 'x'",
    ),
    "HTML beside text": (
        {"data": {"text/html": "<script>alert(1)</script>", "text/plain": "a table"}},
        "a table",
    ),
}


@pytest.mark.parametrize(("output", "text"), OUTPUTS.values(), ids=OUTPUTS)
def test_output_is_shown_as_plain_text(output: dict[str, Any], text: str) -> None:
    assert read(notebook(code("", output))).cells[0].outputs == [text]


@pytest.mark.attack(6)
@pytest.mark.parametrize(
    "output",
    [
        {"data": {"text/html": "<script>alert(1)</script>"}},
        {"data": {"application/javascript": "alert(1)"}},
        {"data": {"image/svg+xml": "<svg onload=alert(1)>"}},
        {"data": {"text/plain": {"a": 1}}},
        {"output_type": "stream", "text": {"a": 1}},
        None,
        "text",
        [],
    ],
    ids=str,
)
def test_everything_else_of_an_output_is_left_out(output: Any) -> None:
    assert read(notebook(code("x", output))).cells == [CellText("code", "x", [])]


def test_long_notebooks_are_cut_and_say_so() -> None:
    found = read(notebook(*[code(str(number)) for number in range(MOST_CELLS + 1)]))
    assert len(found.cells) == MOST_CELLS
    assert found.problem == f"The first {MOST_CELLS} of {MOST_CELLS + 1} cells are shown."
    assert read(notebook(*[code("")] * MOST_CELLS)).problem == ""


def test_long_texts_and_many_outputs_are_cut() -> None:
    long = "x" * (LONGEST_TEXT + 1)
    (cell,) = read(notebook(code(long, *[{"text": long}] * 60))).cells
    assert len(cell.source) == len(cell.outputs[0]) == LONGEST_TEXT
    assert len(cell.outputs) == 50


def test_module_shows_no_markup_of_its_own() -> None:
    # The page escapes what it is given: a text that were marked as safe here would not be.
    found = read(notebook(code("<b>", {"text": "<i>"})))
    assert type(found.cells[0].source) is str
    assert type(found.cells[0].outputs[0]) is str
    assert not hasattr(notebook_text, "Markup")
