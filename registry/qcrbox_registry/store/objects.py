"""File contents by SHA-256, on the stream of a NATS object-store bucket.

The layout is the one of NATS object stores (ADR-20), so `nats object get` and nats-py read it: chunks on
`$O.<bucket>.C.<nuid>`, one meta message on `$O.<bucket>.M.<base64 of the name>`; the name is the hash. Chunks are
stored under a random nuid first, for the hash is known only at the end; the meta message makes them an object.
A crash in between leaves chunks without a meta, which `sweep` removes.

Writing keeps a window of chunks on their way; reading requests chunks in batches of a few MB and requests the
next batch while one is consumed. Memory does not grow with the size of a file.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from nats.errors import Error as NatsError
from nats.js import api
from nats.js.errors import APIError, NotFoundError
from nats.nuid import NUID
from qcrbox.contract.errors import Conflict, NotFound, QcError, StorageFull
from qcrbox.waiting import within

from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.direct_get import StoredMessage, read_batch, read_last
from qcrbox_registry.messaging.publisher import settled, unreachable
from qcrbox_registry.store.disk import DiskRoom

BUCKET = "files"
CHUNK = 256 * 1024
WINDOW = 8
READ_AHEAD = 2 * 1024 * 1024
# The disk is asked for room once for so many chunks.
LOOK_EVERY = 16
ACK_S = 30.0
# Chunks this young without a meta may belong to an upload that another registry process carries out.
SWEEP_AGE_S = 3600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StoredObject:
    """A stored object: hash, size in bytes, and where its chunks are in the stream."""

    sha256: str
    size: int
    nuid: str
    chunks: int


class DamagedObject(QcError):
    """The stored bytes do not have the hash they were stored under."""

    kind = "damaged"


class ObjectStore:
    """Contents by hash on `bus`; full, it refuses with StorageFull.

    `max_bytes` bounds the bucket. `room`: the disk that the contents are written to, where it is one of this machine.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        bucket: str = BUCKET,
        max_bytes: int = -1,
        chunk: int = CHUNK,
        window: int = WINDOW,
        room: DiskRoom | None = None,
    ) -> None:
        self._bus, self._max_bytes, self._room = bus, max_bytes, room
        self._chunk, self._window = chunk, window
        self.stream = f"OBJ_{bucket}"
        self._chunks, self._metas = f"$O.{bucket}.C.", f"$O.{bucket}.M."
        self._nuid = NUID()
        self._bucket = bucket

    async def start(self) -> None:
        """Make the bucket's stream if it is not there."""
        config = api.StreamConfig(
            name=self.stream,
            subjects=[self._chunks + ">", self._metas + ">"],
            max_bytes=self._max_bytes,
            discard=api.DiscardPolicy.NEW,
            storage=api.StorageType.FILE,
            allow_rollup_hdrs=True,
            allow_direct=True,
        )
        try:
            await self._bus.js.stream_info(self.stream)
        except NotFoundError:
            await self._bus.js.add_stream(config)
        else:
            await self._bus.js.update_stream(config)

    # ------------------------------------------------------------ writing

    async def put(
        self, content: AsyncIterable[bytes], *, sha256: str | None = None, most_bytes: int | None = None
    ) -> tuple[str, int]:
        """Store a stream of bytes; returns (SHA-256 in hex, size in bytes). The same bytes are stored once.

        sha256: what it must be; Conflict when it is not. most_bytes: TooLarge is the caller's to raise, so a longer
        stream raises StorageFull. Whatever raises, also the content itself, leaves nothing behind.
        """
        self.require_room()
        nuid = self._nuid.next().decode()
        digest, size, chunks = hashlib.sha256(), 0, 0
        window: deque[asyncio.Future[None]] = deque()
        try:
            async for chunk in _rechunked(content, self._chunk):
                digest.update(chunk)
                size += len(chunk)
                chunks += 1
                if chunks % LOOK_EVERY == 0:
                    self.require_room()
                if most_bytes is not None and size > most_bytes:
                    raise StorageFull(f"The file is larger than {most_bytes} bytes.")
                if len(window) >= self._window:
                    await _acknowledged(window.popleft())
                window.append(await self._send(self._chunks + nuid, chunk))
            stored = StoredObject(digest.hexdigest(), size, nuid, chunks)
            if sha256 is not None and sha256 != stored.sha256:
                raise Conflict(
                    "The bytes that arrived do not have the hash that was announced.",
                    why="The transfer was damaged.",
                    next="Send the file again.",
                )
            there = await self.info(stored.sha256)
            while window:
                await _acknowledged(window.popleft())
            if there is not None:
                await self._purge(nuid)
            else:
                await self._publish_meta(stored)
        except BaseException:
            await asyncio.shield(self._discard(nuid, list(window)))
            raise
        return stored.sha256, size

    def require_room(self, size: int = 0) -> None:
        """Raises StorageFull where the disk has no room for `size` more bytes of contents."""
        if self._room is not None:
            self._room.require(size)

    async def _send(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None
    ) -> asyncio.Future[None]:
        try:
            return await self._bus.publisher.send(subject, payload, headers)
        except NatsError as error:
            raise unreachable() from error

    async def _publish_meta(self, stored: StoredObject) -> None:
        digest = base64.urlsafe_b64encode(bytes.fromhex(stored.sha256)).decode()
        meta = {
            "name": stored.sha256,
            "bucket": self._bucket,
            "nuid": stored.nuid,
            "size": stored.size,
            "chunks": stored.chunks,
            "digest": f"SHA-256={digest}",
            "mtime": datetime.now(UTC).isoformat(),
            "options": {"max_chunk_size": self._chunk},
        }
        # Rollup: of two uploads of the same bytes at the same time the later meta replaces the first one.
        await _acknowledged(
            await self._send(
                self._meta_subject(stored.sha256), json.dumps(meta).encode(), {"Nats-Rollup": "sub"}
            )
        )

    # ------------------------------------------------------------ reading

    async def info(self, sha256: str) -> StoredObject | None:
        """What is stored under this hash, None when nothing is."""
        message = await read_last(self._bus.connection, self.stream, self._meta_subject(sha256))
        return None if message is None else _stored(message.data)

    async def get(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes, chunk by chunk. Raises NotFound, or DamagedObject before the last chunk is given out, so that
        damaged contents never arrive complete."""
        stored = await self.info(sha256)
        if stored is None:
            raise NotFound("The contents of this file are not in the store.", where=sha256[:12])
        digest, size, held = hashlib.sha256(), 0, b""
        async for chunk in self._read_chunks(stored):
            digest.update(chunk)
            size += len(chunk)
            if held:
                yield held
            held = chunk
        if digest.hexdigest() != sha256 or size != stored.size:
            raise DamagedObject(
                "The stored bytes of this file are damaged.",
                where=sha256[:12],
                why="Their hash is not the one they were stored under.",
                next="Restore this file from a backup.",
            )
        if held:
            yield held

    async def _read_chunks(self, stored: StoredObject) -> AsyncIterator[bytes]:
        subject, seen, sequence = self._chunks + stored.nuid, 0, 1
        coming = self._ask(subject, sequence) if stored.chunks else None
        try:
            while coming is not None:
                batch = await coming
                seen += len(batch)
                more = bool(batch) and seen < stored.chunks
                coming = self._ask(subject, batch[-1].sequence + 1) if more else None
                for message in batch:
                    yield message.data
        finally:
            if coming is not None:
                coming.cancel()

    def _ask(self, subject: str, sequence: int) -> asyncio.Task[list[StoredMessage]]:
        return asyncio.create_task(
            read_batch(self._bus.connection, self.stream, subject, sequence, most=64, most_bytes=READ_AHEAD)
        )

    # ------------------------------------------------------------ removing

    async def delete(self, sha256: str) -> bool:
        """Remove an object; False when it was not there. A reader that is under way gets DamagedObject."""
        stored = await self.info(sha256)
        if stored is None:
            return False
        # The meta first: chunks without a meta are swept, a meta without chunks would be a broken promise.
        await self._purge_subject(self._meta_subject(sha256))
        await self._purge(stored.nuid)
        return True

    async def list_objects(self) -> AsyncIterator[StoredObject]:
        """Every object, in the order they were stored."""
        sequence = 1
        while True:
            batch = await read_batch(
                self._bus.connection,
                self.stream,
                self._metas + ">",
                sequence,
                most=1000,
                most_bytes=READ_AHEAD,
            )
            for message in batch:
                if message.data:
                    yield _stored(message.data)
            if not batch:
                return
            sequence = batch[-1].sequence + 1

    async def sweep(self, *, min_age_s: float = SWEEP_AGE_S) -> int:
        """Remove chunks that belong to no object and are older than `min_age_s`; how many uploads they were."""
        owned = {stored.nuid async for stored in self.list_objects()}
        swept = 0
        for nuid in await self._chunk_nuids():
            if nuid not in owned and await self._age_s(nuid) >= min_age_s:
                await self._purge(nuid)
                swept += 1
        if swept:
            log.info("orphan_chunks_swept", uploads=swept)
        return swept

    async def usage(self) -> int:
        """Bytes of the bucket on the disk."""
        return (await self._bus.js.stream_info(self.stream)).state.bytes

    async def _chunk_nuids(self) -> Iterable[str]:
        found: set[str] = set()
        offset = 0
        while True:
            request = json.dumps({"subjects_filter": self._chunks + ">", "offset": offset}).encode()
            reply = await self._bus.connection.request(
                f"$JS.API.STREAM.INFO.{self.stream}", request, timeout=30
            )
            subjects = (json.loads(reply.data).get("state") or {}).get("subjects") or {}
            found |= {subject.rpartition(".")[2] for subject in subjects}
            if not subjects or len(subjects) < 100_000:
                return found
            offset += len(subjects)

    async def _age_s(self, nuid: str) -> float:
        message = await read_last(self._bus.connection, self.stream, self._chunks + nuid)
        return 0.0 if message is None else (datetime.now(UTC) - message.stored_at).total_seconds()

    async def _discard(self, nuid: str, on_their_way: list[asyncio.Future[None]]) -> None:
        # Chunks on their way would arrive after the purge and stay.
        await settled(on_their_way)
        try:
            await self._purge(nuid)
        except (QcError, NatsError, TimeoutError):
            log.warning("chunks_left_for_the_sweep", nuid=nuid)

    async def _purge(self, nuid: str) -> None:
        await self._purge_subject(self._chunks + nuid)

    async def _purge_subject(self, subject: str) -> None:
        try:
            await self._bus.js.purge_stream(self.stream, subject=subject)
        except (NatsError, APIError, TimeoutError) as error:
            raise unreachable() from error

    def _meta_subject(self, name: str) -> str:
        return self._metas + base64.urlsafe_b64encode(name.encode()).decode()


async def _acknowledged(future: asyncio.Future[None]) -> None:
    try:
        await within(future, ACK_S)
    except QcError:
        raise
    except Exception as error:
        raise unreachable() from error


async def _rechunked(content: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """Pieces of exactly `size` bytes, the last one shorter; an empty content gives none."""
    waiting: list[bytes] = []
    length = 0
    async for piece in content:
        waiting.append(piece)
        length += len(piece)
        if length < size:
            continue
        joined = memoryview(waiting[0] if len(waiting) == 1 else b"".join(waiting))
        full = length - length % size
        for at in range(0, full, size):
            yield bytes(joined[at : at + size])
        length -= full
        waiting = [bytes(joined[full:])] if length else []
    if length:
        yield b"".join(waiting)


def _stored(data: bytes) -> StoredObject:
    meta = json.loads(data)
    return StoredObject(meta["name"], meta["size"], meta["nuid"], meta["chunks"])
