"""Starts and stops agents through the launchers, and takes the reports of both."""

from __future__ import annotations

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

from qcrbox_registry.messaging.tokens import Enrolment, sign
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.fleet import Agent, Application, Launcher
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import agents, events, launchers
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.transitions import Change, change_states

log = structlog.get_logger(__name__)

LONGEST_BACKOFF_S = 60.0


class Launching:
    """Asks launchers for agents and for their end."""

    def __init__(self, state: SchedulerState, failures: AgentFailures) -> None:
        self.state, self.failures = state, failures

    # ------------------------------------------------------------ starting

    async def request(self, application: Application, launcher: Launcher) -> None:
        """Ask a launcher for a new agent."""
        state = self.state
        agent = Agent(
            id=f"{_readable(application.slug)}-{os.urandom(5).hex()}",
            application_id=application.id,
            launcher=launcher.name,
            state=AgentState.REQUESTED,
            requested_mono=state.clock.monotonic(),
            seen_mono=state.clock.monotonic(),
            is_being_asked_for=True,
        )
        state.fleet.add(agent)  # before the first await, so that every count includes it
        now = state.clock.time()
        try:
            await state.db.write(
                lambda conn: agents.request(conn, agent.id, application.id, launcher.name, now)
            )
        except BaseException:
            state.fleet.remove(agent)  # it was never asked for
            launcher.free += 1
            raise
        state.background.spawn(self._ask(agent, application, launcher))

    async def ask_again(self, agent: Agent, waited_s: float) -> None:
        """Repeat the request for an agent whose answer is not awaited: the registry ended, or its disk was full, in
        between. A launcher that is asked twice answers that the agent is there."""
        application = self.state.fleet.applications.get(agent.application_id)
        launcher = self.state.fleet.launchers.get(agent.launcher)
        if application is not None and launcher is not None and launcher.seen_mono is not None:
            agent.is_being_asked_for = True
            self.state.background.spawn(self._ask(agent, application, launcher))
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
            # No capacity is not a start failure: the calculations stay queued.
            await self.failures.handle(agent, "its launcher had no capacity for it")
            return
        if not answer.ok:
            await self.start_failed(agent, answer.error or "the launcher refused")
            return
        state.counters.started_agents += 1
        if agent.state is AgentState.REQUESTED:
            state.fleet.change_state(agent, AgentState.STARTING, state.clock.monotonic())

    async def _no_answer(self, agent: Agent, launcher: Launcher, reason: str) -> None:
        """Ask nothing of this launcher until it answers a list; the agent is sent away if it comes up after all."""
        log.warning("launcher_silent", launcher=launcher.name, agent=agent.id)
        launcher.seen_mono, launcher.asked_mono = None, -1e9
        await self.failures.handle(agent, reason)

    async def start_failed(self, agent: Agent, reason: str, log_text: str = "") -> None:
        """An agent did not come up; `log_text`: the end of its output. After several failures in a row the calculation
        that waits longest fails."""
        state = self.state
        if agent.is_leaving or agent.state is AgentState.GONE:
            # Its launcher reported the same failure twice, as an event and in its list: the event has the output.
            if log_text:
                await state.db.write(lambda conn: agents.note_failed_start(conn, agent.id, log_text))
            return
        state.counters.failed_starts += 1
        log.warning("agent_did_not_start", agent=agent.id, reason=reason)
        application = state.fleet.applications.get(agent.application_id)
        if application is not None:
            # Before anything waits: the planner would start the next one without the pause.
            application.start_failures += 1
            application.start_error = reason
            pause = state.settings.start_backoff_s * 2 ** min(application.start_failures - 1, 10)
            application.next_start_mono = state.clock.monotonic() + min(pause, LONGEST_BACKOFF_S)
            state.waits[application.id] = f"Its last start failed: {reason}"
        await self.failures.handle(agent, reason)
        await state.db.write(lambda conn: agents.note_failed_start(conn, agent.id, log_text))
        if application is not None and application.start_failures >= state.settings.start_failures:
            await self._fail_head(application, reason)

    async def _fail_head(self, application: Application, reason: str) -> None:
        state = self.state
        partitions = state.backlog.partitions(application.id)
        if not partitions or any(agent.is_ready for agent in state.fleet.of_application(application.id)):
            return
        head = min(partition.head for partition in partitions)
        state.backlog.remove(head.id)
        text = f"{application.slug} {application.version} could not be started ({application.start_failures} times): {reason}"
        change = Change(head.id, State.FAILED, None, fields={"error_msg": text, "dead_letter": True})
        try:
            written, _ = await state.db.write(lambda conn: change_states(conn, [change], state.clock.time()))
        except BaseException:
            state.backlog.put_back(head)  # it still waits
            raise
        state.publish(written)

    async def agent_ready(self, agent: Agent, event: AgentReady) -> None:
        """An agent reports that it is ready, at its start or after it has reconnected."""
        state = self.state
        agent.heard(state.clock.monotonic())
        agent.host, agent.pid = event.host, event.pid or None
        if agent.is_coming:
            self.note_ready(agent)
        state.fleet.changed.add(agent.id)
        reported = agents.Reported(event.host, event.pid or None, event.qcrbox_version, event.notes)
        now = state.clock.time()
        await state.db.write(lambda conn: agents.note_ready(conn, agent.id, str(agent.state), reported, now))
        state.wake.set()

    def note_ready(self, agent: Agent) -> None:
        """An agent that was coming is ready for commands."""
        state = self.state
        ready = AgentState.BUSY if agent.active else AgentState.IDLE
        state.fleet.change_state(agent, ready, state.clock.monotonic())
        application = state.fleet.applications.get(agent.application_id)
        if application is not None:
            application.start_failures, application.start_error = 0, ""
            state.waits.pop(application.id, None)
        state.wake.set()

    # ------------------------------------------------------------ stopping

    def after_run(self, agent: Agent) -> None:
        """Stop an agent without work that must not be used again: by the owner rule, or because others wait for its place."""
        if agent.active or not agent.is_ready:
            return
        application = self.state.fleet.applications.get(agent.application_id)
        if agent.is_yielding or (application is not None and application.reuse == "never"):
            self.state.fleet.change_state(agent, AgentState.DRAINING, self.state.clock.monotonic())
            self.state.background.spawn(self.stop(agent, "it has done its work"))

    async def stop(self, agent: Agent, reason: str, grace_s: float = 5.0) -> None:
        """Ask the launcher to end an agent without work. The launcher reports the end, or it is forced later."""
        state = self.state
        state.fleet.change_state(agent, AgentState.STOPPING, state.clock.monotonic())
        agent.stop_asked_mono, agent.reason = state.clock.monotonic(), reason
        await state.bus.control(agent.id, Drain(reason=reason))
        # In the background: a slow launcher must not delay others.
        state.background.spawn(self._stop_process(agent.id, agent.launcher, reason, grace_s))

    async def kill(self, agent: Agent, reason: str) -> None:
        """End an agent that does not respond, and queue its calculations again."""
        await self.failures.handle(agent, reason)
        self.state.background.spawn(self._stop_process(agent.id, agent.launcher, reason, 1.0))

    async def send_away(self, agent_id: str, launcher: str) -> None:
        """End an agent that is unknown or was written off."""
        await self.state.bus.control(agent_id, Drain(reason="the registry does not know this agent"))
        self.state.background.spawn(self._stop_process(agent_id, launcher, "not known to the registry", 1.0))

    async def _stop_process(self, agent_id: str, launcher: str, reason: str, grace_s: float) -> None:
        if launcher not in self.state.fleet.launchers:
            return
        try:
            request = StopAgent(agent=agent_id, grace_s=grace_s, reason=reason)
            answer = await self.state.bus.launcher(launcher).stop(request)
        except Unreachable:
            return  # the reconciler looks at the launcher's list again
        self.note_answer(launcher, answer)
        agent = self.state.fleet.agents.get(agent_id)
        if (
            agent is not None
            and answer.ok
            and not any(running.agent == agent_id and running.alive for running in answer.agents)
        ):
            await self.failures.handle(agent, reason)

    def note_answer(self, name: str, answer: LauncherAnswer) -> None:
        """Note the free places of an answer."""
        launcher = self.state.fleet.launchers.get(name)
        if launcher is not None and answer.ok:
            launcher.free, launcher.seen_mono = answer.free, self.state.clock.monotonic()
            self.state.wake.set()

    # ------------------------------------------------------------ launchers

    def note_free_place(self, name: str) -> None:
        """A process of a launcher has ended: its place can be used before the next list."""
        launcher = self.state.fleet.launchers.get(name)
        if launcher is not None:
            launcher.free = min(launcher.free + 1, launcher.capacity)
            self.state.wake.set()

    async def launcher_ready(self, event: LauncherReady) -> None:
        """A launcher reports what it offers, at its start or after a change."""
        state = self.state
        launcher = state.fleet.launchers.setdefault(event.launcher, Launcher(event.launcher))
        launcher.manager, launcher.host, launcher.capacity = event.manager, event.host, event.capacity
        launcher.applications = {
            (offered.get("slug", ""), offered.get("version", "")) for offered in event.applications
        }
        others = self._note_missing(launcher, event)
        launcher.seen_mono, launcher.asked_mono = state.clock.monotonic(), -1e9
        launcher.free = max(event.capacity - len(event.running), 0)
        texts = {
            (prepared.get("slug"), prepared.get("version")): prepared.get("text", "")
            for prepared in event.preparing
        }
        for application in state.fleet.applications.values():
            if (application.slug, application.version) in launcher.applications:
                application.preparing = texts.get((application.slug, application.version), "")
        now = state.clock.time()
        row = launchers.LauncherRow(
            event.launcher, event.manager, event.host, event.capacity, launcher.free, event.applications
        )
        changes = [events.Event("application", str(each), now, status="availability") for each in others]

        def write(conn: Connection) -> list[events.Event]:
            launchers.register(conn, row, now)
            return list(events.write(conn, changes)) if changes else []

        state.publish(await state.db.write(write))
        log.info(
            "launcher_ready", launcher=event.launcher, capacity=event.capacity, running=len(event.running)
        )
        state.wake.set()

    def _note_missing(self, launcher: Launcher, event: LauncherReady) -> list[int]:
        """Take over what is not installed; the ids of the applications of which something else can be run now."""
        fleet = self.state.fleet
        applications = list(fleet.applications.values())
        before = [fleet.missing(each.slug, each.version) for each in applications]
        launcher.missing = {}
        for each in event.missing:
            texts = launcher.missing.setdefault((each.get("slug", ""), each.get("version", "")), {})
            texts[each.get("command", "")] = each.get("text", "")
        return [
            each.id
            for each, known in zip(applications, before, strict=True)
            if fleet.missing(each.slug, each.version) != known
        ]


def _readable(slug: str) -> str:
    """The slug as the first part of an agent's id, which is also a NATS subject token and a consumer name."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in slug.lower())
    return name.strip("-")[:40] or "agent"
