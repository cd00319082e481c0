"""Courses: groups of the hub with a title."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict
from sqlalchemy.engine import Connection

from qcrbox_registry.store import people
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import courses, groups, new_id

SITE_ACCOUNT = "teaching"


@dataclass(frozen=True, slots=True)
class Course:
    """A row of `courses` with the name of its group. Times: Unix time, s."""

    id: str
    group_id: int
    group: str
    title: str
    created_by: int
    created_at: float
    archived_at: float | None


_courses = Records(
    Course, courses, {"group": groups.c.name}, courses.join(groups, groups.c.id == courses.c.group_id)
)


def create(conn: Connection, group_id: int, title: str, by_id: int, now: float) -> str:
    """The id of the new course of a group. Raises Conflict when the group has one."""
    there = conn.execute(sa.select(courses.c.title).where(courses.c.group_id == group_id)).scalar()
    if there is not None:
        raise Conflict(
            f"This group has the course {there!r} already.", next="Use that course, or another group."
        )
    row = {"id": new_id(), "group_id": group_id, "title": title, "created_by": by_id, "created_at": now}
    conn.execute(sa.insert(courses).values(row))
    return str(row["id"])


def get(conn: Connection, course_id: str) -> Course:
    """Raises NotFound."""
    return _courses.require(conn, course_id, "course")


def of_groups(conn: Connection, group_ids: Iterable[int] | None) -> list[Course]:
    """The courses of these groups (None: of all), by title."""
    query = _courses.select.order_by(courses.c.title, courses.c.id)
    if group_ids is not None:
        query = query.where(courses.c.group_id.in_(sorted(group_ids)))
    return _courses.all(conn, query)


def change(conn: Connection, course_id: str, **values: object) -> None:
    """Set title or archived_at."""
    conn.execute(sa.update(courses).where(courses.c.id == course_id).values(values))


def site_account(conn: Connection, now: float) -> int:
    """The account that owns the data of exercises and what was collected: no person can delete them."""
    return people.ensure_person(conn, SITE_ACCOUNT, "site", now, kind="site")
