"""Reads from SQL: everything at the start, the rules of administrators again and again."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.states import State

from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.fair_share import RENEW_AFTER_HALF_LIVES
from qcrbox_registry.scheduler.fleet import Active, Agent, Application, Launcher
from qcrbox_registry.scheduler.reservations import Reservation
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import agents, applications, holds, launchers, quotas, usage, work_queue
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.holds import Hold
from qcrbox_registry.store.teaching import bookings
from qcrbox_registry.store.transitions import Change, Ledger
from qcrbox_registry.store.work_queue import ActiveRow, Waiting

SENT_BEFORE_S = 10.0  # an adopted command counts as sent this long ago
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Rules:
    applications: list[applications.Scheduled]
    holds: list[Hold]
    quotas: dict[tuple[str, int, str], float]
    reservations: list[Reservation]


def _read_rules(conn: Connection, now: float) -> _Rules:
    return _Rules(
        applications.scheduled(conn), holds.everything(conn), quotas.limits(conn), _reservations(conn, now)
    )


def _reservations(conn: Connection, now: float) -> list[Reservation]:
    booked = bookings.ending_after(conn, now)
    people = bookings.people_of(conn, sorted({each.course_id for each in booked}))
    return [
        Reservation(
            each.id,
            each.group_id,
            each.starts_at,
            each.ends_at,
            each.places,
            tuple(each.applications),
            people.get(each.course_id, frozenset()),
        )
        for each in booked
    ]


async def read_rules(state: SchedulerState) -> None:
    """Read applications, holds, quotas and bookings, which people change in the database."""
    now = state.clock.time()
    state.rules_asked += 1
    mine = state.rules_asked
    rules = await state.db.read(lambda conn: _read_rules(conn, now))
    if mine < state.rules_read:
        # A reading that began later has ended already: its rules are newer than these.
        return
    state.rules_read = mine
    for row in rules.applications:
        _note_application(state, row)
    state.holds = {(hold.kind, hold.object_id): hold for hold in rules.holds}
    state.quotas = rules.quotas
    state.reservations.booked = rules.reservations


def _note_application(state: SchedulerState, row: applications.Scheduled) -> None:
    retired = row.retired_at is not None or not row.approved
    known = state.fleet.applications.get(row.id)
    if known is None:
        state.fleet.applications[row.id] = Application(
            row.id, row.slug, row.version, row.reuse, row.warm, row.most_agents, row.limits, retired
        )
        return
    known.reuse, known.warm, known.most_agents = row.reuse, row.warm, row.most_agents
    known.limits, known.retired = row.limits, retired


@dataclass(frozen=True, slots=True)
class _Found:
    waiting: list[Waiting]
    agents: list[agents.AgentRow]
    active: list[ActiveRow]
    launchers: list[launchers.LauncherRow]
    uses: list[usage.Use]
    workers: list[tuple[int, int]]
    runtimes: dict[int, float]


def _read_all(conn: Connection, since: float) -> _Found:
    return _Found(
        waiting=work_queue.all_waiting(conn),
        agents=agents.there(conn),
        active=work_queue.with_agents(conn),
        launchers=launchers.everyone(conn),
        uses=usage.everyone(conn),
        workers=usage.workers(conn, since),
        runtimes=usage.mean_runtimes(conn),
    )


async def recover(state: SchedulerState) -> None:
    """Rebuild the state in memory from SQL and make the consumers of JetStream agree. Running agents are adopted."""
    await read_rules(state)
    now, mono = state.clock.time(), state.clock.monotonic()
    # Uses older than this weigh nothing, and those who have no other are no active members of their group.
    since = now - RENEW_AFTER_HALF_LIVES * state.settings.half_life_s
    found = await state.db.read(lambda conn: _read_all(conn, since))
    _restore_rest(state, found, now, mono)
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


def _restore_rest(state: SchedulerState, found: _Found, now: float, mono: float) -> None:
    """Uses, active members of groups, runtimes and launchers."""
    for use in found.uses:
        # A use in the future was written before the clock was set back: it counts as of now.
        age_s = max(now - use.decayed_at, 0.0)
        state.share.restore(use.subject, use.subject_id, use.decayed_s, mono - age_s)
    state.share.restore_members(found.workers)
    for command_id, mean_s in found.runtimes.items():
        state.runtimes.restore(command_id, mean_s)
    for row in found.launchers:
        offered = {(each.get("slug", ""), each.get("version", "")) for each in row.applications}
        state.fleet.launchers[row.name] = Launcher(
            row.name, row.manager, row.host, row.capacity, row.free or 0, offered
        )


def _agent(row: agents.AgentRow, mono: float) -> Agent:
    """An adopted agent: silence while the registry was down does not count, its deadlines start now."""
    return Agent(
        id=row.id,
        application_id=row.application_id,
        launcher=row.launcher,
        state=AgentState(row.state),
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


def _adopt_active(state: SchedulerState, rows: list[ActiveRow], now: float, mono: float) -> list[ActiveRow]:
    """Give calculations back to their agents; returns those whose agent is gone."""
    orphans = []
    for row in rows:
        agent = state.fleet.agents.get(row.agent_id)
        if agent is None:
            orphans.append(row)
            continue
        state.fleet.begin(agent, _active(state, row, now, mono))
        if agent.is_ready:
            state.fleet.change_state(agent, AgentState.BUSY, mono)
    for agent in state.fleet.agents.values():
        if agent.state is AgentState.BUSY and not agent.active:
            state.fleet.change_state(agent, AgentState.IDLE, mono)
    return orphans


def _active(state: SchedulerState, row: ActiveRow, now: float, mono: float) -> Active:
    expected_s = state.runtimes.expected(row.command_id) or 0.0
    active = Active(
        calculation_id=row.id,
        attempt=row.attempt,
        owner_id=row.owner_id,
        group_id=row.group_id,
        command_id=row.command_id,
        interactive=row.interactive,
        wall_time_s=row.wall_time_s,
        estimate_s=expected_s,
        charged_s=expected_s,
        # Written but perhaps not published: it is sent again under the same message id, which changes nothing if it was.
        sent=row.state != State.SUBMITTED,
        sent_mono=mono - SENT_BEFORE_S,
        started_at=row.started_at,
        started_mono=None if row.started_at is None else mono - max(now - row.started_at, 0.0),
    )
    if row.cancel_requested_at is not None:
        active.cancel_reason = row.cancel_reason or "cancelled"
        settings = state.settings
        active.cancel_until_mono = mono + settings.cancel_grace_s + settings.cancel_patience_s
    return active


async def _free_orphans(state: SchedulerState, orphans: list[ActiveRow]) -> None:
    def write(conn: Connection) -> list[Event]:
        ledger = Ledger(conn, (row.id for row in orphans), state.clock.time())
        for row in orphans:
            _free(ledger, row)
        return ledger.close()

    state.publish(await state.db.write(write))
    ids = [row.id for row in orphans]
    state.enqueue(await state.db.read(lambda conn: work_queue.waiting(conn, ids)))


def _free(ledger: Ledger, row: ActiveRow) -> None:
    """Cancel what was asked to be cancelled, fail a session that was open, queue the rest again."""
    reason = "its agent was gone when the registry came back"
    if row.cancel_requested_at is not None:
        fields = {"error_msg": row.cancel_reason}
        ledger.change(Change(row.id, State.CANCELLED, row.attempt, fields=fields))
    elif row.interactive and row.started_at is not None:
        fields = {"error_msg": f"The program of the session has ended: {reason}."}
        ledger.change(Change(row.id, State.FAILED, row.attempt, fields=fields))
    else:
        ledger.release(row.id, row.attempt, lost=True, reason=reason)


async def _compare_consumers(state: SchedulerState) -> None:
    """Make a consumer for each agent and remove those of agents that are gone."""
    try:
        there = await state.bus.agents_with_consumers()
        for agent_id in state.fleet.agents.keys() - there:
            await state.bus.add_agent(agent_id)
        for agent_id in there - state.fleet.agents.keys():
            await state.bus.remove_agent(agent_id)
    except Unreachable as error:
        # NATS is down again. An agent without a consumer is noticed by the commands it does not take.
        log.warning("consumers_not_compared", reason=error.message)
