"""The shelf of a course: files that its members read."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import course_items, data_files, new_id


@dataclass(frozen=True, slots=True)
class Item:
    """A row of `course_items` with its file. Times: Unix time, s; None: no limit."""

    id: str
    course_id: str
    title: str
    data_file_id: str
    for_lecturers: bool
    opens_at: float | None
    closes_at: float | None
    at: float
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class NewItem:
    """What a lecturer puts on the shelf."""

    title: str
    data_file_id: str
    for_lecturers: bool = False
    opens_at: float | None = None
    closes_at: float | None = None


_items = Records(
    Item,
    course_items,
    {name: data_files.c[name] for name in ("filename", "sha256", "size")},
    course_items.join(data_files, data_files.c.id == course_items.c.data_file_id),
)


def add(conn: Connection, course_id: str, new: NewItem, by_id: int, now: float) -> str:
    """The id of the new item; its file belongs to the site."""
    row = {
        "id": new_id(),
        "course_id": course_id,
        "title": new.title,
        "data_file_id": new.data_file_id,
        "for_lecturers": new.for_lecturers,
        "opens_at": new.opens_at,
        "closes_at": new.closes_at,
        "by_id": by_id,
        "at": now,
    }
    conn.execute(sa.insert(course_items).values(row))
    return str(row["id"])


def get(conn: Connection, item_id: str) -> Item:
    """Raises NotFound."""
    found = _items.by_key(conn, item_id)
    if found is None:
        raise NotFound(f"There is no item {item_id[:64]!r} on the shelf.")
    return found


def of_course(conn: Connection, course_id: str) -> list[Item]:
    """The items of a course, by title."""
    query = _items.select.where(course_items.c.course_id == course_id)
    return _items.all(conn, query.order_by(course_items.c.title, course_items.c.id))


def remove(conn: Connection, item_id: str) -> None:
    """Take an item from the shelf."""
    conn.execute(sa.delete(course_items).where(course_items.c.id == item_id))
