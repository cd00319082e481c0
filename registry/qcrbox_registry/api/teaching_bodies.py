"""Bodies of the teaching routes, as models for the OpenAPI page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import ConfigDict, Field
from qcrbox.contract.teaching import MOST_CRITERIA, MOST_TASKS, Task

from qcrbox_registry.api.dependencies import Body


class NewCourse(Body):
    """Body: make a group of yours a course."""

    group: Annotated[str, Field(min_length=1, max_length=255)]
    title: Annotated[str, Field(min_length=1, max_length=200)]


class ChangeCourse(Body):
    """Body: new title, or archive and restore."""

    title: Annotated[str | None, Field(max_length=200)] = None
    archived: bool | None = None


class CopyCourse(Body):
    """Body: the group that becomes the new course, and its title."""

    group: Annotated[str, Field(min_length=1, max_length=255)]
    title: Annotated[str, Field(min_length=1, max_length=200)]


class NewShelfItem(Body):
    """Body: a data file of yours for the shelf; dates (ISO 8601) between which students see it."""

    data_file_id: Annotated[str, Field(min_length=1, max_length=64)]
    title: Annotated[str, Field(max_length=200)] = ""
    for_lecturers: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None


class NewBooking(Body):
    """Body: a time for a class (ISO 8601). places: null proposes as many as the class needs."""

    starts_at: datetime
    ends_at: datetime
    students: Annotated[int, Field(ge=1, le=1000)]
    windows: Annotated[int, Field(ge=0, le=1000)] = 0
    places: Annotated[int | None, Field(ge=1, le=1000)] = None
    applications: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=8
    )


class GivenFile(Body):
    """A data file of yours for the exercise; for_lecturers: students do not get it."""

    data_file_id: Annotated[str, Field(min_length=1, max_length=64)]
    for_lecturers: bool = False


class NewExercise(Body):
    """Body: a version of an exercise. notebook: the JSON text of an .ipynb file.

    keep_files_of: the newest version, whose notebook and files stay where this one brings none of the name.
    """

    # Tasks come as their own model, which converts and checks its fields.
    model_config = ConfigDict(extra="forbid", strict=False)

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=4000)] = ""
    minutes: Annotated[int | None, Field(ge=1, le=10_000)] = None
    tasks: list[Task] = Field(default_factory=list, max_length=MOST_TASKS)
    notebook: str | None = None
    notebook_name: Annotated[str, Field(min_length=1, max_length=200)] = "notebook.ipynb"
    files: list[GivenFile] = Field(default_factory=list, max_length=200)
    keep_files_of: Annotated[int | None, Field(ge=0, le=1_000_000)] = None


class ChangeExercise(Body):
    """Body: dates (ISO 8601, null takes a date away), visibility, and whether the same calculation on the same input is
    answered by a copy of the first result; what is left out stays."""

    published: bool | None = None
    opens_at: datetime | None = None
    due_at: datetime | None = None
    late_until: datetime | None = None
    answers_from_store: bool | None = None


class GivenAnswer(Body):
    """Body: what was typed for a task."""

    value: Annotated[str, Field(max_length=4000)]


class SubmittedFile(Body):
    """A file submitted beside the notebook; content: base64."""

    filename: Annotated[str, Field(min_length=1, max_length=200)]
    content: str


class Submit(Body):
    """Body: notebook (JSON text of the .ipynb file) to submit; without it the newest draft counts.

    files: kept with this submission, byte for byte; the body is at most 21 MiB.
    """

    notebook: str | None = None
    files: list[SubmittedFile] = Field(default_factory=list, max_length=100)
    problem: Annotated[str, Field(max_length=500)] = ""


class GivenNote(Body):
    """Body: a note to one student, or to everyone when `student` is left out."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    student: Annotated[str | None, Field(max_length=255)] = None


class GivenExtension(Body):
    """Body: a later deadline for one student (ISO 8601); null takes it back."""

    student: Annotated[str, Field(min_length=1, max_length=255)]
    until: datetime | None
    reason: Annotated[str, Field(max_length=1000)] = ""


class FreeQueue(Body):
    """Body: why the calculations of the class are cancelled; their owners read it."""

    reason: Annotated[str, Field(max_length=1000)] = ""


class GiveMark(Body):
    """Body: points (null: those of the checks count again) and comment of a task; task_id "" is the whole exercise.

    criteria: the places (from 0) of those of the rubric that are met; they give the points.
    """

    student: Annotated[str, Field(min_length=1, max_length=255)]
    task_id: Annotated[str, Field(max_length=40)] = ""
    points: Annotated[float | None, Field(allow_inf_nan=False)] = None
    comment: Annotated[str, Field(max_length=10_000)] = ""
    criteria: Annotated[list[Annotated[int, Field(ge=0)]] | None, Field(max_length=MOST_CRITERIA)] = None


class Release(Body):
    """Body: whether students see their marks."""

    released: bool


def moment(at: datetime | None) -> float | None:
    """Unix time, s; a time without a zone is UTC."""
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
