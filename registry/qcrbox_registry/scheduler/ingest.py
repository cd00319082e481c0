"""Takes what agents and launchers say: one transaction per batch, then memory, then the subscribers.

What is not from the agent that holds the calculation, or not of its present attempt, is refused here: late,
doubled and forged messages change nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog
from qcrbox.contract.messages import (
    AgentGone,
    AgentReady,
    Cancel,
    Finished,
    Heartbeat,
    LauncherReady,
    Log,
    Progress,
    SessionState,
    StepChanged,
)
from qcrbox.contract.states import State, Step
from sqlalchemy import update
from sqlalchemy.engine import Connection

from qcrbox_registry.messaging.bus import Arrived
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.fleet import Active, Agent
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import logs, results
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.tables import sessions
from qcrbox_registry.store.transitions import Change, change_states

log = structlog.get_logger(__name__)

# Heartbeats pass results that are on their way through JetStream, so one alone says little.
NOT_SEEN_S = 6.0
# An attempt has a dozen steps; each is an event that is kept, so one that tells them without end is not listened to.
MOST_STEPS = 200
LONGEST_TEXT = 2000
MOST_COUNTED = 20_000


@dataclass(slots=True)
class _Batch:
    steps: list[StepChanged] = field(default_factory=list)
    sessions: list[SessionState] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    ends: list[Finished] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.steps or self.sessions or self.logs or self.progress or self.ends)


class Ingest:
    def __init__(self, state: SchedulerState, launching: Launching, failures: AgentFailures) -> None:
        self.state, self.launching, self.failures = state, launching, failures
        self._steps: Counter[tuple[str, int]] = Counter()  # told by attempts that run

    async def take(self, arrivals: list[Arrived]) -> None:
        """The handler of `Bus.run_events`. Raises when nothing could be written; the batch then comes again."""
        batch = _Batch()
        others: list[Arrived] = []
        held: dict[tuple[str, int], tuple[Agent, Active]] = {}
        for arrived in arrivals:
            event = arrived.event
            if isinstance(event, AgentReady | AgentGone | LauncherReady | Heartbeat):
                others.append(arrived)
                continue
            holder = self._holder(arrived)
            if holder is None:
                self.state.counters.refused_events += 1
                continue
            if isinstance(event, StepChanged | SessionState) and self._is_too_much(event):
                self.state.counters.refused_events += 1
                continue
            held[event.calculation_id, event.attempt] = holder
            self._sort(batch, event, holder[1])
        if batch:
            told = await self.state.db.write(lambda conn: self._write(conn, batch))
            self._remember(batch, held)
            self.state.publish(told)
        for arrived in others:
            await self._agent_or_launcher(arrived)

    def _holder(self, arrived: Arrived) -> tuple[Agent, Active] | None:
        """The agent and the calculation it speaks of, when it holds it and the attempt is the present one."""
        event: Any = arrived.event  # one that speaks of a calculation
        holder = self.state.fleet.holder(event.calculation_id, arrived.source)
        if holder is None or holder[1].attempt != event.attempt:
            return None
        return holder

    def _is_too_much(self, event: StepChanged | SessionState) -> bool:
        if len(self._steps) > MOST_COUNTED:
            self._steps.clear()  # attempts that were lost do not end
        self._steps[event.calculation_id, event.attempt] += 1
        return self._steps[event.calculation_id, event.attempt] > MOST_STEPS

    def _sort(self, batch: _Batch, event: object, active: Active) -> None:
        if isinstance(event, StepChanged):
            batch.steps.append(event)
        elif isinstance(event, SessionState):
            batch.sessions.append(event)
        elif isinstance(event, Log):
            batch.logs.append(event)
        elif isinstance(event, Progress):
            batch.progress.append(event)
        elif isinstance(event, Finished):
            batch.ends.append(self._as_asked(event, active))

    @staticmethod
    def _as_asked(end: Finished, active: Active) -> Finished:
        """What was ended for its wall time has failed, whatever the agent calls it."""
        if active.over_wall_time and end.status is State.CANCELLED:
            text = end.error_msg or active.cancel_reason or "The wall-time limit was reached."
            return end.model_copy(update={"status": State.FAILED, "error_msg": text})
        if active.cancel_reason and end.status is State.CANCELLED and not end.error_msg:
            return end.model_copy(update={"error_msg": active.cancel_reason})
        return end

    # ------------------------------------------------------------ one transaction

    def _write(self, conn: Connection, batch: _Batch) -> list[Event]:
        told: list[Event] = []
        now = self.state.clock.time()
        # A start and an end that come together are written together.
        ended = {(end.calculation_id, end.attempt) for end in batch.ends}
        steps = [step for step in batch.steps if (step.calculation_id, step.attempt) not in ended]
        began: dict[str, float] = {}
        for step in batch.steps:
            if (step.calculation_id, step.attempt) in ended:
                began.setdefault(step.calculation_id, step.at or now)
        changes = [*map(_step_change, steps), *filter(None, map(_session_change, batch.sessions))]
        if changes:
            told.extend(change_states(conn, changes, now)[0])
        for state in batch.sessions:
            _write_session(conn, state, now)
        if batch.logs:
            told.extend(logs.append(conn, batch.logs))
        if batch.progress:
            told.extend(logs.update_progress(conn, batch.progress))
        if batch.ends:
            events, refused = results.commit_many(conn, batch.ends, now, began=began)
            told.extend(events)
            for end, why in zip(batch.ends, refused, strict=True):
                if why is not None:
                    log.info("end_refused", calculation=end.calculation_id, attempt=end.attempt, why=why.what)
        return told

    # ------------------------------------------------------------ memory

    def _remember(self, batch: _Batch, held: dict[tuple[str, int], tuple[Agent, Active]]) -> None:
        mono = self.state.clock.monotonic()
        for step in batch.steps:
            _, active = held[step.calculation_id, step.attempt]
            if active.started_mono is None:
                active.started_mono, active.started_at = mono, step.at or None
        for end in batch.ends:
            agent, active = held[end.calculation_id, end.attempt]
            self._steps.pop((end.calculation_id, end.attempt), None)
            if active.calculation_id not in agent.active:
                continue  # told twice in one batch
            self.state.counters.finished += 1
            self.state.settle(
                agent, active, succeeded=end.status is State.SUCCESSFUL, ran_s=_ran_s(end, active, mono)
            )
            self.launching.after_run(agent)
        for agent, _ in held.values():
            agent.heard(mono)

    # ------------------------------------------------------------ agents and launchers

    async def _agent_or_launcher(self, arrived: Arrived) -> None:
        event = arrived.event
        if isinstance(event, LauncherReady):
            if arrived.launcher == event.launcher:
                await self.launching.launcher_ready(event)
        elif isinstance(event, AgentReady):
            if arrived.source == event.agent:
                await self._agent_ready(event)
        elif isinstance(event, AgentGone):
            await self._agent_gone(arrived, event)
        else:
            self.heartbeat(arrived)

    async def _agent_ready(self, event: AgentReady) -> None:
        agent = self.state.fleet.agents.get(event.agent)
        if agent is None:
            log.warning("unknown_agent_sent_away", agent=event.agent)
            await self.launching.send_away(event.agent, event.launcher)
            return
        await self.launching.agent_ready(agent, event)
        await self._compare(agent, event.busy_with, event.attempt, certain=False)

    async def _agent_gone(self, arrived: Arrived, event: AgentGone) -> None:
        if arrived.launcher is not None:
            self.launching.place_is_free(arrived.launcher)
        agent = self.state.fleet.agents.get(event.agent)
        if agent is None:
            return
        if arrived.source != agent.id and arrived.launcher != agent.launcher:
            log.warning("foreign_agent_gone_refused", agent=event.agent, source=arrived.source)
            return
        reason = "it ran out of memory" if event.oom_killed else event.reason or "it ended"
        if event.exit_code not in (None, 0):
            reason = f"{reason} (exit code {event.exit_code})"
        if agent.is_coming:
            await self.launching.start_failed(agent, reason)
            return
        await self.failures.handle(agent, reason, exit_code=event.exit_code, memory=event.oom_killed)

    def heartbeat(self, arrived: Arrived) -> None:
        """The handler of `Bus.run_heartbeats`."""
        event = arrived.event
        if not isinstance(event, Heartbeat) or arrived.source != event.agent:
            return
        agent = self.state.fleet.agents.get(event.agent)
        if agent is None:
            return
        agent.heard(self.state.clock.monotonic())
        agent.rss_bytes = event.rss_bytes
        if agent.is_coming:
            # An agent beats when it is ready, whatever became of its word of that.
            self.launching.is_there(agent)
        self._note_work(agent, event.busy_with, event.attempt)

    def _note_work(self, agent: Agent, busy_with: str | None, attempt: int | None) -> None:
        """Remember since when an agent's heartbeats do not speak of what it holds."""
        mono = self.state.clock.monotonic()
        for active in agent.active.values():
            if active.calculation_id == busy_with and active.attempt == attempt:
                active.not_seen_since_mono = None
                if active.started_mono is None:
                    active.started_mono = mono
            elif active.not_seen_since_mono is None:
                active.not_seen_since_mono = mono

    async def _compare(
        self, agent: Agent, busy_with: str | None, attempt: int | None, *, certain: bool
    ) -> None:
        """An agent that works on what it does not hold is told to stop."""
        self._note_work(agent, busy_with, attempt)
        active = agent.active.get(busy_with or "")
        if busy_with and (active is None or active.attempt != attempt):
            await self.state.bus.control(
                agent.id,
                Cancel(calculation_id=busy_with, attempt=attempt or 0, reason="this attempt is over"),
            )


