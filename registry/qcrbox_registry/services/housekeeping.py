"""Periodic work beside the requests: examples, deleted groups, and removing what is past its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog
from qcrbox.background import again_and_again

from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.examples import Examples
from qcrbox_registry.services.offboarding import mark_departed
from qcrbox_registry.services.resumable_uploads import ResumableUploadService
from qcrbox_registry.services.retention import RetentionService
from qcrbox_registry.store import contents, idempotency, trash, uploads

EXAMPLES_S = 3.0
DEPARTURES_S = 300.0
SWEEP_S = 3600.0
AUDIT_S = 60.0
UPLOAD_AGE_S = 7 * 86400.0
# An unreadable CIF has no index either; the limit of age ends the attempts to index it.
LEFT_AGE_S = 86400.0
log = structlog.get_logger(__name__)


def _logged(event: str) -> Callable[[Exception], None]:
    return lambda error: log.error(event, error=repr(error))


class Housekeeping:
    """Four periodic loops, and `index_left`, which runs once at the start. `sweep` is one round of its loop."""

    def __init__(
        self,
        context: Context,
        contents: ContentService,
        uploads: ResumableUploadService,
        examples: Examples,
        retention: RetentionService,
    ) -> None:
        self._context, self._contents, self._uploads, self._examples = context, contents, uploads, examples
        self._retention = retention

    async def store_examples(self) -> None:
        """Store examples as their files appear: the environment of an application may still be built."""

        async def store() -> None:
            if self._examples.waiting:
                made, new = await self._examples.store(self._context.db, self._context.objects)
                self._context.publish(made)
                self._contents.index_later(new)

        await again_and_again(store, EXAMPLES_S, _logged("examples_not_stored"))

    async def index_left(self) -> None:
        """Index the CIFs that the registry had not indexed when it last stopped."""
        await self._contents.index_left(time.time() - LEFT_AGE_S)

    async def mark_departed(self) -> None:
        """Note deleted groups and accounts again and again."""

        async def mark() -> None:
            await mark_departed(self._context)

        await again_and_again(mark, DEPARTURES_S, _logged("departures_not_noted"), pause_first=True)

    async def sign_audit(self) -> None:
        """Sign and export the head of the audit trail again and again."""

        async def sign() -> None:
            await self._context.db.read(lambda conn: self._context.audit_heads.sign(conn, time.time()))

        await again_and_again(sign, AUDIT_S, _logged("audit_head_not_signed"), pause_first=True)

    async def sweep_again(self) -> None:
        """Sweep again and again."""
        await again_and_again(self.sweep, SWEEP_S, _logged("sweep_failed"))

    async def sweep(self, now: float | None = None) -> dict[str, int]:
        """Remove what is past its time (as of `now`, Unix time, s); how much of each kind."""
        at = time.time() if now is None else now
        db = self._context.db
        outputs = await self._retention.run_due(at)
        restorable_s = self._context.settings.undo_days * 86400
        purged = await db.write(lambda conn: trash.purge(conn, at - restorable_s))
        await db.write(lambda conn: idempotency.forget_old(conn, at))
        counts = {
            "outputs": outputs,
            "files": purged,
            "contents": await self._remove_contents(at),
            "uploads": await self._drop_stale_uploads(at),
            "orphans": await self._context.objects.sweep(),
        }
        if any(counts.values()):
            log.info("swept", **counts)
        return counts

    async def _drop_stale_uploads(self, at: float) -> int:
        stale = await self._context.db.read(lambda conn: uploads.stale(conn, at - UPLOAD_AGE_S))
        for upload_id in stale:
            await self._uploads.drop(upload_id)
        return len(stale)

    async def _remove_contents(self, at: float) -> int:
        """Remove contents that no file points to. Marked first, so that an upload of the same bytes notices."""
        db, removed = self._context.db, 0
        for sha256 in await db.read(lambda conn: contents.unused(conn, at)):
            if await db.write(partial(contents.begin_removal, sha256=sha256)):
                await self._context.objects.delete(sha256)
                await db.write(partial(contents.end_removal, sha256=sha256))
                removed += 1
        return removed
