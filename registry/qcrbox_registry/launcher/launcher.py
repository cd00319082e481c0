"""The launcher: starts, stops and lists agents for the registry, and reports their ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError
from qcrbox.contract import messages
from qcrbox.contract.errors import QcError
from qcrbox.contract.messages import (
    AgentGone,
    LauncherAnswer,
    LauncherReady,
    RunningAgent,
    StartAgent,
    StopAgent,
)
from qcrbox.nats_client import connect
from qcrbox.waiting import within

from qcrbox_registry.launcher.catalogue import ApprovedApplication, Catalogue
from qcrbox_registry.launcher.managers.base import AgentPlan, Ended, FoundAgent, Manager

log = logging.getLogger(__name__)

READY_S = 15.0
CLOSE_S = 2.0
END_STARTS_S = 10.0
PREPARING_S = 2.0  # shortest time between progress reports of a preparation
REMEMBER_ENDED_S = 300.0
LONGEST_LOG = 16 * 1024  # characters of an ended agent's own output that are reported


@dataclass(frozen=True)
class Credential:
    """What a launcher proves itself with to NATS: its seed, or the token that it joined for."""

    seed: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def options(self) -> dict[str, str]:
        """Arguments for the connection."""
        return {"token": self.token} if self.token else {"nkeys_seed_str": self.seed}


@dataclass
class ManagedAgent:
    """An agent of this launcher."""

    agent: str
    application_slug: str
    application_version: str
    started_at: float = field(default_factory=time.time)
    handle: str = ""  # "" while it is being prepared
    ended: Ended | None = None
    ended_at: float = 0.0
    is_stopping: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether the agent has not ended yet."""
        return self.ended is None


