"""Tasks of an exercise as tags of notebook cells, or in a small YAML file.

Tags of a cell that begin a task:

    task=refine  points=2  command=refine.refine_iam  r1<0.05  element=N3:N  space-group=14  hydrogens=8  no-alerts=A
    task=two  occupancy=C7B:0.08..0.15
    task=r1  target=0.042  tolerance=0.001            (a number)
    task=which  answer=N|C  choices=N|C|O             (a text)
    task=why  points=3  criterion=2: Names the bonds  criterion=1: Compares both     (for who marks it)

The title is the first line of the cell, its hint the text of a `<details>` element. Code cells are calculations unless
they say otherwise; Markdown cells are questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from qcrbox.contract.errors import SpecError, UserInputError
from qcrbox.contract.teaching import QUANTITIES, Task
from qcrbox.spec.source import refuse_bombs

LARGEST_YAML = 256 * 1024
_BAND = re.compile(rf"^({'|'.join(QUANTITIES)})\s*(<=|>=|<|>)\s*([-+0-9.eE]+)$")
_HINT = re.compile(r"<details>\s*<summary>.*?</summary>(.*?)</details>", re.DOTALL | re.IGNORECASE)
_PLAIN = frozenset({"points", "command", "target", "tolerance", "unit", "hint", "title", "text", "kind"})
_NUMBERS = frozenset({"points", "target", "tolerance"})
# Names that tags of other programs have too; a cell with these alone is no task that lost its name.
_COMMON = frozenset({"hint", "title", "text", "kind", "unit", "command"})
_PYTHON = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Tags that say what is right: the same that `Task.for_students` hides.
_ANSWERS = frozenset(
    {
        "answer",
        "target",
        "tolerance",
        "element",
        "space-group",
        "hydrogens",
        "no-alerts",
        "occupancy",
        "criterion",
    }
)


@dataclass
class Found:
    """Tasks, and what is wrong with tags, each with its cell."""

    tasks: list[Task] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def tasks_of_notebook(notebook: Mapping[str, Any]) -> Found:
    """The tasks that the tags of a notebook declare, in the order of its cells."""
    found = Found()
    cells = notebook.get("cells")
    for place, cell in enumerate(cells if isinstance(cells, list) else ()):
        tags = _tags(cell)
        if not any(map(_names_task, tags)):
            lost = [tag for tag in tags if _is_of_a_task(tag)]
            if lost:
                found.problems.append(f"Cell {place + 1}: {lost[0]} needs a tag task=name in the same cell.")
            continue
        try:
            found.tasks.append(_task(cell, tags))
        except (ValueError, SpecError) as error:
            found.problems.append(f"Cell {place + 1}: {_words(error)}")
    ids = [task.id for task in found.tasks]
    found.problems += [
        f"Two cells have the tag task={name}." for name in sorted({i for i in ids if ids.count(i) > 1})
    ]
    return found


def tasks_in(text: str, name: str) -> list[Task]:
    """The tasks of a notebook by its JSON text. Raises UserInputError that names the file, cells and what is wrong."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise UserInputError(f"{name} is not a notebook: it is no JSON.") from None
    if not isinstance(notebook, dict):
        raise UserInputError(f"{name} is not a notebook.")
    found = tasks_of_notebook(notebook)
    if found.problems:
        raise UserInputError(
            f"{name}: {' '.join(found.problems)}", next="Nothing was made. Correct the tags."
        )
    return found.tasks


