"""A course on a database file: its lecturer, an assistant, two students, and the lecturer of another course."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from qcrbox.contract.teaching import Task
from qcrbox_registry.access.identity import GroupMember
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.teaching.board import BoardService
from qcrbox_registry.services.teaching.collection import CollectionService
from qcrbox_registry.services.teaching.courses import CourseService
from qcrbox_registry.services.teaching.evidence import FactReader
from qcrbox_registry.services.teaching.exercises import ExerciseChange, ExerciseService, NewVersion
from qcrbox_registry.services.teaching.marking import MarkingService
from qcrbox_registry.services.teaching.shelf import ShelfService
from qcrbox_registry.services.teaching.student import StudentService
from qcrbox_registry.store import calculations, tables
from qcrbox_registry.store.teaching import work

HOUR = 3600.0
TASKS = [
    Task(id="refine", title="Refine", command="practice.noop", points=3),
    Task(id="r1", title="R1?", kind="value", target=0.042, tolerance=0.001, points=2),
    Task(id="why", title="Why?", kind="answer", points=4),
]


@dataclass
class Course:
    """The services of teaching on one course, and its people."""

    world: Any
    context: Any
    id: str = ""
    people: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self):
        contents, facts = ContentService(self.context), FactReader(self.context)
        self.courses = CourseService(self.context)
        self.exercises = ExerciseService(self.context, contents)
        self.students = StudentService(self.context, contents, facts)
        self.board = BoardService(self.context, self.courses, facts)
        self.marking = MarkingService(self.context, self.courses)
        self.collection = CollectionService(self.context)
        self.shelf = ShelfService(self.context)

    def __getattr__(self, name):
        """`course.lecturer`, `course.ada` …: the actor of this part."""
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    async def exercise(
        self, tasks=TASKS, *, published=True, title="Quartz", files=(), notebook=None, **dates
    ):
        """The id of a new exercise. Dates: Unix times, s."""
        new = NewVersion(title, tasks=tasks, files=files, notebook=notebook)
        made = await self.exercises.create(self.lecturer, self.id, new)
        await self.change(made["id"], published=published, **dates)
        return made["id"]

    async def change(self, exercise_id, **values):
        """Dates and visibility as the lecturer sets them."""
        asked = ExerciseChange(**values, fields=frozenset(values))
        return await self.exercises.change(self.lecturer, exercise_id, asked)

    async def opened(self, *names, dates=None, **more):
        """An exercise that these have opened; `dates` are set afterwards, so that they may lie in the past."""
        made = await self.exercise(**more)
        for name in names:
            await self.students.open(self.people[name], made)
        if dates:
            await self.change(made, **dates)
        return made

    def calculation(self, exercise_id, who, state="successful", **values):
        """A calculation of a student in the exercise; its id."""
        new = self.world.new(who)

        def write(conn):
            calculations.create(conn, new)
            work.attach(conn, [new], {new.id: [f"{work.TAG}{exercise_id}"]}, time.time())

        self.world.write(write)
        self.end(new.id, state, **values)
        return new.id

    def end(self, calculation_id, state, **values):
        """Write the state of a calculation as its end would leave it."""
        ended = {"finished_at": time.time()} if state not in ("submitted", "running") else {}
        row = tables.calculations.update().where(tables.calculations.c.id == calculation_id)
        self.world.write(lambda conn: conn.execute(row.values(state=state, **ended, **values)))


@pytest.fixture
async def course(world, context, newcomer, actor):
    """A course of the group crystals. The hub has its people."""
    for name in ("lecturer", "assistant"):
        newcomer(name)
    crystals, powders = frozenset({world.group["crystals"]}), frozenset({world.group["powders"]})
    made = Course(world, context)
    made.people = {
        "lecturer": actor("lecturer", groups=["crystals"], manages=["crystals"], teaches=crystals),
        "assistant": actor("assistant", groups=["crystals"], manages=["crystals"]),
        "ada": actor("ada", groups=["crystals"]),
        "bob": actor("bob", groups=["crystals"]),
        "eve": actor("eve", groups=["powders"], manages=["powders"], teaches=powders),
        "root": actor("lecturer", admin=True),
    }
    context.identity.groups["crystals"] = [
        GroupMember("lecturer", frozenset({"lecturer"})),
        GroupMember("assistant", frozenset({"manager"})),
        GroupMember("ada"),
        GroupMember("bob"),
    ]
    made.id = (await made.courses.create(made.lecturer, "crystals", "XRD 101"))["id"]
    return made


@pytest.fixture
def now():
    return time.time()
