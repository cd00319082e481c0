"""Reads CIFs for the index and makes their unified form, in child processes.

A hostile file may use much memory or time there; then the child is ended and the file stays without an index. A child
is started when all others are busy, up to one for each processor and `MOST_READERS`, and ends after `IDLE_S` without work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import structlog
from qcrbox.contract.errors import CifError, NotFound, QcError

from qcrbox_registry.services.cif_reader import CifReader
from qcrbox_registry.store.objects import ObjectStore
from qcrbox_registry.store.tables import cif_index

LONGEST_S = 60.0
LARGEST_BYTES = 256 * 1024 * 1024
IDLE_S = 120.0
# Each may take up to 4 GiB for a hostile file.
MOST_READERS = 4
_READ = 1024 * 1024
log = structlog.get_logger(__name__)


class Indexer:
    """`index` and `unify` for contents of the object store."""

    def __init__(
        self,
        objects: ObjectStore,
        folder: Path,
        *,
        longest_s: float = LONGEST_S,
        readers: int | None = None,
    ) -> None:
        self._objects, self._folder = objects, folder
        count = readers or min(MOST_READERS, os.cpu_count() or 1)
        self._readers = [CifReader(longest_s) for _ in range(count)]
        self._free = list(reversed(self._readers))
        self._turn = asyncio.Semaphore(count)
        self._idle: asyncio.Task[None] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("cif-*"):  # from a process that was killed
            left.unlink(missing_ok=True)

    async def index(self, sha256: str, size: int, filename: str) -> dict[str, Any] | None:
        """The row of `cif_index` for these bytes; None when they are not a CIF, too large, or not read in time."""
        if size > LARGEST_BYTES:
            return None
        try:
            answer = await self._ask("index", sha256, filename)
        except (QcError, OSError) as error:
            log.warning("cif_not_indexed", sha256=sha256[:12], error=str(error))
            return None
        return row_of(answer.get("facts"))

    async def unify(self, sha256: str, filename: str) -> tuple[str, int]:
        """Store the unified form of a CIF; (SHA-256, size). Raises CifError when it cannot be made."""
        target = self._new_file()
        try:
            answer = await self._ask("unify", sha256, filename, target=str(target))
            if "error" in answer:
                raise CifError(str(answer["error"]), where=filename)
            return await self._objects.put(_file_chunks(target))
        finally:
            target.unlink(missing_ok=True)

    async def exercise_facts(self, sha256: str, filename: str) -> tuple[dict[str, Any] | None, str]:
        """What the checks of exercises read from a CIF, and "" or why it cannot be read. Raises CifError."""
        answer = await self._ask("exercise_facts", sha256, filename)
        return answer.get("facts"), str(answer.get("problem") or answer.get("error") or "")

    async def picture(self, sha256: str, filename: str) -> bytes:
        """The structure of a CIF as SVG. Raises NotFound when there is none to draw, CifError."""
        target = self._new_file()
        try:
            answer = await self._ask("picture", sha256, filename, target=str(target))
            if problem := answer.get("problem") or answer.get("error"):
                raise NotFound("There is no structure to draw.", why=str(problem))
            return target.read_bytes()
        finally:
            target.unlink(missing_ok=True)

    async def written(self, sha256: str, filename: str, like: Sequence[str]) -> bytes:
        """A unified CIF in the spelling of the contents `like` (SHA-256). Raises CifError when it cannot be made."""
        target = self._new_file()
        try:
            answer = await self._ask("written", sha256, filename, like, target=str(target))
            if "error" in answer:
                raise CifError(str(answer["error"]), where=filename)
            return await asyncio.to_thread(target.read_bytes)
        finally:
            target.unlink(missing_ok=True)

    async def close(self) -> None:
        """End the child processes."""
        for _ in self._readers:
            await self._turn.acquire()
        if self._idle is not None:  # after the last request, which may have begun it
            self._idle.cancel()
        for reader in self._readers:
            await reader.end()

    # ------------------------------------------------------------ the processes

    async def _ask(
        self, what: str, sha256: str, filename: str, like: Sequence[str] = (), **more: Any
    ) -> dict[str, Any]:
        copies: list[Path] = []
        # Copied in their turn: many requests that wait would fill the disk with copies of large files.
        async with self._a_reader() as reader:
            try:
                for each in (sha256, *like):
                    copies.append(await self._copied(each))
                source, *examples = map(str, copies)
                asked = {"do": what, "path": source, "filename": filename, "like": examples, **more}
                return await reader.ask(asked)
            finally:
                for copy in copies:
                    copy.unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def _a_reader(self) -> AsyncIterator[CifReader]:
        """A reader for one request: the one that was used last, so that few run when little is asked."""
        async with self._turn:
            reader = self._free.pop()
            try:
                yield reader
            finally:
                self._free.append(reader)
                if self._idle is None or self._idle.done():
                    self._idle = asyncio.create_task(self._end_when_idle())

    async def _end_when_idle(self) -> None:
        while any(reader.is_running for reader in self._readers):
            await asyncio.sleep(IDLE_S / 4)
            for reader in [each for each in self._free if each.is_running and each.idle_s > IDLE_S]:
                await self._end_free(reader)

    async def _end_free(self, reader: CifReader) -> None:
        """End a reader, unless it was taken meanwhile."""
        async with self._turn:
            if reader in self._free and reader.idle_s > IDLE_S:
                self._free.remove(reader)
                try:
                    await reader.end()
                finally:
                    self._free.insert(0, reader)

    async def _copied(self, sha256: str) -> Path:
        """The contents in a file for the child process; the caller removes it."""
        path = self._new_file()
        try:
            with path.open("wb") as file:
                async for chunk in self._objects.get(sha256):
                    file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _new_file(self) -> Path:
        descriptor, name = tempfile.mkstemp(prefix="cif-", dir=self._folder)
        os.close(descriptor)
        return Path(name)


async def _file_chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_READ):
            yield chunk


def row_of(facts: dict[str, Any] | None) -> dict[str, Any] | None:
    """The facts of the child process as columns of `cif_index`."""
    if facts is None:
        return None
    full = facts["full"]
    return {column.name: full[column.name] for column in cif_index.c if column.name in full} | facts
