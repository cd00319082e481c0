"""The scheduler as the rest of the registry sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import structlog
from qcrbox.contract.errors import NotFound, QcError
from qcrbox.contract.messages import EndSession, OpenTunnel
from sqlalchemy import select

from qcrbox_registry.messaging.auth_callout import AuthCallout
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.tokens import Enrolment
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.backlog import Backlog, Waiting
from qcrbox_registry.scheduler.cancelling import Cancelling
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.commands import CommandMaker
from qcrbox_registry.scheduler.dispatch import MOST_PER_ROUND, Dispatcher
from qcrbox_registry.scheduler.fair_share import FairShare
from qcrbox_registry.scheduler.fleet import Active, Agent, Fleet
from qcrbox_registry.scheduler.ingest import Ingest
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.reconcile import Reconciler, write_rows
from qcrbox_registry.scheduler.recovery import read_rules, recover
from qcrbox_registry.scheduler.runtime_estimates import RuntimeEstimates
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.scheduler.state import EventPublisher, SchedulerState
from qcrbox_registry.scheduler.status import Estimate, estimate, status
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.tables import agents as agents_table

log = structlog.get_logger(__name__)

LINGER_S = 0.005
CANCEL_AGAIN_S = 1.0


class Scheduler:
    """Runs inside one registry process, on a connected bus and a migrated database.

    files_base: address of the agents' file routes as agents reach it, `<registry>/internal/calculations`.
    event_hub: `.publish(events)` is called after each commit.
    """

    def __init__(
        self,
        db: Database,
        bus: Bus,
        settings: SchedulerSettings,
        event_hub: EventPublisher,
        *,
        secrets: Secrets,
        files_base: str,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        maker = CommandMaker(
            files_base.rstrip("/"), secrets.signing_key(), settings.token_life_s, settings.default_wall_time_s
        )
        self.state = SchedulerState(
            db=db,
            bus=bus,
            settings=settings,
            hub=event_hub,
            maker=maker,
            clock=clock,
            backlog=Backlog(settings.ageing_s),
            fleet=Fleet(),
            share=FairShare(settings.half_life_s, clock.monotonic()),
            runtimes=RuntimeEstimates(),
        )
        self.dispatcher = Dispatcher(self.state)
        self.failures = AgentFailures(self.state)
        self.launching = Launching(self.state, self.failures)
        self.cancelling = Cancelling(self.state, self.launching)
        self.ingest = Ingest(self.state, self.launching, self.failures)
        self.reconciler = Reconciler(
            self.state, self.dispatcher, self.launching, self.failures, self.cancelling
        )
        self._auth = AuthCallout(secrets.account(), secrets.signing_key(), self._is_wanted, clock.time)
        self._tasks: list[asyncio.Task] = []
        self.is_ready = False

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Recover from SQL, JetStream and launchers, then run until `stop`."""
        await recover(self.state)
        await self._auth.serve(self.state.bus.connection)
        await self.state.bus.run_heartbeats(self.ingest.heartbeat)
        self.state.bus.on_reconnect(self.reconciler.connected_again)
        self._tasks = [
            asyncio.create_task(
                self.state.bus.run_events(self.ingest.take, self.dispatcher.patience_s), name="events"
            ),
            asyncio.create_task(self._dispatch_loop(), name="dispatch"),
            asyncio.create_task(self._reconcile_loop(), name="reconcile"),
            asyncio.create_task(self.reconciler.watch_standstill(), name="standstill"),
        ]
        self.is_ready = True

    async def stop(self) -> None:
        """Stop taking and handing out; agents keep working and their events wait in JetStream."""
        self.is_ready = False
        self.state.bus.stop_events()
        await _ended({*self._tasks, *self.state.background})
        self._tasks = []
        uses = self.reconciler.uses(self.state.clock.time())
        with contextlib.suppress(QcError):
            await self.state.db.write(lambda conn: write_rows(conn, [], uses, {}))

    async def _dispatch_loop(self) -> None:
        while True:
            await self.state.wake.wait()
            if patience_s := self.dispatcher.patience_s():
                await asyncio.sleep(patience_s)
            self.state.wake.clear()
            try:
                while await self.dispatcher.round() == MOST_PER_ROUND:
                    pass
                await self.launching.plan(self.dispatcher)
            except Exception as error:
                log.error("dispatch_failed", error=repr(error), exc_info=error)
                await asyncio.sleep(0.5)

    async def _reconcile_loop(self) -> None:
        while True:
            await self.state.clock.sleep(self.state.settings.tick_s)
            try:
                await self.reconciler.tick()
            except Exception as error:
                log.error("reconcile_failed", error=repr(error), exc_info=error)

    async def _is_wanted(self, enrolment: Enrolment) -> bool:
        if enrolment.agent in self.state.fleet.agents:
            return True
        query = select(agents_table.c.state).where(agents_table.c.id == enrolment.agent)
        state = await self.state.db.read(lambda conn: conn.execute(query).scalar())
        return state not in (None, "gone")

    # ------------------------------------------------------------ what the API asks

    def submitted(self, new: Sequence[NewCalculation]) -> None:
        """New calculations are committed: they may run."""
        now = self.state.clock.time()
        self.state.enqueue(
            [
                Waiting(
                    one.id, one.application_id, one.owner_id, one.group_id, one.command_id, one.priority, now
                )
                for one in new
            ]
        )

    async def cancel(
        self, calculation_ids: Sequence[str], *, reason: str = "", by: str = ""
    ) -> dict[str, str]:
        """See `Cancelling.cancel`."""
        return await self.cancelling.cancel(calculation_ids, reason, by)

    async def end_session(self, calculation_id: str, *, keep: bool = True, reason: str = "") -> None:
        """Ask the agent to end a session. One that still waits is cancelled. Raises NotFound for no such open one."""
        if calculation_id in self.state.backlog:
            await self.cancel([calculation_id], reason=reason or "the session was closed before it started")
            return
        agent, active = self._holder(calculation_id)
        await self.state.bus.control(
            agent.id,
            EndSession(calculation_id=calculation_id, attempt=active.attempt, keep=keep, reason=reason),
        )

    async def open_tunnel(
        self, calculation_id: str, *, tunnel_id: str, url: str, token: str, view_only: bool = False
    ) -> None:
        """Ask the agent of a session to dial `url`. Raises NotFound when no agent has it."""
        agent, active = self._holder(calculation_id)
        await self.state.bus.control(
            agent.id,
            OpenTunnel(
                calculation_id=calculation_id,
                attempt=active.attempt,
                tunnel_id=tunnel_id,
                url=url,
                token=token,
                view_only=view_only,
            ),
        )

    def queue_info(self, calculation_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """`place` (1 is next), `reason` it waits for and `estimated_start` (Unix time, s, or None) of those that wait."""
        found = ((one, self.queue_position(one)) for one in calculation_ids)
        now = self.state.clock.time()
        return {one: known.shown(now) for one, known in found if known is not None}

    def queue_position(self, calculation_id: str) -> Estimate | None:
        """Place in the queue and when it may start; None for one that does not wait."""
        return estimate(self.state, calculation_id)

    def status(self) -> dict[str, Any]:
        """Queue, agents and launchers, for `qcrbox status`, the admin page and readiness."""
        return status(self.state)

    async def rules_changed(self) -> None:
        """An application, hold or quota was changed: act now instead of at the next look."""
        await read_rules(self.state)
        self.state.wake.set()

    async def stop_agent(self, agent_id: str, reason: str) -> None:
        """An administrator ends an agent; what it runs is given to another. Raises NotFound."""
        agent = self.state.fleet.agents.get(agent_id)
        if agent is None:
            raise NotFound(f"There is no agent {agent_id!r}.")
        await self.launching.kill(agent, reason)

    def _holder(self, calculation_id: str) -> tuple[Agent, Active]:
        holder = self.state.fleet.find(calculation_id)
        if holder is None:
            raise NotFound("This session is not open.", next="Look at the list of sessions.")
        return holder


async def _ended(left: set[asyncio.Task]) -> None:
    """Cancel until they have ended. Once is not enough: nats-py swallows a cancellation that comes while it flushes, or
    with what its `wait_for` waits for; a loop then goes on for ever."""
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
