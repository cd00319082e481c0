"""Uploads that survive a cut connection: begin, send pieces, ask how much has arrived, continue."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import Conflict, QuotaExceeded, StorageFull, TooLarge, UserInputError

from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.rights import Actor, Resource, authorize
from qcrbox_registry.services import authorized, groups, views
from qcrbox_registry.services.contents import ContentService, Stored
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import LONGEST_DESCRIPTION, LONGEST_NAME, checked_text
from qcrbox_registry.services.uploads import NewData, UploadService
from qcrbox_registry.store import datasets, uploads
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.quotas import GIB
from qcrbox_registry.store.uploads import NewUpload, Upload

MOST_OPEN = 100  # incomplete uploads of one person
_READ = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Announced:
    """An upload as its request announces it. `group`: a name, "" for none, None for the one used last."""

    filename: str
    size: int
    sha256: str | None
    purpose: str  # data_file | dataset | append
    dataset_id: str | None
    name: str
    description: str
    group: str | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """How many bytes of an upload have arrived; `stored` when they are all there: what became of them."""

    offset: int
    size: int
    stored: Json | None = None


class ResumableUploadService:
    """Incomplete uploads lie as files in the data folder until they are stored."""

    def __init__(self, context: Context, contents: ContentService, uploads: UploadService) -> None:
        self._context, self._contents, self._uploads = context, contents, uploads
        self._busy: set[str] = set()  # a request writes to these

    async def begin(self, actor: Actor, announced: Announced) -> str:
        """Announce an upload; its id.

        Raises TooLarge, UserInputError, QuotaExceeded, StorageFull, NotFound, NotAllowed.
        """
        most = self._context.settings.largest_file_bytes
        if announced.size > most:
            raise TooLarge(f"The file is larger than {most / 1024**3:g} GiB.")
        about = {
            "name": checked_text(announced.name, "name", LONGEST_NAME),
            "description": checked_text(announced.description, "description", LONGEST_DESCRIPTION),
        }

        def write(conn: Connection) -> str:
            group_id = None
            if announced.purpose == "append":
                # The file will be where its dataset is, whatever group the person used last.
                row = authorized.dataset(conn, actor, "append", announced.dataset_id or "")
                self._require_room(conn, actor, announced.size, (row.owner_id, row.group_id))
            else:
                group_id = groups.home_group(conn, actor, announced.group)
                self._require_room(conn, actor, announced.size, (actor.person_id, group_id))
            new = NewUpload(
                owner_id=actor.person_id,
                purpose=announced.purpose,
                filename=datasets.safe_name(announced.filename),
                size=announced.size,
                sha256=announced.sha256,
                target_id=announced.dataset_id,
                group_id=group_id,
                about=about,
            )
            return uploads.begin(conn, new, time.time())

        # The bytes lie in the data folder until they are complete, and are then stored beside.
        self._context.objects.require_room(2 * announced.size)
        upload_id = await self._context.db.write(write)
        self._path(upload_id).touch(mode=0o600)
        return upload_id

    def _require_room(self, conn: Connection, actor: Actor, size: int, place: tuple[int, int | None]) -> None:
        """Raises QuotaExceeded. place: the person and the home group for whom the bytes will count."""
        count = uploads.number_open(conn, actor.person_id)
        if count >= MOST_OPEN:
            raise QuotaExceeded(
                f"You have {count} incomplete uploads.",
                next="Continue them, or cancel some (DELETE).",
                quota="uploads",
                limit=MOST_OPEN,
                used=count,
            )
        for limit, now in self._context.quotas.headroom(conn, *place).limits:
            # Uploads that are under way will need their space too, of the person or of every member of the group.
            announced = uploads.announced(conn, limit.subject, limit.subject_id)
            limit.require(now, (size + announced) / GIB)

    async def find(self, actor: Actor, upload_id: str) -> tuple[Upload, int]:
        """The upload and how many bytes have arrived. Raises NotFound."""
        upload = await self._context.db.read(lambda conn: authorized.upload(conn, actor, "read", upload_id))
        return upload, upload.offset if upload.state != "open" else _size(self._path(upload.id))

    async def shown(self, actor: Actor, upload_id: str) -> Json:
        """How much has arrived, and what became of it."""
        upload, offset = await self.find(actor, upload_id)
        about = {"upload_id": upload.id, "offset": offset, "size": upload.size, "state": upload.state}
        return {**about, **((upload.result or {}).get("stored") or {})}

    async def send(
        self, presence: Presence, upload_id: str, offset: int, chunks: AsyncIterable[bytes]
    ) -> Arrived:
        """Write bytes from `offset` on; the piece that completes the upload stores the file.

        Raises NotFound, Conflict (another offset, another request is sending, another hash), TooLarge, StorageFull,
        and NotAllowed where the person has left the home group since they began.
        """
        upload, _ = await self.find(presence.actor, upload_id)
        if upload.state != "open":
            return Arrived(upload.size, upload.size, await self.shown(presence.actor, upload_id))
        self._take(upload.id)
        try:
            there = _size(self._path(upload.id))
            if offset != there:
                raise Conflict(
                    f"The upload has {there} bytes, not {offset}.",
                    next="Continue from there.",
                    offset=there,
                )
            reached = await _append(self._path(upload.id), chunks, there, upload.size)
            if reached < upload.size:
                await self._context.db.write(
                    lambda conn: uploads.advance(conn, upload.id, reached, time.time())
                )
                return Arrived(reached, upload.size)
            return Arrived(upload.size, upload.size, await self._complete(await presence.now(), upload))
        finally:
            self._busy.discard(upload.id)

    def _take(self, upload_id: str) -> None:
        if upload_id in self._busy:
            raise Conflict(
                "Another request is sending to this upload.", next="Ask for the offset and continue from it."
            )
        self._busy.add(upload_id)

    async def _complete(self, actor: Actor, upload: Upload) -> Json:
        # Begun as a member of the group, perhaps long ago: it must not end in a group the person has left.
        authorize(actor, "complete", Resource("upload", upload.id, upload.owner_id, upload.group_id))
        path = self._path(upload.id)
        try:
            stored = await self._contents.store(_chunks(path), upload.filename, sha256=upload.sha256)
        except Conflict:
            # Bytes with another hash never become the announced ones: the upload starts again.
            path.write_bytes(b"")
            raise
        await self._contents.index_now(stored)
        made = await self._write_rows(actor, upload, stored)
        await self._context.db.write(
            lambda conn: uploads.finish(conn, upload.id, {"stored": made}, time.time())
        )
        path.unlink(missing_ok=True)
        return {**made, **await self._rows_shown(actor, made)}

    async def _write_rows(self, actor: Actor, upload: Upload, stored: Stored) -> Json:
        if upload.purpose == "append" and upload.target_id is not None:
            ids = await self._uploads.append_files(actor, upload.target_id, [stored])
            return {"dataset_id": upload.target_id, "data_file_id": ids[0]}
        about = (upload.result or {}).get("about") or {}
        name, description = about.get("name") or stored.filename, about.get("description", "")
        new = NewData([stored], name, description, upload.group_id)
        if upload.purpose == "data_file":
            return {"data_file_id": (await self._uploads.new_files(actor, new))[0]}
        return {"dataset_id": await self._uploads.new_dataset(actor, new)}

    async def _rows_shown(self, actor: Actor, made: Json) -> Json:
        def read(conn: Connection) -> Json:
            if "dataset_id" not in made:
                file = authorized.data_file(conn, actor, "read", made["data_file_id"])
                return {"data_files": views.data_file_list(conn, [file])}
            dataset = authorized.dataset(conn, actor, "read", made["dataset_id"])
            return views.dataset_with_files(conn, dataset)

        return await self._context.db.read(read)

    async def cancel(self, actor: Actor, upload_id: str) -> None:
        """Forget an upload and the bytes that have arrived. Raises NotFound, Conflict."""
        upload = await self._context.db.read(lambda conn: authorized.upload(conn, actor, "delete", upload_id))
        if upload.id in self._busy:
            raise Conflict("Another request is sending to this upload.", next="Wait until it has ended.")
        await self.drop(upload.id)

    async def drop(self, upload_id: str) -> None:
        """Forget an upload and its bytes."""
        await self._context.db.write(lambda conn: uploads.drop(conn, upload_id))
        self._path(upload_id).unlink(missing_ok=True)

    def _path(self, upload_id: str) -> Path:
        folder = self._context.settings.data / "run" / "uploads"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / upload_id


async def _append(path: Path, chunks: AsyncIterable[bytes], there: int, size: int) -> int:
    """Append to the file; how many bytes it has then. Chunks may end early: what has arrived stays."""
    reached = there
    try:
        with path.open("ab") as file:
            try:
                async for chunk in chunks:
                    reached += len(chunk)
                    if reached > size:
                        raise TooLarge(f"More bytes arrive than the {size} that were announced.")
                    await asyncio.to_thread(file.write, chunk)
            finally:
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise StorageFull("The registry's disk is full.", why=str(error.strerror)) from error
    return min(reached, _size(path))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _READ):
            yield chunk


def checked_sha256(text: str) -> str:
    """Raises UserInputError for a text that is no SHA-256 in hexadecimal digits."""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise UserInputError("sha256 must be 64 hexadecimal digits.")
    return text
