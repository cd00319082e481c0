"""Idle sessions: a warning first, then they are ended and their outputs kept. A request to end is repeated."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
from qcrbox.background import again_and_again
from qcrbox.contract.errors import NotFound

from qcrbox_registry.store import events, sessions
from qcrbox_registry.store.engine import Connection, Database
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.sessions import Session

LOOK_S = 10.0
LONGEST_WARNING_S = 300.0
log = structlog.get_logger(__name__)


class Ender(Protocol):
    """The scheduler: asks the agent of a session to end it."""

    async def end_session(self, calculation_id: str, *, keep: bool, reason: str) -> None:
        """Raises NotFound when no agent has the session."""


def warning_s(idle_limit_s: float) -> float:
    """How long before its end a session warns: five minutes, or a fifth of a short limit."""
    return min(LONGEST_WARNING_S, idle_limit_s / 5)


@dataclass
class IdleSessions:
    """A loop that warns and ends; `look` is one round of it."""

    db: Database
    ender: Ender
    publish: Callable[[Sequence[Event]], None]
    limit_s: float

    async def run(self) -> None:
        """Look again and again."""
        pause_s = min(LOOK_S, warning_s(self.limit_s) / 2)
        await again_and_again(
            self.look,
            pause_s,
            lambda error: log.error("idle_sessions_failed", error=repr(error)),
            pause_first=True,
        )

    async def look(self, now: float | None = None) -> tuple[list[str], list[str]]:
        """Warn and end what is due at `now` (Unix time, s); ids of the sessions warned and ended."""
        at = time.time() if now is None else now
        await self._ask_again()
        lead_s = warning_s(self.limit_s)
        idle = await self.db.read(lambda conn: sessions.idle_since(conn, at - self.limit_s + lead_s))
        new = [session for session in idle if session.warned_at is None]
        over = [
            session
            for session in idle
            if session.warned_at is not None
            and at >= max(_last_input(session) + self.limit_s, session.warned_at + lead_s)
        ]
        if new:
            self.publish(await self.db.write(lambda conn: self._warn(conn, new, at, lead_s)))
        for session in over:
            await self._end(session)
        return [session.calculation_id for session in new], [session.calculation_id for session in over]

    async def _ask_again(self) -> None:
        """Repeat requests to end a session that has not ended.

        An agent that was cut off for a moment loses the message, and the session would stay open. Of several requests an
        agent follows the first.
        """
        for ending in await self.db.read(sessions.asked_to_end):
            with contextlib.suppress(NotFound):
                await self.ender.end_session(ending.calculation_id, keep=ending.keep, reason=ending.reason)

    def _warn(
        self, conn: Connection, due: Sequence[Session], now: float, lead_s: float
    ) -> list[events.Event]:
        sessions.note_warning(conn, [session.calculation_id for session in due], now)
        return list(events.write(conn, [self._warning(session, now, lead_s) for session in due]))

    def _warning(self, session: Session, now: float, lead_s: float) -> events.Event:
        ends_at = max(_last_input(session) + self.limit_s, now + lead_s)
        return events.Event(
            "session",
            session.calculation_id,
            now,
            status="idle_warning",
            attempt=session.attempt,
            owner_id=session.owner_id,
            group_id=session.group_id,
            payload={
                "reason": f"This session is idle. It ends in {_words(ends_at - now)}; its outputs are kept.",
                "ends_at": ends_at,
            },
        )

    async def _end(self, session: Session) -> None:
        reason = f"The session was idle for {_words(self.limit_s)}. Its outputs are kept."
        begin = partial(sessions.begin_to_end, session_id=session.calculation_id, keep=True, reason=reason)
        await self.db.write(begin)
        with contextlib.suppress(NotFound):  # its agent is lost at this moment; the scheduler handles that
            await self.ender.end_session(session.calculation_id, keep=True, reason=reason)


def _last_input(session: Session) -> float:
    return session.last_input_at or 0.0


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} h"
