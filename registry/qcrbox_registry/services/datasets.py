"""Datasets: list, read, change, attach files, download."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.errors import UserInputError

from qcrbox_registry.access import audit
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized, groups, views
from qcrbox_registry.services.calculations import renamed_events
from qcrbox_registry.services.contents import Content
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import LONGEST_DESCRIPTION, LONGEST_NAME, checked_text
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.services.written_cifs import WrittenCifs
from qcrbox_registry.store import calculations, datasets, events, lists, search, tags
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.paging import Page


@dataclass(frozen=True, slots=True)
class DatasetChange:
    """Fields to change; None leaves a field as it is. `group`: a name, "" for none."""

    name: str | None = None
    description: str | None = None
    group: str | None = None
    tags: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """The names of the fields that are given."""
        return [name for name in ("description", "group", "name", "tags") if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True)
class Contents:
    """A dataset for download. `filename`: its name as a file name; created_at: Unix time, s."""

    filename: str
    created_at: float
    files: list[Content]


class DatasetService:
    """Datasets that a person may see or change."""

    def __init__(self, context: Context, uploads: UploadService) -> None:
        self._context, self._uploads = context, uploads
        self._written = WrittenCifs(context)

    async def page(self, actor: Actor, asked: lists.DatasetFilter, page: Page, *, mine: bool = False) -> Json:
        """Datasets the actor may read (or restore), newest first; `mine`: without a right over other people's data."""
        within = reach(actor, "dataset", "restore" if asked.deleted else "read", mine=mine)

        def read(conn: Connection) -> Json:
            found = lists.datasets_page(conn, within, asked, page, time.time())
            rows = datasets.by_ids(conn, found.ids)
            return {"datasets": views.dataset_list(conn, rows), "next": found.next}

        return await self._context.db.read(read)

    async def search(self, actor: Actor, wanted: search.Wanted, page: Page, *, mine: bool = False) -> Json:
        """Datasets the actor may read whose CIFs fit; `mine` as in `page`. Raises UserInputError for an unreadable condition."""
        within = reach(actor, "dataset", mine=mine)

        def read(conn: Connection) -> Json:
            found = search.datasets_page(conn, within, wanted, page, time.time())
            rows = datasets.by_ids(conn, found.ids)
            return {"datasets": views.dataset_list(conn, rows), "next": found.next}

        return await self._context.db.read(read)

    async def get(self, actor: Actor, dataset_id: str) -> Json:
        """A dataset and its files. Raises NotFound."""

        def read(conn: Connection) -> Json:
            return views.dataset_with_files(conn, authorized.dataset(conn, actor, "read", dataset_id))

        return await self._context.db.read(read)

    async def change(self, actor: Actor, dataset_id: str, asked: DatasetChange) -> Json:
        """Change texts, home group or tags; the changed dataset.

        Raises NotFound, NotAllowed, UserInputError, and QuotaExceeded where the new group has no room for it.
        """
        values: dict[str, Any] = {}
        if asked.name is not None:
            values["name"] = checked_text(asked.name, "name", LONGEST_NAME)
        if asked.description is not None:
            values["description"] = checked_text(asked.description, "description", LONGEST_DESCRIPTION)
        if asked.group is not None:
            values["group_id"] = groups.named_group(actor, asked.group)
        new_tags = None if asked.tags is None else [tags.checked(tag) for tag in asked.tags]
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            row = authorized.dataset(conn, actor, "change" if values else "tag", dataset_id)
            renamed: list[events.Event] = []
            if "group_id" in values:
                size = sum(file.size for file in datasets.files_of(conn, [row.id])[row.id])
                before, after = (row.owner_id, row.group_id), (row.owner_id, values["group_id"])
                self._context.quotas.require_move(conn, before, after, size)
            if values:
                datasets.change(conn, row.id, values, now)
            if asked.name is not None and row.calculation_id is not None:
                # A result has one title, whether it is renamed here or as a calculation.
                calculations.rename(conn, row.calculation_id, values["name"])
                renamed = renamed_events(conn, row.calculation_id, now)[:1]
            if new_tags is not None:
                tags.replace(conn, tags.Tagged("dataset", row.id, actor.person_id, now), new_tags)
            entry = audit.entry(actor, "change", now, kind="dataset", object_id=row.id, fields=asked.fields)
            record(conn, [entry])
            changed = datasets.get(conn, row.id)
            return list(events.write(conn, [*renamed, events.about("dataset", changed, now, "changed")]))

        self._context.publish(await self._context.db.write(write))
        shown: Json = (await self._uploads.shown(dataset_id))["datasets"][0]
        return shown

    async def attach(self, actor: Actor, dataset_id: str, file_id: str) -> Json:
        """Put a data file without a dataset into this one. Raises NotFound, NotAllowed, UserInputError, QuotaExceeded."""
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            row = authorized.dataset(conn, actor, "append", dataset_id)
            file = authorized.data_file(conn, actor, "change", file_id)
            if file.dataset_id is not None:
                raise UserInputError(f"{file.filename} is in a dataset already.", where=file.id)
            before, after = (file.owner_id, file.group_id), (row.owner_id, row.group_id)
            self._context.quotas.require_move(conn, before, after, file.size)
            datasets.attach(conn, file.id, row.id, now)
            entry = audit.entry(actor, "attach", now, kind="dataset", object_id=row.id, data_file=file.id)
            record(conn, [entry])
            return list(events.write(conn, [events.about("dataset", row, now, "changed")]))

        self._context.publish(await self._context.db.write(write))
        shown = await self._uploads.shown(dataset_id)
        attached = next(file for file in shown["data_files"] if file["qcrbox_file_id"] == file_id)
        return {**shown, "appended_file": attached}

    async def contents(self, actor: Actor, dataset_id: str, *, written: bool = False) -> Contents:
        """The files of a dataset for download; `written`: CIFs in the spelling of their author. Raises NotFound."""

        def read(conn: Connection) -> tuple[datasets.Dataset, list[datasets.DataFile]]:
            row = authorized.dataset(conn, actor, "read", dataset_id)
            return row, datasets.files_of(conn, [row.id])[row.id]

        row, files = await self._context.db.read(read)
        contents = [
            await self._written.content(actor, file)
            if written
            else Content(file.filename, file.sha256, file.size, self._context.objects.get(file.sha256))
            for file in files
        ]
        return Contents(datasets.safe_name(row.name or row.id), row.created_at, contents)

    async def require_readable(self, actor: Actor, dataset_id: str) -> None:
        """Raises NotFound when the actor may not read the dataset (any more)."""
        await self._context.db.read(lambda conn: authorized.dataset(conn, actor, "read", dataset_id))
