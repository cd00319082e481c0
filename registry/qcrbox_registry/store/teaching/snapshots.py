"""What was submitted or collected. Rows are written once and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import exercise_snapshots, new_id, people


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A row of `exercise_snapshots` with the name of the student. Times: Unix time, s."""

    id: str
    exercise_id: str
    person_id: int
    name: str
    reason: str  # submitted | collected
    at: float
    due_at: float | None
    late: bool
    content: dict[str, Any]
    receipt: str
    notebook_file_id: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class NewSnapshot:
    """A snapshot before it is written."""

    exercise_id: str
    person_id: int
    reason: str
    at: float
    due_at: float | None
    late: bool
    content: Mapping[str, Any]
    receipt: str
    notebook_file_id: str | None
    problem: str
    id: str = field(default_factory=new_id)


_snapshots = Records(
    Snapshot,
    exercise_snapshots,
    {"name": people.c.name},
    exercise_snapshots.join(people, people.c.id == exercise_snapshots.c.person_id),
)


def add(conn: Connection, new: NewSnapshot) -> None:
    """Write a snapshot."""
    row = {name: getattr(new, name) for name in new.__slots__}
    conn.execute(sa.insert(exercise_snapshots).values(**{**row, "content": dict(new.content)}))


def get(conn: Connection, snapshot_id: str) -> Snapshot:
    """Raises NotFound."""
    return _snapshots.require(conn, snapshot_id, "snapshot")


def of_exercise(conn: Connection, exercise_id: str, person_id: int | None = None) -> list[Snapshot]:
    """The snapshots of an exercise, of one student or of all, oldest first."""
    query = _snapshots.select.where(exercise_snapshots.c.exercise_id == exercise_id)
    if person_id is not None:
        query = query.where(exercise_snapshots.c.person_id == person_id)
    return _snapshots.all(conn, query.order_by(exercise_snapshots.c.at, exercise_snapshots.c.id))


def is_collected(conn: Connection, exercise_id: str, person_id: int, due_at: float) -> bool:
    """Whether the work of a student was collected for this deadline (Unix time, s).

    Deadlines move both ways, so each counts by itself. What a lecturer collected before the deadline is not the work of
    the deadline.
    """
    query = sa.select(exercise_snapshots.c.id).where(
        exercise_snapshots.c.exercise_id == exercise_id,
        exercise_snapshots.c.person_id == person_id,
        exercise_snapshots.c.reason == "collected",
        exercise_snapshots.c.due_at == due_at,
        exercise_snapshots.c.at >= due_at,
    )
    return conn.execute(query.limit(1)).first() is not None


def counting(found: list[Snapshot]) -> Snapshot | None:
    """The snapshot that is marked: the newest that was submitted, else the newest that was collected."""
    submitted = [snapshot for snapshot in found if snapshot.reason == "submitted"]
    return (submitted or found)[-1] if found else None
