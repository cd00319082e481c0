"""What persons and groups use now, and what is stored: figures for administrators."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import freed_bytes
from qcrbox_registry.store.tables import (
    data_files,
    file_contents,
    groups,
    loads,
    people,
    sessions,
    storage,
    usage,
)


@dataclass(slots=True)
class Used:
    """What a person or group uses: bytes stored, calculations now, open sessions, processor seconds this month (UTC)."""

    bytes: int = 0
    running: int = 0
    queued: int = 0
    sessions: int = 0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Bytes of a person or group. `gone_at`: when the hub deleted it (Unix time, s)."""

    subject: str
    id: int
    name: str
    bytes: int
    gone_at: float | None


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A present data file."""

    id: str
    filename: str
    size: int
    owner: str
    group: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored. Contents are counted once however many files share them."""

    contents: int
    content_bytes: int
    files: int
    file_bytes: int
    trash_files: int
    trash_bytes: int
    unused_contents: int
    unused_bytes: int
    holders: list[Holder] = field(default_factory=list)
    largest: list[LargeFile] = field(default_factory=list)


def used_by(conn: Connection, subject: str, ids: Sequence[int], now: float) -> dict[int, Used]:
    """The use of these persons or groups; one query per figure however many they are."""
    found = {subject_id: Used() for subject_id in ids}
    if not ids:
        return found

    def rows(query: sa.Select[Any]) -> Iterable[Any]:
        return conn.execute(query)

    def of(table: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [table.c.subject == subject, table.c.subject_id.in_(list(ids))]

    for row in rows(sa.select(storage.c.subject_id, storage.c.bytes).where(*of(storage))):
        found[row.subject_id].bytes = row.bytes
    for subject_id, freed in freed_bytes(conn, subject, ids).items():
        found[subject_id].bytes = max(found[subject_id].bytes - freed, 0)
    counted = sa.select(
        loads.c.subject_id,
        sa.func.sum(loads.c.running).label("running"),
        sa.func.sum(loads.c.queued).label("queued"),
    )
    for row in rows(counted.where(*of(loads)).group_by(loads.c.subject_id)):
        found[row.subject_id].running, found[row.subject_id].queued = int(row.running), int(row.queued)
    whose = sessions.c.owner_id if subject == "person" else sessions.c.group_id
    opened = sa.select(whose.label("whose"), sa.func.count().label("open")).group_by(whose)
    for row in rows(opened.where(whose.in_(list(ids)), sessions.c.closed_at.is_(None))):
        found[row.whose].sessions = row.open
    month = time.strftime("%Y-%m", time.gmtime(now))
    spent = sa.select(usage.c.subject_id, usage.c.cpu_s).where(*of(usage), usage.c.month == month)
    for row in rows(spent):
        found[row.subject_id].cpu_s = row.cpu_s
    return found


def ids_of(conn: Connection, subject: str, names: Sequence[str]) -> dict[str, int]:
    """name -> id of present persons or groups of these names; unknown ones are left out. Of accounts, the newest."""
    table = people if subject == "person" else groups
    query = sa.select(table.c.name, table.c.id).where(
        table.c.name.in_(list(names)), table.c.gone_at.is_(None)
    )
    if subject == "person":
        query = query.where(people.c.kind == "person")
    return {row.name: row.id for row in conn.execute(query.order_by(table.c.id))}


def open_sessions(conn: Connection) -> int:
    """How many interactive sessions are open."""
    count: int = conn.execute(
        sa.select(sa.func.count()).select_from(sessions).where(sessions.c.closed_at.is_(None))
    ).scalar_one()
    return count


def stored(conn: Connection, most: int) -> Stored:
    """Totals, the `most` persons and groups with the most bytes, and the `most` largest files."""
    present = data_files.c.deleted_at.is_(None)
    in_trash = data_files.c.deleted_at.isnot(None) & data_files.c.purged_at.is_(None)
    kept = file_contents.c.state != "removed"
    unused = kept & (file_contents.c.refcount == 0)
    return Stored(
        *_sum(conn, file_contents, kept),
        *_sum(conn, data_files, present),
        *_sum(conn, data_files, in_trash),
        *_sum(conn, file_contents, unused),
        holders=holders(conn, HolderFilter(), Cut(limit=most))[0],
        largest=files(conn, FileFilter(), Cut(limit=most))[0],
    )


def _sum(conn: Connection, table: sa.Table, where: sa.ColumnElement[bool]) -> tuple[int, int]:
    query = (
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(table.c.size), 0))
        .select_from(table)
        .where(where)
    )
    row = conn.execute(query).one()
    return int(row[0]), int(row[1])


