"""Tasks as a form: nothing is lost on the way, and what is wrong is named with its task, field and remedy."""

from __future__ import annotations

from typing import Any

import pytest
from qcrbox.contract.teaching import MOST_TASKS, Task
from qcrbox_hub.teaching import task_form
from qcrbox_hub.teaching.ready import ready_exercise, ready_exercises
from qcrbox_hub.teaching.task_form import TaskForm, blank, changed, of_task, read, tasks

EVERYTHING = [
    Task(
        id="refine",
        title="Refine",
        text="Two\nlines",
        hint="Look.",
        points=2.5,
        command="refine.refine_iam",
        parameters={
            "edits": "delete C3; x = 1",
            "cycles": 5,
            "text": "5",
            "odd": "NaN",
            "weights": [0.1, 0],
            "none": None,
        },
        quantity="wr2",
        band={"low": 0.01, "high": 0.1 + 0.2},
        checks=[
            {"kind": "quantity", "quantity": "goof", "band": {"high": 1.1}},
            {"kind": "space_group", "number": 14},
            {"kind": "space_group", "symbol": "P 1 21/c 1"},
            {"kind": "space_group", "number": 14, "symbol": "P 1 21/n 1"},
            {"kind": "all_hydrogens"},
            {"kind": "all_hydrogens", "count": 8},
            {"kind": "no_alerts", "level": "B"},
            {"kind": "element", "label": "N3", "symbol": "N"},
            {"kind": "occupancy", "label": "C7B", "band": {"low": 0.08, "high": 0.15}},
        ],
    ),
    Task(
        id="any",
        title="Anything",
        points=1.75,
        rubric=[{"points": 1.5, "text": "Says why: with a number"}, {"points": 0.25, "text": "Unit"}],
    ),
    Task(id="r1", title="R1", kind="value", target=-1e-7, tolerance=0.001, unit="Å"),
    Task(id="which", title="Which?", kind="answer", choices=["N", "C, or O"], accepted=["N"]),
]


def sent(forms: list[TaskForm]) -> dict[str, str]:
    """The fields as a browser sends them."""
    fields = {"count": str(len(forms))}
    for place, form in enumerate(forms):
        fields |= {f"t{place}-{name}": text.replace("\n", "\r\n") for name, text in form.values.items()}
        fields[f"t{place}-checks"] = str(len(form.checks))
        for row, check in enumerate(form.checks):
            fields |= {f"t{place}-c{row}-{name}": text for name, text in check.items()}
    return fields


def back(forms: list[TaskForm]) -> tuple[list[Task], list[str]]:
    fields = sent(forms)
    return tasks(read(lambda name: fields.get(name, "")))


def test_every_task_comes_back_as_it_was() -> None:
    ready = [
        Task.model_validate(task)
        for each in ready_exercises()
        for task in ready_exercise(each.name).body([])["tasks"]
    ]
    assert len(ready) > 20
    for whole in (EVERYTHING, ready[:MOST_TASKS]):
        found, problems = back([of_task(task.model_dump(mode="json")) for task in whole])
        assert problems == []
        assert found == list(whole)


def test_a_blank_task_is_left_out_and_a_new_one_gets_a_name_that_nobody_has() -> None:
    forms = [of_task(EVERYTHING[0].model_dump()), blank(), blank(), blank()]
    for form in forms[2:]:
        form.values["title"] = "Refine: °"
    forms[3].values["rubric"] = "1: a\n0,5: b"
    found, problems = back(forms)
    assert problems == []
    assert [task.id for task in found] == ["refine", "refine-2", "refine-3"]
    assert [task.points for task in found[1:]] == [1, 1.5]  # those of the criteria, where none are given


WRONG: list[tuple[dict[str, str], dict[str, str], str]] = [
    ({"title": ""}, {}, "Title: "),
    ({"points": "two"}, {}, "Points: 'two' is not a number. Write it like 0.05."),
    ({"points": "-1"}, {}, "Give a number from 0 to 1000."),
    ({"low": "2", "high": "1"}, {}, "low end of a band is above"),
    ({"low": "nan"}, {}, "at least: "),
    ({"target": "0.4"}, {}, "Right number: this belongs to a number. Empty the field, or choose a number."),
    ({"kind": "answer", "choices": "N", "accepted": "C"}, {}, "add it there"),
    ({"kind": "answer"}, {"kind": "no_alerts"}, "checks belong to a calculation"),
    ({"kind": "magic"}, {}, "What students do: "),
    ({"parameters": "cycles"}, {}, "Write one option a line: name = value."),
    ({"parameters": "a = 1\na = 2"}, {}, "a is there twice"),
    ({"points": "3", "rubric": "1: a\n1: b"}, {}, "Criteria: The points of the criteria add up to 2,"),
    ({"rubric": "1: a\n1: a"}, {}, "Two criteria say the same."),
    ({"rubric": "Names it"}, {}, "Write one criterion a line: points: text."),
    ({"rubric": "1:"}, {}, "says nothing"),
    ({}, {"value": "N"}, "check 1: choose what is checked"),
    ({}, {"kind": "element", "label": "N3"}, "needs the label of the site and the symbol"),
    ({}, {"kind": "space_group", "value": "231"}, "check 1, Value: "),
    ({}, {"kind": "no_alerts", "value": "A", "label": "N3"}, "check 1, Site: it has no meaning"),
    ({}, {"kind": "quantity", "quantity": "r1", "high": "x"}, "check 1, at most: 'x' is not a number"),
]


@pytest.mark.parametrize(("values", "check", "words"), WRONG)
def test_what_is_wrong_is_named_with_task_field_and_remedy(
    values: dict[str, str], check: dict[str, str], words: str
) -> None:
    form = blank()
    form.values |= {"title": "Look", "hint": "x"} | values
    form.checks[0] |= check
    _found, problems = back([of_task(EVERYTHING[1].model_dump()), form])
    assert problems
    assert all(problem.startswith("Task 2") for problem in problems)
    assert any(words in problem for problem in problems), problems


def test_buttons_move_add_and_remove_and_what_is_impossible_changes_nothing() -> None:
    def titles(forms: list[TaskForm]) -> list[str]:
        return [form.values["id"] for form in forms]

    def forms() -> list[TaskForm]:
        return [of_task(task.model_dump()) for task in EVERYTHING]

    assert titles(changed(forms(), "up-2")) == ["refine", "r1", "any", "which"]
    assert titles(changed(forms(), "down-0")) == ["any", "refine", "r1", "which"]
    assert titles(changed(forms(), "remove-1")) == ["refine", "r1", "which"]
    assert titles(changed(forms(), "add")) == ["refine", "any", "r1", "which", ""]
    assert len(changed(forms(), "check-0")[0].checks) == 10
    for step in ("up-0", "down-3", "remove-9", "remove-", "remove-x", "evil", ""):
        assert titles(changed(forms(), step)) == ["refine", "any", "r1", "which"], step
    assert len(changed([blank()] * MOST_TASKS, "add")) == MOST_TASKS


def test_numbers_of_fields_that_nobody_sends_are_bounded() -> None:
    fields: dict[str, Any] = {"count": "999999999", "t0-checks": "99999999"}
    found = read(lambda name: fields.get(name, ""))
    assert (len(found), len(found[0].checks)) == (50, 20)
    assert read(lambda name: "-1") == []


def test_the_labels_are_those_of_the_model() -> None:
    assert set(task_form.LABELS) == set(Task.model_fields) - {"band", "checks"} | {"low", "high"}
