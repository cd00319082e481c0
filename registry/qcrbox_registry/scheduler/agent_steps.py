"""What the reconciler does with an agent at each tick: for each state a few checks, of which one acts.

A step compares the agent with its target and moves it one step towards it. It returns True when it acted; the rest is
left to the next tick.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from qcrbox.contract.errors import Unreachable

from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.cancelling import Cancelling
from qcrbox_registry.scheduler.dispatch import Dispatcher
from qcrbox_registry.scheduler.fleet import Active, Agent, Application
from qcrbox_registry.scheduler.ingest import NOT_SEEN_S
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store.holds import Hold

log = structlog.get_logger(__name__)

STOP_AGAIN_S = 20.0
Step = Callable[[Agent, float], Awaitable[bool]]  # (agent, monotonic time now in s) -> whether it acted


class AgentSteps:
    """The steps, by state of the agent."""

    def __init__(
        self,
        state: SchedulerState,
        dispatcher: Dispatcher,
        launching: Launching,
        cancelling: Cancelling,
    ) -> None:
        self.state, self.dispatcher = state, dispatcher
        self.launching, self.cancelling = launching, cancelling
        working = (self._write_off_silent, self._take_back_held, self._watch_calculations)
        self._steps: dict[AgentState, tuple[Step, ...]] = {
            AgentState.REQUESTED: (self._give_up_start, self._ask_launcher_again),
            AgentState.STARTING: (self._give_up_start,),
            AgentState.IDLE: (self._write_off_silent, self._stop_unneeded),
            AgentState.BUSY: working,
            AgentState.DRAINING: (self._write_off_silent, self._stop_drained, *working[1:]),
            AgentState.STOPPING: (self._write_off_silent, self._stop_again),
            AgentState.GONE: (),
        }

    async def run(self, agent: Agent, mono: float) -> None:
        """Take the first step that is due. mono: monotonic time, s."""
        if agent.is_leaving:
            return
        for step in self._steps[agent.state]:
            if await step(agent, mono):
                return

    # ------------------------------------------------------------ starting

    async def _give_up_start(self, agent: Agent, mono: float) -> bool:
        """Target: ready within the limit. Preparing an environment or image does not count."""
        application = self._application(agent)
        if application is not None and application.preparing:
            agent.requested_mono = mono
        limit_s = self.state.settings.started_within_s
        if mono - agent.requested_mono <= limit_s:
            return False
        await self.launching.start_failed(agent, f"it was not ready within {limit_s:g} s")
        await self.launching.send_away(agent.id, agent.launcher)
        return True

    async def _ask_launcher_again(self, agent: Agent, mono: float) -> bool:
        """Target: its launcher has answered."""
        if agent.is_being_asked_for:
            return False
        await self.launching.ask_again(agent, mono - agent.requested_mono)
        return True

    # ------------------------------------------------------------ ready ones

    async def _write_off_silent(self, agent: Agent, mono: float) -> bool:
        """Target: a sign of life within the limit."""
        limit_s = self.state.settings.lost_after_s
        if mono - agent.seen_mono <= limit_s:
            return False
        await self.launching.kill(agent, f"no sign of life for {limit_s:g} s")
        return True

    async def _stop_unneeded(self, agent: Agent, mono: float) -> bool:
        """Target: idle agents only while they are useful."""
        reason = "" if agent.active else self._unneeded(agent, mono)
        if not reason:
            return False
        await self.launching.stop(agent, reason)
        return True

    def _unneeded(self, agent: Agent, mono: float) -> str:
        """Why an idle agent is not needed; empty while it is."""
        application, hold = self._application(agent), self._hold_on(agent)
        if agent.is_yielding:
            return "others wait for its place"
        if hold is not None and hold.mode == "drain":
            return hold.reason
        if application is None or application.retired:
            return "its application is retired"
        is_old = mono - agent.idle_since_mono > self.state.settings.idle_s
        return "it was idle" if is_old and not self._is_kept_warm(agent, application.warm) else ""

    def _is_kept_warm(self, agent: Agent, warm: int) -> bool:
        if self.state.reservations.keeps(self.state, agent):
            return True
        if agent.owner_id is not None:
            return False  # warm agents are fresh: they may work for anybody
        fresh = [
            other
            for other in self.state.fleet.of_application(agent.application_id)
            if other.state is AgentState.IDLE and other.owner_id is None
        ]
        return len(fresh) <= warm

    async def _stop_drained(self, agent: Agent, mono: float) -> bool:
        """Target: a draining agent stops after its last calculation."""
        if agent.active:
            return False
        await self.launching.stop(agent, agent.reason or "it has done its work")
        return True

    async def _stop_again(self, agent: Agent, mono: float) -> bool:
        """Target: a stopping agent is gone soon."""
        if agent.stop_asked_mono is None or mono - agent.stop_asked_mono <= STOP_AGAIN_S:
            return False
        await self.launching.stop(agent, agent.reason or "stopping")
        return True

    # ------------------------------------------------------------ calculations

    async def _take_back_held(self, agent: Agent, mono: float) -> bool:
        """Target: under a hold the running calculation is finished and those handed out ahead wait again."""
        hold = self._hold_on(agent)
        if hold is not None and len(agent.active) > 1:
            _, *behind = agent.active.values()
            ahead = [
                active
                for active in behind
                if active.attempt and active.started_mono is None and active.cancel_reason is None
            ]
            if ahead:
                await self.dispatcher.take_back(agent, ahead, hold.reason)
        return False

    async def _watch_calculations(self, agent: Agent, mono: float) -> bool:
        """Target: every calculation is taken, keeps its wall time and follows a cancellation."""
        for active in list(agent.active.values()):
            if active.cancel_reason is not None:
                await self.cancelling.look_after(agent, active)
            elif not await self._end_over_wall_time(agent, active, mono):
                await self._deliver_unseen(agent, active, mono)
        return True

    async def _end_over_wall_time(self, agent: Agent, active: Active, mono: float) -> bool:
        """Charge a running calculation for its time so far, and cancel it past its limit."""
        if active.started_mono is None:
            return False
        ran_s = mono - active.started_mono
        if ran_s > active.charged_s:
            self.state.share.charge(active.owner_id, active.group_id, ran_s - active.charged_s, mono)
            active.charged_s = ran_s
        grace_s = self.state.settings.wall_time_grace_s
        if active.wall_time_s is None or ran_s <= active.wall_time_s + grace_s:
            return False
        await self.cancelling.over_wall_time(agent, active)
        return True

    async def _deliver_unseen(self, agent: Agent, active: Active, mono: float) -> None:
        """Deliver a command again that a living agent has not mentioned for long: neither taken nor ended.

        Its consumer is rebuilt and the same attempt sent again. An agent that has done it sends its end again.
        """
        unseen = active.not_seen_since_mono
        if unseen is None or mono - unseen < NOT_SEEN_S or not active.sent:
            return
        others = [other for other in agent.active.values() if other is not active]
        if any(other.not_seen_since_mono is None for other in others):
            return  # it waits behind the command that the agent works on
        if mono - max(unseen, active.sent_mono) <= self.state.settings.taken_within_s:
            return
        log.warning("command_delivered_again", agent=agent.id, calculation=active.calculation_id)
        self.state.counters.redelivered += 1
        active.sent, active.not_seen_since_mono = False, None
        active.sent_mono = self.state.clock.monotonic()
        try:
            await self.state.bus.rebuild_agent(agent.id)
        except Unreachable:
            return  # the command counts as unsent and is looked at again

    def _application(self, agent: Agent) -> Application | None:
        return self.state.fleet.applications.get(agent.application_id)

    def _hold_on(self, agent: Agent) -> Hold | None:
        return self.state.hold_on(agent.application_id) or self.state.hold_on_launcher(agent.launcher)
