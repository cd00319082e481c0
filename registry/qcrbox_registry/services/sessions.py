"""Interactive sessions: list, read, end, extend, let others view."""

from __future__ import annotations

import time
from dataclasses import dataclass

from qcrbox.contract.errors import Conflict, NotAllowed, NotFound
from qcrbox.contract.states import FINAL, State

from qcrbox_registry.access import audit
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized, views
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import LONGEST_REASON, checked_text
from qcrbox_registry.services.waiting import wait_for_end
from qcrbox_registry.store import calculations, events, lists, sessions
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.calculations import Calculation
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.paging import Page

_WITH_DISPLAY = ("open", "program_ended", "finalising")


@dataclass(frozen=True, slots=True)
class Admission:
    """The right to a display: which attempt, and whether input is passed on."""

    attempt: int
    view_only: bool


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ends. reason: which its owner reads; wait_s: how long the answer waits for its outputs."""

    keep: bool
    wait_s: float
    reason: str = ""


class SessionService:
    """Sessions that a person may see, use or end."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def page(self, actor: Actor, page: Page, *, closed: bool, mine: bool = False) -> Json:
        """Sessions the actor may see, newest first; `closed`: those that have ended too, `mine`: their own."""
        within = reach(actor, "session", mine=mine)

        def read(conn: Connection) -> Json:
            found = lists.sessions_page(conn, within, page, time.time(), closed=closed)
            rows = calculations.by_ids(conn, found.ids)
            return {"interactive_sessions": self._shown(conn, rows), "next": found.next}

        return await self._context.db.read(read)

    def _shown(self, conn: Connection, rows: list[Calculation]) -> list[Json]:
        return views.session_list(conn, rows, self._context.settings.session_idle_s)

    async def get(self, actor: Actor, session_id: str) -> Json:
        """A session. Raises NotFound."""

        def read(conn: Connection) -> Json:
            row, _ = authorized.session(conn, actor, "read", session_id)
            return self._shown(conn, [row])[0]

        return await self._context.db.read(read)

    async def end(self, actor: Actor, session_id: str, ending: SessionEnd) -> Json:
        """End a session and wait for its outputs; ending it twice changes nothing. Raises NotFound, NotAllowed."""
        action = "end" if ending.keep else "discard"
        row, _ = await self._context.db.read(lambda conn: authorized.session(conn, actor, action, session_id))
        if State(row.state) not in FINAL:
            await self._ask_to_end(actor, row, ending)
            await wait_for_end(self._context, session_id, ending.wait_s)
        return _closed(await self._context.db.read(lambda conn: calculations.get(conn, session_id)))

    async def _ask_to_end(self, actor: Actor, row: Calculation, ending: SessionEnd) -> None:
        keep, said = ending.keep, checked_text(ending.reason, "reason", LONGEST_REASON)
        reason = f"Ended by {actor.name}: {said}" if said else f"Ended by {actor.name}."
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            sessions.begin_to_end(conn, row.id, keep=keep, reason=reason)
            entry = audit.entry(
                actor, "end session", now, kind="session", object_id=row.id, keep=keep, reason=said
            )
            record(conn, [entry])
            event = events.about("session", row, now, "finalising", keep=keep, reason=reason)
            event.attempt = row.attempt
            return list(events.write(conn, [event]))

        self._context.publish(await self._context.db.write(write))
        try:
            await self._context.scheduler.end_session(row.id, keep=keep, reason=reason)
        except NotFound:
            # No agent has it at this moment: the agent was lost and the scheduler handles that.
            await self._context.scheduler.cancel([row.id], reason=reason, by=actor.name)

    async def stay(self, actor: Actor, session_id: str) -> Json:
        """Start the idle time again. Raises NotFound, NotAllowed."""

        def write(conn: Connection) -> None:
            authorized.session(conn, actor, "open", session_id)
            sessions.note_input(conn, session_id, time.time())

        await self._context.db.write(write)
        return await self.get(actor, session_id)

    async def note_input(self, session_id: str) -> None:
        """Note that the person at the display uses the session."""
        now = time.time()
        await self._context.db.write(lambda conn: sessions.note_input(conn, session_id, now))

    async def allow_viewers(self, actor: Actor, session_id: str, allowed: bool) -> Json:
        """Let the managers of the group view the session, or stop that. Raises NotFound, NotAllowed."""
        now = time.time()

        def write(conn: Connection) -> None:
            authorized.session(conn, actor, "allow_view", session_id)
            sessions.allow_viewers(conn, session_id, allowed)
            entry = audit.entry(
                actor, "allow view", now, kind="session", object_id=session_id, allowed_now=allowed
            )
            record(conn, [entry])

        await self._context.db.write(write)
        return await self.get(actor, session_id)

    async def admit(self, actor: Actor, session_id: str, *, view: bool) -> Admission:
        """The actor's right to the display of a session, for viewing where it is that or asked for.

        Raises NotFound, NotAllowed, and Conflict while it has no display.
        """

        def read(conn: Connection) -> tuple[Calculation, sessions.Session, bool]:
            if not view:
                try:
                    return *authorized.session(conn, actor, "open", session_id), False
                except NotAllowed:
                    pass  # they may still be allowed to look
            return *authorized.session(conn, actor, "view", session_id), True

        row, about, view_only = await self._context.db.read(read)
        if row.finished_at is not None or about.state not in _WITH_DISPLAY:
            state = "has ended" if row.finished_at is not None else "is still starting"
            raise Conflict(f"This session {state}.", next="The list of sessions shows when it can be opened.")
        return Admission(row.attempt, view_only)


def _closed(row: Calculation) -> Json:
    closed: Json = {"session_id": row.id, "status": row.state}
    if row.output_dataset_id:
        closed["output_dataset_id"] = row.output_dataset_id
    if row.error_msg:
        closed["error_msg"] = row.error_msg
    if row.warnings:
        closed["warnings"] = row.warnings
    return closed
