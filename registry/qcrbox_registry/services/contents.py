"""File contents: stored as they arrive, indexed when they are CIFs, checked, brought into the unified form."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from qcrbox.contract.errors import NotFound, QcError, TooLarge, Unreachable
from qcrbox.waiting import within

from qcrbox_registry.access.quota import QuotaHeadroom
from qcrbox_registry.services.calculations import renamed_events
from qcrbox_registry.services.context import Context
from qcrbox_registry.store import contents, datasets, events, results
from qcrbox_registry.store.datasets import DataFile, NewFile
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.objects import DamagedObject

# Small CIFs are indexed before the answer, so that a search right after finds them.
INDEX_NOW_S = 3.0
INDEX_NOW_BYTES = 2 * 1024 * 1024
UNLIMITED = QuotaHeadroom()
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, its name and hash."""

    filename: str
    sha256: str
    size: int
    chunks: AsyncIterator[bytes]


async def whole(content: bytes) -> AsyncIterator[bytes]:
    """Bytes that are at hand as the chunks that the object store takes and a download sends."""
    yield content


@dataclass(slots=True)
class Stored:
    """Contents in the object store, with the file name they came under."""

    filename: str
    sha256: str
    size: int
    index: dict[str, Any] | None = None
    is_indexing_done: bool = False  # also True for a file without an index because it is not a CIF

    def new_file(self) -> NewFile:
        """A data file with these contents."""
        return NewFile(self.filename, self.sha256, self.size, index=self.index)


class ContentService:
    """Contents of files, before and after they have rows."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def store(
        self,
        chunks: AsyncIterable[bytes],
        filename: str,
        *,
        sha256: str | None = None,
        headroom: QuotaHeadroom = UNLIMITED,
    ) -> Stored:
        """Store bytes as they arrive.

        Raises TooLarge, QuotaExceeded (`headroom`), StorageFull, Conflict (another hash than `sha256`) and what the
        stream raises; then nothing is kept.
        """
        most = self._context.settings.largest_file_bytes
        name = datasets.safe_name(filename)
        objects = self._context.objects
        digest, size = await objects.put(_bounded(chunks, most, headroom), sha256=sha256)
        before = await self._context.db.write(lambda conn: contents.add(conn, digest, size, time.time()))
        if before == "removing" or (before == "removed" and await objects.info(digest) is None):
            # The same bytes are being removed after their last owner deleted them.
            raise Unreachable(
                "The file could not be stored at this moment.", next="Send it again.", part="files"
            )
        return Stored(name, digest, size)

    async def index_now(self, stored: Stored) -> None:
        """Index a small CIF, unless that takes long."""
        if not _may_be_cif(stored.filename):
            stored.is_indexing_done = True
        elif stored.size <= INDEX_NOW_BYTES:
            with contextlib.suppress(TimeoutError):
                stored.index = await within(
                    self._context.indexer.index(stored.sha256, stored.size, stored.filename), INDEX_NOW_S
                )
                stored.is_indexing_done = True

    def index_later(self, files: Sequence[NewFile]) -> None:
        """Index in the background the CIFs that are not indexed yet."""
        for file in files:
            if file.index is None and _may_be_cif(file.filename):
                self._context.background.spawn(self._index(file))

    async def index_left(self, since: float) -> None:
        """Index in the background the CIFs stored since this Unix time (s) that have no index, e.g. after a restart."""
        self.index_later(await self._context.db.read(lambda conn: datasets.unindexed(conn, since)))

    async def _index(self, file: NewFile) -> None:
        """Index every file and output with these contents; titles of the calculations follow."""
        try:
            index = await self._context.indexer.index(file.sha256, file.size, file.filename)
            if index is None:
                return
            row = index

            def write(conn: Connection) -> list[events.Event]:
                now = time.time()
                titled = results.put_index(conn, file.sha256, row, now)
                changed = [event for each in titled for event in renamed_events(conn, each, now)]
                return list(events.write(conn, changed))

            self._context.publish(await self._context.db.write(write))
        except QcError as error:
            log.warning("cif_not_indexed", sha256=file.sha256[:12], error=error.message)

    async def unified(self, file: DataFile) -> tuple[str, int]:
        """(SHA-256, size) of the unified form of a CIF; made on first use. Raises CifError."""
        if file.unified_sha256 is not None:
            known = file.unified_sha256
            return known, await self._context.db.read(lambda conn: contents.size_of(conn, known))
        sha256, size = await self._context.indexer.unify(file.sha256, file.filename)

        def write(conn: Connection) -> None:
            contents.add(conn, sha256, size, time.time())
            datasets.set_unified(conn, file.id, sha256)

        await self._context.db.write(write)
        return sha256, size

    async def verify(self, sha256: str) -> tuple[bool, str | None]:
        """Read stored contents: whether they have their hash, and the hash that was found (None: nothing is stored)."""
        digest = hashlib.sha256()
        found: str | None
        try:
            async for chunk in self._context.objects.get(sha256):
                digest.update(chunk)
            found = digest.hexdigest()
        except DamagedObject:
            found = "damaged"
        except NotFound:
            found = None
        sound = found == sha256
        await self._context.db.write(lambda conn: contents.mark(conn, sha256, sound=sound, now=time.time()))
        return sound, found


def _may_be_cif(filename: str) -> bool:
    return datasets.filetype_of(filename) in datasets.INDEXED_TYPES


async def _bounded(chunks: AsyncIterable[bytes], most: int, headroom: QuotaHeadroom) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        headroom.require(size)
        if size > most:
            raise TooLarge(f"The file is larger than {most / 1024**3:g} GiB, the limit of this registry.")
        yield chunk
