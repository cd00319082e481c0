"""The tasks of an exercise as fields of a form, and back: an exercise can be made without knowing tags.

A field of task i is called `t<i>-<name>`, one of its check j `t<i>-c<j>-<name>`. Everything that was typed is applied or
refused by name; the tasks themselves are validated by `qcrbox.contract.teaching.Task`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from qcrbox.contract.teaching import MOST_CHECKS, MOST_TASKS, Check, Task

from qcrbox_hub.platform.whole_numbers import whole_number
from qcrbox_hub.teaching.words import number_of

KINDS = {"calculation": "a calculation", "value": "a number", "answer": "a text or a choice"}
CHECKS = {
    "quantity": "a figure lies in a band",
    "space_group": "the space group is",
    "all_hydrogens": "the number of hydrogen atoms is",
    "no_alerts": "no alert of this level or worse",
    "element": "the element of a site is",
    "occupancy": "the occupancy of a site lies in a band",
}
LABELS = {
    "id": "Name",
    "title": "Title",
    "kind": "What students do",
    "text": "Text",
    "hint": "Hint",
    "points": "Points",
    "command": "Command",
    "parameters": "Options that count",
    "quantity": "Figure",
    "low": "at least",
    "high": "at most",
    "target": "Right number",
    "tolerance": "Tolerance",
    "unit": "Unit",
    "choices": "Choices",
    "accepted": "Right answers",
    "rubric": "Criteria",
}
CHECK_LABELS = {
    "kind": "Check",
    "quantity": "Figure",
    "label": "Site",
    "value": "Value",
    "low": "at least",
    "high": "at most",
}
_OF_KIND = {
    "calculation": ("command", "parameters", "low", "high"),
    "value": ("target", "tolerance", "unit"),
    "answer": ("choices", "accepted"),
}
_OF_CHECK = {
    "quantity": {"quantity", "low", "high"},
    "space_group": {"value"},
    "all_hydrogens": {"value"},
    "no_alerts": {"value"},
    "element": {"label", "value"},
    "occupancy": {"label", "low", "high"},
}
_NUMBERS = ("points", "target", "tolerance")
_REMEDIES = {
    "title": "Say in at most 200 characters what is to be done.",
    "points": "Give a number from 0 to 1000.",
    "tolerance": "Give how far the number may be off, 0 or more.",
    "accepted": "Write it as it stands among the choices, or add it there.",
    "band": "Give one end or both, the lower one first.",
    "parameters": "Write one option a line: name = value.",
    "rubric": "Write one criterion a line: points: text.",
}


@dataclass
class TaskForm:
    """The fields of one task as text."""

    values: dict[str, str]
    checks: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed; what is chosen from a list does not count."""
        typed = any(text for name, text in self.values.items() if name not in ("kind", "quantity"))
        return not typed and not any(any(check.values()) for check in self.checks)


def blank() -> TaskForm:
    """The fields of a task that is to be written."""
    return TaskForm(
        {name: {"kind": "calculation", "quantity": "r1"}.get(name, "") for name in LABELS}, [_blank_check()]
    )


def _blank_check() -> dict[str, str]:
    return dict.fromkeys(CHECK_LABELS, "")


# ---------------------------------------------------------------- from tasks and from what was sent


def of_task(given: Mapping[str, Any]) -> TaskForm:
    """The fields of a task of a manifest."""
    task = Task.model_validate(given)
    values = dict.fromkeys(LABELS, "")
    for name in ("id", "title", "kind", "text", "hint", "command", "quantity", "unit"):
        values[name] = getattr(task, name)
    values["points"] = _shown(task.points)
    values["target"] = _shown(task.target)
    values["tolerance"] = _shown(task.tolerance or None)
    if task.band:
        values |= {"low": _shown(task.band.low), "high": _shown(task.band.high)}
    values["parameters"] = "\n".join(f"{name} = {_option(value)}" for name, value in task.parameters.items())
    values["choices"], values["accepted"] = "\n".join(task.choices), "\n".join(task.accepted)
    values["rubric"] = "\n".join(f"{_shown(each.points)}: {each.text}" for each in task.rubric)
    return TaskForm(values, [_of_check(check) for check in task.checks])


