"""What a registry does beside its work: examples, orphans, deleted data past its time, old keys, who is gone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial

import structlog
from qcrbox.contract.errors import QcError

from qcrbox_registry.services import offboarding
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.submission import forget_old_answers
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.store import contents, trash, uploads

EXAMPLES_S = 3.0
DEPARTURES_S = 300.0
SWEEP_S = 3600.0
UPLOAD_AGE_S = 7 * 86400.0
log = structlog.get_logger(__name__)


class Housekeeping:
    """Three quiet loops. `sweep` can also be called by itself."""

    def __init__(self, core: Core, uploads_service: UploadService) -> None:
        self._core, self._uploads = core, uploads_service
        self._tasks: list[asyncio.Task] = []

    def start(self) -> None:
        loops = (self._examples(), self._sweeps(), self._departures())
        self._tasks = [asyncio.create_task(one) for one in loops]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _examples(self) -> None:
        while True:
            if self._core.examples.waiting:
                with contextlib.suppress(QcError):
                    told, new = await self._core.examples.store(self._core.db, self._core.objects)
                    self._core.publish(told)
                    self._uploads.look_later(new)
            # An application's environment may still be built: then its files come later.
            await asyncio.sleep(EXAMPLES_S)

    async def _departures(self) -> None:
        while True:
            await asyncio.sleep(DEPARTURES_S)
            try:
                await offboarding.look(self._core)
            except QcError as error:
                log.warning("departures_not_noted", error=error.message)

    async def _sweeps(self) -> None:
        while True:
            try:
                await self.sweep()
            except QcError as error:
                log.warning("sweep_failed", error=error.message)
            await asyncio.sleep(SWEEP_S)

    async def sweep(self, now: float | None = None) -> dict[str, int]:
        """Remove what nobody can reach any more; how much it was."""
        at = time.time() if now is None else now
        core = self._core
        undo_s = core.settings.undo_days * 86400
        purged = await core.db.write(lambda conn: trash.purge(conn, at - undo_s))
        await core.db.write(lambda conn: forget_old_answers(conn, at))
        stale = await core.db.read(lambda conn: uploads.stale(conn, at - UPLOAD_AGE_S))
        for row in stale:
            await core.db.write(partial(uploads.drop, upload_id=row.id))
            (core.settings.data / "run" / "uploads" / row.id).unlink(missing_ok=True)
        removed = 0
        for sha256 in await core.db.read(lambda conn: contents.unused(conn, at)):
            if await core.db.write(partial(contents.begin_removal, sha256=sha256)):
                await core.objects.delete(sha256)
                await core.db.write(partial(contents.end_removal, sha256=sha256))
                removed += 1
        chunks = await core.objects.sweep()
        counts = {"files": purged, "contents": removed, "uploads": len(stale), "orphans": chunks}
        if any(counts.values()):
            log.info("swept", **counts)
        return counts
