"""Writes to the database what the scheduler changes in memory only: rows of agents, use of slots, free places."""

from __future__ import annotations

import time

from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.fleet import Agent
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import agents, launchers, usage
from qcrbox_registry.store.agents import AgentUpdate
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.usage import Use

USAGE_S = 15.0


class WriteBehind:
    """Writes changed agents at each tick, use of slots every `USAGE_S`."""

    def __init__(self, state: SchedulerState) -> None:
        self.state = state
        self._usage_mono = state.clock.monotonic()

    async def flush(self, mono: float) -> None:
        """Write what has changed. mono: monotonic time, s."""
        fleet, share = self.state.fleet, self.state.share
        changed = [fleet.agents[agent_id] for agent_id in fleet.changed if agent_id in fleet.agents]
        fleet.changed.clear()
        now = self.state.clock.time()
        uses: list[Use] = []
        if mono - self._usage_mono >= USAGE_S:
            self._usage_mono = mono
            uses = self.uses(now)
            share.changed.clear()
        if not changed and not uses:
            return
        rows = [_update_of(agent, now) for agent in changed]
        free = {launcher.name: launcher.free for launcher in fleet.launchers.values()} if uses else {}

        def write(conn: Connection) -> None:
            agents.update(conn, rows)
            usage.add(conn, uses)
            launchers.set_free(conn, free)

        try:
            await self.state.db.write(write)
        except BaseException:
            fleet.changed |= {agent.id for agent in changed if agent.id in fleet.agents}
            self._count_again(uses)
            raise

    async def flush_uses(self) -> None:
        """Write the use of slots, at the end."""
        uses = self.uses(self.state.clock.time())
        await self.state.db.write(lambda conn: usage.add(conn, uses))

    def _count_again(self, uses: list[Use]) -> None:
        """Uses that were not written are written with the next."""
        for use in uses:
            subject = (use.subject, use.subject_id)
            self.state.share.changed.add(subject)
            self.state.used_s[subject] = self.state.used_s.get(subject, 0.0) + use.cpu_s

    def uses(self, now: float) -> list[Use]:
        """The uses to write; the processor time since the last call is taken out. now: Unix time, s."""
        used_s, self.state.used_s = self.state.used_s, {}
        mono = self.state.clock.monotonic()
        return [
            Use(
                subject=subject,
                subject_id=subject_id,
                decayed_s=self.state.share.use(subject, subject_id, mono),
                decayed_at=now,
                cpu_s=used_s.get((subject, subject_id), 0.0),
                month=time.strftime("%Y-%m", time.gmtime(now)),
            )
            for subject, subject_id in self.state.share.changed | used_s.keys()
        ]


def _update_of(agent: Agent, now: float) -> AgentUpdate:
    active = next(iter(agent.active.values()), None)
    return AgentUpdate(
        id=agent.id,
        state=str(agent.state),
        owner_id=agent.owner_id,
        busy_with=active.calculation_id if active else None,
        attempt=active.attempt if active else None,
        idle_since=now if agent.state is AgentState.IDLE else None,
        last_seen_at=now,
        rss_bytes=agent.rss_bytes or None,
    )
