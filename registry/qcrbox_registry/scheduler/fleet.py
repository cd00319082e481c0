"""The agents and launchers as the scheduler knows them, in memory; rows of `agents` and `launchers` behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

AgentState = Literal["requested", "starting", "idle", "busy", "draining", "stopping", "gone"]


@dataclass(slots=True, eq=False)
class Active:
    """A calculation that is with an agent. Times `…_mono` are monotonic, others Unix times, s."""

    calculation_id: str
    attempt: int
    owner_id: int
    group_id: int | None
    command_id: int
    interactive: bool = False
    wall_time_s: float | None = None
    estimate_s: float = 0.0
    charged_s: float = 0.0
    sent: bool = False  # its command is stored in JetStream
    sent_mono: float = 0.0
    started_mono: float | None = None
    started_at: float | None = None
    cancel_reason: str | None = None
    cancel_sent_mono: float = 0.0
    cancel_until_mono: float = 0.0
    over_wall_time: bool = False
    not_seen_since_mono: float | None = None  # heartbeats say that the agent does not do it


@dataclass(slots=True, eq=False)
class Agent:
    id: str
    application_id: int
    launcher: str
    state: AgentState
    owner_id: int | None = None
    active: dict[str, Active] = field(default_factory=dict)
    seen_mono: float = 0.0
    was_heard: bool = False  # by this life of the registry
    requested_mono: float = 0.0
    owned_since_mono: float = 0.0
    idle_since_mono: float = 0.0
    runs: int = 0
    reason: str = ""
    stop_asked_mono: float | None = None
    is_yielding: bool = False  # gets nothing new: others wait for its slot
    is_being_asked_for: bool = False  # its launcher's answer is awaited
    host: str = ""
    pid: int | None = None
    rss_bytes: int = 0

    def heard(self, mono: float) -> None:
        """It gave a sign of life."""
        self.seen_mono, self.was_heard = mono, True

    @property
    def is_there(self) -> bool:
        """Ready for commands, or working."""
        return self.state in ("idle", "busy")

    @property
    def is_coming(self) -> bool:
        return self.state in ("requested", "starting")


@dataclass(slots=True, eq=False)
class Launcher:
    name: str
    manager: str = ""
    host: str = ""
    capacity: int = 0
    free: int = 0
    applications: set[tuple[str, str]] = field(default_factory=set)  # (slug, version); empty: not told yet
    seen_mono: float | None = None
    asked_mono: float = -1e9


@dataclass(slots=True, eq=False)
class Application:
    id: int
    slug: str
    version: str
    reuse: str  # never | same-owner | any
    warm: int
    most_agents: int | None
    limits: dict
    retired: bool = False
    start_failures: int = 0
    next_start_mono: float = 0.0
    start_error: str = ""
    preparing: str = ""  # what a launcher is doing before it can start an agent, in words


class Fleet:
    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.launchers: dict[str, Launcher] = {}
        self.applications: dict[int, Application] = {}
        self._by_application: dict[int, dict[str, Agent]] = {}
        self.changed: set[str] = set()  # agents whose row is behind
        self.running_of: dict[
            tuple[str, int], int
        ] = {}  # ("person" | "group", id) -> calculations with agents

    def add(self, agent: Agent) -> None:
        self.agents[agent.id] = agent
        self._by_application.setdefault(agent.application_id, {})[agent.id] = agent

    def remove(self, agent: Agent) -> None:
        self.agents.pop(agent.id, None)
        self._by_application.get(agent.application_id, {}).pop(agent.id, None)
        self.changed.discard(agent.id)

    def of_application(self, application_id: int) -> list[Agent]:
        return list(self._by_application.get(application_id, {}).values())

    def application_named(self, slug: str, version: str) -> Application | None:
        for application in self.applications.values():
            if (application.slug, application.version) == (slug, version):
                return application
        return None

    def set_state(self, agent: Agent, state: AgentState, now_mono: float) -> None:
        if agent.state == state:
            return
        agent.state = state
        if state == "idle":
            agent.idle_since_mono = now_mono
        self.changed.add(agent.id)

    def begin(self, agent: Agent, active: Active) -> None:
        agent.active[active.calculation_id] = active
        for subject in subjects_of(active):
            self.running_of[subject] = self.running_of.get(subject, 0) + 1

    def end(self, agent: Agent, calculation_id: str) -> Active | None:
        active = agent.active.pop(calculation_id, None)
        if active is not None:
            for subject in subjects_of(active):
                self.running_of[subject] = max(self.running_of.get(subject, 0) - 1, 0)
        return active

    def holder(self, calculation_id: str, agent_id: str | None) -> tuple[Agent, Active] | None:
        """The agent that has this calculation now."""
        agent = self.agents.get(agent_id or "")
        if agent is not None and calculation_id in agent.active:
            return agent, agent.active[calculation_id]
        return None

    def find(self, calculation_id: str) -> tuple[Agent, Active] | None:
        for agent in self.agents.values():
            if calculation_id in agent.active:
                return agent, agent.active[calculation_id]
        return None


def subjects_of(active: Active) -> list[tuple[str, int]]:
    """Whose caps, shares and quotas it counts for."""
    subjects: list[tuple[str, int]] = [("person", active.owner_id)]
    if active.group_id is not None:
        subjects.append(("group", active.group_id))
    return subjects
