"""Words, the board without names, the CSV of marks, notebooks as text."""

from __future__ import annotations

import json

import pytest
from qcrbox_hub.admin.tables import csv_lines
from qcrbox_hub.teaching import notebook_text
from qcrbox_hub.teaching.words import (
    STATES,
    ago,
    marks_columns,
    marks_rows,
    number_of,
    passed_checks,
    what_counts,
    without_names,
)

ROW = {
    "name": "ada",
    "problem": "ada's notebook is empty.",
    "submitted": {"student": "ada"},
    "tasks": [{"state": "done", "words": "/home/ada/x.cif", "calculation_id": "1", "value": 0.04}],
}


def test_every_state_of_a_task_has_its_shape_and_word() -> None:
    from qcrbox.contract.teaching import TaskState

    assert set(STATES) == set(TaskState)
    assert len({look.shape for look in STATES.values()}) == len(STATES)
    assert len({look.word for look in STATES.values()}) == len(STATES)


def test_checks_are_listed_when_they_passed_whatever_words_the_others_have() -> None:
    checks = [
        {"passed": True, "words": "The space group is right."},
        {"passed": False, "words": "N3 is C."},
        {"passed": None, "words": "The alerts could not be read."},
        {"passed": True, "words": "N3 is C"},
    ]
    found = {"words": "R1 is 0.04. N3 is C. The alerts could not be read.", "checks": checks}
    assert passed_checks(found) == ["The space group is right.", "N3 is C"]


@pytest.mark.parametrize(
    ("text", "number"), [("0,05", 0.05), ("60", 60.0), (" 1e3 ", 1000.0), ("-2.5", -2.5)]
)
def test_numbers_of_forms_have_a_point_or_a_comma(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e400", "sixty", "1,000.5"])
def test_what_no_form_can_mean_is_no_number(text: str) -> None:
    with pytest.raises(ValueError):
        number_of(text)


@pytest.mark.parametrize(
    ("at", "words"),
    [(None, ""), (998.0, "now"), (940.0, "1 min ago"), ("1970-01-01T00:16:00Z", "40 s ago"), (1002.0, "now")],
)
def test_how_long_ago(at: object, words: str) -> None:
    assert ago(at, 1000.0) == words


def test_a_board_for_the_projector_names_nobody_anywhere() -> None:
    rows = [{**ROW, "name": name} for name in ("ada", "bob", "zoe")]
    hidden = without_names(rows, "exercise")
    assert [row["name"] for row in hidden] == ["Student 1", "Student 2", "Student 3"]
    assert "ada" not in json.dumps(hidden)
    assert hidden[0]["tasks"][0]["value"] == 0.04
    assert rows[0]["name"] == "ada"  # the board itself is left as it is


def test_marks_as_csv_hold_no_formula() -> None:
    found = {
        "tasks": [
            {"id": "why", "title": "Why?", "rubric": []},
            {"id": "how", "title": "How?", "rubric": [{"text": "Says how", "points": 1}]},
        ],
        "most": 4.0,
        "students": [
            {
                "name": "=cmd|' /C calc'!A0",
                "points": 3.5,
                "comment": "+1",
                "submitted": {"at": "2026-01-01T00:00:00Z", "late": True, "receipt": "ab", "problem": "@x"},
                "tasks": [
                    {"task_id": "why", "counts": 3.5, "comment": "-2 for haste", "criteria": []},
                    {
                        "task_id": "how",
                        "counts": 1.0,
                        "comment": "",
                        "criteria": [
                            {"text": "Says how", "points": 1.0, "met": True},
                            {"text": "Says, why", "points": 0.5, "met": False},
                        ],
                    },
                ],
            },
            {"name": "bob", "points": 0.0, "comment": "", "submitted": None,
             "tasks": [{"task_id": "why", "counts": None, "comment": "", "criteria": []}]},
        ],
    }  # fmt: skip
    lines = csv_lines(marks_columns(found["tasks"]), marks_rows(found)).splitlines()
    assert (
        lines[0]
        == "name,points,most,why,why_comment,how,how_criteria,how_comment,comment,submitted_at,late,receipt,problem"
    )
    how = '1.0,"✓ Says how (1); ✕ Says, why (0.5)",'
    assert lines[1] == (
        f"'=cmd|' /C calc'!A0,3.5,4.0,3.5,'-2 for haste,{how},'+1,2026-01-01T00:00:00Z,late,ab,'@x"
    )
    assert lines[2] == "bob,,4.0,,,,,,,,,,"


def test_tasks_with_the_names_of_other_columns_keep_theirs() -> None:
    """Of a task `points`, `name` or `comment` the marks stood in place of total, name or comment; `a_comment` was lost."""
    ids = ["points", "name", "comment", "a", "a_comment"]
    found = {
        "most": 5.0,
        "tasks": [{"id": name, "title": name, "rubric": []} for name in ids],
        "students": [
            {"name": "ada", "points": 5.0, "comment": "all", "submitted": {"at": "x", "late": False},
             "tasks": [
                 {"task_id": name, "counts": float(n), "comment": f"c{n}", "criteria": []}
                 for n, name in enumerate(ids)
             ]},
        ],
    }  # fmt: skip
    heads, values = (
        line.split(",") for line in csv_lines(marks_columns(found["tasks"]), marks_rows(found)).splitlines()
    )
    assert len(set(heads)) == len(heads)
    row = dict(zip(heads, values, strict=True))
    assert (row["name"], row["points"], row["comment"]) == ("ada", "5.0", "all")
    assert [value for value in values[3:] if "." in value] == ["0.0", "1.0", "2.0", "3.0", "4.0"]
    assert [value for value in values if value.startswith("c")] == [f"c{n}" for n in range(5)]


def test_a_notebook_is_shown_as_text_without_its_html() -> None:
    outputs = [
        {
            "output_type": "display_data",
            "data": {"text/html": "<script>1</script>", "text/plain": ["pla", "in"]},
        },
        {"output_type": "stream", "text": "printed"},
        {"output_type": "error", "ename": "ValueError", "evalue": "no"},
        {"output_type": "display_data", "data": {"text/html": "<b>only</b>"}},
    ]
    found = notebook_text.read(
        json.dumps({"cells": [{"cell_type": "code", "source": ["a\n", "b"], "outputs": outputs}]}).encode()
    )
    assert found.cells == [notebook_text.CellText("code", "a\nb", ["plain", "printed", "ValueError: no"])]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"cells": 1}',
        b"[" * 100_000,
        b" " * (notebook_text.LARGEST_BYTES + 1),
    ],
)
def test_whatever_was_handed_in_is_named(content: bytes) -> None:
    assert notebook_text.read(content).problem


