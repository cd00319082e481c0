"""One loop that compares the targets with the present state and moves each part one step.

No other part waits for an answer or a message to arrive: a crash, a lost message or a missed answer between two steps
is found here at the next tick, so none of them needs handling elsewhere.
"""

from __future__ import annotations

import structlog
from qcrbox.contract.errors import Unreachable

from qcrbox_registry.scheduler.agent_steps import AgentSteps
from qcrbox_registry.scheduler.dispatch import Assignment, Dispatcher
from qcrbox_registry.scheduler.launcher_lists import LauncherLists
from qcrbox_registry.scheduler.planning import Planner
from qcrbox_registry.scheduler.recovery import read_rules
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.scheduler.write_behind import WriteBehind

log = structlog.get_logger(__name__)

RULES_S = 5.0
SEND_AGAIN_S = 1.0
STANDSTILL_LOOK_S = 0.5
STANDSTILL_S = 3.0
SLOW_TICK_S = 5.0
MORE_CANCEL_TIME_S = 5.0


class Reconciler:
    """The loop. Its parts: steps of agents, lists of launchers, the planner, rows behind memory."""

    def __init__(
        self,
        state: SchedulerState,
        dispatcher: Dispatcher,
        planner: Planner,
        agents: AgentSteps,
        lists: LauncherLists,
        rows: WriteBehind,
    ) -> None:
        self.state, self.dispatcher, self.planner = state, dispatcher, planner
        self.agents, self.lists, self.rows = agents, lists, rows
        self._rules_mono = self._beat_mono = state.clock.monotonic()
        self._was_cut = False

    def connected_again(self) -> None:
        """The connection to NATS was cut and is back."""
        self._was_cut = True

    async def tick(self) -> None:
        """Take one step of everything. A step that fails is taken again at the next tick."""
        self._note_standstill()
        mono = self.state.clock.monotonic()
        if not self.state.bus.is_connected:
            # NATS is down: do not count missed heartbeats against agents.
            self._extend_deadlines(mono)
        await self._read_rules(mono)
        await self._step_agents(mono)
        self.lists.ask_due(mono)
        await self._send_unsent()
        await self._deliver_after_cut()
        await self.dispatcher.round()
        await self.planner.plan()
        await self.rows.flush(mono)
        took_s = self.state.clock.monotonic() - mono
        if took_s > SLOW_TICK_S:
            log.warning("slow_tick", took_s=round(took_s, 1))

    async def _read_rules(self, mono: float) -> None:
        """Target: rules of the database, at most `RULES_S` old."""
        if mono - self._rules_mono >= RULES_S:
            self._rules_mono = mono
            await read_rules(self.state)

    async def _step_agents(self, mono: float) -> None:
        for agent in list(self.state.fleet.agents.values()):
            try:
                await self.agents.run(agent, mono)
            except Exception as error:
                log.error("agent_step_failed", agent=agent.id, error=repr(error), exc_info=error)

    async def _send_unsent(self) -> None:
        """Target: every written command is stored in JetStream. A crash or a cut connection came in between."""
        if not self.state.bus.is_connected:
            return
        mono = self.state.clock.monotonic()
        unsent = [
            Assignment(agent, active)
            for agent in self.state.fleet.agents.values()
            for active in agent.active.values()
            if not active.sent and active.attempt and mono - active.sent_mono > SEND_AGAIN_S
        ]
        if not unsent:
            return
        ids = [assignment.active.calculation_id for assignment in unsent]
        now = self.state.clock.time()
        commands = await self.state.db.read(lambda conn: self.state.maker.make(conn, ids, now))
        ready = [
            (assignment, command)
            for assignment in unsent
            if (command := commands.get(assignment.active.calculation_id)) is not None
            and command.attempt == assignment.active.attempt
        ]
        await self.dispatcher.send(ready)

    async def _deliver_after_cut(self) -> None:
        """Target: after a cut, commands reach their agents at once.

        A command that was on its way would be held back until its acknowledgement is overdue. A rebuilt consumer
        delivers it at once; an agent that has it already ignores it.
        """
        if not self._was_cut or not self.state.bus.is_connected:
            return
        self._was_cut = False
        for agent in list(self.state.fleet.agents.values()):
            if any(active.sent and active.started_mono is None for active in agent.active.values()):
                try:
                    await self.state.bus.rebuild_agent(agent.id)
                except Unreachable:
                    self._was_cut = True
                    return

    # ------------------------------------------------------------ standstill of this process

    async def watch_standstill(self) -> None:
        """Notice a standstill of this process (stopped, suspended, starved), also while a tick waits."""
        while True:
            await self.state.clock.sleep(STANDSTILL_LOOK_S)
            self._note_standstill()

    def _note_standstill(self) -> None:
        mono = self.state.clock.monotonic()
        stood_s, self._beat_mono = mono - self._beat_mono, mono
        if stood_s > STANDSTILL_S:
            log.warning("stood_still", seconds=round(stood_s, 1))
            self._extend_deadlines(stood_s)

    def _extend_deadlines(self, seconds: float) -> None:
        """During this time messages could not arrive: extend every deadline that waits for one."""
        mono = self.state.clock.monotonic()
        for agent in self.state.fleet.agents.values():
            agent.seen_mono = min(agent.seen_mono + seconds, mono)
            agent.requested_mono = min(agent.requested_mono + seconds, mono)
            for active in agent.active.values():
                active.not_seen_since_mono = None
                if active.cancel_reason:
                    active.cancel_until_mono = max(active.cancel_until_mono, mono + MORE_CANCEL_TIME_S)
