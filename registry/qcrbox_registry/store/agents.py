"""Rows of agents, for adoption after a restart and for administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import agents

MOST_NOTES = 50
MOST_LOG = 16 * 1024  # characters


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent that was not gone when its row was written."""

    id: str
    application_id: int
    launcher: str
    state: str
    owner_id: int | None
    host: str
    pid: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class AgentUpdate:
    """The columns of an agent that change while it works."""

    id: str
    state: str
    owner_id: int | None
    busy_with: str | None
    attempt: int | None
    idle_since: float | None
    last_seen_at: float
    rss_bytes: int | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What an agent reports of itself when it is ready."""

    host: str
    pid: int | None
    qcrbox_version: str
    notes: list[str]


_records = Records(AgentRow, agents)


def there(conn: Connection) -> list[AgentRow]:
    """Every agent that is not gone."""
    return _records.all(conn, _records.select.where(agents.c.state != "gone"))


def state_of(conn: Connection, agent_id: str) -> str | None:
    """The state in an agent's row; None when there is no such agent."""
    state: str | None = conn.execute(sa.select(agents.c.state).where(agents.c.id == agent_id)).scalar()
    return state


def request(conn: Connection, agent_id: str, application_id: int, launcher: str, now: float) -> None:
    """Write an agent that a launcher is asked for."""
    conn.execute(
        sa.insert(agents).values(
            id=agent_id,
            application_id=application_id,
            launcher=launcher,
            state="requested",
            requested_at=now,
        )
    )


def note_ready(conn: Connection, agent_id: str, state: str, reported: Reported, now: float) -> None:
    """Write what an agent reports of itself."""
    row = sa.update(agents).where(agents.c.id == agent_id)
    values = {**asdict(reported), "notes": reported.notes[:MOST_NOTES]}
    conn.execute(row.values(**values, state=state, last_seen_at=now))
    conn.execute(row.where(agents.c.ready_at.is_(None)).values(ready_at=now))


def note_gone(conn: Connection, agent_id: str, reason: str, exit_code: int | None, now: float) -> None:
    """Write the end of an agent."""
    conn.execute(
        sa.update(agents)
        .where(agents.c.id == agent_id)
        .values(state="gone", gone_at=now, reason=reason, exit_code=exit_code, busy_with=None, attempt=None)
    )


def note_failed_start(conn: Connection, agent_id: str, log: str) -> None:
    """Write the end of the output of an agent that did not come up."""
    row = sa.update(agents).where(agents.c.id == agent_id, agents.c.ready_at.is_(None))
    conn.execute(row.values(failed_start=True, log=log.replace("\x00", "")[-MOST_LOG:]))


@dataclass(frozen=True, slots=True)
class FailedStart:
    """An agent that did not come up. Times: Unix, s."""

    id: str
    launcher: str
    requested_at: float
    gone_at: float
    reason: str
    exit_code: int | None
    log: str


_failed_starts = Records(FailedStart, agents)


def failed_starts(conn: Connection, application_id: int, most: int) -> list[FailedStart]:
    """The newest starts of an application's agents that failed."""
    query = _failed_starts.select.where(agents.c.application_id == application_id, agents.c.failed_start)
    return _failed_starts.all(conn, query.order_by(agents.c.gone_at.desc(), agents.c.id).limit(most))


def set_owners(conn: Connection, owners: Mapping[str, int | None]) -> None:
    """Write for whom agents work: the owner rule holds after a restart too."""
    for agent_id, owner_id in owners.items():
        conn.execute(sa.update(agents).where(agents.c.id == agent_id).values(owner_id=owner_id))


def update(conn: Connection, rows: Sequence[AgentUpdate]) -> None:
    """Write the present state of agents; a row of an agent that is gone stays as it is."""
    for row in rows:
        values: dict[str, Any] = asdict(row)
        agent_id = values.pop("id")
        conn.execute(
            sa.update(agents).where(agents.c.id == agent_id, agents.c.state != "gone").values(**values)
        )
