"""What an exercise is made of: tasks, target bands, checks, and what is known of a student's work.

A task marks calculations and answers, never cells of a notebook. `for_students` removes what would give the answer
away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from qcrbox.contract.models import Model

MOST_TASKS = 50
MOST_CHECKS = 20
MOST_CRITERIA = 20
# What a band may be about: name and words.
QUANTITIES = {
    "r1": "R1",
    "wr2": "wR2",
    "goof": "goodness of fit",
    "residual_max": "highest residual density (e/Å³)",
    "residual_min": "lowest residual density (e/Å³)",
    "volume": "cell volume (Å³)",
    "z": "Z",
    "temperature_k": "temperature (K)",
}
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Words = Annotated[str, Field(max_length=4000)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class TaskState(StrEnum):
    """How far a student is with a task."""

    NOT_BEGUN = "not_begun"
    RUNNING = "running"
    DONE = "done"
    OUT_OF_BAND = "out_of_band"
    FAILED = "failed"
    STUCK = "stuck"
    HANDED_IN = "handed_in"  # an answer that a person marks


class Declared(Model):
    """Base of what a lecturer declares: a misspelt field is refused."""

    model_config = ConfigDict(extra="forbid")


def _shown(number: float) -> str:
    """Six digits where they are all; a rounded end would be that of another band."""
    return f"{number:g}" if float(f"{number:g}") == number else repr(number)


class Band(Declared):
    """The values that count as reached; an open end is None."""

    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        if self.low is None and self.high is None:
            raise ValueError("A band needs low, high or both.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("The low end of a band is above its high end.")
        return self

    def contains(self, value: float) -> bool:
        """Whether a value lies in the band, ends included; NaN does not."""
        if not math.isfinite(value):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        low, high = (None if end is None else _shown(end) for end in (self.low, self.high))
        if low is None:
            return f"at most {high}"
        return f"at least {low}" if high is None else f"{low} to {high}"


class Check(Declared):
    """Something that is tested on the CIF a calculation wrote.

    kind: `quantity` (one of QUANTITIES in `band`), `space_group` (`number` or `symbol`), `all_hydrogens` (`count`
    hydrogen atoms in the asymmetric unit, weighted by occupancy; without it: as the formula demands some), `no_alerts`
    (none of `level` or worse), `element` (site `label` has `symbol`), `occupancy` (that of site `label` lies in `band`; a
    band that ends at 0 asks that the site is not in the model).
    """

    kind: Literal["quantity", "space_group", "all_hydrogens", "no_alerts", "element", "occupancy"]
    quantity: str = "r1"
    band: Band | None = None
    number: Annotated[int, Field(ge=1, le=230)] | None = None
    symbol: Annotated[str, Field(max_length=40)] = ""
    label: Annotated[str, Field(max_length=40)] = ""
    count: Annotated[float, Field(ge=0, le=1e6)] | None = None
    level: Literal["A", "B", "C"] = "A"

    @model_validator(mode="after")
    def _complete(self) -> Check:
        if self.kind == "quantity" and self.band is None:
            raise ValueError("A check of a quantity needs a band.")
        if self.kind == "quantity" and self.quantity not in QUANTITIES:
            raise ValueError(f"quantity is one of {', '.join(QUANTITIES)}.")
        if self.kind == "space_group" and self.number is None and not self.symbol:
            raise ValueError("A check of the space group needs number or symbol.")
        if self.kind == "element" and not (self.label and self.symbol):
            raise ValueError("A check of an element needs the label of the site and the symbol.")
        if self.kind == "occupancy" and (not self.label or self.band is None):
            raise ValueError("A check of an occupancy needs the label of the site and a band.")
        return self


class Criterion(Declared):
    """One line of a rubric: what is met or not, and its points."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    points: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class Task(Declared):
    """One step of an exercise.

    kind `calculation`: a successful calculation of `command` (`application.command` or the command alone; empty: any)
    with `parameters`, whose `quantity` lies in `band` and which passes `checks`. kind `value`: a number within
    `tolerance` of `target`. kind `answer`: a text that is one of `accepted`. Without target or accepted answers a
    person marks what was handed in; the criteria of `rubric` are for that person, and their points add up to those of
    the task.
    """

    id: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["calculation", "value", "answer"] = "calculation"
    text: Words = ""
    hint: Words = ""
    points: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 1.0
    command: Annotated[str, Field(max_length=300)] = ""
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=50)
    quantity: str = "r1"
    band: Band | None = None
    checks: list[Check] = Field(default_factory=list, max_length=MOST_CHECKS)
    unit: Annotated[str, Field(max_length=40)] = ""
    target: Number | None = None
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    choices: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=30)
    accepted: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=30)
    rubric: list[Criterion] = Field(default_factory=list, max_length=MOST_CRITERIA)

    @model_validator(mode="after")
    def _fitting(self) -> Task:
        if self.kind == "calculation" and self.quantity not in QUANTITIES:
            raise ValueError(f"quantity is one of {', '.join(QUANTITIES)}.")
        unknown = [answer for answer in self.accepted if self.choices and answer not in self.choices]
        if unknown:
            raise ValueError(f"The accepted answer {unknown[0]!r} is not among the choices.")
        texts = [criterion.text for criterion in self.rubric]
        if len(set(texts)) < len(texts):
            raise ValueError("Two criteria say the same.")
        total = sum(criterion.points for criterion in self.rubric)
        if self.rubric and not math.isclose(total, self.points, abs_tol=1e-9):
            raise ValueError(
                f"The points of the criteria add up to {total:g}, and the task has {self.points:g} points."
            )
        return self

    @property
    def is_marked_by_a_person(self) -> bool:
        """Whether no rule decides about what was handed in."""
        return (self.kind == "value" and self.target is None) or (self.kind == "answer" and not self.accepted)

    def for_students(self) -> dict[str, Any]:
        """The task without what would give the answer away; the target band of a quantity is shown."""
        hidden = {"target", "tolerance", "accepted", "checks", "rubric"}
        shown = self.model_dump(mode="json", exclude=hidden)
        return {**shown, "checked": sorted({check.kind for check in self.checks})}


