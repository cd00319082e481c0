"""The checkpoint of a command that takes long: stored while it runs, given to the next attempt.

A program whose spec says `checkpoint: file` renews that file as it goes, by renaming a finished one into its place, and
begins from it when it is there. So an attempt that loses its agent, runs out of time or is cancelled costs little.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from qcrbox.contract.errors import QcError
from qcrbox.contract.messages import CHECKPOINT, OutputFile

from qcrbox_agent.files import FileRoutes

log = logging.getLogger(__name__)

LOOK_S = 2.0


class Checkpoint:
    """Watches one file of one attempt."""

    def __init__(self, path: Path, routes: FileRoutes, look_s: float = LOOK_S) -> None:
        self.path, self._routes, self._look_s = path, routes, look_s
        self._seen: tuple[int, int] | None = None
        self._stored: OutputFile | None = None
        self._watching: asyncio.Task[None] | None = None

    async def restore(self) -> bool:
        """Fetch what an earlier attempt stored into the working directory; False when there is nothing."""
        if not await self._routes.fetch_checkpoint(self.path):
            return False
        self._seen = self._state()
        return True

    def watch(self) -> None:
        """Start storing the checkpoint file in the background whenever it changes."""
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching; an upload on its way is given up."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None

    async def kept(self) -> OutputFile | None:
        """The newest state, stored: for the end of an attempt that did not succeed. Raises QcError."""
        await self._store_if_new()
        return self._stored

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            try:
                await self._store_if_new()
            except (QcError, OSError) as error:
                # The calculation itself is not to suffer; the next state is tried again.
                log.warning("checkpoint not stored: %s", error)

    async def _store_if_new(self) -> None:
        state = self._state()
        if state is None or state == self._seen:
            return
        upload_id, digest, size = await self._routes.store(self.path, CHECKPOINT, self.path.name)
        self._seen = state
        self._stored = OutputFile(
            name=CHECKPOINT,
            filename=self.path.name,
            filetype="unknown",
            sha256=digest,
            size=size,
            upload_id=upload_id,
        )

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
