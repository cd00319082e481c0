"""The state that all parts of the scheduler share: database, bus, queue, fleet, shares, rules."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from qcrbox.background import BackgroundTasks

from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.backlog import Backlog
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.commands import CommandMaker
from qcrbox_registry.scheduler.fair_share import FairShare
from qcrbox_registry.scheduler.fleet import Active, Agent, Fleet, subjects_of
from qcrbox_registry.scheduler.reservations import Reservations
from qcrbox_registry.scheduler.runtime_estimates import RuntimeEstimates
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.holds import Hold
from qcrbox_registry.store.work_queue import Waiting

log = structlog.get_logger(__name__)


class EventPublisher(Protocol):
    """Sends events to subscribers, after the commit that wrote them."""

    def publish(self, events: Sequence[Event]) -> None:
        """Send events in order."""


def _report(error: BaseException) -> None:
    log.error("background_failed", error=repr(error), exc_info=error)


@dataclass(slots=True)
class Counters:
    """Counts since the start, for the metrics page."""

    assigned: int = 0
    finished: int = 0
    lost_agents: int = 0
    refused_events: int = 0
    redelivered: int = 0
    started_agents: int = 0
    failed_starts: int = 0


@dataclass
class SchedulerState:
    """Everything the scheduler has in memory, and what it works with."""

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
    # Readings of the rules are numbered: the one that began last, and the one whose rules are in use.
    rules_asked: int = 0
    rules_read: int = 0
    quotas: dict[tuple[str, int, str], float] = field(default_factory=dict)  # (subject, id, quota)
    reservations: Reservations = field(default_factory=Reservations)
    counters: Counters = field(default_factory=Counters)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    background: BackgroundTasks = field(default_factory=lambda: BackgroundTasks(_report))
    # Processor seconds since the last write, per ("person" | "group", id): what the CPU-hours quota counts.
    used_s: dict[tuple[str, int], float] = field(default_factory=dict)
    # Application id -> why its calculations wait, as people read it.
    waits: dict[int, str] = field(default_factory=dict)

    def publish(self, events: Sequence[Event]) -> None:
        """Send events to the subscribers."""
        if events:
            self.hub.publish(events)

    def enqueue(self, waiting: Sequence[Waiting]) -> None:
        """Queue calculations and wake the dispatcher."""
        now, mono = self.clock.time(), self.clock.monotonic()
        for calculation in waiting:
            self.backlog.add(calculation, now, mono)
        self.wake.set()

    # ------------------------------------------------------------ holds and caps

    def hold_on(self, application_id: int) -> Hold | None:
        """The hold of the site or of an application."""
        return self.holds.get(("site", "")) or self.holds.get(("application", str(application_id)))

    def hold_on_launcher(self, name: str) -> Hold | None:
        """The hold of a launcher."""
        return self.holds.get(("launcher", name))

    def quota(self, subject: str, subject_id: int, quota: str) -> float | None:
        """A limit that an administrator set for a person or group, else the default that is set."""
        own = self.quotas.get((subject, subject_id, quota))
        return own if own is not None else self.quotas.get((f"default-{subject}", 0, quota))

    def may_run(self, owner_id: int, group_id: int | None) -> bool:
        """False while a cap on running calculations is reached, that of the person or that of the group."""
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
        """Take an ended calculation from its agent: charge its use of the slot, make the agent idle again. ran_s: s."""
        self.fleet.end(agent, active.calculation_id)
        used = ran_s if ran_s is not None else 0.0
        self.share.charge(active.owner_id, active.group_id, used - active.charged_s, self.clock.monotonic())
        for subject in subjects_of(active):
            self.used_s[subject] = self.used_s.get(subject, 0.0) + used * self.processors(agent)
        if succeeded and ran_s is not None and not active.interactive:
            self.runtimes.add(active.command_id, ran_s)
        if not agent.active and agent.state is AgentState.BUSY:
            self.fleet.change_state(agent, AgentState.IDLE, self.clock.monotonic())
        self.wake.set()
