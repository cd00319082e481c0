"""A notebook in a lecturer's files, made an exercise of a course. Its tasks are those that the tags of its cells declare."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qcrbox.contract.errors import NotFound, QcError, UserInputError
from qcrbox.spec.exercise_tags import tasks_in
from tornado import web

from qcrbox_extension.exercises import ExerciseClient
from qcrbox_extension.handlers import Handler

_FileId = Annotated[str, Field(min_length=1, max_length=64)]


class Wanted(BaseModel):
    """What the form in Lab sends. path: of the notebook below the server's root; data: ids of stored files."""

    model_config = ConfigDict(extra="forbid")

    course: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=4000)] = ""
    minutes: Annotated[int | None, Field(ge=1, le=10_000)] = None
    path: Annotated[str, Field(min_length=1, max_length=4000)]
    data: list[_FileId] = Field(default_factory=list, max_length=200)
    for_lecturers: list[_FileId] = Field(default_factory=list, max_length=200)


def body_of(root: Path, wanted: Wanted) -> dict[str, Any]:
    """The body of a new exercise for the registry. Raises NotFound, UserInputError that names notebook and cell."""
    file = root / wanted.path
    if not file.resolve().is_relative_to(root.resolve()) or not file.is_file():
        raise NotFound(f"There is no notebook {wanted.path[:200]!r} in your files.", next="Save it first.")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserInputError(f"{file.name} is not UTF-8 text.") from None
    files = [(each, False) for each in wanted.data] + [(each, True) for each in wanted.for_lecturers]
    return {
        "title": wanted.title,
        "text": wanted.text,
        "minutes": wanted.minutes,
        "notebook": text,
        "notebook_name": file.name,
        "tasks": [task.model_dump(mode="json") for task in tasks_in(text, file.name)],
        "files": [{"data_file_id": each, "for_lecturers": hidden} for each, hidden in files],
    }


class MakeExerciseHandler(Handler):
    """`POST qcrbox/exercises`: make an exercise of a notebook; answers its id, title, and number of tasks."""

    def initialize(self, exercises: ExerciseClient, root: str) -> None:
        """Called by tornado with the registry's exercises and the root of the person's files."""
        self.exercises, self.root = exercises, Path(root)

    @web.authenticated
    async def post(self) -> None:
        """Answer the exercise, which is hidden from students until it is published."""
        try:
            wanted = Wanted.model_validate_json(self.request.body)
            body = await asyncio.to_thread(body_of, self.root, wanted)
            made = await self.exercises.make(wanted.course, body)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            self.refuse(UserInputError(f"{field or 'The form'}: {first['msg']}."))
        except OSError as error:
            self.refuse(QcError("The notebook could not be read.", why=str(error)))
        except QcError as error:
            self.refuse(error)
        else:
            shown = {"id": made["id"], "title": made["title"], "tasks": len(body["tasks"])}
            self.finish(json.dumps(shown))
