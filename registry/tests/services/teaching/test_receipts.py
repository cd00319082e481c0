"""Receipts, and damaged notebooks: each of fifteen kinds is named and none stops the others."""

from __future__ import annotations

import json

import pytest
from qcrbox_registry.services.teaching import receipts
from qcrbox_registry.services.teaching.receipts import notebook_problem, receipt

CELL = {
    "id": "a",
    "cell_type": "code",
    "metadata": {},
    "source": "1 + 1",
    "outputs": [],
    "execution_count": None,
}
GOOD = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL, {**CELL, "id": "b"}]}


def text(**changes):
    return json.dumps({**GOOD, **changes}).encode()


def with_cell(**changes):
    return text(cells=[CELL, {**CELL, **changes}])


# kind of damage -> (the n-th notebook of the kind, words of the reason)
KINDS = {
    "empty file": (lambda n: b" \n" * n, "empty"),
    "truncated": (lambda n: text()[: 5 + n], "not valid JSON"),
    "bytes of a picture": (lambda n: b"\x89PNG\r\n\x1a\n" + bytes([128 + n]) * 50, "not UTF-8"),
    "Latin-1": (lambda n: text().replace(b"1 + 1", b"M\xfcller" * (n + 1)), "not UTF-8"),
    "a list": (lambda n: json.dumps([GOOD] * n).encode(), "no list of cells"),
    "a number": (lambda n: str(n).encode(), "no list of cells"),
    "no cells": (lambda n: json.dumps({"nbformat": 4, "n": n}).encode(), "no list of cells"),
    "cells are text": (lambda n: text(cells="x" * n), "no list of cells"),
    "all cells deleted": (lambda n: text(cells=[], metadata={"n": n}), "All cells were deleted"),
    "format 3": (lambda n: text(nbformat=3, nbformat_minor=n), "not of format 4"),
    "format is text": (lambda n: text(nbformat="4", metadata={"n": n}), "not of format 4"),
    "a cell is a number": (lambda n: text(cells=[CELL, n]), "Cell 2 is damaged"),
    "a cell of no type": (lambda n: with_cell(cell_type=f"magic{n}"), "Cell 2 is damaged"),
    "a source of numbers": (lambda n: with_cell(source=[n, n]), "Cell 2 is damaged"),
    "nested too deeply": (lambda n: b'{"cells": ' + b"[" * (10_000 + n) + b"]" * (10_000 + n) + b"}", "nested too deeply"),
}  # fmt: skip


def test_three_hundred_damaged_notebooks_of_fifteen_kinds_are_all_named():
    assert len(KINDS) == 15
    found = 0
    for kind, (make, words) in KINDS.items():
        for n in range(1, 21):
            problem = notebook_problem(make(n))
            assert words in problem, (kind, n, problem)
            found += 1
    assert found == 300


@pytest.mark.parametrize(
    "content",
    [
        text(),
        text(cells=[{**CELL, "source": ["a\n", "b"]}]),
        text(cells=[{"cell_type": "markdown", "source": "<script>alert(1)</script>"}]),
        with_cell(source="{" * 1000 + '"' + "[" * 1000),
    ],
    ids=["plain", "lines", "script", "brackets in a string"],
)
def test_a_whole_notebook_has_no_problem(content):
    assert notebook_problem(content) == ""


def test_an_unchanged_and_a_too_large_notebook_are_named(monkeypatch):
    assert notebook_problem(text(), given=text()) == "The notebook is unchanged."
    monkeypatch.setattr(receipts, "LARGEST_NOTEBOOK_BYTES", 10)
    assert "larger than" in notebook_problem(text())


def test_the_receipt_is_of_the_content_whatever_the_order_of_its_fields():
    one, other = {"a": 1, "b": ["x", 0.5]}, {"b": ["x", 0.5], "a": 1}
    assert receipt(one) == receipt(other)
    assert receipt(one) != receipt({**one, "a": 2})
    assert len(receipt({"name": "Zoë \ud800"})) == 64
