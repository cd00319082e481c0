"""Interactive sessions: the rows beside their calculations. Their agents report the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.messages import SessionState
from sqlalchemy.engine import Connection

from qcrbox_registry.store import events
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import calculations, sessions

LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class Session:
    """A row of `sessions` with the attempt of its calculation. Times are Unix times, s; sizes are pixels."""

    calculation_id: str
    owner_id: int
    group_id: int | None
    state: str
    reason: str
    width: int | None
    height: int | None
    opened_at: float | None
    last_input_at: float | None
    warned_at: float | None
    closed_at: float | None
    view_only_allowed: bool
    attempt: int


_records = Records(
    Session,
    sessions,
    {"attempt": calculations.c.attempt},
    sessions.join(calculations, calculations.c.id == sessions.c.calculation_id),
)


def get(conn: Connection, session_id: str) -> Session | None:
    """The session of this calculation; None when there is none."""
    return _records.by_key(conn, session_id)


def by_ids(conn: Connection, ids: Sequence[str]) -> dict[str, Session]:
    """The sessions of these calculations, by id; missing ones are left out."""
    return _records.by_keys(conn, ids)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session before it is written."""

    calculation_id: str
    owner_id: int
    group_id: int | None
    application_slug: str
    width: int | None = None
    height: int | None = None


def create(conn: Connection, new: NewSession, now: float) -> list[events.Event]:
    """Write a session that is starting; its first event."""
    conn.execute(
        sa.insert(sessions).values(
            calculation_id=new.calculation_id,
            owner_id=new.owner_id,
            group_id=new.group_id,
            state="starting",
            width=new.width,
            height=new.height,
        )
    )
    starting = events.Event(
        kind="session",
        object_id=new.calculation_id,
        at=now,
        status="starting",
        owner_id=new.owner_id,
        group_id=new.group_id,
        payload={"application": new.application_slug},
    )
    return list(events.write(conn, [starting]))


def _open(session_id: str) -> sa.Update:
    return sa.update(sessions).where(sessions.c.calculation_id == session_id, sessions.c.closed_at.is_(None))


def begin_to_end(conn: Connection, session_id: str, *, keep: bool, reason: str) -> None:
    """Note that a session was asked to end and whether its outputs are kept."""
    conn.execute(_open(session_id).values(keep=keep, reason=reason, state="finalising"))


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that was asked to end and has not ended yet."""

    calculation_id: str
    keep: bool
    reason: str


def asked_to_end(conn: Connection) -> list[Ending]:
    """Sessions that were asked to end and have not ended yet; not those that end by themselves."""
    query = sa.select(sessions.c.calculation_id, sessions.c.keep, sessions.c.reason).where(
        sessions.c.closed_at.is_(None), sessions.c.state == "finalising", sessions.c.keep.isnot(None)
    )
    return [Ending(*row) for row in conn.execute(query.order_by(sessions.c.calculation_id))]


def note_input(conn: Connection, session_id: str, now: float) -> None:
    """Note that the person uses the session: the idle time starts again."""
    conn.execute(_open(session_id).values(last_input_at=now, warned_at=None))


def allow_viewers(conn: Connection, session_id: str, allowed: bool) -> None:
    """Let the managers of the group view the session, or stop that."""
    conn.execute(
        sa.update(sessions).where(sessions.c.calculation_id == session_id).values(view_only_allowed=allowed)
    )


def report(conn: Connection, state: SessionState, now: float) -> None:
    """Write what the agent reports of its session."""
    values: dict[str, object] = {"state": state.state}
    if state.reason or state.state != "finalising":
        # The reason of an end was written when it was asked for; the agent does not repeat it.
        values["reason"] = state.reason[:LONGEST_REASON]
    if state.width and state.height:
        values |= {"width": state.width, "height": state.height}
    query = _open(state.calculation_id)
    if state.state == "open":
        # A report that was on its way when the end was asked for: the session stays one that ends, with its reason.
        query = query.where(sessions.c.state != "finalising")
    conn.execute(query.values(**values))
    if state.state == "open":
        conn.execute(query.where(sessions.c.opened_at.is_(None)).values(opened_at=now, last_input_at=now))


def close(conn: Connection, ids: Sequence[str], now: float) -> None:
    """Close the sessions of calculations that have ended."""
    if ids:
        conn.execute(
            sa.update(sessions)
            .where(sessions.c.calculation_id.in_(ids), sessions.c.closed_at.is_(None))
            .values(state="closed", closed_at=now)
        )


# ---------------------------------------------------------------- idle ones


def idle_since(conn: Connection, before: float) -> list[Session]:
    """Open sessions without input since this time (Unix time, s)."""
    query = _records.select.where(
        sessions.c.closed_at.is_(None),
        sessions.c.state.in_(("open", "program_ended")),
        sessions.c.last_input_at <= before,
    )
    return _records.all(conn, query)


def note_warning(conn: Connection, ids: Sequence[str], now: float) -> None:
    """Note that the owners were warned of the end."""
    conn.execute(sa.update(sessions).where(sessions.c.calculation_id.in_(ids)).values(warned_at=now))
