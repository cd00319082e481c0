"""The agents and launchers as the scheduler knows them, in memory; rows of `agents` and `launchers` behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qcrbox_registry.scheduler.agent_state import COMING, READY, AgentState, require_allowed


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

    def ran_s(self, mono: float) -> float | None:
        """How long it has run at the monotonic time `mono`, s; None before its start."""
        return None if self.started_mono is None else max(mono - self.started_mono, 0.0)


@dataclass(slots=True, eq=False)
class Agent:
    """An agent in memory. Its state changes through `Fleet.change_state` only."""

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
    is_being_asked_for: bool = False  # the answer of its launcher is awaited
    is_leaving: bool = False  # its end is being written
    host: str = ""
    pid: int | None = None
    rss_bytes: int = 0

    def heard(self, mono: float) -> None:
        """Note a sign of life."""
        self.seen_mono, self.was_heard = mono, True

    @property
    def is_ready(self) -> bool:
        """Ready for commands, or working."""
        return self.state in READY and not self.is_leaving

    @property
    def is_coming(self) -> bool:
        """Requested or starting."""
        return self.state in COMING


@dataclass(slots=True, eq=False)
class Launcher:
    """A launcher in memory. Times are monotonic, s."""

    name: str
    manager: str = ""
    host: str = ""
    capacity: int = 0
    free: int = 0
    applications: set[tuple[str, str]] = field(
        default_factory=set
    )  # (slug, version); empty: not reported yet
    missing: dict[tuple[str, str], dict[str, str]] = field(
        default_factory=dict
    )  # (slug, version) -> command, "" for every one -> what is not installed
    seen_mono: float | None = None
    asked_mono: float = -1e9


@dataclass(slots=True, eq=False)
class Application:
    """An application as far as it concerns its agents."""

    id: int
    slug: str
    version: str
    reuse: str  # never | same-owner | any
    warm: int
    most_agents: int | None
    limits: dict[str, Any]
    retired: bool = False
    start_failures: int = 0
    next_start_mono: float = 0.0
    start_error: str = ""
    preparing: str = ""  # what its launcher prepares before it can start an agent


class Fleet:
    """All agents, launchers and applications."""

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
        """Add an agent."""
        self.agents[agent.id] = agent
        self._by_application.setdefault(agent.application_id, {})[agent.id] = agent

    def remove(self, agent: Agent) -> None:
        """Forget an agent."""
        self.agents.pop(agent.id, None)
        self._by_application.get(agent.application_id, {}).pop(agent.id, None)
        self.changed.discard(agent.id)

    def missing(self, slug: str, version: str) -> dict[str, str]:
        """What is not installed on any launcher that offers the application: command, "" for every one -> in words."""
        offered = [each for each in self.launchers.values() if (slug, version) in each.applications]
        reports = [each.missing.get((slug, version), {}) for each in offered]
        if not reports or not all(reports):
            return {}
        commands = {command for report in reports for command in report}
        return {
            command: next(iter(texts))
            for command in sorted(commands)
            if all(texts := [report.get(command) or report.get("", "") for report in reports])
        }

    def of_application(self, application_id: int) -> list[Agent]:
        """The agents of an application."""
        return list(self._by_application.get(application_id, {}).values())

    def change_state(self, agent: Agent, new: AgentState, now_mono: float) -> None:
        """Change the state of an agent; the same state again changes nothing. Raises ChangeRefused."""
        if agent.state == new:
            return
        require_allowed(agent.id, agent.state, new)
        agent.state = new
        if new is AgentState.IDLE:
            agent.idle_since_mono = now_mono
        self.changed.add(agent.id)

    def begin(self, agent: Agent, active: Active) -> None:
        """Give a calculation to an agent."""
        agent.active[active.calculation_id] = active
        for subject in subjects_of(active):
            self.running_of[subject] = self.running_of.get(subject, 0) + 1

    def end(self, agent: Agent, calculation_id: str) -> Active | None:
        """Take a calculation from an agent; None when it does not have it."""
        active = agent.active.pop(calculation_id, None)
        if active is not None:
            for subject in subjects_of(active):
                self.running_of[subject] = max(self.running_of.get(subject, 0) - 1, 0)
        return active

    def holder(self, calculation_id: str, agent_id: str | None) -> tuple[Agent, Active] | None:
        """The agent, when it has this calculation now."""
        agent = self.agents.get(agent_id or "")
        if agent is not None and calculation_id in agent.active:
            return agent, agent.active[calculation_id]
        return None

    def find(self, calculation_id: str) -> tuple[Agent, Active] | None:
        """The agent that has a calculation."""
        for agent in self.agents.values():
            if calculation_id in agent.active:
                return agent, agent.active[calculation_id]
        return None


def subjects_of(active: Active) -> list[tuple[str, int]]:
    """The person and group whose caps, shares and quotas it counts for."""
    subjects: list[tuple[str, int]] = [("person", active.owner_id)]
    if active.group_id is not None:
        subjects.append(("group", active.group_id))
    return subjects
