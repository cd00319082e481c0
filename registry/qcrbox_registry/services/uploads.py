"""From bytes that arrive to files that are there: store, look at the CIF, write the rows, tell."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from qcrbox.contract.errors import QcError, TooLarge, Unreachable, UserInputError
from qcrbox.waiting import within
from sqlalchemy.engine import Connection

from qcrbox_registry.access import audit
from qcrbox_registry.access.quota import QuotaHeadroom
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.core import Core
from qcrbox_registry.store import contents, datasets, events, people, shares
from qcrbox_registry.store.datasets import NewDataset, NewFile

# Small CIFs are looked at before the answer, so that a search right after finds them.
PATIENCE_S = 3.0
PATIENT_BYTES = 2 * 1024 * 1024
EVERYTHING = QuotaHeadroom()
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Stored:
    """Bytes in the object store, with the name they came under."""

    filename: str
    sha256: str
    size: int
    index: dict[str, Any] | None = None


class UploadService:
    """Uploads into the store. One per registry."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._background: set[asyncio.Task] = set()

    async def store(
        self,
        chunks: AsyncIterable[bytes],
        filename: str,
        *,
        sha256: str | None = None,
        headroom: QuotaHeadroom = EVERYTHING,
    ) -> Stored:
        """Store bytes as they arrive.

        Raises TooLarge, QuotaExceeded (`headroom`), StorageFull, Conflict (hash), and what the stream raises; then nothing is kept.
        """
        most = self._core.settings.largest_file_bytes
        name = datasets.safe_name(filename)
        digest, size = await self._core.objects.put(_bounded(chunks, most, headroom), sha256=sha256)
        before = await self._core.db.write(lambda conn: contents.add(conn, digest, size, time.time()))
        if before == "removing" or (before == "removed" and await self._core.objects.info(digest) is None):
            # The same bytes were just being removed after their last owner deleted them.
            raise Unreachable(
                "The file could not be stored at this moment.", next="Send it again.", part="files"
            )
        return Stored(name, digest, size)

    async def look(self, stored: Stored) -> None:
        """Fill in the index of a small CIF, if that does not take long."""
        if _may_be_cif(stored.filename) and stored.size <= PATIENT_BYTES:
            with contextlib.suppress(TimeoutError):
                stored.index = await within(
                    self._core.indexer.index(stored.sha256, stored.size, stored.filename), PATIENCE_S
                )

    # ------------------------------------------------------------ rows

    async def new_dataset(
        self, actor: Actor, files: list[Stored], *, name: str, description: str, group_id: int | None
    ) -> str:
        """A dataset of these files; its id. Raises QuotaExceeded."""
        dataset = NewDataset(actor.person_id, name=name, description=description, group_id=group_id)
        new = [_new(file) for file in files]

        def write(conn: Connection) -> list[events.Event]:
            now = time.time()
            self._require_space(conn, actor.person_id, group_id, new)
            datasets.add_dataset(conn, dataset, new, now)
            people.remember_group(conn, actor.person_id, group_id)
            audit.record(
                conn, [audit.entry(actor, "upload", now, kind="dataset", object_id=dataset.id, name=name)]
            )
            return list(
                events.write(conn, [_event("dataset", dataset.id, now, actor.person_id, group_id, "created")])
            )

        self._core.publish(await self._core.db.write(write))
        self.look_later(new)
        return dataset.id

    async def new_file(self, actor: Actor, file: Stored, *, group_id: int | None) -> str:
        """A data file without a dataset; its id. Raises QuotaExceeded."""
        new = _new(file)

        def write(conn: Connection) -> list[events.Event]:
            now = time.time()
            self._require_space(conn, actor.person_id, group_id, [new])
            datasets.add_files(conn, [new], owner_id=actor.person_id, group_id=group_id, now=now)
            audit.record(
                conn,
                [audit.entry(actor, "upload", now, kind="data_file", object_id=new.id, name=new.filename)],
            )
            return list(
                events.write(conn, [_event("data_file", new.id, now, actor.person_id, group_id, "created")])
            )

        self._core.publish(await self._core.db.write(write))
        self.look_later([new])
        return new.id

    async def append(self, actor: Actor, dataset_id: str, file: Stored) -> str:
        """Add a file to a dataset; its id. Raises NotFound, NotAllowed, QuotaExceeded."""
        new = _new(file)

        def write(conn: Connection) -> list[events.Event]:
            now = time.time()
            row = shares.dataset(conn, actor, "append", dataset_id)
            self._require_space(conn, row.owner_id, row.group_id, [new])
            datasets.add_files(
                conn, [new], owner_id=row.owner_id, group_id=row.group_id, dataset_id=row.id, now=now
            )
            audit.record(
                conn,
                [audit.entry(actor, "append", now, kind="dataset", object_id=row.id, name=new.filename)],
            )
            return list(
                events.write(conn, [_event("dataset", row.id, now, row.owner_id, row.group_id, "changed")])
            )

        self._core.publish(await self._core.db.write(write))
        self.look_later([new])
        return new.id

    async def headroom(self, actor: Actor, group_id: int | None = None) -> QuotaHeadroom:
        """What the actor may still store, in this home group."""
        return await self._core.db.read(
            lambda conn: self._core.quotas.headroom(conn, actor.person_id, group_id)
        )

    def _require_space(
        self, conn: Connection, owner_id: int, group_id: int | None, new: list[NewFile]
    ) -> None:
        more = sum(file.size for file in new) / 1024**3
        self._core.quotas.require(conn, owner_id, group_id, "gib", more)

    # ------------------------------------------------------------ later

    def look_later(self, new: list[NewFile]) -> None:
        """Index in the background what is not indexed yet."""
        for file in new:
            if file.index is None and _may_be_cif(file.filename):
                task = asyncio.create_task(self._index(file.id, file.sha256, file.size, file.filename))
                self._background.add(task)
                task.add_done_callback(self._background.discard)

    async def _index(self, file_id: str, sha256: str, size: int, filename: str) -> None:
        try:
            index = await self._core.indexer.index(sha256, size, filename)
            if index is not None:
                await self._core.db.write(lambda conn: datasets.put_index(conn, file_id, index, time.time()))
        except QcError as error:
            log.warning("cif_not_indexed", data_file=file_id, error=error.message)

    async def unified(self, row: Any) -> tuple[str, int]:
        """(SHA-256, size) of the unified form of a data file; made on first use. Raises CifError."""
        if row.unified_sha256 is not None:
            size = await self._core.db.read(lambda conn: contents.size_of(conn, row.unified_sha256))
            return row.unified_sha256, size
        sha256, size = await self._core.indexer.unify(row.sha256, row.filename)

        def write(conn: Connection) -> None:
            contents.add(conn, sha256, size, time.time(), references=1)
            datasets.set_unified(conn, row.id, sha256)

        await self._core.db.write(write)
        return sha256, size

    async def close(self) -> None:
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


def _may_be_cif(filename: str) -> bool:
    return datasets.filetype_of(filename) in ("cif", "fcf")


def _new(file: Stored) -> NewFile:
    return NewFile(file.filename, file.sha256, file.size, index=file.index)


def _event(
    kind: str, object_id: str, now: float, owner_id: int, group_id: int | None, status: str
) -> events.Event:
    return events.Event(kind, object_id, now, status=status, owner_id=owner_id, group_id=group_id)


async def _bounded(chunks: AsyncIterable[bytes], most: int, headroom: QuotaHeadroom) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        headroom.require(size)
        if size > most:
            raise TooLarge(f"The file is larger than {most / 1024**3:g} GiB, the most this registry takes.")
        yield chunk


def checked_text(text: str, what: str, most: int) -> str:
    """A name or description from outside. Raises UserInputError."""
    if len(text) > most:
        raise UserInputError(f"The {what} is longer than {most} characters.")
    if "\x00" in text:
        raise UserInputError(f"The {what} has a NUL character in it.")
    return text.strip()
