"""Answers of the teaching routes, as models for the OpenAPI page."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.models import Model
from qcrbox.contract.teaching import Criterion, TaskState

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
    """Someone of a course. signed_in: at least once, at the hub or here."""

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
    """An exercise with the dates that hold for the caller. may_try: in a preview, also before it is open and once closed."""

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
    may_try: bool = False


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
