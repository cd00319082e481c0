"""Takes the events of agents and launchers: one transaction per batch, then memory, then the subscribers.

An event is refused unless it comes from the agent that has the calculation and is of its present attempt: late,
doubled and forged messages change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
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

from qcrbox_registry.messaging.bus import Arrived
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.fleet import Active, Agent
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import logs, results, sessions
from qcrbox_registry.store.engine import CANNOT_HOLD, Connection
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.teaching import same_work
from qcrbox_registry.store.transitions import Change, change_states

log = structlog.get_logger(__name__)

# A heartbeat can overtake a result that is on its way through JetStream, so one heartbeat alone proves nothing.
NOT_SEEN_S = 6.0
# An attempt has a dozen steps. Each is stored, so an attempt that reports steps without end is ignored.
MOST_STEPS = 200
LONGEST_TEXT = 2000
MOST_COUNTED = 20_000
MOST_RSS_BYTES = 2**50  # an agent can report any number, and the column has 64 bits


@dataclass(slots=True)
class _Batch:
    steps: list[StepChanged] = field(default_factory=list)
    sessions: list[SessionState] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    ends: list[Finished] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.steps or self.sessions or self.logs or self.progress or self.ends)

    def one_by_one(self) -> Iterator[_Batch]:
        """Batches of one event, in the order in which a batch is written."""
        yield from (_Batch(steps=[each]) for each in self.steps)
        yield from (_Batch(sessions=[each]) for each in self.sessions)
        yield from (_Batch(logs=[each]) for each in self.logs)
        yield from (_Batch(progress=[each]) for each in self.progress)
        yield from (_Batch(ends=[each]) for each in self.ends)

    def add(self, other: _Batch) -> None:
        """Append the events of another batch."""
        self.steps += other.steps
        self.sessions += other.sessions
        self.logs += other.logs
        self.progress += other.progress
        self.ends += other.ends


class Ingest:
    """The handler of events and heartbeats."""

    def __init__(self, state: SchedulerState, launching: Launching, failures: AgentFailures) -> None:
        self.state, self.launching, self.failures = state, launching, failures
        self._steps: Counter[tuple[str, int]] = Counter()  # reported by running attempts

    async def take(self, arrivals: list[Arrived]) -> None:
        """Take a batch of events. Raises when nothing could be written; the bus then delivers the batch again."""
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
            written, stored = await self._store(batch)
            self._remember(stored, held)
            for change in written:
                if change.kind == "calculation" and change.status == State.SUCCESSFUL:
                    self.state.backlog.remove(change.object_id)  # one that waited was answered from the store
            self.state.publish(written)
        for arrived in others:
            try:
                await self._agent_or_launcher(arrived)
            except CANNOT_HOLD as error:
                # Should the agent have ended, its heartbeats are missing.
                self.state.counters.refused_events += 1
                log.warning("event_cannot_be_stored", what=repr(arrived)[:500], error=str(error)[:500])

    def _holder(self, arrived: Arrived) -> tuple[Agent, Active] | None:
        """The agent and calculation of an event, when the agent has it and the attempt is the present one."""
        event: Any = arrived.event  # about a calculation
        holder = self.state.fleet.holder(event.calculation_id, arrived.source)
        if holder is None or holder[1].attempt != event.attempt:
            return None
        return holder

    def _is_too_much(self, event: StepChanged | SessionState) -> bool:
        if len(self._steps) > MOST_COUNTED:
            self._steps.clear()  # lost attempts have no end
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
        """A calculation that was ended for its wall time has failed, not been cancelled."""
        if active.over_wall_time and end.status is State.CANCELLED:
            text = end.error_msg or active.cancel_reason or "The wall-time limit was reached."
            return end.model_copy(update={"status": State.FAILED, "error_msg": text})
        if active.cancel_reason and end.status is State.CANCELLED and not end.error_msg:
            return end.model_copy(update={"error_msg": active.cancel_reason})
        return end

    async def _store(self, batch: _Batch) -> tuple[list[Event], _Batch]:
        """Write a batch; the events to publish, and what was written. Raises when nothing can be written at this moment.

        An event with a value that the database cannot hold is left out: the bus would deliver the batch again for ever, and
        no events of other agents after it.
        """
        try:
            return await self.state.db.write(lambda conn: self._write(conn, batch)), batch
        except CANNOT_HOLD as error:
            log.warning("batch_cannot_be_stored", error=str(error)[:500])
        written: list[Event] = []
        stored = _Batch()
        for single in batch.one_by_one():
            for attempted in (single, _as_failed(single)):
                if not attempted:
                    continue
                try:
                    written += await self.state.db.write(partial(self._write, batch=attempted))
                    stored.add(attempted)
                    break
                except CANNOT_HOLD as error:
                    self.state.counters.refused_events += 1
                    log.warning("event_cannot_be_stored", what=repr(single)[:500], error=str(error)[:500])
        return written, stored

    # ------------------------------------------------------------ one transaction

    def _write(self, conn: Connection, batch: _Batch) -> list[Event]:
        written: list[Event] = []
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
            written.extend(change_states(conn, changes, now)[0])
        for state in batch.sessions:
            sessions.report(conn, state, now)
        if batch.logs:
            written.extend(logs.append(conn, batch.logs))
        if batch.progress:
            written.extend(logs.update_progress(conn, batch.progress))
        if batch.ends:
            events, refused = results.commit_many(conn, batch.ends, now, began=began)
            written.extend(events)
            for end, why in zip(batch.ends, refused, strict=True):
                if why is not None:
                    log.info("end_refused", calculation=end.calculation_id, attempt=end.attempt, why=why.what)
            good = [
                end.calculation_id
                for end, why in zip(batch.ends, refused, strict=True)
                if why is None and end.status is State.SUCCESSFUL
            ]
            written.extend(same_work.answer_waiting(conn, good, now))
        return written

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
                continue  # reported twice in one batch
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
        await self._compare(agent, event.busy_with, event.attempt)

    async def _agent_gone(self, arrived: Arrived, event: AgentGone) -> None:
        if arrived.launcher is not None:
            self.launching.note_free_place(arrived.launcher)
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
            await self.launching.start_failed(agent, reason, event.log)
            return
        await self.failures.handle(agent, reason, exit_code=event.exit_code, memory=event.oom_killed)

    def heartbeat(self, arrived: Arrived) -> None:
        """Take a heartbeat."""
        event = arrived.event
        if not isinstance(event, Heartbeat) or arrived.source != event.agent:
            return
        agent = self.state.fleet.agents.get(event.agent)
        if agent is None:
            return
        agent.heard(self.state.clock.monotonic())
        agent.rss_bytes = min(max(event.rss_bytes, 0), MOST_RSS_BYTES)
        if agent.is_coming:
            # An agent sends heartbeats when it is ready, even if its AgentReady was lost.
            self.launching.note_ready(agent)
        self._note_work(agent, event.busy_with, event.attempt)

    def _note_work(self, agent: Agent, busy_with: str | None, attempt: int | None) -> None:
        """Note since when the heartbeats of an agent do not mention a calculation that it has."""
        mono = self.state.clock.monotonic()
        for active in agent.active.values():
            if active.calculation_id == busy_with and active.attempt == attempt:
                active.not_seen_since_mono = None
                if active.started_mono is None:
                    active.started_mono = mono
            elif active.not_seen_since_mono is None:
                active.not_seen_since_mono = mono

    async def _compare(self, agent: Agent, busy_with: str | None, attempt: int | None) -> None:
        """Cancel what the agent works on when it does not have it any more."""
        self._note_work(agent, busy_with, attempt)
        active = agent.active.get(busy_with or "")
        if busy_with and (active is None or active.attempt != attempt):
            await self.state.bus.control(
                agent.id,
                Cancel(calculation_id=busy_with, attempt=attempt or 0, reason="this attempt is over"),
            )


def _as_failed(batch: _Batch) -> _Batch:
    """The same end of a calculation without any value from the agent; an empty batch for every other event."""
    ends = [
        Finished(
            calculation_id=end.calculation_id,
            attempt=end.attempt,
            status=State.FAILED,
            error_msg="The agent reported an end that cannot be stored. Run the calculation again.",
        )
        for end in batch.ends
    ]
    return _Batch(ends=ends)


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


def _ran_s(end: Finished, active: Active, mono: float) -> float:
    """How long the slot was used, s: by the clock of the agent when it reported start and end, else by ours."""
    if end.at and active.started_at and end.at >= active.started_at:
        return end.at - active.started_at
    if (took := end.timings_s.get("total")) is not None and active.started_at is None:
        return took  # the time it waited at its agent used no slot
    return max(mono - (active.started_mono or active.sent_mono), 0.0)
