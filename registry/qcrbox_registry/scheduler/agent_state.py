"""The states of an agent, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class AgentState(StrEnum):
    """As it is stored in `agents.state`."""

    REQUESTED = "requested"  # a launcher is asked for it
    STARTING = "starting"  # its launcher brings it up
    IDLE = "idle"  # ready, without work
    BUSY = "busy"  # has calculations
    DRAINING = "draining"  # finishes its calculations and gets no new ones
    STOPPING = "stopping"  # its launcher is asked to end it
    GONE = "gone"  # ended, lost or never started


COMING = frozenset({AgentState.REQUESTED, AgentState.STARTING})
READY = frozenset({AgentState.IDLE, AgentState.BUSY})

# Every state may be followed by GONE: an agent can be lost at any moment. An agent that reports itself before its
# launcher answers passes from REQUESTED to READY at once.
NEXT: dict[AgentState, frozenset[AgentState]] = {
    AgentState.REQUESTED: frozenset({AgentState.STARTING, AgentState.IDLE, AgentState.BUSY, AgentState.GONE}),
    AgentState.STARTING: frozenset({AgentState.IDLE, AgentState.BUSY, AgentState.GONE}),
    AgentState.IDLE: frozenset({AgentState.BUSY, AgentState.DRAINING, AgentState.STOPPING, AgentState.GONE}),
    AgentState.BUSY: frozenset({AgentState.IDLE, AgentState.DRAINING, AgentState.STOPPING, AgentState.GONE}),
    AgentState.DRAINING: frozenset({AgentState.STOPPING, AgentState.GONE}),
    AgentState.STOPPING: frozenset({AgentState.GONE}),
    AgentState.GONE: frozenset(),
}


class ChangeRefused(Exception):
    """The table does not allow this change: a fault of the scheduler."""


def require_allowed(agent_id: str, old: AgentState, new: AgentState) -> None:
    """Raises ChangeRefused unless `new` may follow `old`."""
    if new not in NEXT[old]:
        raise ChangeRefused(f"Agent {agent_id} is {old} and cannot become {new}.")
