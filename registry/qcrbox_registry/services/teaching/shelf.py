"""The shelf of a course: read-only files for its members, some for the staff only, some for a time."""

from __future__ import annotations

import time
from dataclasses import replace

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized
from qcrbox_registry.services.contents import Content
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.teaching import access
from qcrbox_registry.services.texts import checked_text
from qcrbox_registry.store import datasets
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses, items
from qcrbox_registry.store.teaching.items import Item, NewItem

MOST_ITEMS = 500
TAKEN_DOWN = 1.0  # the next sweep frees the contents


def is_open(item: Item, now: float) -> bool:
    """Whether students see it at this time, Unix time, s."""
    if item.for_lecturers:
        return False
    return (item.opens_at is None or item.opens_at <= now) and (
        item.closes_at is None or now < item.closes_at
    )


def shown(item: Item) -> Json:
    """An item as answers show it."""
    return {
        "id": item.id,
        "title": item.title,
        "filename": item.filename,
        "size": item.size,
        "for_lecturers": item.for_lecturers,
        "opens_at": iso(item.opens_at),
        "closes_at": iso(item.closes_at),
    }


class ShelfService:
    """Puts files on the shelf of a course, lists and sends them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, actor: Actor, course_id: str) -> list[Json]:
        """The items; students see those that are open to them. Raises NotFound."""
        now = time.time()

        def read(conn: Connection) -> list[Json]:
            course = access.course(conn, actor, "read", course_id)
            staff = access.is_staff(actor, course.group_id)
            return [shown(each) for each in items.of_course(conn, course.id) if staff or is_open(each, now)]

        return await self._context.db.read(read)

    async def add(self, actor: Actor, course_id: str, new: NewItem) -> Json:
        """Put a copy of a file of the lecturer's on the shelf. Raises NotFound, NotAllowed, UserInputError."""
        now = time.time()
        title = checked_text(new.title, "title", 200)
        if new.opens_at is not None and new.closes_at is not None and new.closes_at <= new.opens_at:
            raise UserInputError("closes_at must be after opens_at.")

        def write(conn: Connection) -> Json:
            course = access.course(conn, actor, "teach", course_id)
            access.require_active(course)
            if len(items.of_course(conn, course.id)) >= MOST_ITEMS:
                raise UserInputError(
                    f"A shelf holds at most {MOST_ITEMS} items.", next="Take one down first."
                )
            row = authorized.data_file(conn, actor, "read", new.data_file_id)
            kept = datasets.NewFile(row.filename, row.sha256, row.size)
            datasets.add_files(conn, [kept], datasets.Place(courses.site_account(conn, now)), now)
            wanted = replace(new, title=title or row.filename, data_file_id=kept.id)
            item_id = items.add(conn, course.id, wanted, actor.person_id, now)
            entry = audit.entry(actor, "shelve", now, kind="course", object_id=course.id, item=item_id)
            record(conn, [entry])
            return shown(items.get(conn, item_id))

        return await self._context.db.write(write)

    async def remove(self, actor: Actor, course_id: str, item_id: str) -> None:
        """Take an item down. Raises NotFound, NotAllowed."""
        now = time.time()

        def write(conn: Connection) -> None:
            course = access.course(conn, actor, "teach", course_id)
            access.require_active(course)
            item = _of(conn, course.id, item_id)
            items.remove(conn, item.id)
            datasets.retire_file(conn, item.data_file_id, TAKEN_DOWN)
            entry = audit.entry(actor, "take down", now, kind="course", object_id=course.id, item=item.id)
            record(conn, [entry])

        await self._context.db.write(write)

    async def content(self, actor: Actor, course_id: str, item_id: str) -> Content:
        """The file of an item. Raises NotFound, also for what a student may not see (yet, or any more)."""
        now = time.time()

        def read(conn: Connection) -> Item:
            course = access.course(conn, actor, "read", course_id)
            item = _of(conn, course.id, item_id)
            if not is_open(item, now) and not access.is_staff(actor, course.group_id):
                raise NotFound(f"There is no item {item_id[:64]!r} on the shelf.")
            return item

        found = await self._context.db.read(read)
        return Content(found.filename, found.sha256, found.size, self._context.objects.get(found.sha256))


def _of(conn: Connection, course_id: str, item_id: str) -> Item:
    found = items.get(conn, item_id)
    if found.course_id != course_id:
        raise NotFound(f"There is no item {item_id[:64]!r} on the shelf.")
    return found
