"""What is read from SQL: everything at start, rules (applications, holds, quotas) again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from qcrbox.contract.errors import Unreachable
from sqlalchemy import select
from sqlalchemy.engine import Connection

from qcrbox_registry.scheduler.dispatch import read_waiting
from qcrbox_registry.scheduler.fleet import Active, Agent, Application, Launcher
from qcrbox_registry.scheduler.state import Hold, SchedulerState
from qcrbox_registry.store.tables import (
    agents,
    applications,
    calculations,
    command_durations,
    holds,
    launchers,
    quotas,
    usage,
)
from qcrbox_registry.store.transitions import Ledger

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Rules:
    applications: list[Any]
    holds: list[Any]
    quotas: list[Any]


def _read_rules(conn: Connection) -> _Rules:
    columns = (
        applications.c.id,
        applications.c.slug,
        applications.c.version,
        applications.c.reuse,
        applications.c.warm,
        applications.c.most_agents,
        applications.c.limits,
        applications.c.approved,
        applications.c.retired_at,
    )
    return _Rules(
        list(conn.execute(select(*columns))),
        list(conn.execute(select(holds))),
        list(conn.execute(select(quotas))),
    )


async def read_rules(state: SchedulerState) -> None:
    """Applications, holds and quotas as they are now; whoever changed one need not tell."""
    rules = await state.db.read(_read_rules)
    for row in rules.applications:
        known = state.fleet.applications.get(row.id)
        retired = row.retired_at is not None or not row.approved
        if known is None:
            state.fleet.applications[row.id] = Application(
                row.id, row.slug, row.version, row.reuse, row.warm, row.most_agents, row.limits or {}, retired
            )
        else:
            known.reuse, known.warm, known.most_agents = row.reuse, row.warm, row.most_agents
            known.limits, known.retired = row.limits or {}, retired
    state.holds = {(row.kind, row.object_id): Hold(row.mode, row.reason) for row in rules.holds}
    state.quotas = {(_subject(row), row.subject_id, row.quota): row.limit for row in rules.quotas}


def _subject(row: Any) -> str:
    return "default-person" if row.subject == "default" else row.subject


@dataclass(slots=True)
class _Found:
    waiting: list
    agents: list
    active: list
    launchers: list
    usage: list
    runtimes: list


def _read_all(conn: Connection) -> _Found:
    columns = (
        calculations.c.id,
        calculations.c.attempt,
        calculations.c.agent_id,
        calculations.c.owner_id,
        calculations.c.group_id,
        calculations.c.command_id,
        calculations.c.interactive,
        calculations.c.wall_time_s,
        calculations.c.state,
        calculations.c.started_at,
        calculations.c.cancel_requested_at,
        calculations.c.cancel_reason,
    )
    with_agents = calculations.c.agent_id.isnot(None) & calculations.c.finished_at.is_(None)
    return _Found(
        read_waiting(conn),
        list(conn.execute(select(agents).where(agents.c.state != "gone"))),
        list(conn.execute(select(*columns).where(with_agents))),
        list(conn.execute(select(launchers))),
        list(conn.execute(select(usage))),
        list(conn.execute(select(command_durations))),
    )


async def recover(state: SchedulerState) -> None:
    """Rebuild what is in memory from SQL and bring JetStream's consumers in line. Running agents are adopted."""
    await read_rules(state)
    found = await state.db.read(_read_all)
    now, mono = state.clock.time(), state.clock.monotonic()
    for row in found.usage:
        # Nothing was used in the future: the clock was set back since, and for all of them alike.
        age_s = max(now - row.decayed_at, 0.0)
        state.share.restore(row.subject, row.subject_id, row.decayed_s, mono - age_s)
    for row in found.runtimes:
        state.runtimes.restore(row.command_id, row.mean_s)
    for row in found.launchers:
        state.fleet.launchers[row.name] = Launcher(
            row.name,
            row.manager,
            row.host,
            row.capacity,
            row.free or 0,
            {(one.get("slug", ""), one.get("version", "")) for one in row.applications or []},
        )
    for row in found.agents:
        state.fleet.add(_agent(row, mono))
    orphans = _adopt_active(state, found.active, now, mono)
    state.backlog.fill(found.waiting, now, mono)
    if orphans:
        await _free_orphans(state, orphans)
    await _compare_consumers(state)
    log.info(
        "recovered",
        waiting=len(state.backlog),
        agents=len(state.fleet.agents),
        active=len(found.active),
        freed=len(orphans),
    )
    state.wake.set()


def _agent(row: Any, mono: float) -> Agent:
    # Silence while we were away does not count; what was on its way keeps its time from now on.
    return Agent(
        id=row.id,
        application_id=row.application_id,
        launcher=row.launcher,
        state=row.state,
        owner_id=row.owner_id,
        seen_mono=mono,
        requested_mono=mono,
        owned_since_mono=mono,
        idle_since_mono=mono,
        stop_asked_mono=mono,
        runs=1 if row.owner_id is not None else 0,
        reason=row.reason,
        host=row.host,
        pid=row.pid,
    )


def _adopt_active(state: SchedulerState, rows: list[Any], now: float, mono: float) -> list[Any]:
    """Put what is with agents back into their hands; returns what is with an agent that is gone."""
    orphans = []
    for row in rows:
        agent = state.fleet.agents.get(row.agent_id)
        if agent is None:
            orphans.append(row)
            continue
        expected = state.runtimes.expected(row.command_id)
        active = Active(
            calculation_id=row.id,
            attempt=row.attempt,
            owner_id=row.owner_id,
            group_id=row.group_id,
            command_id=row.command_id,
            interactive=row.interactive,
            wall_time_s=row.wall_time_s,
            estimate_s=expected or 0.0,
            charged_s=expected or 0.0,
            # Written but perhaps never published: sent again under the same message id, harmless when it was.
            sent=row.state != "submitted",
            sent_mono=mono - 10.0,
            started_at=row.started_at,
            started_mono=None if row.started_at is None else mono - max(now - row.started_at, 0.0),
        )
        if row.cancel_requested_at is not None:
            active.cancel_reason = row.cancel_reason or "cancelled"
            active.cancel_until_mono = mono + state.settings.cancel_grace_s + state.settings.cancel_patience_s
        state.fleet.begin(agent, active)
        if agent.is_there:
            state.fleet.set_state(agent, "busy", mono)
    for agent in state.fleet.agents.values():
        if agent.state == "busy" and not agent.active:
            state.fleet.set_state(agent, "idle", mono)
    return orphans


async def _free_orphans(state: SchedulerState, orphans: list[Any]) -> None:
    def write(conn: Connection) -> list:
        ledger = Ledger(conn, (row.id for row in orphans), state.clock.time())
        for row in orphans:
            ledger.release(
                row.id, row.attempt, lost=True, reason="its agent was gone when the registry came back"
            )
        return ledger.close()

    state.publish(await state.db.write(write))
    ids = [row.id for row in orphans]
    state.enqueue(await state.db.read(lambda conn: read_waiting(conn, ids)))


async def _compare_consumers(state: SchedulerState) -> None:
    """A consumer for each agent, and none for an agent that is gone."""
    try:
        there = await state.bus.agents_with_consumers()
        for agent_id in state.fleet.agents.keys() - there:
            await state.bus.add_agent(agent_id)
        for agent_id in there - state.fleet.agents.keys():
            await state.bus.remove_agent(agent_id)
    except Unreachable as error:
        # NATS went away again. An agent without a consumer is found by the commands it does not take.
        log.warning("consumers_not_compared", reason=error.message)
