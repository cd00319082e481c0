"""How many agents to start, for which applications, and whose place to free for others."""

from __future__ import annotations

import asyncio
import math

from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.backlog import QueuePartition
from qcrbox_registry.scheduler.dispatch import UNKNOWN_S, Dispatcher
from qcrbox_registry.scheduler.fleet import Agent, Application, Launcher
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.state import SchedulerState


class Planner:
    """Starts and frees agents after each round of the dispatcher."""

    def __init__(self, state: SchedulerState, dispatcher: Dispatcher, launching: Launching) -> None:
        self.state, self.dispatcher, self.launching = state, dispatcher, launching
        self._planning = asyncio.Lock()

    async def plan(self) -> None:
        """Start the agents that waiting calculations and warm pools need; free places for them."""
        # The dispatch loop and the reconciler both plan. Without the lock, one would start the same agents again while
        # the other waits for the database.
        async with self._planning:
            await self._plan()

    async def _plan(self) -> None:
        for application in list(self.state.fleet.applications.values()):
            partitions = [
                partition
                for partition in self.dispatcher.unserved.get(application.id, [])
                if partition.entries
            ]
            wanted = 0 if application.retired else self._wanted(application, partitions)
            if wanted <= 0:
                continue
            if self.state.hold_on(application.id) is not None:
                continue
            if self.state.clock.monotonic() < application.next_start_mono:
                continue
            await self._start_some(application, wanted, partitions)

    def _wanted(self, application: Application, partitions: list[QueuePartition]) -> int:
        """How many agents to start now, beyond those that are coming."""
        state = self.state
        agents = state.fleet.of_application(application.id)
        coming = sum(agent.is_coming for agent in agents)
        there = sum(agent.is_ready and not agent.is_yielding for agent in agents)
        of_class = state.reservations.is_of_class(state, partitions, application.slug)
        open_to_them = there if of_class else there - state.reservations.kept(state, application)
        need = self._needed(application, partitions, open_to_them) if partitions else 0
        idle_and_fresh = sum(agent.state is AgentState.IDLE and agent.owner_id is None for agent in agents)
        need = max(need - coming, application.warm - idle_and_fresh - coming)
        booked = state.reservations.lacking(state, application)
        lacking = 0 if of_class else state.reservations.lacking_places(state)
        if lacking:
            free = sum(launcher.free for launcher in self._able(application))
            need = min(need, free - lacking)
        need = max(need, booked)
        return min(need, self.most_agents(application) - there - coming)

    def most_agents(self, application: Application) -> int:
        """How many agents an application may have."""
        return application.most_agents or self.state.settings.most_agents_per_application

    def _needed(self, application: Application, partitions: list[QueuePartition], there: int) -> int:
        """How many agents the waiting calculations are worth, by their expected runtime."""
        start_worth_s = self.state.settings.start_worth_s
        waiting = sum(len(partition) for partition in partitions)
        each_s = self.state.runtimes.expected(partitions[0].head.command_id)
        work = math.ceil(waiting * (UNKNOWN_S if each_s is None else each_s) / start_worth_s)
        need = min(waiting, max(work, 1))
        free = self.dispatcher.free_for(application, partitions)
        if application.reuse != "any":
            # Each person needs an agent; more for one person only when their work is worth it.
            return max(need, len({partition.owner_id for partition in partitions})) - free
        short = each_s is not None and each_s < start_worth_s
        return need - there if short else need - free

    async def _start_some(
        self, application: Application, wanted: int, partitions: list[QueuePartition]
    ) -> None:
        for _ in range(wanted):
            launcher = self._launcher_for(application)
            if launcher is None:
                self._explain(application)
                is_booked = self.state.reservations.lacking(self.state, application) > 0
                if partitions or is_booked:
                    await self._make_room(application, partitions, is_booked=is_booked)
                return
            launcher.free -= 1
            await self.launching.request(application, launcher)

    def _launcher_for(self, application: Application) -> Launcher | None:
        able = self._able(application)
        # An agent gets every command of its application: none where a program is not installed, while there is another.
        whole = [each for each in able if not each.missing.get((application.slug, application.version))]
        free = [launcher for launcher in whole or able if launcher.free > 0]
        return max(free, key=lambda launcher: launcher.free, default=None)

    def _able(self, application: Application) -> list[Launcher]:
        mono = self.state.clock.monotonic()
        return [
            launcher
            for launcher in self.state.fleet.launchers.values()
            if launcher.seen_mono is not None
            and mono - launcher.seen_mono < self.state.settings.launcher_lost_after_s
            and (application.slug, application.version) in launcher.applications
            and self.state.hold_on_launcher(launcher.name) is None
        ]

    def _explain(self, application: Application) -> None:
        """Note why no agent starts, for the people who wait."""
        state = self.state
        name = f"{application.slug} {application.version}"
        if self._able(application):
            state.waits[application.id] = "All places for agents are taken."
        elif any(
            (application.slug, application.version) in launcher.applications
            for launcher in state.fleet.launchers.values()
        ):
            state.waits[application.id] = f"The launcher that offers {name} does not answer or is on hold."
        else:
            state.waits[application.id] = f"No launcher offers {name} at present."

    async def _make_room(
        self, application: Application, partitions: list[QueuePartition], *, is_booked: bool
    ) -> None:
        """Stop one idle agent that is not needed, else let one that works for less urgent owners finish.

        is_booked: a class lacks agents of this application.
        """
        names = {launcher.name for launcher in self._able(application)}
        agents = [agent for agent in self.state.fleet.agents.values() if agent.launcher in names]
        leaving = (AgentState.STOPPING, AgentState.DRAINING)
        if any(agent.state in leaving for agent in agents):
            return  # a place becomes free already
        reservations = self.state.reservations
        own_class = reservations.is_of_class(self.state, partitions, application.slug)
        idle = [
            agent
            for agent in agents
            if agent.state is AgentState.IDLE
            and not agent.active
            # A class may part with agents that wait for one of its own people, others not.
            and ((own_class and agent.owner_id is not None) or not reservations.keeps(self.state, agent))
        ]
        if not is_booked and any(_serves(agent, application, partitions) for agent in idle):
            return  # an agent has become free since
        if idle:
            oldest = min(idle, key=lambda agent: (agent.owner_id is None, agent.idle_since_mono))
            await self.launching.stop(oldest, "its place is needed for others")
        elif not any(agent.is_yielding for agent in agents):
            # One at a time; and no reason to keep an idle agent, for it may take hours.
            if is_booked:
                self._let_outsider_finish(agents)
            else:
                self._let_one_finish(agents, application, partitions)

    def _let_outsider_finish(self, agents: list[Agent]) -> None:
        """Give nothing new to the longest-owned agent that works for nobody of a class."""
        for agent in sorted(agents, key=lambda agent: agent.owned_since_mono):
            works_for_class = self.state.reservations.works_for_class(self.state, agent)
            if agent.state is AgentState.BUSY and not works_for_class:
                agent.is_yielding = True
                return

    def _let_one_finish(
        self, agents: list[Agent], application: Application, partitions: list[QueuePartition]
    ) -> None:
        """Give nothing new to the longest-owned busy agent whose owner has used more than those who wait."""
        mono = self.state.clock.monotonic()
        for agent in sorted(agents, key=lambda agent: agent.owned_since_mono):
            if agent.application_id == application.id and application.reuse == "any":
                continue  # it serves them too, in turn with its present owner
            if self.state.reservations.works_for_class(
                self.state, agent
            ) and not self.state.reservations.is_of_class(self.state, partitions, application.slug):
                continue  # its place is kept for the class
            slice_over = mono - agent.owned_since_mono >= self.state.settings.owner_slice_s
            if agent.state is AgentState.BUSY and slice_over and self._is_less_due(agent, partitions):
                agent.is_yielding = True
                return

    def _is_less_due(self, agent: Agent, partitions: list[QueuePartition]) -> bool:
        """Whether a person who waits has used less than the owner of the agent."""
        share = self.state.share
        groups = {active.group_id for active in agent.active.values()} or {None}
        own = min(share.score(agent.owner_id or 0, group) for group in groups)
        others = [partition for partition in partitions if partition.owner_id != agent.owner_id]
        return any(share.score(partition.owner_id, partition.group_id) < own for partition in others)


def _serves(agent: Agent, application: Application, partitions: list[QueuePartition]) -> bool:
    """Whether this idle agent will get one of these calculations in the next round."""
    return agent.application_id == application.id and any(
        Dispatcher.may_have(agent, partition.owner_id, application) for partition in partitions
    )