def _of_check(check: Check) -> dict[str, str]:
    shown = _blank_check() | {"kind": check.kind, "label": check.label}
    if check.band:
        shown |= {"low": _shown(check.band.low), "high": _shown(check.band.high)}
    match check.kind:
        case "quantity":
            shown["quantity"] = check.quantity
        case "space_group":
            shown["value"] = f"{check.number or ''} {check.symbol}".strip()
        case "all_hydrogens":
            shown["value"] = _shown(check.count)
        case "no_alerts":
            shown["value"] = check.level
        case "element":
            shown["value"] = check.symbol
    return shown


def read(sent: Callable[[str], str]) -> list[TaskForm]:
    """What was typed, in order. sent: the text of a field, "" when it was not sent."""
    forms = []
    for place in range(_count(sent("count"), MOST_TASKS)):
        mark = f"t{place}-"
        values = {name: sent(mark + name).replace("\r\n", "\n") for name in LABELS}
        checks = [
            {name: sent(f"{mark}c{row}-{name}") for name in CHECK_LABELS}
            for row in range(_count(sent(mark + "checks"), MOST_CHECKS))
        ]
        forms.append(TaskForm(values, checks))
    return forms


def _count(text: str, most: int) -> int:
    return min(whole_number(text) or 0, most)


def changed(forms: list[TaskForm], step: str) -> list[TaskForm]:
    """The forms after a button: add, up-2, down-2, remove-2, check-2. Others, and what is full, change nothing."""
    act, _, text = step.partition("-")
    place = whole_number(text)
    if act == "add" and len(forms) < MOST_TASKS:
        return [*forms, blank()]
    if place is None or place >= len(forms):
        return forms
    moved = list(forms)
    if act == "remove":
        del moved[place]
    elif act == "check" and len(moved[place].checks) < MOST_CHECKS:
        moved[place].checks.append(_blank_check())
    elif act in ("up", "down"):
        other = place + (1 if act == "down" else -1)
        if 0 <= other < len(moved):
            moved[place], moved[other] = moved[other], moved[place]
    return moved


# ---------------------------------------------------------------- to tasks


def tasks(forms: Sequence[TaskForm]) -> tuple[list[Task], list[str]]:
    """(the tasks, what is wrong): each problem names task, field and remedy. A form without a word is left out."""
    found: list[Task] = []
    problems: list[str] = []
    taken = {form.values["id"] for form in forms}
    for place, form in enumerate(forms, 1):
        if form.is_blank:
            continue
        where = f"Task {place}" + (f" ({form.values['title'][:60]})" if form.values["title"] else "")
        values, wrong = _task_values(form)
        if not values.get("id"):
            values["id"] = _name_of(form.values["title"], taken)
            taken.add(values["id"])
        if not wrong:
            try:
                found.append(Task.model_validate(values))
            except ValidationError as error:
                wrong = [_words(each) for each in error.errors()]
        problems += [f"{where}, {words}" for words in wrong]
    return found, problems


def _task_values(form: TaskForm) -> tuple[dict[str, Any], list[str]]:
    typed, wrong = form.values, []
    kind = typed["kind"]
    values: dict[str, Any] = {
        name: typed[name]
        for name in ("id", "title", "kind", "text", "hint", "command", "unit")
        if typed[name]
    }
    for other, names in _OF_KIND.items():
        for name in names if other != kind else ():
            if typed[name]:
                wrong.append(
                    f"{LABELS[name]}: this belongs to {KINDS[other]}. Empty the field, or choose {KINDS[other]}."
                )
    for name in _NUMBERS:
        if typed[name]:
            values[name] = _number(LABELS[name], typed[name], wrong)
    band = _band(LABELS, typed, wrong)
    if band:
        values |= {"band": band, "quantity": typed["quantity"]}
    for name in ("choices", "accepted"):
        values[name] = [line.strip() for line in typed[name].splitlines() if line.strip()]
    values["parameters"] = _options(typed["parameters"], wrong)
    if typed["rubric"]:
        values["rubric"] = _rubric(typed["rubric"], wrong)
        values.setdefault("points", sum(criterion["points"] for criterion in values["rubric"]))
    checks = [check for check in form.checks if any(check.values())]
    if checks and kind != "calculation":
        wrong.append(f"Check 1: checks belong to {KINDS['calculation']}. Empty it, or choose that.")
    values["checks"] = [_check_values(row, check, wrong) for row, check in enumerate(checks, 1)]
    return values, wrong


