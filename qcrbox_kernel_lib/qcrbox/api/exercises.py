"""An exercise as its student has it: data, tasks, answers, submission, feedback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

from qcrbox.api.datasets import Dataset
from qcrbox.api.names import require_text
from qcrbox.client.exercise_mark import MARK, exercise_of
from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox.display.exercise import feedback_table, tasks_table
from qcrbox.display.project_tree import time_text
from qcrbox.markup import Table, Text

if TYPE_CHECKING:
    from qcrbox.api.box import Box

_PHASES = ("open", "late", "not_open", "closed")


class _Titled(Protocol):
    id: str
    title: str


_T = TypeVar("_T", bound=_Titled)


class Exercise:
    """One exercise. Shown as its tasks with their states."""

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box, self.record = box, record
        self.id, self.title = str(record["id"]), str(record["title"])

    def _own(self) -> dict[str, Any]:
        return self.box.client.get(f"/api/exercises/{self.id}/own")

    def open(self) -> Exercise:
        """Begin the exercise, or take its newest version: its data become a private dataset of yours."""
        self.record = self.box.client.post(f"/api/exercises/{self.id}/open")["exercise"]
        return self

    @property
    def data(self) -> Dataset:
        """Your dataset with the files of the exercise. Raises Conflict before it was opened, NotFound without data."""
        own = self._own()
        if not own["exercise"].get("opened_at"):
            raise Conflict(f"You have not opened {self.title!r} yet.", next="Open it: exercise.open().data")
        if own["dataset_id"] is None:
            raise NotFound(f"The exercise {self.title!r} has no data files.")
        return self.box.datasets.by_id(own["dataset_id"])

    @property
    def tasks(self) -> Table:
        """The tasks as they are now, with state and what is still wrong."""
        return tasks_table(self._own())

    def hint(self, task_id: str) -> Text:
        """The hint of a task. Raises NotFound."""
        tasks = {task["id"]: task for task in (self._own()["manifest"] or {"tasks": []})["tasks"]}
        if task_id not in tasks:
            known = ", ".join(tasks) or "none"
            raise NotFound(f"The exercise has no task {task_id!r}.", next=f"There are: {known}.")
        return Text(tasks[task_id]["hint"] or "There is no hint for this task.")

    def answer(self, task_id: str, value: object) -> Table:
        """Answer a question; the newest answer counts. Raises NotFound, UserInputError, Conflict after the end."""
        path = f"/api/exercises/{self.id}/answers/{quote(task_id, safe='')}"
        return tasks_table(self.box.client.put(path, {"value": str(value)}))

    def submit(self, notebook: str | Path | None = None) -> Text:
        """Hand in the newest saved notebook, answers and calculations; the receipt. It may be repeated.

        notebook: a file to hand in instead, for work outside Lab, which sends each notebook of the exercise that is
        saved. Raises Conflict before the exercise was opened and after the end, UserInputError for an unreadable file.
        """
        body = {} if notebook is None else {"notebook": _read(Path(notebook))}
        receipt = self.box.client.post(f"/api/exercises/{self.id}/submit", body)
        words = f"Submitted {time_text(receipt['at'])}{' (late)' if receipt['late'] else ''}. Receipt {receipt['receipt']}"
        if receipt["problem"]:
            words += (
                f"\nThe notebook: {receipt['problem']} Save it and submit again; calculations count anyway."
            )
        return Text(words)

    @property
    def feedback(self) -> Table:
        """Points and comments, once they are released."""
        return feedback_table(self._own())

    @property
    def notes(self) -> list[str]:
        """Notes of the lecturers to you or to everyone, newest first."""
        return [f"{time_text(note['at'])} {note['by']}: {note['text']}" for note in self._own()["notes"]]

    def __repr__(self) -> str:
        return self.tasks.text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.tasks._repr_mimebundle_(**more)


def exercises_in(box: Box, courses: Sequence[dict[str, Any]]) -> list[Exercise]:
    """The exercises of these courses, those that can be worked on first."""
    found = [
        each
        for course in courses
        for each in box.client.get(f"/api/courses/{course['id']}/exercises")["exercises"]
    ]
    # A newer registry may have phases of its own.
    found.sort(key=lambda each: _PHASES.index(each["phase"]) if each["phase"] in _PHASES else len(_PHASES))
    return [Exercise(box, each) for each in found]


def find_exercise(box: Box, name: str = "", folder: Path | None = None) -> Exercise:
    """The exercise of a title or id; without one, that of the folder (default: the current one)."""
    if require_text(name, "name"):
        # Only a title needs the list of all courses.
        try:
            return Exercise(box, box.client.get(f"/api/exercises/{quote(name, safe='')}"))
        except NotFound:
            return one_of(box.courses.exercises, name, "exercise")
    here = (folder or Path.cwd()) / MARK
    exercise_id = exercise_of(here)
    if exercise_id is None:
        raise NotFound(
            "This folder is not that of an exercise.",
            next="qc.courses lists your exercises; qc.exercise('title') is one of them.",
        )
    return Exercise(box, box.client.get(f"/api/exercises/{exercise_id}"))


def one_of(things: Sequence[_T], name: str, noun: str) -> _T:
    """The one of this title or id. Raises NotFound, UserInputError for several."""
    found = [each for each in things if each.id == name] or [each for each in things if each.title == name]
    if len(found) > 1:
        raise UserInputError(
            f"{len(found)} {noun}s are called {name!r}.",
            why="\n".join(f"{each.title} ({each.id})" for each in found),
            next="Choose by the id.",
        )
    if not found:
        known = ", ".join(sorted({each.title for each in things})[:20])
        raise NotFound(f"There is no {noun} {name!r}.", next=f"There are: {known}." if known else "")
    return found[0]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserInputError(f"{path} cannot be read as a notebook.", why=str(error)) from None