class Launcher:
    """Answers the requests of the registry with the help of a manager, and reports agents that ended."""

    def __init__(
        self,
        name: str,
        url: str,
        credential: Credential,
        manager: Manager,
        catalogue: Catalogue,
        folders: Sequence[Path] = (),
    ) -> None:
        """folders: application folders that are approved at the start, in addition to the catalogue's."""
        self.name, self._url, self._credential = name, url, credential
        self.manager, self.catalogue, self._folders = manager, catalogue, folders
        self.agents: dict[str, ManagedAgent] = {}
        self._connection: Client | None = None
        self._preparing: dict[tuple[str, str], str] = {}
        self._told_preparing_at = 0.0
        self._missing: dict[tuple[str, str], dict[str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: dict[str, asyncio.Task[None]] = {}

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Run until cancelled. A lost connection is renewed without limit; agents keep running."""
        await self.manager.setup()
        for found in await self.manager.list():
            self.agents[found.agent] = _adopted(found)
        if self.agents:
            log.info("adopted %s", ", ".join(self.agents))
        # After `setup`, so that running containers do not lose NATS during the approval, which can take seconds.
        await asyncio.to_thread(self.catalogue.approve_all, self._folders)
        if not self.agents:
            await asyncio.to_thread(self.catalogue.prune)
        watch = asyncio.create_task(self._watch(), name="watch")
        # Apart from the telling: an engine that is slow to answer must not make this launcher look lost.
        missing = asyncio.create_task(self._look_for_missing(), name="missing")
        if self.manager.prepare_at_start:
            self._keep(self._prepare_all())
        try:
            while True:
                closed = asyncio.Event()
                try:
                    # On a connection that breaks just now, nats-py may wait for a flush that never comes.
                    await within(self._connect(closed), 20.0)
                except (NatsError, OSError, TimeoutError) as error:
                    log.info("NATS does not answer (%s)", error or type(error).__name__)
                    await asyncio.sleep(0.5)
                    continue
                while not closed.is_set():
                    told = await self._tell_ready()
                    # The registry makes the streams; at a first start they may not be there yet.
                    await self._wait_closed(closed, READY_S if told else 0.3)
        finally:
            watch.cancel()
            missing.cancel()
            # A start that is under way finishes or takes back what it made before anybody looks what is left.
            ending = [*self._tasks, *self._starting.values()]
            for task in ending:
                task.cancel()
            if ending:
                await asyncio.wait(ending, timeout=END_STARTS_S)
            await self.manager.cleanup()
            if self._connection is not None:
                # On a connection that breaks just now, nats-py may wait for a flush that never comes.
                with contextlib.suppress(NatsError, OSError, TimeoutError):
                    await within(self._connection.close(), CLOSE_S)

    async def _wait_closed(self, closed: asyncio.Event, most_s: float) -> None:
        """Until the connection has ended, `most_s` at most."""
        loop = asyncio.get_running_loop()
        until = loop.time() + most_s
        while not closed.is_set() and loop.time() < until:
            if self._connection is None or self._connection.is_closed:
                closed.set()  # nats-py does not call back when it still had something to send as it broke
                return
            with contextlib.suppress(TimeoutError):
                await within(closed.wait(), min(1.0, most_s))

    async def _connect(self, closed: asyncio.Event) -> None:
        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            log.debug("NATS: %r", error)

        self._connection = await connect(
            self._url,
            name=f"launcher-{self.name}",
            **self._credential.options(),
            inbox_prefix=f"_INBOX_launcher-{self.name}".encode(),
            allow_reconnect=False,
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            closed_cb=on_closed,
            error_cb=on_error,
        )
        for verb, handler in (
            ("start", self._start),
            ("stop", self._stop),
            ("list", self._list),
        ):
            await self._connection.subscribe(f"launchers.{self.name}.{verb}", cb=self._guarded(handler))
        log.info("connected to NATS as launcher %s", self.name)

    def _guarded(self, handler):
        """Each request in a separate task: a slow stop must not delay a list."""

        async def run(message: Msg) -> None:
            try:
                await handler(message)
            except ValidationError as error:
                await self._respond(
                    message, self._answer(f"This request cannot be read: {error.error_count()} faults.")
                )
            except QcError as error:
                await self._respond(message, self._answer(error.message))
            except NatsError as error:
                log.warning("an answer could not be given: %s", error)

        async def take(message: Msg) -> None:
            self._keep(run(message))

        return take

    def _keep(self, work) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------ requests

    async def _start(self, message: Msg) -> None:
        request = StartAgent.model_validate_json(message.data)
        application = self.catalogue.get(request.application_slug, request.application_version)
        managed = self.agents.get(request.agent)
        if managed is not None and managed.is_alive:
            await self._respond(message, self._answer())  # asked twice: it is there
            return
        if self.free <= 0:
            await self._respond(message, self._answer("All places for agents are taken."))
            return
        managed = ManagedAgent(request.agent, application.slug, application.version)
        self.agents[request.agent] = managed
        plan = AgentPlan(
            agent=request.agent,
            application=application,
            limits=request.limits,
            token=request.enrolment_token,
            nats_url=self._url,
            launcher=self.name,
        )
        task = asyncio.create_task(self._bring_up(managed, plan))
        self._starting[request.agent] = task
        task.add_done_callback(lambda _: self._starting.pop(request.agent, None))
        await self._respond(message, self._answer())

    async def _bring_up(self, managed: ManagedAgent, plan: AgentPlan) -> None:
        """Prepare and start; a failure is reported to the registry as AgentGone."""
        try:
            await self._prepare(plan.application)
            managed.handle = await self.manager.start(plan)
            log.info("agent %s runs (%s)", managed.agent, managed.handle)
        except QcError as error:
            await self._ended(managed, Ended(reason=error.message))
        except Exception as error:
            log.exception("agent %s could not be started", managed.agent)
            await self._ended(managed, Ended(reason=f"The launcher failed: {error}"))

    async def _prepare(self, application: ApprovedApplication) -> None:
        identity = (application.slug, application.version)

        def progress(text: str) -> None:
            self._preparing[identity] = text
            self._keep(self._tell_preparing())

        try:
            await self.manager.prepare(application, progress)
        finally:
            if self._preparing.pop(identity, None) is not None:
                await self._tell_ready()

    async def _prepare_all(self) -> None:
        """One after the other, so that the first command of a day need not wait for an environment or an image."""
        for application in list(self.catalogue):
            try:
                await self._prepare(application)
            except QcError as error:
                log.error("%s", error.message)

    async def _stop(self, message: Msg) -> None:
        request = StopAgent.model_validate_json(message.data)
        managed = self.agents.get(request.agent)
        if managed is not None:
            managed.is_stopping = True
            if task := self._starting.get(request.agent):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            if managed.handle:
                log.info("agent %s is stopped: %s", managed.agent, request.reason or "no reason given")
                await self.manager.stop(managed.handle, min(request.grace_s, 60.0))
            self.agents.pop(request.agent, None)
        await self._respond(message, self._answer())

    async def _list(self, message: Msg) -> None:
        await self._respond(message, self._answer())

    @property
    def free(self) -> int:
        """Number of agents that can still be started."""
        return max(self.manager.capacity() - sum(managed.is_alive for managed in self.agents.values()), 0)

    def _answer(self, error: str = "") -> bytes:
        agents = [
            RunningAgent(
                agent=managed.agent,
                application_slug=managed.application_slug,
                application_version=managed.application_version,
                started_at=managed.started_at,
                handle=managed.handle,
                alive=managed.is_alive,
                exit_code=managed.ended.exit_code if managed.ended else None,
                oom_killed=managed.ended.oom_killed if managed.ended else False,
            )
            for managed in self.agents.values()
        ]
        return (
            LauncherAnswer(ok=not error, error=error, agents=agents, free=self.free)
            .model_dump_json()
            .encode()
        )

    async def _respond(self, message: Msg, payload: bytes) -> None:
        if message.reply:
            await message.respond(payload)

    # ------------------------------------------------------------ telling

    async def _tell_ready(self) -> bool:
        return await self._tell(
            LauncherReady(
                launcher=self.name,
                manager=self.manager.name,
                host=socket.gethostname(),
                capacity=self.manager.capacity(),
                running=[managed.agent for managed in self.agents.values() if managed.is_alive],
                applications=[
                    {"slug": application.slug, "version": application.version}
                    for application in self.catalogue
                ],
                preparing=[
                    {"slug": slug, "version": version, "text": text}
                    for (slug, version), text in self._preparing.items()
                ],
                missing=[
                    {"slug": slug, "version": version, "command": command, "text": text}
                    for (slug, version), texts in self._missing.items()
                    for command, text in texts.items()
                ],
            )
        )

    async def _tell_preparing(self) -> None:
        """A start that takes minutes (an environment, an image) has to be seen by the person who waits for it."""
        now = time.monotonic()
        if now - self._told_preparing_at >= PREPARING_S:
            self._told_preparing_at = now
            await self._tell_ready()

    async def _tell(self, event: messages.Message) -> bool:
        connection = self._connection
        if connection is None or not connection.is_connected:
            return False
        try:
            subject = messages.subject_events(f"launcher-{self.name}")
            await connection.jetstream(timeout=5).publish(subject, event.model_dump_json().encode())
        except (NatsError, TimeoutError) as error:
            log.info("an event was not stored: %s", error or type(error).__name__)
            return False
        return True

    # ------------------------------------------------------------ watching

    async def _watch(self) -> None:
        """See agents end, and tell."""
        while True:
            for managed in list(self.agents.values()):
                try:
                    await self._look_at(managed)
                except Exception:
                    log.exception("looking at agent %s failed", managed.agent)
            await asyncio.sleep(self.manager.poll_interval_s)

    async def _look_for_missing(self) -> None:
        """Report programs that are not installed, and those that have been installed since."""
        while True:
            found = {}
            for application in list(self.catalogue):
                try:
                    found[application.slug, application.version] = await self.manager.missing(application)
                except Exception:
                    log.exception("looking for what %s needs failed", application.slug)
            if found != self._missing:
                self._missing = found
                await self._tell_ready()
            await asyncio.sleep(READY_S)

    async def _look_at(self, managed: ManagedAgent) -> None:
        if managed.is_alive and managed.handle and not managed.is_stopping:
            ended = await self.manager.poll(managed.handle)
            if ended is not None and not managed.is_stopping:
                await self._ended(managed, ended)
        elif not managed.is_alive and time.time() - managed.ended_at > REMEMBER_ENDED_S:
            self.agents.pop(managed.agent, None)

    async def _ended(self, managed: ManagedAgent, ended: Ended) -> None:
        managed.ended, managed.ended_at = ended, time.time()
        log.info("agent %s ended: %s", managed.agent, ended.reason)
        await self._tell(
            AgentGone(
                agent=managed.agent,
                reason=ended.reason or "its process ended",
                exit_code=ended.exit_code,
                oom_killed=ended.oom_killed,
                log=ended.log[-LONGEST_LOG:],
            )
        )


def _adopted(found: FoundAgent) -> ManagedAgent:
    return ManagedAgent(
        found.agent, found.application_slug, found.application_version, found.started_at, handle=found.handle
    )
