"""Data files: list, read, change, download, verify."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from qcrbox.contract.errors import TooLarge, UserInputError

from qcrbox_registry.access import audit
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized, views
from qcrbox_registry.services.contents import Content, ContentService
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import checked_text
from qcrbox_registry.services.written_cifs import WrittenCifs
from qcrbox_registry.store import datasets, events, lists, tags
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.paging import Page

LONGEST_FILENAME = 1000
LARGEST_DRAWN_BYTES = 20 * 1024 * 1024
# Bytes as they came, the unified form of a CIF, or a result's CIF in the spelling of its author.
FileForm = Literal["original", "unified", "written"]


@dataclass(frozen=True, slots=True)
class DataFileChange:
    """Fields to change; None leaves a field as it is."""

    filename: str | None = None
    tags: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """The names of the fields that are given."""
        return [name for name in ("filename", "tags") if getattr(self, name) is not None]


class DataFileService:
    """Data files that a person may see or change."""

    def __init__(self, context: Context, contents: ContentService) -> None:
        self._context, self._contents = context, contents
        self._written = WrittenCifs(context)

    async def page(self, actor: Actor, asked: lists.DataFileFilter, page: Page) -> Json:
        """Data files the actor may read (or restore), newest first."""
        within = reach(actor, "data_file", "restore" if asked.deleted else "read")

        def read(conn: Connection) -> Json:
            found = lists.data_files_page(conn, within, asked, page, time.time())
            files = datasets.files_by_id(conn, found.ids)
            rows = [files[file_id] for file_id in found.ids]
            return {"data_files": views.data_file_list(conn, rows), "next": found.next}

        return await self._context.db.read(read)

    async def get(self, actor: Actor, file_id: str) -> Json:
        """A data file with the index of a CIF. Raises NotFound."""

        def read(conn: Connection) -> Json:
            return views.data_file_list(conn, [authorized.data_file(conn, actor, "read", file_id)])[0]

        return await self._context.db.read(read)

    async def _row(self, actor: Actor, file_id: str) -> datasets.DataFile:
        return await self._context.db.read(lambda conn: authorized.data_file(conn, actor, "read", file_id))

    async def content(self, actor: Actor, file_id: str, form: FileForm = "original") -> Content:
        """The bytes of a file in a form (see `FileForm`). Raises NotFound, CifError for what has no unified form."""
        row = await self._row(actor, file_id)
        if form == "written":
            return await self._written.content(actor, row)
        sha256, size = await self._contents.unified(row) if form == "unified" else (row.sha256, row.size)
        return Content(row.filename, sha256, size, self._context.objects.get(sha256))

    async def require_readable(self, actor: Actor, file_id: str) -> None:
        """Raises NotFound when the actor may not read the file (any more)."""
        await self._row(actor, file_id)

    async def picture(self, actor: Actor, file_id: str) -> bytes:
        """The structure of a CIF as SVG, drawn in the process of the indexer. Raises NotFound, TooLarge, CifError."""
        row = await self._row(actor, file_id)
        if row.size > LARGEST_DRAWN_BYTES:
            raise TooLarge(f"CIFs up to {LARGEST_DRAWN_BYTES // 1024**2} MiB are drawn.")
        return await self._context.indexer.picture(row.sha256, row.filename)

    async def verify(self, actor: Actor, file_id: str) -> Json:
        """Read the stored bytes and compare their hash. Raises NotFound."""
        row = await self._row(actor, file_id)
        sound, found = await self._contents.verify(row.sha256)
        return {"data_file_id": row.id, "sha256": row.sha256, "found": found, "sound": sound}

    async def change(self, actor: Actor, file_id: str, asked: DataFileChange) -> Json:
        """Change the name or the tags; the changed file. Raises NotFound, NotAllowed, UserInputError."""
        filename = None
        if asked.filename is not None:
            text = checked_text(asked.filename, "file name", LONGEST_FILENAME)
            if not text:
                raise UserInputError("A data file needs a file name.")
            filename = datasets.safe_name(text)
        new_tags = None if asked.tags is None else [tags.checked(tag) for tag in asked.tags]
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            row = authorized.data_file(conn, actor, "change" if filename else "tag", file_id)
            if filename:
                datasets.rename_file(conn, row.id, filename)
            if new_tags is not None:
                tags.replace(conn, tags.Tagged("data_file", row.id, actor.person_id, now), new_tags)
            entry = audit.entry(actor, "change", now, kind="data_file", object_id=row.id, fields=asked.fields)
            record(conn, [entry])
            return list(events.write(conn, [events.about("data_file", row, now, "changed")]))

        self._context.publish(await self._context.db.write(write))
        return await self.get(actor, file_id)
