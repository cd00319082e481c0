"""Exercises and their versions, which never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.teaching import Manifest
from sqlalchemy.engine import Connection

from qcrbox_registry.store import datasets
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import courses, exercise_files, exercise_versions, exercises, groups, new_id
from qcrbox_registry.store.teaching.courses import site_account


@dataclass(frozen=True, slots=True)
class Exercise:
    """A row of `exercises` with its course. Times: Unix time, s."""

    id: str
    course_id: str
    group_id: int
    group: str
    course: str
    archived_at: float | None
    title: str
    version: int
    published: bool
    opens_at: float | None
    due_at: float | None
    late_until: float | None
    released_at: float | None
    answers_from_store: bool
    created_at: float
    changed_at: float


_exercises = Records(
    Exercise,
    exercises,
    {
        "group_id": courses.c.group_id,
        "group": groups.c.name,
        "course": courses.c.title,
        "archived_at": courses.c.archived_at,
    },
    exercises.join(courses, courses.c.id == exercises.c.course_id).join(
        groups, groups.c.id == courses.c.group_id
    ),
)


def create(conn: Connection, course_id: str, title: str, by_id: int, now: float) -> str:
    """The id of a new exercise without a version."""
    row = {
        "id": new_id(),
        "course_id": course_id,
        "title": title,
        "version": 0,
        "created_by": by_id,
        "created_at": now,
        "changed_at": now,
    }
    conn.execute(sa.insert(exercises).values(row))
    return str(row["id"])


def get(conn: Connection, exercise_id: str) -> Exercise:
    """Raises NotFound."""
    return _exercises.require(conn, exercise_id, "exercise")


def of_course(conn: Connection, course_id: str) -> list[Exercise]:
    """The exercises of a course, in the order in which they are due."""
    query = _exercises.select.where(exercises.c.course_id == course_id)
    found = _exercises.all(conn, query)
    return sorted(found, key=lambda each: (each.due_at is None, each.due_at or 0.0, each.created_at))


def change(conn: Connection, exercise_id: str, values: Mapping[str, Any], now: float) -> None:
    """Set dates, visibility or release."""
    conn.execute(
        sa.update(exercises).where(exercises.c.id == exercise_id).values(changed_at=now, **dict(values))
    )


def add_version(
    conn: Connection,
    exercise_id: str,
    manifest: Manifest,
    files: Sequence[datasets.NewFile],
    by_id: int,
    now: float,
) -> int:
    """Write a version with its files (owned by the site), notebook included; its number."""
    before: int = conn.execute(
        sa.select(exercises.c.version).where(exercises.c.id == exercise_id)
    ).scalar_one()
    number = before + 1
    datasets.add_files(conn, files, datasets.Place(site_account(conn, now)), now)
    for file in files:
        row = {"exercise_id": exercise_id, "sha256": file.sha256, "data_file_id": file.id}
        conn.execute(upsert(conn, exercise_files).values(row).on_conflict_do_nothing())
    conn.execute(
        sa.insert(exercise_versions).values(
            exercise_id=exercise_id,
            number=number,
            manifest=manifest.model_dump(mode="json"),
            by_id=by_id,
            at=now,
        )
    )
    change(conn, exercise_id, {"version": number, "title": manifest.title}, now)
    return number


def manifest(conn: Connection, exercise_id: str, number: int) -> Manifest:
    """The manifest of a version. Raises NotFound."""
    query = sa.select(exercise_versions.c.manifest).where(
        exercise_versions.c.exercise_id == exercise_id, exercise_versions.c.number == number
    )
    found = conn.execute(query).scalar()
    if found is None:
        raise NotFound(f"The exercise has no version {number}.")
    return Manifest.model_validate(found)


def versions(conn: Connection, exercise_id: str) -> list[tuple[int, float]]:
    """(number, when it was made) of every version, newest first."""
    query = (
        sa.select(exercise_versions.c.number, exercise_versions.c.at)
        .where(exercise_versions.c.exercise_id == exercise_id)
        .order_by(exercise_versions.c.number.desc())
    )
    return [(row.number, row.at) for row in conn.execute(query)]


def with_deadline_before(conn: Connection, now: float) -> list[Exercise]:
    """Published exercises whose deadline has passed."""
    query = _exercises.select.where(
        exercises.c.published.is_(True), exercises.c.due_at <= now, courses.c.archived_at.is_(None)
    )
    return _exercises.all(conn, query)
