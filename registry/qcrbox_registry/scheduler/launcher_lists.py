"""Compares the list of agents of each launcher with the fleet: every process has an owner, every agent a process."""

from __future__ import annotations

import structlog
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.messages import LauncherAnswer, RunningAgent

from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.fleet import Agent, Launcher
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.state import SchedulerState

log = structlog.get_logger(__name__)
_NOT_LISTED = (AgentState.REQUESTED, AgentState.GONE)


class LauncherLists:
    """Asks launchers for their lists, one list of each at a time."""

    def __init__(self, state: SchedulerState, launching: Launching, failures: AgentFailures) -> None:
        self.state, self.launching, self.failures = state, launching, failures
        self._asked: set[str] = set()

    def ask_due(self, mono: float) -> None:
        """Ask in the background every launcher whose last list is old. mono: monotonic time, s."""
        every_s = self.state.settings.launcher_list_s
        for launcher in list(self.state.fleet.launchers.values()):
            if mono - launcher.asked_mono >= every_s and launcher.name not in self._asked:
                launcher.asked_mono = mono
                self._asked.add(launcher.name)
                self.state.background.spawn(self._ask(launcher))

    async def _ask(self, launcher: Launcher) -> None:
        # Agents that were with the launcher before it is asked must be in its answer.
        expected = {agent.id for agent in self._agents_of(launcher)}
        try:
            answer = await self.state.bus.launcher(launcher.name).list()
            if answer.ok:
                self.launching.note_answer(launcher.name, answer)
                await self._compare(launcher, answer, expected)
        except Unreachable:
            pass  # `seen_mono` ages, and no agent is started there until it answers
        finally:
            self._asked.discard(launcher.name)

    def _agents_of(self, launcher: Launcher) -> list[Agent]:
        return [
            agent
            for agent in self.state.fleet.agents.values()
            if agent.launcher == launcher.name and agent.state not in _NOT_LISTED
        ]

    async def _compare(self, launcher: Launcher, answer: LauncherAnswer, expected: set[str]) -> None:
        alive = {listed.agent for listed in answer.agents if listed.alive}
        await self._stop_unowned(launcher, alive)
        ended = {listed.agent: listed for listed in answer.agents if not listed.alive}
        for agent in self._agents_of(launcher):
            if agent.id in ended and agent.id not in alive:
                await self._end(agent, ended[agent.id])
            elif agent.id not in alive and agent.id in expected and self._is_silent(agent):
                await self._end(agent, None)

    async def _stop_unowned(self, launcher: Launcher, alive: set[str]) -> None:
        """Stop processes that belong to no agent of this launcher."""
        for agent_id in alive:
            agent = self.state.fleet.agents.get(agent_id)
            if agent is None or agent.launcher != launcher.name:
                log.warning("agent_without_owner_stopped", agent=agent_id, launcher=launcher.name)
                await self.launching.send_away(agent_id, launcher.name)

    def _is_silent(self, agent: Agent) -> bool:
        silent_s = self.state.clock.monotonic() - agent.seen_mono
        return not agent.was_heard or silent_s > self.state.settings.lost_after_s / 2

    async def _end(self, agent: Agent, listed: RunningAgent | None) -> None:
        memory = listed is not None and listed.oom_killed
        exit_code = None if listed is None else listed.exit_code
        reason = "it ran out of memory" if memory else "its process has ended"
        if exit_code not in (None, 0):
            reason += f" (exit code {exit_code})"
        if agent.is_coming:
            await self.launching.start_failed(agent, reason)
        else:
            await self.failures.handle(agent, reason, exit_code=exit_code, memory=memory)