@pytest.mark.parametrize(
    "cell", [1, None, [], {}, {"source": 3, "outputs": "x"}, {"outputs": [1, {"data": {"text/plain": 1}}]}]
)
def test_a_damaged_cell_does_not_hide_the_others(cell: object) -> None:
    good = {"cell_type": "markdown", "source": "fine"}
    found = notebook_text.read(json.dumps({"cells": [cell, good]}).encode())
    assert found.cells[1].source == "fine"


def test_a_very_long_notebook_is_cut_with_words() -> None:
    cells = [{"cell_type": "raw", "source": "x" * 30_000}] * (notebook_text.MOST_CELLS + 1)
    found = notebook_text.read(
        json.dumps({"cells": cells[:1] + [{"cell_type": "raw"}] * notebook_text.MOST_CELLS}).encode()
    )
    assert len(found.cells) == notebook_text.MOST_CELLS
    assert "The first 500 of 501" in found.problem
    assert len(found.cells[0].source) == notebook_text.LONGEST_TEXT


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"kind": "value", "target": 10, "unit": "Å"}, "10 ± 0 Å"),
        ({"kind": "answer", "accepted": ["N", "nitrogen"]}, "N or nitrogen"),
        ({"kind": "answer"}, "A person marks it."),
        ({}, "any command"),
        (
            {"command": "refine.refine_iam", "parameters": {"cycles": 4}, "quantity": "goof", "band": {"low": 0.95, "high": 1.05}},
            "refine.refine_iam, cycles = 4; goodness of fit 0.95 to 1.05",
        ),
        (
            {"checks": [{"kind": "all_hydrogens", "count": 10}, {"kind": "element", "label": "N3", "symbol": "N"}, {"kind": "no_alerts"}]},
            "any command; 10 hydrogen atoms; N3 is N; no alert of level A",
        ),
        (
            {"checks": [{"kind": "quantity", "band": {"high": 0.05}}, {"kind": "space_group", "number": 14}, {"kind": "occupancy", "label": "C7B", "band": {"low": 0.08, "high": 0.15}}]},
            "any command; R1 at most 0.05; space group 14; occupancy of C7B 0.08 to 0.15",
        ),
        ({"checks": [{"kind": "occupancy", "label": "C3", "band": {"high": 0}}]}, "any command; no site C3"),
    ],
)  # fmt: skip
def test_what_counts_is_said_in_words(task, words):
    assert what_counts({"id": "a", "title": "A", **task}) == words
