"""What all parts of the scheduler share: the database, the bus, and everything it knows in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.scheduler.backlog import Backlog, Waiting
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.commands import CommandMaker
from qcrbox_registry.scheduler.fair_share import FairShare
from qcrbox_registry.scheduler.fleet import Active, Agent, Fleet, subjects_of
from qcrbox_registry.scheduler.runtime_estimates import RuntimeEstimates
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.events import Event

log = structlog.get_logger(__name__)


class EventPublisher(Protocol):
    """Who is told what happened, after the commit: `services.event_hub.EventHub`."""

    def publish(self, events: Sequence[Event]) -> Any: ...


@dataclass(slots=True)
class Hold:
    mode: str  # hold | drain
    reason: str


@dataclass(slots=True)
class Counters:
    """Counted since the start; read by the metrics page."""

    assigned: int = 0
    finished: int = 0
    lost_agents: int = 0
    refused_events: int = 0
    redelivered: int = 0
    started_agents: int = 0
    failed_starts: int = 0


@dataclass
class SchedulerState:
    db: Database
    bus: Bus
    settings: SchedulerSettings
    hub: EventPublisher
    maker: CommandMaker
    clock: Clock
    backlog: Backlog
    fleet: Fleet
    share: FairShare
    runtimes: RuntimeEstimates
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)  # (kind, object id)
    quotas: dict[tuple[str, int, str], float] = field(default_factory=dict)  # (subject, id, quota)
    counters: Counters = field(default_factory=Counters)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    background: set[asyncio.Task] = field(default_factory=set)
    # Processor seconds since the last write, per ("person" | "group", id): what the CPU-hours quota counts.
    used_s: dict[tuple[str, int], float] = field(default_factory=dict)
    # Why an application's calculations wait, for the person who asks.
    waits: dict[int, str] = field(default_factory=dict)

    def publish(self, events: Sequence[Event]) -> None:
        if events:
            self.hub.publish(events)

    def enqueue(self, waiting: Sequence[Waiting]) -> None:
        now, mono = self.clock.time(), self.clock.monotonic()
        for one in waiting:
            self.backlog.add(one, now, mono)
        self.wake.set()

    def spawn(self, coroutine: Any) -> None:
        """Run something beside; the task is kept until it is done."""
        task = asyncio.create_task(coroutine)
        self.background.add(task)
        task.add_done_callback(self._spawned_ended)

    def _spawned_ended(self, task: asyncio.Task) -> None:
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_failed", error=repr(error), exc_info=error)

    # ------------------------------------------------------------ holds and caps

    def hold_on(self, application_id: int) -> Hold | None:
        return self.holds.get(("site", "")) or self.holds.get(("application", str(application_id)))

    def hold_on_launcher(self, name: str) -> Hold | None:
        return self.holds.get(("launcher", name))

    def quota(self, subject: str, subject_id: int, quota: str) -> float | None:
        own = self.quotas.get((subject, subject_id, quota))
        return own if own is not None else self.quotas.get((f"default-{subject}", 0, quota))

    def may_run(self, owner_id: int, group_id: int | None) -> bool:
        """False while a cap on running calculations holds; the stricter of person and group decides."""
        subjects = [("person", owner_id, self.settings.running_per_person)]
        if group_id is not None:
            subjects.append(("group", group_id, self.settings.running_per_group))
        for subject, subject_id, default in subjects:
            cap = self.quota(subject, subject_id, "running")
            cap = default if cap is None else cap
            if cap is not None and self.fleet.running_of.get((subject, subject_id), 0) >= cap:
                return False
        return True

    def processors(self, agent: Agent) -> float:
        """How many processors an agent holds while it works: as many as its application declares, else one."""
        application = self.fleet.applications.get(agent.application_id)
        return float((application.limits.get("cpus") if application else None) or 1.0)

    # ------------------------------------------------------------ the end of an active calculation

    def settle(self, agent: Agent, active: Active, *, succeeded: bool, ran_s: float | None) -> None:
        """Take an ended calculation from its agent in memory: charge what it used, free the agent."""
        self.fleet.end(agent, active.calculation_id)
        used = ran_s if ran_s is not None else 0.0
        self.share.charge(active.owner_id, active.group_id, used - active.charged_s, self.clock.monotonic())
        for subject in subjects_of(active):
            self.used_s[subject] = self.used_s.get(subject, 0.0) + used * self.processors(agent)
        if succeeded and ran_s is not None and not active.interactive:
            self.runtimes.add(active.command_id, ran_s)
        if not agent.active and agent.state == "busy":
            self.fleet.set_state(agent, "idle", self.clock.monotonic())
        self.wake.set()
