"""Marks of tasks, and notes of the staff to students."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import exercise_marks, exercise_notes, new_id, people

_KEYS = ["exercise_id", "person_id", "task_id"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of `exercise_marks`. points given by a person count instead of the automatic ones."""

    exercise_id: str
    person_id: int
    task_id: str
    snapshot_id: str | None
    automatic: float | None
    words: str
    points: float | None
    comment: str
    criteria: list[dict[str, Any]] | None  # text, points, met: of the rubric as it was when they were given
    at: float

    @property
    def counts(self) -> float | None:
        """The points of the task; None while a person has to decide."""
        return self.automatic if self.points is None else self.points


_marks = Records(Mark, exercise_marks)


def of_exercise(
    conn: Connection, exercise_id: str, person_id: int | None = None
) -> dict[int, dict[str, Mark]]:
    """person id -> task id -> mark."""
    query = _marks.select.where(exercise_marks.c.exercise_id == exercise_id)
    if person_id is not None:
        query = query.where(exercise_marks.c.person_id == person_id)
    found: dict[int, dict[str, Mark]] = {}
    for mark in _marks.all(conn, query):
        found.setdefault(mark.person_id, {})[mark.task_id] = mark
    return found


def put(conn: Connection, exercise_id: str, person_id: int, task_id: str, **values: Any) -> None:
    """Set fields of a mark; the others stay."""
    row = {"exercise_id": exercise_id, "person_id": person_id, "task_id": task_id, **values}
    statement = upsert(conn, exercise_marks).values(row)
    conn.execute(statement.on_conflict_do_update(index_elements=_KEYS, set_=values))


# ---------------------------------------------------------------- notes


@dataclass(frozen=True, slots=True)
class Note:
    """A note of the staff; person_id None: to everyone."""

    id: str
    person_id: int | None
    text: str
    by: str
    at: float


_notes = Records(
    Note,
    exercise_notes,
    {"by": people.c.name},
    exercise_notes.join(people, people.c.id == exercise_notes.c.by_id),
)


def add_note(
    conn: Connection, exercise_id: str, person_id: int | None, text: str, by_id: int, now: float
) -> str:
    """The id of a new note."""
    note_id = new_id()
    conn.execute(
        sa.insert(exercise_notes).values(
            id=note_id, exercise_id=exercise_id, person_id=person_id, text=text, by_id=by_id, at=now
        )
    )
    return note_id


def notes(conn: Connection, exercise_id: str, person_id: int | None = None) -> list[Note]:
    """The notes of an exercise, newest first; of one person: those to them and to everyone."""
    query = _notes.select.where(exercise_notes.c.exercise_id == exercise_id)
    if person_id is not None:
        query = query.where(
            sa.or_(exercise_notes.c.person_id == person_id, exercise_notes.c.person_id.is_(None))
        )
    return _notes.all(conn, query.order_by(exercise_notes.c.at.desc(), exercise_notes.c.id.desc()).limit(100))