def without_answers(text: str) -> str:
    """The JSON text of a notebook without the tags that say what is right, for the copies of students.

    A notebook that names no kernel gets Python's: JupyterLab would ask every student which one to take. A text
    that needs neither change, and one that is not a notebook, comes back as it is.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return text
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    changed = isinstance(cells, list) and _names_kernel(notebook)
    for cell in cells if isinstance(cells, list) else ():
        if any(map(_names_task, _tags(cell))):
            kept = [tag for tag in cell["metadata"]["tags"] if not _is_answer(tag)]
            changed |= len(kept) < len(cell["metadata"]["tags"])
            cell["metadata"]["tags"] = kept
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n" if changed else text


def _names_kernel(notebook: dict[str, Any]) -> bool:
    """Name the kernel of Python in a notebook that names none and is of no other language. Changed?"""
    metadata = notebook.get("metadata")
    if "nbformat" not in notebook or not isinstance(metadata, dict) or "kernelspec" in metadata:
        return False
    language = metadata.get("language_info")
    if language is not None and not (isinstance(language, dict) and language.get("name") == "python"):
        return False
    metadata["kernelspec"] = dict(_PYTHON)
    return True


def _names_task(tag: str) -> bool:
    name, equals, _ = tag.partition("=")
    return name.strip() == "task" and bool(equals)


def _is_of_a_task(tag: str) -> bool:
    name, equals, _ = (part.strip() for part in tag.partition("="))
    known = (_PLAIN | _ANSWERS | {"choices"}) - _COMMON
    return bool(_BAND.match(tag)) or (name in known and bool(equals))


def _is_answer(tag: Any) -> bool:
    return isinstance(tag, str) and tag.partition("=")[0].strip() in _ANSWERS


def tasks_of_yaml(text: str) -> list[Task]:
    """The tasks of a file `tasks: [...]`. Raises SpecError that names the task."""
    if len(text) > LARGEST_YAML:
        raise SpecError("The file of tasks is larger than 256 KiB.")
    try:
        refuse_bombs(text, "tasks")
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2024-99-99
        raise SpecError("The file of tasks is not valid YAML.", why=str(error)[:500]) from None
    listed = read.get("tasks") if isinstance(read, dict) else read
    if not isinstance(listed, list):
        raise SpecError("The file of tasks has no list `tasks`.")
    tasks = []
    for place, entry in enumerate(listed):
        try:
            tasks.append(Task.model_validate(entry))
        except ValidationError as error:
            name = entry.get("id") if isinstance(entry, dict) else None
            raise SpecError(f"Task {name or place + 1}: {_words(error)}") from None
    return tasks


def _tags(cell: Any) -> list[str]:
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag.strip() for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _task(cell: Mapping[str, Any], tags: list[str]) -> Task:
    values: dict[str, Any] = {"checks": []}
    for tag in tags:
        _read_tag(tag, values)
    source = _source(cell)
    values.setdefault("title", _title(source) or values["id"])
    hint = _HINT.search(source)
    if hint:
        values.setdefault("hint", " ".join(re.sub(r"<[^>]*>", " ", hint.group(1)).split()))
    values.setdefault("kind", _kind(cell, values))
    return Task.model_validate(values)


def _kind(cell: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    if "target" in values:
        return "value"
    if "accepted" in values or "choices" in values:
        return "answer"
    if values.keys() & {"command", "band"} or values["checks"] or cell.get("cell_type") == "code":
        return "calculation"
    return "answer"


def _read_tag(tag: str, values: dict[str, Any]) -> None:
    """Put what a tag declares into the fields of the task. Tags of others are left alone: words without `=`, `<`, `>`.

    Raises ValueError for a tag that is none of an exercise: passed over, its band or check would let every work count.
    """
    band = _BAND.match(tag)
    if band:
        quantity, sign, number = band.groups()
        if values.setdefault("quantity", quantity) != quantity:
            raise ValueError("A task has one band; use checks for further quantities.")
        values.setdefault("band", {})["high" if sign.startswith("<") else "low"] = float(number)
        return
    name, equals, value = (part.strip() for part in tag.partition("="))
    if name == "task" and equals:
        values["id"] = value
    elif name in _PLAIN and equals:
        values[name] = float(value) if name in _NUMBERS else value
    elif name == "answer" and equals:
        values["accepted"] = _several(value)
    elif name == "criterion" and equals:
        points, _, text = value.partition(":")
        values.setdefault("rubric", []).append({"points": float(points), "text": text.strip()})
    elif name == "choices" and equals:
        values["choices"] = _several(value)
    else:
        checks = list(_check(name, value))
        if not checks and re.search("[=<>]", tag):
            raise ValueError(f"{tag!r} is no tag of a task. Is it misspelt? Bands are written r1<0.05.")
        values["checks"] += checks


def _check(name: str, value: str) -> Iterator[dict[str, Any]]:
    if name == "element":
        label, _, symbol = (part.strip() for part in value.partition(":"))
        yield {"kind": "element", "label": label, "symbol": symbol}
    elif name == "occupancy":
        label, _, band = (part.strip() for part in value.partition(":"))
        low, _, high = band.partition("..")
        ends = {"low": float(low) if low else None, "high": float(high) if high else None}
        yield {"kind": "occupancy", "label": label, "band": ends}
    elif name == "space-group":
        yield {
            "kind": "space_group",
            **({"number": value} if re.fullmatch("[0-9]+", value) else {"symbol": value}),
        }
    elif name == "hydrogens":
        yield {"kind": "all_hydrogens", **({"count": float(value)} if value else {})}
    elif name == "no-alerts":
        yield {"kind": "no_alerts", "level": value or "A"}


def _several(value: str) -> list[str]:
    return [part.strip() for part in value.split("|") if part.strip()]


def _title(source: str) -> str:
    """The first line with words, without the marks of a heading, of a comment, of emphasis."""
    for line in source.splitlines():
        plain = re.sub(r"<[^>]*>", "", line)
        # Within the line not underscores: they belong to the names of CIF items.
        plain = re.sub(r"(\*\*?|`)(\S|\S.*?\S)\1", r"\2", plain)
        plain = re.sub(r"^[#\s✎*_]+|[*_]+$", "", plain).strip()
        if plain:
            return plain[:200]
    return ""


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}" if place else str(first["msg"])
    return str(error)
