"""Sessions that nobody touches: a warning, then they are ended and what was done is kept."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from qcrbox.contract.errors import NotFound, QcError

from qcrbox_registry.services.core import Core
from qcrbox_registry.store import events
from qcrbox_registry.store.tables import calculations
from qcrbox_registry.store.tables import sessions as table

LOOK_S = 10.0
log = structlog.get_logger(__name__)


def warning_s(idle_limit_s: float) -> float:
    """How long before its end a session warns: five minutes, of a short limit a fifth."""
    return min(300.0, idle_limit_s / 5)


class IdleSessions:
    """One quiet loop. `look` can also be called by itself."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="idle-sessions")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, warning_s(self._core.settings.session_idle_s) / 2))
            try:
                await self.look()
            except QcError as error:
                log.warning("idle_sessions_failed", error=error.message)

    async def look(self, now: float | None = None) -> tuple[list[str], list[str]]:
        """Ids of sessions warned and ended at this look."""
        at = time.time() if now is None else now
        limit = self._core.settings.session_idle_s
        lead = warning_s(limit)
        idle = await self._core.db.read(lambda conn: _idle_since(conn, at - limit + lead))
        over = [row for row in idle if row.warned_at is not None and row.last_input_at <= at - limit]
        warn = [row for row in idle if row.warned_at is None]
        if warn:
            told = await self._core.db.write(lambda conn: _warn(conn, warn, at, limit, lead))
            self._core.publish(told)
        for row in over:
            reason = f"Nobody used it for {_words(limit)}. What was done is kept."
            await self._core.db.write(partial(_closing, row=row, reason=reason))
            with contextlib.suppress(NotFound):  # its agent is lost at this moment; that has its own end
                await self._core.scheduler.end_session(row.calculation_id, keep=True, reason=reason)
        return [row.calculation_id for row in warn], [row.calculation_id for row in over]


def _idle_since(conn: Any, before: float) -> Sequence[sa.Row]:
    query = (
        sa.select(
            table.c.calculation_id,
            table.c.owner_id,
            table.c.group_id,
            table.c.last_input_at,
            table.c.warned_at,
            calculations.c.attempt,
        )
        .join(calculations, calculations.c.id == table.c.calculation_id)
        .where(
            table.c.closed_at.is_(None),
            table.c.state.in_(("open", "program_ended")),
            table.c.last_input_at <= before,
        )
    )
    return conn.execute(query).all()


def _warn(conn: Any, rows: Sequence[sa.Row], now: float, limit: float, lead: float) -> list[events.Event]:
    ids = [row.calculation_id for row in rows]
    conn.execute(sa.update(table).where(table.c.calculation_id.in_(ids)).values(warned_at=now))
    made = []
    for row in rows:
        ends_at = max(row.last_input_at + limit, now + lead)
        text = f"Nobody has used this session for a while. It ends in {_words(ends_at - now)}; what was done is kept."
        made.append(
            events.Event(
                "session",
                row.calculation_id,
                now,
                status="idle_warning",
                attempt=row.attempt,
                owner_id=row.owner_id,
                group_id=row.group_id,
                payload={"reason": text, "ends_at": ends_at},
            )
        )
    return list(events.write(conn, made))


def _closing(conn: Any, row: sa.Row, reason: str) -> None:
    conn.execute(
        sa.update(table)
        .where(table.c.calculation_id == row.calculation_id, table.c.closed_at.is_(None))
        .values(keep=True, reason=reason, state="finalising")
    )


def touched(conn: Any, session_id: str, now: float) -> None:
    """Somebody is at work in this session."""
    conn.execute(
        sa.update(table)
        .where(table.c.calculation_id == session_id, table.c.closed_at.is_(None))
        .values(last_input_at=now, warned_at=None)
    )


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} h"
