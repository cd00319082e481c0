"""How the teaching pages name states and times, and what a spreadsheet of marks holds."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.teaching import QUANTITIES, Check, Task, criterion_words

from qcrbox_hub.admin.tables import Column
from qcrbox_hub.admin.words import as_datetime, duration


@dataclass(frozen=True)
class StateLook:
    """A state by shape, colour and word."""

    shape: str
    css: str
    word: str


def number_of(text: str) -> float:
    """A number with a point or a comma. Raises ValueError, also for nan, inf and what is too large to be a float."""
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


STATES = {
    "not_begun": StateLook("○", "none", "not begun"),
    "running": StateLook("◐", "run", "running"),
    "done": StateLook("●", "good", "done"),
    "handed_in": StateLook("◆", "good", "handed in"),
    "out_of_band": StateLook("▲", "warn", "out of band"),
    "failed": StateLook("✕", "bad", "failed"),
    "stuck": StateLook("■", "stuck", "stuck"),
}


def ago(value: Any, now: float | None = None) -> str:
    """How long ago a moment was, in its largest unit; "" for none."""
    when = as_datetime(value)
    if when is None:
        return ""
    passed = (time.time() if now is None else now) - when.timestamp()
    return "now" if passed < 5 else f"{duration(passed)} ago"


def without_names(rows: Sequence[dict[str, Any]], exercise_id: str) -> list[dict[str, Any]]:
    """The rows of a board for a projector: numbered, in an order that says nothing about names."""

    def place(row: dict[str, Any]) -> str:
        return hashlib.sha256(f"{exercise_id} {row['name']}".encode()).hexdigest()

    hidden = [dict(row) for row in sorted(rows, key=place)]
    for number, row in enumerate(hidden, 1):
        # What a program or a student wrote may hold a name.
        tasks = [{**task, "words": "", "calculation_id": None} for task in row["tasks"]]
        row |= {
            "name": f"Student {number}",
            "tasks": tasks,
            "problem": "",
            "submitted": bool(row["submitted"]),
        }
    return hidden


def what_counts(given: dict[str, Any]) -> str:
    """When a task of a manifest counts as done, for its lecturer."""
    task = Task.model_validate(given)
    if task.kind == "value" and task.target is not None:
        return f"{task.target:g} ± {task.tolerance:g} {task.unit}".strip()
    if task.kind == "answer" and task.accepted:
        return " or ".join(task.accepted)
    if task.kind != "calculation":
        return "A person marks it."
    options = (f"{name} = {value}" for name, value in task.parameters.items())
    ends = [", ".join([task.command or "any command", *options])]
    if task.band is not None:
        ends.append(band_words(given))
    return "; ".join([*ends, *map(_checked, task.checks)])


def band_words(given: dict[str, Any]) -> str:
    """Figure and band of a task as students see it, the band in words; "" without a band."""
    task = Task.model_validate({key: value for key, value in given.items() if key != "checked"})
    return f"{QUANTITIES.get(task.quantity, task.quantity)} {task.band}" if task.band else ""


def passed_checks(found: dict[str, Any]) -> list[str]:
    """Words of the checks that a calculation passed. The words of the task's state name all others already."""
    return [check["words"] for check in found["checks"] if check["passed"]]


def figure_words(quantity: str) -> str:
    """What people call a figure of a CIF; the name itself of one that a newer registry has."""
    return QUANTITIES.get(quantity, quantity)


def _checked(check: Check) -> str:
    match check.kind:
        case "quantity":
            return f"{QUANTITIES[check.quantity]} {check.band}"
        case "space_group":
            return f"space group {check.symbol or check.number}"
        case "all_hydrogens":
            return (
                "hydrogen atoms as in the formula"
                if check.count is None
                else f"{check.count:g} hydrogen atoms"
            )
        case "no_alerts":
            return "no alert of level A" if check.level == "A" else f"no alert of level A to {check.level}"
        case "element":
            return f"{check.label} is {check.symbol}"
        case "occupancy":
            if check.band and check.band.high == 0:
                return f"no site {check.label}"
            return f"occupancy of {check.label} {check.band}"


_FIRST = (Column("name", "Student"), Column("points", "Points"), Column("most", "of"))
_LAST = tuple(Column(key, key) for key in ("comment", "submitted_at", "late", "receipt", "problem"))
_OF_TASK = ("", "_criteria", "_comment")


def _heads(tasks: Sequence[dict[str, Any]]) -> dict[str, str]:
    """task id -> the head of its columns in the CSV of marks: its id, unless another column has that name."""
    taken = {column.key for column in (*_FIRST, *_LAST)}
    heads = {}
    for task in tasks:
        head = task["id"]
        while any(f"{head}{more}" in taken for more in _OF_TASK):
            head = f"task_{head}"
        taken |= {f"{head}{more}" for more in _OF_TASK}
        heads[task["id"]] = head
    return heads


def marks_columns(tasks: Sequence[dict[str, Any]]) -> tuple[Column, ...]:
    """The columns of the CSV of marks."""
    heads = _heads(tasks)
    of_tasks = [
        Column(f"{heads[task['id']]}{more}", task["title"])
        for task in tasks
        for more in ("", "_criteria", "_comment")
        if more != "_criteria" or task["rubric"]
    ]
    return (*_FIRST, *of_tasks, *_LAST)


def marks_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the CSV of marks."""
    rows, heads = [], _heads(found["tasks"])
    for student in found["students"]:
        submitted = student["submitted"] or {}
        row = {
            "name": student["name"],
            "points": student["points"] if submitted else "",
            "most": found["most"],
            "comment": student["comment"],
            "submitted_at": submitted.get("at", ""),
            "late": {True: "late", False: "in time", None: ""}[submitted.get("late")],
            "receipt": submitted.get("receipt", ""),
            "problem": submitted.get("problem", ""),
        }
        for task in student["tasks"]:
            head = heads[task["task_id"]]
            row[head] = "" if task["counts"] is None else task["counts"]
            row[f"{head}_comment"] = task["comment"]
            row[f"{head}_criteria"] = "; ".join(map(criterion_words, task["criteria"]))
        rows.append(row)
    return rows
