"""Limits that administrators set, and how much of each quota persons and groups use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.tables import (
    calculation_outputs,
    courses,
    data_files,
    exercise_calculations,
    exercise_people,
    exercises,
    groups,
    loads,
    people,
    quotas,
    sessions,
    storage,
    usage,
)

GIB = 1024**3
Subject = tuple[str, int]  # ("person" | "group", id)


@dataclass(frozen=True, slots=True)
class SetLimit:
    """A limit that an administrator set, with the name of the person or group ("" for the defaults)."""

    subject: str
    subject_id: int
    quota: str
    limit: float
    name: str


def used(conn: Connection, subject: str, subject_id: int, quota: str) -> float:
    """How much of a quota a person or group uses now.

    CPU hours: of calculations that ended in this month (UTC), the time from start to end, times the processors that
    their application declares (one when it declares none), whether the program kept them busy or not.
    """
    if quota == "gib":
        freed = freed_bytes(conn, subject, [subject_id]).get(subject_id, 0)
        return max(_stored_bytes(conn, subject, subject_id) - freed, 0) / GIB
    if quota in ("running", "queued"):
        return _load(conn, subject, subject_id, quota)
    if quota == "sessions":
        return _open_sessions(conn, subject, subject_id)
    return _processor_s(conn, subject, subject_id) / 3600


def _stored_bytes(conn: Connection, subject: str, subject_id: int) -> int:
    query = sa.select(storage.c.bytes).where(storage.c.subject == subject, storage.c.subject_id == subject_id)
    return conn.execute(query).scalar() or 0


def freed_bytes(conn: Connection, subject: str, ids: Sequence[int]) -> dict[int, int]:
    """Bytes of these persons or groups that do not count: their work in courses while those are archived.

    That is the copies of the exercises' data and the outputs of the exercises' calculations, made before the course was
    archived: what is added later counts. It is worked out when it is asked for, so nothing that is deleted, moved or
    restored meanwhile can make it wrong.
    """
    of_courses = exercise_people.join(exercises, exercises.c.id == exercise_people.c.exercise_id).join(
        courses, courses.c.id == exercises.c.course_id
    )
    copies = of_courses.join(data_files, data_files.c.dataset_id == exercise_people.c.dataset_id)
    made = of_courses.join(
        exercise_calculations,
        sa.and_(
            exercise_calculations.c.exercise_id == exercise_people.c.exercise_id,
            exercise_calculations.c.person_id == exercise_people.c.person_id,
        ),
    )
    outputs = made.join(
        calculation_outputs, calculation_outputs.c.calculation_id == exercise_calculations.c.calculation_id
    ).join(data_files, data_files.c.id == calculation_outputs.c.data_file_id)
    whose = data_files.c.owner_id if subject == "person" else data_files.c.group_id
    where = [
        whose.in_(list(ids)),
        data_files.c.owner_id == exercise_people.c.person_id,
        data_files.c.deleted_at.is_(None),
        data_files.c.created_at
        <= courses.c.archived_at,  # no row for an active course: NULL compares with nothing
    ]
    if subject == "person":
        where.append(exercise_people.c.person_id.in_(list(ids)))
    columns = (data_files.c.id, whose.label("whose"), data_files.c.size)
    # A file of two exercises counts once.
    each = sa.union(*(sa.select(*columns).select_from(source).where(*where) for source in (copies, outputs)))
    files = each.subquery()
    query = sa.select(files.c.whose, sa.func.sum(files.c.size).label("bytes")).group_by(files.c.whose)
    return {row.whose: int(row.bytes) for row in conn.execute(query)}


# Built once: each submission asks for the load of its person and its group.
_loads = {
    column: sa.select(sa.func.sum(loads.c[column])).where(
        loads.c.subject == sa.bindparam("_subject", type_=sa.String),
        loads.c.subject_id == sa.bindparam("_id", type_=sa.Integer),
    )
    for column in ("running", "queued")
}


def _load(conn: Connection, subject: str, subject_id: int, column: str) -> float:
    return float(conn.execute(_loads[column], {"_subject": subject, "_id": subject_id}).scalar() or 0)


def _open_sessions(conn: Connection, subject: str, subject_id: int) -> float:
    whose = sessions.c.owner_id if subject == "person" else sessions.c.group_id
    query = sa.select(sa.func.count()).where(whose == subject_id, sessions.c.closed_at.is_(None))
    return float(conn.execute(query).scalar_one())


def _processor_s(conn: Connection, subject: str, subject_id: int) -> float:
    query = sa.select(usage.c.cpu_s).where(
        usage.c.subject == subject,
        usage.c.subject_id == subject_id,
        usage.c.month == time.strftime("%Y-%m", time.gmtime()),
    )
    return conn.execute(query).scalar() or 0.0


def limits(conn: Connection) -> dict[tuple[str, int, str], float]:
    """(subject, id, quota) -> limit, of every limit that is set."""
    return {(row.subject, row.subject_id, row.quota): row.limit for row in conn.execute(sa.select(quotas))}


@dataclass(frozen=True, slots=True)
class NewLimit:
    """A limit to set; None goes back to the default."""

    subject: str
    subject_id: int
    quota: str
    limit: float | None


def set_limit(conn: Connection, new: NewLimit, by_id: int, now: float) -> None:
    """Set a limit, or go back to the default."""
    if new.limit is None:
        conn.execute(
            sa.delete(quotas).where(
                quotas.c.subject == new.subject,
                quotas.c.subject_id == new.subject_id,
                quotas.c.quota == new.quota,
            )
        )
        return
    row = {"subject": new.subject, "subject_id": new.subject_id, "quota": new.quota}
    values = {"limit": new.limit, "by_id": by_id, "at": now}
    statement = upsert(conn, quotas).values(**row, **values)
    conn.execute(
        statement.on_conflict_do_update(index_elements=["subject", "subject_id", "quota"], set_=values)
    )


@dataclass(frozen=True, slots=True)
class LimitFilter:
    """name: the whole name (None: any). subject: person, group, default-person, default-group, or own: of a person or
    group; "": any."""

    subject: str = ""
    name: str | None = None
    quota: str = ""


def listed(conn: Connection, asked: LimitFilter, cut: Cut) -> tuple[list[SetLimit], int]:
    """Limits that are set, with names, and how many there are in all."""
    source = quotas.outerjoin(
        people, sa.and_(quotas.c.subject == "person", people.c.id == quotas.c.subject_id)
    ).outerjoin(groups, sa.and_(quotas.c.subject == "group", groups.c.id == quotas.c.subject_id))
    name = sa.func.coalesce(people.c.name, groups.c.name, "")
    where: list[sa.ColumnElement[bool]] = []
    if cut.text:
        where.append(name.icontains(cut.text, autoescape=True))
    if asked.subject == "own":
        where.append(quotas.c.subject.in_(["person", "group"]))
    elif asked.subject:
        where.append(quotas.c.subject == asked.subject)
    if asked.name is not None:
        where.append(name == asked.name)
    if asked.quota:
        where.append(quotas.c.quota == asked.quota)
    columns = {"name": name, "subject": quotas.c.subject, "quota": quotas.c.quota, "limit": quotas.c.limit}
    shown = (quotas.c.subject, quotas.c.subject_id, quotas.c.quota, quotas.c.limit, name)
    query = sa.select(*shown).select_from(source).where(*where)
    keys = (quotas.c.subject, quotas.c.subject_id, quotas.c.quota)
    ordered = query.order_by(*cut.order(columns, *keys)).limit(cut.limit).offset(cut.offset)
    count = sa.select(sa.func.count()).select_from(source).where(*where)
    return [SetLimit(*row) for row in conn.execute(ordered)], int(conn.execute(count).scalar_one())
