"""Answers and bodies of the teaching routes, as models for the OpenAPI page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from qcrbox.contract import models
from qcrbox.contract.models import Model
from qcrbox.contract.teaching import MOST_CRITERIA, MOST_TASKS, Criterion, Task, TaskState

from qcrbox_registry.api.dependencies import Body

Role = Literal["lecturer", "assistant", "student"]


class Course(Model):
    """A course: a group with a title. role: of the caller."""

    id: str
    title: str
    group: str
    role: Role
    created_at: str
    archived_at: str | None = None


class Courses(Model):
    """List of courses."""

    courses: list[Course]


class CoursePerson(Model):
    """Someone of a course. signed_in: has used the registry at least once."""

    name: str
    role: Role
    signed_in: bool
    last_seen_at: str | None = None


class CoursePeople(Model):
    """Everyone of a course."""

    people: list[CoursePerson]


class ShelfItem(Model):
    """A file on the shelf of a course. size: bytes."""

    id: str
    title: str
    filename: str
    size: int
    for_lecturers: bool
    opens_at: str | None = None
    closes_at: str | None = None


class Shelf(Model):
    """The shelf of a course."""

    items: list[ShelfItem]


class ResearchExport(Model):
    """What students did, by numbers that are drawn anew each time; no names, ids, dates or texts."""

    students: int
    exercises: list[dict[str, Any]]


class Rehearsal(Model):
    """What the starts of a booking's agents took. Times in s, memory in bytes; null: not measured."""

    running: bool
    began: float | None = None
    at: str | None = None
    asked: int = 0
    already: int = 0
    started: int = 0
    first_s: float | None = None
    last_s: float | None = None
    each_bytes: int | None = None
    free_bytes: int | None = None
    advice: list[str] = Field(default_factory=list)


class Booking(Model):
    """A booked time. places: agents that are kept for the class; rehearsal: for the staff."""

    id: str
    course_id: str
    starts_at: str
    ends_at: str
    students: int
    windows: int
    places: int
    applications: list[str]
    rehearsal: Rehearsal | None = None


class Bookings(Model):
    """The booked times of a course."""

    bookings: list[Booking]


class Exercise(Model):
    """An exercise with the dates that hold for the caller."""

    id: str
    course_id: str
    course: str
    group: str
    title: str
    version: int
    published: bool
    archived: bool
    opens_at: str | None = None
    due_at: str | None = None
    late_until: str | None = None
    released_at: str | None = None
    answers_from_store: bool = False
    own_due_at: str | None = None
    phase: Literal["not_open", "open", "late", "closed"]
    opened_at: str | None = None
    own_version: int | None = None


class Exercises(Model):
    """List of exercises."""

    exercises: list[Exercise]


class ExerciseDetail(Exercise):
    """An exercise with its manifest; without what gives the answers away for students."""

    manifest: dict[str, Any] | None
    points: float = 0.0
    staff: bool = False


class CheckResult(Model):
    """passed is null when the check could not be carried out; words say why."""

    passed: bool | None
    words: str


class TaskProgress(Model):
    """State of a task of a student."""

    task_id: str
    state: TaskState
    words: str = ""
    value: float | None = None
    calculation_id: str | None = None
    at: str | None = None
    checks: list[CheckResult] = Field(default_factory=list)
    hint: str = ""


class Snapshot(Model):
    """What was submitted or collected; receipt: SHA-256 of its content."""

    id: str
    student: str
    reason: Literal["submitted", "collected"]
    at: str
    due_at: str | None = None
    late: bool
    receipt: str
    has_notebook: bool
    problem: str = ""
    files: list[str] = Field(default_factory=list)


class Note(Model):
    """A note of the staff."""

    text: str
    by: str
    at: str


class MetCriterion(Model):
    """A criterion of a rubric as it was when the mark was given."""

    text: str
    points: float
    met: bool


class TaskFeedback(Model):
    """Points and comment of a task, with the criteria where it was marked by a rubric."""

    task_id: str
    title: str
    points: float | None = None
    most: float
    words: str = ""
    comment: str = ""
    criteria: list[MetCriterion] = Field(default_factory=list)


class Feedback(Model):
    """Marks of a student, once they are released."""

    points: float
    most: float
    comment: str = ""
    tasks: list[TaskFeedback]


class OwnExercise(Model):
    """An exercise as the student has it. preview: a copy of the staff, which counts nowhere."""

    exercise: Exercise
    manifest: dict[str, Any] | None
    preview: bool = False
    dataset_id: str | None = None
    draft_at: str | None = None
    draft_problem: str = ""
    tasks: list[TaskProgress]
    answers: dict[str, str] = Field(default_factory=dict)
    snapshots: list[Snapshot]
    notes: list[Note]
    feedback: Feedback | None = None


class Draft(Model):
    """A notebook that was kept."""

    draft_at: str
    problem: str = ""


class BoardTask(Model):
    """A column of the board."""

    id: str
    title: str
    kind: Literal["calculation", "value", "answer"]
    quantity: str = ""
    band: str = ""
    points: float


class BoardStudent(Model):
    """A row of the board."""

    name: str
    signed_in: bool
    left: bool = False
    opened_at: str | None = None
    last_active_at: str | None = None
    stuck: bool
    done: int
    tasks: list[TaskProgress]
    version: int | None = None
    extended_until: str | None = None
    own_due_at: str | None = None
    draft_at: str | None = None
    problem: str = ""
    submitted: Snapshot | None = None


class Board(Model):
    """Students × tasks, those who are stuck first."""

    exercise: Exercise
    tasks: list[BoardTask]
    students: list[BoardStudent]
    at: str


class StudentWork(BoardStudent):
    """One student with everything they did."""

    exercise: Exercise
    manifest: dict[str, Any]
    answers: dict[str, str]
    calculations: list[models.Calculation]
    has_draft: bool
    snapshots: list[Snapshot]
    extension_reason: str = ""


class Extension(Model):
    """The deadline that holds for a student."""

    student: str
    own_due_at: str | None


class SentNote(Model):
    """A note that was sent; to is null for everyone."""

    to: str | None
    text: str


class Number(Model):
    """How many."""

    number: int


class MarkProblem(Model):
    """Work that could not be marked."""

    student: str
    problem: str


class Graded(Model):
    """How many students were marked, and who could not be."""

    marked: int
    problems: list[MarkProblem]


class MarkTask(Model):
    """A column of the marks. rubric: criteria with their points."""

    id: str
    title: str
    points: float
    rubric: list[Criterion] = Field(default_factory=list)


class TaskMark(Model):
    """automatic: points of the checks; points: given by a person; counts: what counts, null while undecided."""

    task_id: str
    automatic: float | None = None
    points: float | None = None
    counts: float | None = None
    words: str = ""
    comment: str = ""
    criteria: list[MetCriterion] = Field(default_factory=list)


class StudentMarks(Model):
    """Marks of a student. to_decide: tasks that wait for a person."""

    name: str
    tasks: list[TaskMark]
    points: float
    to_decide: int
    comment: str = ""
    submitted: Snapshot | None = None


class Marks(Model):
    """Marks of an exercise."""

    tasks: list[MarkTask]
    most: float
    released_at: str | None = None
    students: list[StudentMarks]


class GivenMark(Model):
    """A mark that was given by hand."""

    student: str
    task_id: str


class Released(Model):
    """Since when students see their marks."""

    released_at: str | None


# ---------------------------------------------------------------- bodies


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
