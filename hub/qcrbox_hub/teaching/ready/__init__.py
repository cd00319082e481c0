"""Ready exercises: a notebook without answers, the data of an example, and what is right.

The notebooks lie among the tutorials, which everyone gets. The answers lie here, where only the hub reads them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from qcrbox.contract.errors import NotFound
from qcrbox.contract.teaching import Task
from qcrbox.spec.exercise_tags import tasks_of_notebook

from qcrbox_hub.platform.paths import notebooks_folder

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ReadyExercise:
    """A ready exercise. notebook: path below the tutorials; example: name of the example with its data."""

    name: str
    title: str
    about: str
    minutes: int
    notebook: str
    example: str
    answers: dict[str, dict[str, Any]]

    @property
    def text(self) -> str:
        """The notebook as JSON text."""
        return (notebooks_folder() / self.notebook).read_text(encoding="utf-8")

    @property
    def tasks(self) -> list[Task]:
        """The tasks of the notebook with what is right."""
        found = tasks_of_notebook(json.loads(self.text))
        return [
            Task.model_validate(task.model_dump() | self.answers.get(task.id, {})) for task in found.tasks
        ]

    def body(self, data_file_ids: list[str]) -> dict[str, object]:
        """The body of a new exercise with these data files."""
        return {
            "title": self.title,
            "text": self.about,
            "minutes": self.minutes,
            "notebook": self.text,
            "notebook_name": Path(self.notebook).name,
            "tasks": [task.model_dump(mode="json") for task in self.tasks],
            "files": [{"data_file_id": file_id} for file_id in data_file_ids],
        }


def ready_exercises() -> list[ReadyExercise]:
    """All ready exercises, by title."""
    read = [_read(file) for file in FOLDER.glob("*.yaml")]
    return sorted(read, key=lambda each: each.title)


def ready_exercise(name: str) -> ReadyExercise:
    """The ready exercise of this name. Raises NotFound."""
    for each in ready_exercises():
        if each.name == name:
            return each
    raise NotFound(f"There is no ready exercise {name[:40]!r}.")


@cache  # every page of a course lists them
def _read(file: Path) -> ReadyExercise:
    return ReadyExercise(file.stem, **yaml.safe_load(file.read_text(encoding="utf-8")))