def _step_change(step: StepChanged) -> Change:
    extra = {"text": step.text[:LONGEST_TEXT]} if step.text else {}
    if step.step in (Step.CANCELLING, Step.DONE):
        return Change(step.calculation_id, None, step.attempt, Step.CANCELLING, extra=extra)
    return Change(
        step.calculation_id, State.RUNNING, step.attempt, step.step, at=step.at or None, extra=extra
    )


_SESSION_STEPS = {"starting": Step.STARTING, "open": Step.OPEN, "finalising": Step.FINALISING}


def _session_change(state: SessionState) -> Change | None:
    step = _SESSION_STEPS.get(state.state)
    return None if step is None else Change(state.calculation_id, State.RUNNING, state.attempt, step)


def _write_session(conn: Connection, state: SessionState, now: float) -> None:
    values: dict[str, object] = {"state": state.state}
    if state.reason or state.state != "finalising":
        # Why it ends was written when it was asked to; the agent does not say it again.
        values["reason"] = state.reason[:LONGEST_TEXT]
    if state.width and state.height:
        values |= {"width": state.width, "height": state.height}
    query = update(sessions).where(
        sessions.c.calculation_id == state.calculation_id, sessions.c.closed_at.is_(None)
    )
    conn.execute(query.values(**values))
    if state.state == "open":
        conn.execute(query.where(sessions.c.opened_at.is_(None)).values(opened_at=now, last_input_at=now))


def _ran_s(end: Finished, active: Active, mono: float) -> float:
    """Seconds the slot was used: by the agent's own clock where it told both ends, else by ours."""
    if end.at and active.started_at and end.at >= active.started_at:
        return end.at - active.started_at
    if (took := end.timings_s.get("total")) is not None and active.started_at is None:
        return took  # it may have waited at its agent before: that used no slot
    return max(mono - (active.started_mono or active.sent_mono), 0.0)
