"""Places that are kept for a class during a booked time.

A booking names a group, applications and a number of places. From `warm_before_s` before its start until its end

- agents of its applications are started until the class has its places, and are not stopped for being idle,
- people outside the class get an idle agent, or a place for a new one, only beyond what is kept,
- agents that work for others get nothing new while the class lacks places. What runs is never stopped.

Whose work counts as the class: everything in the group, and everything of people who opened an exercise of the course.
Beyond its places a class waits in turn with everybody. Sessions with a window hold a place like calculations.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qcrbox_registry.scheduler.agent_state import AgentState

if TYPE_CHECKING:
    from qcrbox_registry.scheduler.backlog import QueuePartition
    from qcrbox_registry.scheduler.fleet import Agent, Application
    from qcrbox_registry.scheduler.state import SchedulerState


@dataclass(frozen=True, slots=True)
class Reservation:
    """A booking as the scheduler needs it. Times: Unix time, s. applications: slugs."""

    id: str
    group_id: int
    starts_at: float
    ends_at: float
    places: int
    applications: tuple[str, ...]
    people: frozenset[int] = frozenset()

    def covers(self, owner_id: int | None, group_id: int | None) -> bool:
        """Whether work of this person and group is work of the class."""
        return group_id == self.group_id or owner_id in self.people

    def places_of(self, slug: str) -> int:
        """Its places for one application: divided evenly, the rest for those named first."""
        if slug not in self.applications:
            return 0
        each, rest = divmod(self.places, len(self.applications))
        return each + (self.applications.index(slug) < rest)


@dataclass(slots=True)
class Rehearsal:
    """Agents that are started to see what it costs. until_mono: monotonic time, s."""

    agents: int
    until_mono: float


class Reservations:
    """The bookings of now, compared with the agents that are there."""

    def __init__(self) -> None:
        self.booked: list[Reservation] = []
        self.rehearsals: dict[int, Rehearsal] = {}  # by application id

    def now(self, state: SchedulerState) -> list[Reservation]:
        """Those that hold now, from when agents are started for them."""
        if not self.booked:
            return []
        at = state.clock.time()
        return [
            each for each in self.booked if each.starts_at - state.settings.warm_before_s <= at < each.ends_at
        ]

    # ------------------------------------------------------------ how many agents

    def lacking(self, state: SchedulerState, application: Application) -> int:
        """How many agents of an application have to be started for bookings and rehearsals."""
        if application.retired or not self._is_newest(state, application):
            return 0
        agents = state.fleet.of_application(application.id)
        coming = sum(agent.is_coming for agent in agents)
        fresh = sum(_is_fresh(agent, application) for agent in agents)
        wanted = sum(
            max(each.places_of(application.slug) - _held(each, agents, application), 0)
            for each in self.now(state)
        )
        rehearsal = self.rehearsals.get(application.id)
        if rehearsal is not None and state.clock.monotonic() < rehearsal.until_mono:
            wanted = max(wanted, rehearsal.agents)
        return wanted - fresh - coming

    def lacking_places(self, state: SchedulerState) -> int:
        """How many free places are needed for classes: others may not take them."""
        booked = self.now(state)
        return sum(
            max(self.lacking(state, application), 0)
            for application in (state.fleet.applications.values() if booked else ())
            if any(each.places_of(application.slug) for each in booked)
        )

    def kept(self, state: SchedulerState, application: Application) -> int:
        """How many ready agents of an application are with classes or kept ready for them."""
        booked = self.now(state)
        if not booked:  # nearly always; the planner asks at each turn
            return 0
        agents = state.fleet.of_application(application.id)
        fresh = sum(_is_fresh(agent, application) for agent in agents)
        kept = 0
        for each in booked:
            places, held = each.places_of(application.slug), _held(each, agents, application)
            ready = min(max(places - held, 0), fresh)
            fresh -= ready
            kept += min(held, places) + ready
        return kept

    def keeps(self, state: SchedulerState, agent: Agent) -> bool:
        """Whether an idle agent is part of what is kept ready for a class."""
        application = state.fleet.applications.get(agent.application_id)
        if application is None or application.retired:
            return False
        rehearsal = self.rehearsals.get(application.id)
        if rehearsal is not None and state.clock.monotonic() < rehearsal.until_mono:
            return True
        booked = self.now(state)
        agents = state.fleet.of_application(application.id) if booked else []
        for each in booked:
            places = each.places_of(application.slug)
            usable = _is_fresh(agent, application) or each.covers(agent.owner_id, None)
            there = _held(each, agents, application) + sum(_is_fresh(other, application) for other in agents)
            if places and usable and there <= places:
                return True
        return False

    # ------------------------------------------------------------ who gets them

    def withholds(
        self,
        state: SchedulerState,
        application: Application,
        partition: QueuePartition,
        agent: Agent,
    ) -> bool:
        """Whether this agent is kept from this work, because a class needs it."""
        if not self.booked or not _is_fresh(agent, application):
            return False
        agents = state.fleet.of_application(application.id)
        kept = sum(
            max(each.places_of(application.slug) - _held(each, agents, application), 0)
            for each in self.now(state)
            if not each.covers(partition.owner_id, partition.group_id)
        )
        if not kept:
            return False
        fresh = sum(_is_fresh(other, application) for other in agents)
        return fresh - 1 < kept

    def is_of_class(self, state: SchedulerState, partitions: Collection[QueuePartition], slug: str) -> bool:
        """Whether some of this work belongs to a class that booked the application."""
        return any(
            each.places_of(slug) and each.covers(partition.owner_id, partition.group_id)
            for each in self.now(state)
            for partition in partitions
        )

    def works_for_class(self, state: SchedulerState, agent: Agent) -> bool:
        """Whether an agent works for, or is owned by, people of a class that booked its application."""
        application = state.fleet.applications.get(agent.application_id)
        return application is not None and any(
            each.places_of(application.slug) and _is_held(each, agent, application)
            for each in self.now(state)
        )

    def reason(self, state: SchedulerState, partition: QueuePartition) -> str:
        """Why this work waits although there are agents; empty when no booking is the reason."""
        application = state.fleet.applications.get(partition.application_id)
        if application is None:
            return ""
        others = [
            each
            for each in self.now(state)
            if each.places_of(application.slug) and not each.covers(partition.owner_id, partition.group_id)
        ]
        if not others:
            return ""
        until = datetime.fromtimestamp(max(each.ends_at for each in others), UTC)
        return f"Places are kept for a class until {until:%H:%M} UTC."

    @staticmethod
    def _is_newest(state: SchedulerState, application: Application) -> bool:
        """Agents are kept ready of the version that was registered last."""
        same = [
            other.id
            for other in state.fleet.applications.values()
            if other.slug == application.slug and not other.retired
        ]
        return application.id == max(same, default=None)


def most_booked(capacity: int, share: float) -> int:
    """How many of the places of a site can be booked: a share of them, at least one where there is any."""
    return max(int(capacity * share), 1) if capacity > 0 else 0


def peak(spans: Sequence[tuple[float, float, int]], start: float, end: float) -> int:
    """The most places that are taken at one moment of [start, end). spans: (start, end, places); times in s."""
    within = [span for span in spans if span[0] < end and span[1] > start]
    moments = [start, *(span[0] for span in within if span[0] > start)]
    return max(
        (sum(places for begin, finish, places in within if begin <= at < finish) for at in moments), default=0
    )


def _is_fresh(agent: Agent, application: Application) -> bool:
    """Idle, and allowed to work for anybody."""
    return (
        agent.state is AgentState.IDLE
        and not agent.active
        and not agent.is_yielding
        and not agent.is_leaving
        and (agent.owner_id is None or application.reuse == "any")
    )


def _is_held(each: Reservation, agent: Agent, application: Application) -> bool:
    """Whether the class has this agent: it works for it or, where agents stay with their owner, waits for it."""
    if not agent.is_ready or agent.is_yielding:
        return False
    if agent.active:
        return any(each.covers(active.owner_id, active.group_id) for active in agent.active.values())
    return application.reuse == "same-owner" and agent.owner_id in each.people


def _held(each: Reservation, agents: Sequence[Agent], application: Application) -> int:
    return sum(_is_held(each, agent, application) for agent in agents)
