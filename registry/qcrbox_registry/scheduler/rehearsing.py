"""A rehearsal: agents are started as for a class, and what that takes is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox_registry.scheduler.fleet import Agent
from qcrbox_registry.scheduler.reservations import Rehearsal
from qcrbox_registry.scheduler.state import SchedulerState

LOOK_S = 0.25
MEMORY_WAIT_S = 6.0  # heartbeats, which bring the memory of agents, come every few seconds


@dataclass(slots=True)
class Rehearsed:
    """What the starts took. Times from the beginning of the rehearsal, s; memory in bytes.

    asked, already: how many agents were asked for and how many of them were ready before. ready_after_s: of each agent
    that was started and became ready. rss_bytes: of each of these of which it is known. free_bytes: memory that programs
    can still have on the registry's machine afterwards; None where it is not known.
    """

    asked: int
    already: int
    ready_after_s: list[float] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)
    free_bytes: int | None = None
    waits: list[str] = field(default_factory=list)


async def rehearse(state: SchedulerState, wanted: Mapping[str, int], seconds: float) -> Rehearsed:
    """Start agents until there are as many as wanted (slug -> number), at most for this long, s.

    Anybody may use the agents; those without work stop as idle ones do.
    """
    clock, mono = state.clock, state.clock.monotonic()
    applications = {
        each.id: each
        for each in sorted(state.fleet.applications.values(), key=lambda each: each.id)
        if each.slug in wanted and not each.retired
    }
    newest = {each.slug: each.id for each in applications.values()}
    before = {agent.id for agent in state.fleet.agents.values() if agent.application_id in applications}
    already = sum(
        min(wanted[slug], sum(agent.is_ready for agent in state.fleet.of_application(newest[slug])))
        for slug in newest
    )
    for slug, application_id in newest.items():
        state.reservations.rehearsals[application_id] = Rehearsal(wanted[slug], mono + seconds)
    found = Rehearsed(asked=sum(wanted.values()), already=already)
    ready: dict[str, float] = {}

    def started() -> list[Agent]:
        return [
            agent
            for agent in state.fleet.agents.values()
            if agent.application_id in applications and agent.id not in before
        ]

    state.wake.set()
    try:
        while clock.monotonic() - mono < seconds and len(ready) < found.asked - already:
            await clock.sleep(LOOK_S)
            for agent in started():
                if agent.is_ready and agent.id not in ready:
                    ready[agent.id] = clock.monotonic() - mono
        heard = clock.monotonic()
        while clock.monotonic() - heard < MEMORY_WAIT_S and not all(
            agent.rss_bytes for agent in started() if agent.id in ready
        ):
            await clock.sleep(LOOK_S)
    finally:
        for application_id in newest.values():
            state.reservations.rehearsals.pop(application_id, None)
    found.ready_after_s = sorted(ready.values())
    found.rss_bytes = [agent.rss_bytes for agent in started() if agent.id in ready and agent.rss_bytes]
    found.free_bytes = available_bytes()
    if len(ready) + already < found.asked:
        found.waits = sorted({state.waits[each] for each in newest.values() if each in state.waits})
    return found


def available_bytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Memory that programs can still have on this machine, bytes; None where Linux does not say it."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None