@dataclass(frozen=True, slots=True)
class HolderFilter:
    """subject: person, group or application; "" for all. gone: of deleted groups and accounts alone."""

    subject: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Names of the owner and of the home group, "" for all."""

    owner: str = ""
    group: str = ""


def holders(conn: Connection, asked: HolderFilter, cut: Cut) -> tuple[list[Holder], int]:
    """Persons and groups with stored bytes, and how many there are in all."""
    source = storage.outerjoin(
        people, sa.and_(storage.c.subject == "person", people.c.id == storage.c.subject_id)
    ).outerjoin(groups, sa.and_(storage.c.subject == "group", groups.c.id == storage.c.subject_id))
    subject = sa.case((people.c.kind == "application", "application"), else_=storage.c.subject)
    name = sa.func.coalesce(people.c.name, groups.c.name, "")
    gone_at = sa.func.coalesce(people.c.gone_at, groups.c.gone_at)
    where: list[sa.ColumnElement[bool]] = [storage.c.bytes > 0]
    if cut.text:
        where.append(name.icontains(cut.text, autoescape=True))
    if asked.subject:
        where.append(subject == asked.subject)
    if asked.gone:
        where.append(gone_at.isnot(None))
    columns = {"bytes": storage.c.bytes, "name": name, "subject": subject, "gone_at": gone_at}
    query = sa.select(subject, storage.c.subject_id, name, storage.c.bytes, gone_at).select_from(source)
    ordered = query.where(*where).order_by(*cut.order(columns, storage.c.subject, storage.c.subject_id))
    count = sa.select(sa.func.count()).select_from(source).where(*where)
    rows = conn.execute(ordered.limit(cut.limit).offset(cut.offset))
    return [Holder(*row) for row in rows], int(conn.execute(count).scalar_one())


def files(conn: Connection, asked: FileFilter, cut: Cut) -> tuple[list[LargeFile], int]:
    """Present data files, and how many there are in all."""
    source = data_files.join(people, people.c.id == data_files.c.owner_id).outerjoin(
        groups, groups.c.id == data_files.c.group_id
    )
    where: list[sa.ColumnElement[bool]] = [data_files.c.deleted_at.is_(None)]
    if cut.text:
        where.append(data_files.c.filename.icontains(cut.text, autoescape=True))
    if asked.owner:
        where.append(people.c.name == asked.owner)
    if asked.group:
        where.append(groups.c.name == asked.group)
    columns = {
        "bytes": data_files.c.size,
        "name": data_files.c.filename,
        "owner": people.c.name,
        "group": groups.c.name,
        "created_at": data_files.c.created_at,
    }
    shown = (data_files.c.id, data_files.c.filename, data_files.c.size, people.c.name, groups.c.name)
    query = sa.select(*shown, data_files.c.created_at).select_from(source).where(*where)
    ordered = query.order_by(*cut.order(columns, data_files.c.id)).limit(cut.limit).offset(cut.offset)
    count = sa.select(sa.func.count()).select_from(source).where(*where)
    return [LargeFile(*row) for row in conn.execute(ordered)], int(conn.execute(count).scalar_one())
