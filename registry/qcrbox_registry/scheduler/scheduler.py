"""The scheduler, for the services."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from qcrbox.background import BackgroundTasks
from qcrbox.contract.errors import NotFound, QcError
from qcrbox.contract.messages import EndSession, OpenTunnel

from qcrbox_registry.messaging.auth_callout import AuthCallout
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.tokens import Enrolment, LauncherToken
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.agent_steps import AgentSteps
from qcrbox_registry.scheduler.backlog import Backlog
from qcrbox_registry.scheduler.cancelling import Cancelling
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.commands import CommandMaker
from qcrbox_registry.scheduler.dispatch import MOST_PER_ROUND, Dispatcher
from qcrbox_registry.scheduler.fair_share import FairShare
from qcrbox_registry.scheduler.fleet import Active, Agent, Fleet
from qcrbox_registry.scheduler.ingest import Ingest
from qcrbox_registry.scheduler.launcher_lists import LauncherLists
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.planning import Planner
from qcrbox_registry.scheduler.reconcile import Reconciler
from qcrbox_registry.scheduler.recovery import read_rules, recover
from qcrbox_registry.scheduler.rehearsing import Rehearsed, rehearse
from qcrbox_registry.scheduler.reservations import most_booked
from qcrbox_registry.scheduler.runtime_estimates import RuntimeEstimates
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.scheduler.state import EventPublisher, SchedulerState
from qcrbox_registry.scheduler.status import Estimate, estimate, status
from qcrbox_registry.scheduler.write_behind import WriteBehind
from qcrbox_registry.store import agents, launcher_passes
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.work_queue import Waiting

log = structlog.get_logger(__name__)


class Scheduler:
    """Runs inside one registry process, on a connected bus and a migrated database.

    files_base: address of the agents' file routes as agents reach it, `<registry>/internal/calculations`.
    event_hub: `.publish(events)` is called after each commit.
    """

    def __init__(  # noqa: PLR0913 - the services it is composed of
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
        self.planner = Planner(self.state, self.dispatcher, self.launching)
        self.rows = WriteBehind(self.state)
        self.reconciler = Reconciler(
            self.state,
            self.dispatcher,
            self.planner,
            AgentSteps(self.state, self.dispatcher, self.launching, self.cancelling),
            LauncherLists(self.state, self.launching, self.failures),
            self.rows,
        )
        self._auth = AuthCallout(
            secrets.account(), secrets.signing_key(), self._is_wanted, clock.time, self._has_pass
        )
        self._loops = BackgroundTasks(_report)
        self.is_ready = False

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Recover from SQL, JetStream and launchers, then run until `stop`."""
        await recover(self.state)
        await self._auth.serve(self.state.bus.connection)
        await self.state.bus.run_heartbeats(self.ingest.heartbeat)
        self.state.bus.on_reconnect(self.reconciler.connected_again)
        self._loops.spawn(self.state.bus.run_events(self.ingest.take, self.dispatcher.patience_s), "events")
        self._loops.spawn(self._dispatch_loop(), "dispatch")
        self._loops.spawn(self._reconcile_loop(), "reconcile")
        self._loops.spawn(self.reconciler.watch_standstill(), "standstill")
        self.is_ready = True

    async def stop(self) -> None:
        """Stop taking and handing out; agents keep working and their events wait in JetStream."""
        self.is_ready = False
        self.state.bus.stop_events()
        await asyncio.gather(self._loops.cancel(), self.state.background.cancel())
        with contextlib.suppress(QcError):
            await self.rows.flush_uses()

    async def _dispatch_loop(self) -> None:
        while True:
            await self.state.wake.wait()
            if patience_s := self.dispatcher.patience_s():
                await asyncio.sleep(patience_s)
            self.state.wake.clear()
            try:
                while await self.dispatcher.round() == MOST_PER_ROUND:
                    pass
                await self.planner.plan()
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
        state = await self.state.db.read(lambda conn: agents.state_of(conn, enrolment.agent))
        return state not in (None, "gone")

    async def _has_pass(self, claims: LauncherToken) -> bool:
        return await self.state.db.read(
            lambda conn: launcher_passes.is_valid(conn, claims.pass_id, claims.launcher)
        )

    # ------------------------------------------------------------ for the services

    def submitted(self, new: Sequence[NewCalculation]) -> None:
        """Queue calculations that were committed."""
        now = self.state.clock.time()
        self.state.enqueue(
            [
                Waiting(
                    id=calculation.id,
                    application_id=calculation.application_id,
                    owner_id=calculation.owner_id,
                    group_id=calculation.group_id,
                    command_id=calculation.command_id,
                    priority=calculation.priority,
                    submitted_at=now,
                )
                for calculation in new
            ]
        )

    def requeue(self, waiting: Waiting) -> None:
        """Give a waiting calculation its new place after its priority was written."""
        if self.state.backlog.remove(waiting.id):
            self.state.enqueue([waiting])

    async def cancel(
        self, calculation_ids: Sequence[str], *, reason: str = "", by: str = ""
    ) -> dict[str, str]:
        """See `Cancelling.cancel`."""
        return await self.cancelling.cancel(calculation_ids, reason, by)

    async def end_session(self, calculation_id: str, *, keep: bool = True, reason: str = "") -> None:
        """Ask the agent to end a session; one that waits is cancelled. Raises NotFound for a session that is not open."""
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
        now = self.state.clock.time()
        found = {calculation_id: self.queue_position(calculation_id) for calculation_id in calculation_ids}
        return {
            calculation_id: position.shown(now)
            for calculation_id, position in found.items()
            if position is not None
        }

    def queue_position(self, calculation_id: str) -> Estimate | None:
        """Place in the queue and when it may start; None for one that does not wait."""
        return estimate(self.state, calculation_id)

    def status(self) -> dict[str, Any]:
        """Queue, agents and launchers, for `qcrbox status`, the admin page and readiness."""
        return status(self.state)

    def missing(self, slug: str, version: str) -> dict[str, str]:
        """What of an application is not installed: command, "" for every one -> in words."""
        return self.state.fleet.missing(slug, version)

    async def rules_changed(self) -> None:
        """Read applications, holds and quotas now instead of at the next tick."""
        await read_rules(self.state)
        self.state.wake.set()

    def bookable(self, slugs: Sequence[str]) -> int:
        """How many places of these applications can be booked for classes: a share of the agents that can be there at
        once, by the launchers that offer them and by how many each application may have. Launchers that do not answer
        at present count: they did before."""
        state = self.state
        offered = [
            each
            for each in state.fleet.launchers.values()
            if any(slug in slugs for slug, _ in each.applications)
        ]
        known = {each.slug: each for each in state.fleet.applications.values() if not each.retired}
        allowed = sum(self.planner.most_agents(known[slug]) for slug in slugs if slug in known)
        capacity = sum(each.capacity for each in offered)
        return min(most_booked(capacity, state.settings.most_booked), allowed)

    def expected_s(self, command_ids: Sequence[int]) -> float | None:
        """The longest of the usual durations of these commands, s; None when none ever ran."""
        known = [self.state.runtimes.expected(command_id) for command_id in command_ids]
        return max((each for each in known if each is not None), default=None)

    async def rehearse(self, wanted: Mapping[str, int], seconds: float) -> Rehearsed:
        """See `rehearsing.rehearse`."""
        return await rehearse(self.state, wanted, seconds)

    async def stop_agent(self, agent_id: str, reason: str) -> None:
        """End an agent for an administrator; its calculations get another one. Raises NotFound."""
        agent = self.state.fleet.agents.get(agent_id)
        if agent is None:
            raise NotFound(f"There is no agent {agent_id!r}.")
        await self.launching.kill(agent, reason)

    def _holder(self, calculation_id: str) -> tuple[Agent, Active]:
        holder = self.state.fleet.find(calculation_id)
        if holder is None:
            raise NotFound("This session is not open.", next="Look at the list of sessions.")
        return holder


def _report(error: BaseException) -> None:
    log.error("loop_ended", error=repr(error), exc_info=error)
