"""Exercises as tables: what a student reads before and after the marks are there."""

from __future__ import annotations

import pytest
from qcrbox.display.exercise import due_words, exercises_table, feedback_table, state_words, tasks_table

WHEN = "2026-12-01T12:00:00Z"


def exercise(phase="open", **more):
    return {
        "title": "<b>Refine</b>",
        "course": "XRD",
        "phase": phase,
        "own_due_at": WHEN,
        "opens_at": WHEN,
        **more,
    }


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("open", "due 2026-12-01 "),
        ("late", "was due 2026-12-01 "),
        ("not_open", "opens 2026-12-01 "),
        ("closed", "closed"),
        ("of the future", "due 2026-12-01 "),
    ],
)
def test_the_dates_say_what_holds(phase, words):
    assert due_words(exercise(phase)).startswith(words)


def test_without_an_end_nothing_is_due():
    assert due_words(exercise(own_due_at=None)) == ""


def test_an_unknown_state_is_shown_as_it_is():
    assert state_words("reviewed") == "reviewed"


def own(**more):
    return {
        "exercise": exercise(),
        "manifest": {"tasks": [{"id": "t1", "title": "<i>Task</i>"}]},
        "tasks": [],
        **more,
    }


def test_a_task_without_a_state_has_not_begun():
    (row,) = tasks_table(own())
    assert (row["task"], row["state"], row["answer"]) == ("t1", "○ not begun", "")


def test_before_it_is_opened_there_are_no_tasks():
    assert len(tasks_table(own(manifest=None))) == 0


def test_marks_that_are_not_released_say_so():
    table = feedback_table(own())
    assert (len(table), table.caption) == (0, "The marks are not released yet.")


def test_marks_have_points_comments_and_a_sum():
    marks = {
        "tasks": [
            {"title": "T", "points": 1.5, "most": 2.0, "words": "R1 is 0.05.", "comment": "<u>good</u>"},
            {"title": "U", "points": None, "most": 1, "words": "", "comment": ""},
        ],
        "points": 1.5,
        "most": 3,
        "comment": "Well done.",
    }
    table = feedback_table(own(feedback=marks))
    assert table.rows == [("T", "1.5", "2", "R1 is 0.05.", "<u>good</u>"), ("U", "", "1", "", "")]
    assert table.caption == "1.5 of 3 points. Well done."
    assert "<u>" not in table.html()


def test_texts_of_lecturers_are_escaped():
    for table in (tasks_table(own()), exercises_table([exercise()])):
        assert "<b>" not in table.html()
        assert "<i>" not in table.html()


def test_no_exercises_say_so():
    assert exercises_table([]).caption == "No exercise is published in your courses."
    assert exercises_table([exercise(opened_at=WHEN), exercise()])["opened"] == ["yes", "no"]