def _check_values(row: int, typed: Mapping[str, str], wrong: list[str]) -> dict[str, Any]:
    kind, value = typed["kind"], typed["value"]
    if kind not in CHECKS:
        wrong.append(f"check {row}: choose what is checked, or empty the line.")
        return {}
    values: dict[str, Any] = {"kind": kind}
    for name, text in typed.items():
        if text and name != "kind" and name not in _OF_CHECK[kind]:
            wrong.append(
                f"check {row}, {CHECK_LABELS[name]}: it has no meaning where {CHECKS[kind]}. Empty it."
            )
    labels = {name: f"check {row}, {label}" for name, label in CHECK_LABELS.items()}
    band = _band(labels, typed, wrong)
    if band:
        values["band"] = band
    if typed["quantity"]:
        values["quantity"] = typed["quantity"]
    if typed["label"]:
        values["label"] = typed["label"]
    if kind == "space_group":
        number, symbol = re.match(r"([0-9]{0,9})\s*(.*)", value).groups()  # type: ignore[union-attr]
        values |= {"number": whole_number(number), "symbol": symbol}
    elif kind == "all_hydrogens" and value:
        values["count"] = _number(labels["value"], value, wrong)
    elif kind == "no_alerts" and value:
        values["level"] = value.upper()
    elif kind == "element":
        values["symbol"] = value
    return values


def _band(labels: Mapping[str, str], typed: Mapping[str, str], wrong: list[str]) -> dict[str, Any]:
    return {name: _number(labels[name], typed[name], wrong) for name in ("low", "high") if typed[name]}


def _number(label: str, text: str, wrong: list[str]) -> float | None:
    try:
        return number_of(text)
    except ValueError:
        wrong.append(f"{label}: {text[:40]!r} is not a number. Write it like 0.05.")
        return None


def _rubric(text: str, wrong: list[str]) -> list[dict[str, Any]]:
    found = []
    for line in filter(str.strip, text.splitlines()):
        points, colon, words = (part.strip() for part in line.partition(":"))
        try:
            found.append({"points": number_of(points), "text": words})
        except ValueError:
            wrong.append(f"{LABELS['rubric']}: {line[:60]!r}. {_REMEDIES['rubric']}")
            continue
        if not (colon and words):
            wrong.append(f"{LABELS['rubric']}: {line[:60]!r} says nothing. {_REMEDIES['rubric']}")
    return found


def _options(text: str, wrong: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in text.splitlines():
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not (name and equals):
            wrong.append(f"{LABELS['parameters']}: {line[:60]!r}. {_REMEDIES['parameters']}")
        elif name in found:
            wrong.append(f"{LABELS['parameters']}: {name[:60]} is there twice. Keep one of the lines.")
        else:
            try:
                found[name] = json.loads(value, parse_constant=_no_number)
            except (ValueError, RecursionError):
                found[name] = value
    return found


def _option(value: Any) -> str:
    """The value as `_options` reads it: JSON, and a text as it is where that is unambiguous."""
    if not isinstance(value, str) or value != value.strip() or "\n" in value:
        return json.dumps(value, ensure_ascii=False)
    try:
        json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return value
    return json.dumps(value, ensure_ascii=False)


def _no_number(text: str) -> None:
    """NaN and Infinity are texts here: no option can have such a number."""
    raise ValueError(text)


def _shown(value: float | None) -> str:
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _name_of(title: str, taken: set[str]) -> str:
    """A name for a new task that no other has: the marks of its students hang on it, so it never changes."""
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:36].strip("-") or "task"
    names = (stem, *(f"{stem}-{number}" for number in range(2, MOST_TASKS + 2)))
    return next(name for name in names if name not in taken)


def _words(error: Any) -> str:
    """An error of the model with the label of its field, and what to do."""
    place = list(error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    label = ""
    if place and place[0] == "checks":
        label = f"check {place[1] + 1}" if len(place) > 1 else "checks"
        name = str(place[2]) if len(place) > 2 else ""
        names = {"symbol": "value", "number": "value", "count": "value", "level": "value", "band": "low"}
        if name:
            label += f", {CHECK_LABELS.get(names.get(name, name), name)}"
    elif place:
        name = str(place[0])
        label = LABELS["low"] if name == "band" else LABELS.get(name, name)
    elif "criteria" in message:
        label = LABELS["rubric"]
        message += " Change the points of the task, or empty them: they are the sum then."
    elif "accepted" in message:
        label = LABELS["accepted"]
        message += f" {_REMEDIES['accepted']}"
    remedy = _REMEDIES.get(str(place[0]) if place else "", "")
    return f"{label}: {message} {remedy}".strip().removeprefix(": ")
