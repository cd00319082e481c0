"""Booked times of courses: places of the site that are kept for a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import course_bookings, courses, exercise_people, exercises, new_id


@dataclass(frozen=True, slots=True)
class Booking:
    """A row of `course_bookings` with the group of its course. Times: Unix time, s."""

    id: str
    course_id: str
    group_id: int
    starts_at: float
    ends_at: float
    students: int
    windows: int
    places: int
    applications: list[str]
    rehearsal: dict[str, Any] | None
    created_at: float
    cancelled_at: float | None


@dataclass(frozen=True, slots=True)
class NewBooking:
    """A booking before it is written. Times: Unix time, s."""

    starts_at: float
    ends_at: float
    students: int
    windows: int
    places: int
    applications: Sequence[str]


_bookings = Records(
    Booking,
    course_bookings,
    {"group_id": courses.c.group_id},
    course_bookings.join(courses, courses.c.id == course_bookings.c.course_id),
)
_valid = course_bookings.c.cancelled_at.is_(None)


def add(conn: Connection, course_id: str, new: NewBooking, by_id: int, now: float) -> str:
    """The id of the new booking."""
    row = {
        "id": new_id(),
        "course_id": course_id,
        "starts_at": new.starts_at,
        "ends_at": new.ends_at,
        "students": new.students,
        "windows": new.windows,
        "places": new.places,
        "applications": list(new.applications),
        "created_by": by_id,
        "created_at": now,
    }
    conn.execute(sa.insert(course_bookings).values(row))
    return str(row["id"])


def get(conn: Connection, booking_id: str) -> Booking:
    """Raises NotFound, also for one that was cancelled."""
    found = _bookings.first(conn, _bookings.select.where(course_bookings.c.id == booking_id, _valid))
    if found is None:
        raise NotFound(f"There is no booking {booking_id[:64]!r}.")
    return found


def of_course(conn: Connection, course_id: str) -> list[Booking]:
    """The bookings of a course that were not cancelled, by their start."""
    query = _bookings.select.where(course_bookings.c.course_id == course_id, _valid)
    return _bookings.all(conn, query.order_by(course_bookings.c.starts_at, course_bookings.c.id))


def ending_after(conn: Connection, at: float) -> list[Booking]:
    """The bookings of every course that end later than `at`, by their start; none of an archived course."""
    query = _bookings.select.where(course_bookings.c.ends_at > at, _valid, courses.c.archived_at.is_(None))
    return _bookings.all(conn, query.order_by(course_bookings.c.starts_at, course_bookings.c.id))


def cancel(conn: Connection, booking_id: str, now: float) -> None:
    """Give the places back."""
    conn.execute(
        sa.update(course_bookings).where(course_bookings.c.id == booking_id).values(cancelled_at=now)
    )


def note_rehearsal(conn: Connection, booking_id: str, found: Mapping[str, Any]) -> None:
    """Keep what a rehearsal measured; the newest counts."""
    statement = sa.update(course_bookings).where(course_bookings.c.id == booking_id)
    conn.execute(statement.values(rehearsal=dict(found)))


def people_of(conn: Connection, course_ids: Sequence[str]) -> dict[str, frozenset[int]]:
    """course id -> ids of everyone who opened an exercise of it."""
    if not course_ids:
        return {}
    query = (
        sa.select(exercises.c.course_id, exercise_people.c.person_id)
        .join(exercise_people, exercise_people.c.exercise_id == exercises.c.id)
        .where(exercises.c.course_id.in_(course_ids), exercise_people.c.opened_at.isnot(None))
    )
    found: dict[str, set[int]] = {}
    for row in conn.execute(query):
        found.setdefault(row.course_id, set()).add(row.person_id)
    return {course_id: frozenset(ids) for course_id, ids in found.items()}
