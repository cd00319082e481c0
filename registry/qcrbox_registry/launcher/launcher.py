"""The launcher: hears start, stop and list, and tells what becomes of its agents."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from dataclasses import dataclass, field

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
PREPARING_S = 2.0  # at most so often the words of a preparation are told
REMEMBER_ENDED_S = 300.0


@dataclass
class Kept:
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
        return self.ended is None


class Launcher:
    def __init__(self, name: str, url: str, seed: bytes, manager: Manager, catalogue: Catalogue) -> None:
        self.name, self._url, self._seed = name, url, seed
        self.manager, self.catalogue = manager, catalogue
        self.kept: dict[str, Kept] = {}
        self._connection: Client | None = None
        self._preparing: dict[tuple[str, str], str] = {}
        self._told_preparing_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: dict[str, asyncio.Task[None]] = {}

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Until cancelled. The connection is made again, endlessly; agents run on meanwhile."""
        await self.manager.setup()
        for found in await self.manager.list():
            self.kept[found.agent] = _adopted(found)
        if self.kept:
            log.info("adopted %s", ", ".join(self.kept))
        else:
            await asyncio.to_thread(self.catalogue.prune)
        watch = asyncio.create_task(self._watch(), name="watch")
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
            nkeys_seed_str=self._seed.decode(),
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
        """Each request in a task of its own: a slow stop must not hold up a list."""

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
        kept = self.kept.get(request.agent)
        if kept is not None and kept.is_alive:
            await self._respond(message, self._answer())  # asked twice: it is there
            return
        if self.free <= 0:
            await self._respond(message, self._answer("All places for agents are taken."))
            return
        kept = Kept(request.agent, application.slug, application.version)
        self.kept[request.agent] = kept
        plan = AgentPlan(
            agent=request.agent,
            application=application,
            limits=request.limits,
            token=request.enrolment_token,
            nats_url=self._url,
            launcher=self.name,
        )
        task = asyncio.create_task(self._bring_up(kept, plan))
        self._starting[request.agent] = task
        task.add_done_callback(lambda _: self._starting.pop(request.agent, None))
        await self._respond(message, self._answer())

    async def _bring_up(self, kept: Kept, plan: AgentPlan) -> None:
        """Prepare and start; the registry hears of a failure as AgentGone."""
        try:
            await self._prepare(plan.application)
            kept.handle = await self.manager.start(plan)
            log.info("agent %s runs (%s)", kept.agent, kept.handle)
        except QcError as error:
            await self._ended(kept, Ended(reason=error.message))
        except Exception as error:
            log.exception("agent %s could not be started", kept.agent)
            await self._ended(kept, Ended(reason=f"The launcher failed: {error}"))

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
        kept = self.kept.get(request.agent)
        if kept is not None:
            kept.is_stopping = True
            if task := self._starting.get(request.agent):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            if kept.handle:
                log.info("agent %s is stopped: %s", kept.agent, request.reason or "no reason given")
                await self.manager.stop(kept.handle, min(request.grace_s, 60.0))
            self.kept.pop(request.agent, None)
        await self._respond(message, self._answer())

    async def _list(self, message: Msg) -> None:
        await self._respond(message, self._answer())

    @property
    def free(self) -> int:
        return max(self.manager.capacity() - sum(kept.is_alive for kept in self.kept.values()), 0)

    def _answer(self, error: str = "") -> bytes:
        agents = [
            RunningAgent(
                agent=kept.agent,
                application_slug=kept.application_slug,
                application_version=kept.application_version,
                started_at=kept.started_at,
                handle=kept.handle,
                alive=kept.is_alive,
                exit_code=kept.ended.exit_code if kept.ended else None,
                oom_killed=kept.ended.oom_killed if kept.ended else False,
            )
            for kept in self.kept.values()
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
                running=[kept.agent for kept in self.kept.values() if kept.is_alive],
                applications=[{"slug": one.slug, "version": one.version} for one in self.catalogue],
                preparing=[
                    {"slug": slug, "version": version, "text": text}
                    for (slug, version), text in self._preparing.items()
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
            for kept in list(self.kept.values()):
                try:
                    await self._look_at(kept)
                except Exception:
                    log.exception("looking at agent %s failed", kept.agent)
            await asyncio.sleep(self.manager.poll_interval_s)

    async def _look_at(self, kept: Kept) -> None:
        if kept.is_alive and kept.handle and not kept.is_stopping:
            ended = await self.manager.poll(kept.handle)
            if ended is not None and not kept.is_stopping:
                await self._ended(kept, ended)
        elif not kept.is_alive and time.time() - kept.ended_at > REMEMBER_ENDED_S:
            self.kept.pop(kept.agent, None)

    async def _ended(self, kept: Kept, ended: Ended) -> None:
        kept.ended, kept.ended_at = ended, time.time()
        log.info("agent %s ended: %s", kept.agent, ended.reason)
        await self._tell(
            AgentGone(
                agent=kept.agent,
                reason=ended.reason or "its process ended",
                exit_code=ended.exit_code,
                oom_killed=ended.oom_killed,
            )
        )


def _adopted(found: FoundAgent) -> Kept:
    return Kept(
        found.agent, found.application_slug, found.application_version, found.started_at, handle=found.handle
    )
