"""Remarks: their place in words, as data and as errors."""

from __future__ import annotations

import json

import pytest
from qcrbox.cif.diagnostics import Diagnostic, Severity

PLACES = [
    ({}, ""),
    ({"file": "a.cif"}, "a.cif"),
    ({"line": 3}, "line 3"),
    ({"line": 3, "column": 7}, "line 3, column 7"),
    ({"column": 7}, ""),
    ({"block": "x"}, "block x"),
    (
        {"file": "a.cif", "line": 3, "column": 7, "block": "x", "tag": "_a"},
        "a.cif, line 3, column 7, block x, _a",
    ),
]


@pytest.mark.parametrize(("parts", "where"), PLACES, ids=[row[1] or str(row[0]) for row in PLACES])
def test_the_place_of_a_remark_as_far_as_it_is_known(parts, where):
    remark = Diagnostic(Severity.WARNING, "code", "It is odd.", **parts)
    assert remark.where == where
    assert str(remark) == f"warning: {where}: It is odd." if where else "warning: It is odd."


def test_the_next_step_follows_the_remark():
    assert str(Diagnostic(Severity.ERROR, "c", "Bad.", "Mend it.")) == "error: Bad. Mend it."


def test_a_remark_is_plain_data():
    remark = Diagnostic(Severity.NOTE, "c", "W.", "N.", "f", "b", 1, 2, "_a")
    assert Diagnostic(**json.loads(json.dumps(remark.as_dict()))) == remark


def test_a_remark_as_an_error_keeps_its_place_and_those_of_the_others():
    first = Diagnostic(Severity.ERROR, "no-value", "W.", "N.", "f.cif", "b", 1, 2, "_a")
    other = Diagnostic(Severity.ERROR, "c", "Other.")
    error = first.as_error([other])
    assert error.message == "f.cif, line 1, column 2, block b, _a: W. N."
    assert (error.file, error.block, error.line, error.column, error.tag) == ("f.cif", "b", 1, 2, "_a")
    assert error.fields["code"] == "no-value"
    assert error.details == [str(first), str(other)]
    alone = Diagnostic(Severity.ERROR, "c", "W.").as_error()
    assert (alone.details, alone.line, alone.file) == ("", None, None)


def test_equal_remarks_are_one_in_a_set():
    assert len({Diagnostic(Severity.NOTE, "c", "W."), Diagnostic(Severity.NOTE, "c", "W.")}) == 1
