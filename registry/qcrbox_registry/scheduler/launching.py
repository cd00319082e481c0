"""Starts and stops agents through the launchers, within their limits."""

from __future__ import annotations

import math
import os

import structlog
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.messages import (
    AgentReady,
    Drain,
    LauncherAnswer,
    LauncherReady,
    Limits,
    StartAgent,
    StopAgent,
)
from qcrbox.contract.states import State
from sqlalchemy import insert, update
from sqlalchemy.engine import Connection

from qcrbox_registry.messaging.tokens import Enrolment, sign
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.backlog import QueuePartition
from qcrbox_registry.scheduler.dispatch import UNKNOWN_S, Dispatcher
from qcrbox_registry.scheduler.fleet import Agent, Application, Launcher
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import agents as agents_table
from qcrbox_registry.store.tables import launchers as launchers_table
from qcrbox_registry.store.transitions import Change, change_states

log = structlog.get_logger(__name__)

LONGEST_BACKOFF_S = 60.0


class Launching:
    def __init__(self, state: SchedulerState, failures: AgentFailures) -> None:
        self.state, self.failures = state, failures

    # ------------------------------------------------------------ how many

    async def plan(self, dispatcher: Dispatcher) -> None:
        """Start what waiting calculations and warm pools need; make room for it."""
        for application in list(self.state.fleet.applications.values()):
            partitions = [
                partition for partition in dispatcher.unserved.get(application.id, []) if partition.entries
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
        """Agents to start now, beyond those that are on their way."""
        state = self.state
        agents = state.fleet.of_application(application.id)
        coming = sum(agent.is_coming for agent in agents)
        there = sum(agent.is_there and not agent.is_yielding for agent in agents)
        need = 0
        if partitions:
            waiting = sum(len(partition) for partition in partitions)
            each = state.runtimes.expected(partitions[0].head[3])
            work = math.ceil(waiting * (UNKNOWN_S if each is None else each) / state.settings.start_worth_s)
            need = min(waiting, max(work, 1))
            if application.reuse == "any":
                need = (
                    max(need - there, 0) if each is not None and each < state.settings.start_worth_s else need
                )
            else:
                # Everybody needs an agent of their own; more for one person only when the work is worth it.
                need = max(min(need, waiting), len({partition.owner_id for partition in partitions}))
        idle_and_fresh = sum(agent.state == "idle" and agent.owner_id is None for agent in agents)
        need = max(need - coming, application.warm - idle_and_fresh - coming)
        most = application.most_agents or state.settings.most_agents_per_application
        return min(need, most - there - coming)

    async def _start_some(
        self, application: Application, wanted: int, partitions: list[QueuePartition]
    ) -> None:
        for _ in range(wanted):
            launcher = self._launcher_for(application)
            if launcher is None:
                self._explain(application)
                if partitions:
                    await self._make_room(application, partitions)
                return
            launcher.free -= 1
            await self._request(application, launcher)

    def _launcher_for(self, application: Application) -> Launcher | None:
        able = [one for one in self._able(application) if one.free > 0]
        return max(able, key=lambda one: one.free, default=None)

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
        """Why nothing starts, in words for the person who waits."""
        state = self.state
        name = f"{application.slug} {application.version}"
        if self._able(application):
            state.waits[application.id] = "All places for agents are taken."
        elif any(
            (application.slug, application.version) in one.applications
            for one in state.fleet.launchers.values()
        ):
            state.waits[application.id] = f"The launcher that offers {name} does not answer or is on hold."
        else:
            state.waits[application.id] = f"No launcher offers {name} at present."

    async def _make_room(self, application: Application, partitions: list[QueuePartition]) -> None:
        """Recycle one agent that nobody needs now; failing that, ask one to finish for others to come."""
        names = {launcher.name for launcher in self._able(application)}
        agents = [agent for agent in self.state.fleet.agents.values() if agent.launcher in names]
        if any(agent.state in ("stopping", "draining") or agent.is_yielding for agent in agents):
            return  # room is being made already
        idle = [
            agent
            for agent in agents
            if agent.state == "idle" and not agent.active and not _serves(agent, application, partitions)
        ]
        owners = {partition.owner_id for partition in partitions}
        if any(
            agent.application_id == application.id
            and (application.reuse == "any" or agent.owner_id is None or agent.owner_id in owners)
            for agent in idle
        ):
            return  # one that can serve them has become free meanwhile
        if idle:
            oldest = min(idle, key=lambda agent: (agent.owner_id is None, agent.idle_since_mono))
            await self.stop(oldest, "its place is needed for others")
            return
        mono = self.state.clock.monotonic()
        for agent in sorted(agents, key=lambda one: one.owned_since_mono):
            if agent.application_id == application.id and application.reuse == "any":
                continue  # it serves them too; each turn is theirs when they have used less
            slice_over = mono - agent.owned_since_mono >= self.state.settings.owner_slice_s
            if agent.state == "busy" and slice_over and self._is_less_due(agent, partitions):
                agent.is_yielding = True
                return

    def _is_less_due(self, agent: Agent, partitions: list[QueuePartition]) -> bool:
        """Whether somebody else who waits has used less than the agent's owner."""
        share = self.state.share
        groups = {active.group_id for active in agent.active.values()} or {None}
        mine = min(share.score(agent.owner_id or 0, group) for group in groups)
        others = [partition for partition in partitions if partition.owner_id != agent.owner_id]
        return any(share.score(partition.owner_id, partition.group_id) < mine for partition in others)

    # ------------------------------------------------------------ starting

    async def _request(self, application: Application, launcher: Launcher) -> None:
        state = self.state
        agent = Agent(
            id=f"{_readable(application.slug)}-{os.urandom(5).hex()}",
            application_id=application.id,
            launcher=launcher.name,
            state="requested",
            requested_mono=state.clock.monotonic(),
            seen_mono=state.clock.monotonic(),
            is_being_asked_for=True,
        )
        state.fleet.add(agent)  # before the first await: nobody may count one agent too few
        now = state.clock.time()
        row = {
            "id": agent.id,
            "application_id": application.id,
            "launcher": launcher.name,
            "state": "requested",
            "requested_at": now,
        }
        try:
            await state.db.write(lambda conn: conn.execute(insert(agents_table), [row]))
        except BaseException:
            state.fleet.remove(agent)  # nobody may wait for one that was never asked for
            launcher.free += 1
            raise
        state.spawn(self._ask(agent, application, launcher))

    async def ask_again(self, agent: Agent, waited_s: float) -> None:
        """For an agent that is requested while no answer is awaited: the registry was ended, or its disk was full,
        before it knew. Asked twice a launcher says that the agent is there."""
        application = self.state.fleet.applications.get(agent.application_id)
        launcher = self.state.fleet.launchers.get(agent.launcher)
        if application is not None and launcher is not None and launcher.seen_mono is not None:
            agent.is_being_asked_for = True
            self.state.spawn(self._ask(agent, application, launcher))
        elif waited_s > self.state.settings.launcher_lost_after_s:
            await self.failures.handle(agent, "its launcher does not answer")

    async def _ask(self, agent: Agent, application: Application, launcher: Launcher) -> None:
        try:
            await self._ask_once(agent, application, launcher)
        finally:
            agent.is_being_asked_for = False

    async def _ask_once(self, agent: Agent, application: Application, launcher: Launcher) -> None:
        state = self.state
        claims = Enrolment(
            agent=agent.id,
            application_slug=application.slug,
            application_version=application.version,
            launcher=launcher.name,
            expires=state.clock.time() + state.settings.token_life_s,
        )
        request = StartAgent(
            agent=agent.id,
            application_slug=application.slug,
            application_version=application.version,
            limits=Limits.model_validate(application.limits),
            enrolment_token=sign(state.maker.signing_key, "enrol", claims),
        )
        try:
            await state.bus.add_agent(agent.id)
            answer = await state.bus.launcher(launcher.name).start(request)
        except Unreachable as error:
            await self._no_answer(agent, launcher, error.message)
            return
        launcher.free = answer.free
        if not answer.ok and answer.free <= 0:
            # No place is no fault of the application: what waits goes on waiting.
            await self.failures.handle(agent, "its launcher had no place for it")
            return
        if not answer.ok:
            await self.start_failed(agent, answer.error or "the launcher refused")
            return
        state.counters.started_agents += 1
        if agent.state == "requested":
            state.fleet.set_state(agent, "starting", state.clock.monotonic())

    async def _no_answer(self, agent: Agent, launcher: Launcher, reason: str) -> None:
        """Nothing is asked of this launcher until it answers a list again; should the agent come, it is sent away."""
        log.warning("launcher_silent", launcher=launcher.name, agent=agent.id)
        launcher.seen_mono, launcher.asked_mono = None, -1e9
        await self.failures.handle(agent, reason)

    async def start_failed(self, agent: Agent, reason: str) -> None:
        """An agent did not come up. After some failures in a row the calculation that waits longest fails."""
        state = self.state
        state.counters.failed_starts += 1
        log.warning("agent_did_not_start", agent=agent.id, reason=reason)
        await self.failures.handle(agent, reason)
        application = state.fleet.applications.get(agent.application_id)
        if application is None:
            return
        application.start_failures += 1
        application.start_error = reason
        pause = state.settings.start_backoff_s * 2 ** min(application.start_failures - 1, 10)
        application.next_start_mono = state.clock.monotonic() + min(pause, LONGEST_BACKOFF_S)
        state.waits[application.id] = f"Its last start failed: {reason}"
        if application.start_failures >= state.settings.start_failures:
            await self._fail_head(application, reason)

    async def _fail_head(self, application: Application, reason: str) -> None:
        state = self.state
        partitions = state.backlog.partitions(application.id)
        if not partitions or any(agent.is_there for agent in state.fleet.of_application(application.id)):
            return
        head = min(partitions, key=lambda partition: partition.head[0])
        calculation_id, _ = state.backlog.take(head)
        text = f"{application.slug} {application.version} could not be started ({application.start_failures} times): {reason}"
        change = Change(calculation_id, State.FAILED, None, fields={"error_msg": text, "dead_letter": True})
        told, _ = await state.db.write(lambda conn: change_states(conn, [change], state.clock.time()))
        state.publish(told)

    async def agent_ready(self, agent: Agent, event: AgentReady) -> None:
        state = self.state
        mono = state.clock.monotonic()
        agent.heard(mono)
        agent.host, agent.pid = event.host, event.pid or None
        if agent.is_coming:
            self.is_there(agent)
        state.fleet.changed.add(agent.id)
        values = {
            "host": event.host,
            "pid": event.pid or None,
            "qcrbox_version": event.qcrbox_version,
            "notes": event.notes[:50],
            "state": agent.state,
        }
        now = state.clock.time()

        def write(conn: Connection) -> None:
            row = update(agents_table).where(agents_table.c.id == agent.id)
            conn.execute(row.values(**values, last_seen_at=now))
            conn.execute(row.where(agents_table.c.ready_at.is_(None)).values(ready_at=now))

        await state.db.write(write)
        state.wake.set()

    def is_there(self, agent: Agent) -> None:
        """An agent that was coming is ready for commands."""
        state = self.state
        state.fleet.set_state(agent, "busy" if agent.active else "idle", state.clock.monotonic())
        application = state.fleet.applications.get(agent.application_id)
        if application is not None:
            application.start_failures, application.start_error = 0, ""
            state.waits.pop(application.id, None)
        state.wake.set()

    # ------------------------------------------------------------ stopping

    def after_run(self, agent: Agent) -> None:
        """The owner rule and drains act when an agent has nothing in hand."""
        if agent.active or not agent.is_there:
            return
        application = self.state.fleet.applications.get(agent.application_id)
        if agent.is_yielding or (application is not None and application.reuse == "never"):
            self.state.fleet.set_state(agent, "draining", self.state.clock.monotonic())
            self.state.spawn(self.stop(agent, "it has done its work"))

    async def stop(self, agent: Agent, reason: str, grace_s: float = 5.0) -> None:
        """Ask the launcher to end an agent that holds nothing; its end is told by the launcher, or forced later."""
        state = self.state
        state.fleet.set_state(agent, "stopping", state.clock.monotonic())
        agent.stop_asked_mono, agent.reason = state.clock.monotonic(), reason
        await state.bus.control(agent.id, Drain(reason=reason))
        # Beside: a launcher may take its time, and nobody else has to wait for it.
        state.spawn(self._stop_process(agent.id, agent.launcher, reason, grace_s))

    async def kill(self, agent: Agent, reason: str) -> None:
        """End an agent that does not listen, and give what it held to another."""
        await self.failures.handle(agent, reason)
        self.state.spawn(self._stop_process(agent.id, agent.launcher, reason, 1.0))

    async def send_away(self, agent_id: str, launcher: str) -> None:
        """An agent that we do not know, or have given up."""
        await self.state.bus.control(agent_id, Drain(reason="the registry does not know this agent"))
        self.state.spawn(self._stop_process(agent_id, launcher, "not known to the registry", 1.0))

    async def _stop_process(self, agent_id: str, launcher: str, reason: str, grace_s: float) -> None:
        if launcher not in self.state.fleet.launchers:
            return
        try:
            request = StopAgent(agent=agent_id, grace_s=grace_s, reason=reason)
            answer = await self.state.bus.launcher(launcher).stop(request)
        except Unreachable:
            return  # the reconciler looks at the launcher's list again
        self.take_free(launcher, answer)
        agent = self.state.fleet.agents.get(agent_id)
        if (
            agent is not None
            and answer.ok
            and not any(one.agent == agent_id and one.alive for one in answer.agents)
        ):
            await self.failures.handle(agent, reason)

    def take_free(self, name: str, answer: LauncherAnswer) -> None:
        launcher = self.state.fleet.launchers.get(name)
        if launcher is not None and answer.ok:
            launcher.free, launcher.seen_mono = answer.free, self.state.clock.monotonic()
            self.state.wake.set()

    # ------------------------------------------------------------ launchers

    def place_is_free(self, name: str) -> None:
        """A launcher tells that a process of its ended: what waits for a place need not wait for its next list."""
        launcher = self.state.fleet.launchers.get(name)
        if launcher is not None:
            launcher.free = min(launcher.free + 1, launcher.capacity)
            self.state.wake.set()

    async def launcher_ready(self, event: LauncherReady) -> None:
        state = self.state
        launcher = state.fleet.launchers.setdefault(event.launcher, Launcher(event.launcher))
        launcher.manager, launcher.host, launcher.capacity = event.manager, event.host, event.capacity
        launcher.applications = {(one.get("slug", ""), one.get("version", "")) for one in event.applications}
        launcher.seen_mono, launcher.asked_mono = state.clock.monotonic(), -1e9
        launcher.free = max(event.capacity - len(event.running), 0)
        texts = {(one.get("slug"), one.get("version")): one.get("text", "") for one in event.preparing}
        for application in state.fleet.applications.values():
            if (application.slug, application.version) in launcher.applications:
                application.preparing = texts.get((application.slug, application.version), "")
        now = state.clock.time()
        row = {
            "name": event.launcher,
            "manager": event.manager,
            "host": event.host,
            "capacity": event.capacity,
            "free": launcher.free,
            "applications": event.applications,
            "last_seen_at": now,
        }

        def write(conn: Connection) -> None:
            statement = upsert(conn, launchers_table).values(**row, first_seen_at=now)
            conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))

        await state.db.write(write)
        log.info(
            "launcher_ready", launcher=event.launcher, capacity=event.capacity, running=len(event.running)
        )
        state.wake.set()


def _serves(agent: Agent, application: Application, partitions: list[QueuePartition]) -> bool:
    """Whether this idle agent will take something that waits here at the next round."""
    return agent.application_id == application.id and any(
        Dispatcher.may_have(agent, partition.owner_id, application) for partition in partitions
    )


def _readable(slug: str) -> str:
    """The slug as the first part of an agent's id, which is also a NATS subject token and a consumer name."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in slug.lower())
    return name.strip("-")[:40] or "agent"
