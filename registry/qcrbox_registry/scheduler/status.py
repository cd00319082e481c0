"""What the scheduler shows: places in the queue, expected starts, agents, launchers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from qcrbox_registry.scheduler.state import SchedulerState


@dataclass(frozen=True, slots=True)
class Estimate:
    """position: 1 is next. starts_in_s: None without past runtimes. waits_for: the reason as people read it."""

    position: int
    starts_in_s: float | None
    earliest_in_s: float | None
    latest_in_s: float | None
    waits_for: str

    def shown(self, now: float) -> dict[str, Any]:
        """As answers show it; times are Unix times, s. now: Unix time, s."""

        def moment(seconds: float | None) -> float | None:
            return None if seconds is None else now + seconds

        return {
            "place": self.position,
            "reason": self.waits_for,
            "estimated_start": moment(self.starts_in_s),
            "earliest_start": moment(self.earliest_in_s),
            "latest_start": moment(self.latest_in_s),
        }


def estimate(state: SchedulerState, calculation_id: str) -> Estimate | None:
    """Place and expected start of a waiting calculation; None when it does not wait."""
    ahead = state.backlog.ahead(calculation_id)
    place = state.backlog.place(calculation_id)
    if ahead is None or place is None:
        return None
    partition = place[0]
    application = state.fleet.applications.get(partition.application_id)
    waits_for = (
        state.reservations.reason(state, partition)
        or state.waits.get(partition.application_id, "")
        or (application.preparing if application else "")
    )
    if not waits_for and not state.may_run(partition.owner_id, partition.group_id):
        waits_for = "As many of your calculations as allowed are running."
    slots = sum(
        agent.is_ready or agent.is_coming for agent in state.fleet.of_application(partition.application_id)
    )
    command_id = partition.head.command_id if partition.entries else None
    typical = None if command_id is None else state.runtimes.expected(command_id)
    if typical is None or not slots or state.hold_on(partition.application_id) is not None:
        return Estimate(ahead + 1, None, None, None, waits_for)
    spread = state.runtimes.spread(command_id or 0) or (typical, typical)
    running = _remaining_s(state, partition.application_id, typical)
    turns = ahead / slots
    return Estimate(
        ahead + 1, running + turns * typical, turns * spread[0], running + (turns + 1) * spread[1], waits_for
    )


def _remaining_s(state: SchedulerState, application_id: int, typical: float) -> float:
    """Time until the first slot is free, s: 0 with an idle agent, else the least remaining runtime."""
    mono = state.clock.monotonic()
    rests = []
    for agent in state.fleet.of_application(application_id):
        if agent.is_ready and not agent.active:
            return 0.0
        for active in agent.active.values():
            ran = 0.0 if active.started_mono is None else mono - active.started_mono
            rests.append(max((active.estimate_s or typical) - ran, 0.0))
    return min(rests, default=0.0)


def status(state: SchedulerState) -> dict[str, Any]:
    """Queue, agents, launchers and counters as GET /api/status answers."""
    mono = state.clock.monotonic()
    names = {
        application.id: f"{application.slug} {application.version}"
        for application in state.fleet.applications.values()
    }
    agents = [
        {
            "agent": agent.id,
            "application": names.get(agent.application_id, ""),
            "launcher": agent.launcher,
            "state": str(agent.state),
            "calculations": list(agent.active),
            "owner_id": agent.owner_id,
            "seen_s_ago": round(mono - agent.seen_mono, 1),
            "rss_bytes": agent.rss_bytes,
            "host": agent.host,
            "pid": agent.pid,
        }
        for agent in state.fleet.agents.values()
    ]
    launchers = [
        {
            "launcher": launcher.name,
            "manager": launcher.manager,
            "host": launcher.host,
            "capacity": launcher.capacity,
            "free": launcher.free,
            "answers": launcher.seen_mono is not None
            and mono - launcher.seen_mono < state.settings.launcher_lost_after_s,
        }
        for launcher in state.fleet.launchers.values()
    ]
    return {
        "waiting": len(state.backlog),
        "waiting_by_application": {
            names.get(application_id, str(application_id)): state.backlog.waiting_for(application_id)
            for application_id in state.backlog.applications()
        },
        "waits": {
            names.get(application_id, str(application_id)): why for application_id, why in state.waits.items()
        },
        "failed_starts": {
            names.get(application.id, ""): application.start_error
            for application in state.fleet.applications.values()
            if application.start_failures
        },
        "running": sum(len(agent.active) for agent in state.fleet.agents.values()),
        "agents": agents,
        "launchers": launchers,
        "nats": state.bus.is_connected,
        "counters": asdict(state.counters),
    }