def criterion_words(criterion: Mapping[str, Any]) -> str:
    """A criterion of a mark in one line: whether it is met, its text and its points."""
    return f"{'✓' if criterion['met'] else '✕'} {criterion['text']} ({criterion['points']:g})"


class ExerciseFile(Declared):
    """A file of an exercise by its contents."""

    filename: Annotated[str, Field(min_length=1, max_length=255)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    for_lecturers: bool = False  # an answer model, say


class Manifest(Declared):
    """One version of an exercise. It never changes; a correction is a new version."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Words = ""
    minutes: Annotated[int, Field(ge=1, le=10_000)] | None = None
    notebook: ExerciseFile | None = None
    files: list[ExerciseFile] = Field(default_factory=list, max_length=200)
    tasks: list[Task] = Field(default_factory=list, max_length=MOST_TASKS)

    @field_validator("tasks")
    @classmethod
    def _distinct(cls, tasks: list[Task]) -> list[Task]:
        ids = [task.id for task in tasks]
        twice = sorted({task_id for task_id in ids if ids.count(task_id) > 1})
        if twice:
            raise ValueError(f"Two tasks have the id {twice[0]!r}.")
        return tasks

    @field_validator("files")
    @classmethod
    def _named_once(cls, files: list[ExerciseFile]) -> list[ExerciseFile]:
        names = [file.filename.casefold() for file in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"Two files have the name {twice[0]!r}.")
        return files

    def task(self, task_id: str) -> Task | None:
        """The task of this id; None when there is none."""
        return next((task for task in self.tasks if task.id == task_id), None)

    @property
    def points(self) -> float:
        """The points that can be reached."""
        return sum(task.points for task in self.tasks)

    def for_students(self) -> dict[str, Any]:
        """The manifest as students see it."""
        shown = self.model_dump(mode="json", exclude={"tasks", "files"})
        shown["files"] = [file.model_dump(mode="json") for file in self.files if not file.for_lecturers]
        shown["tasks"] = [task.for_students() for task in self.tasks]
        return shown
