"""A launcher of dummy agents on the real subjects: as tasks of this process or as processes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox.contract import messages
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

from qcrbox_registry.messaging.keys import Key
from qcrbox_registry.testing.agent import DummyAgent, ignore_error


@dataclass
class ManagedDummy:
    """A dummy agent that the launcher has started, as a task or a process."""

    agent: str
    request: StartAgent
    stop: Callable[[float], Awaitable[None]]
    is_alive: Callable[[], bool]
    exit_code: Callable[[], int | None]
    pid: int = 0
    practice: DummyAgent | None = None
    told_gone: bool = False
    started_at: float = field(default_factory=time.time)


class DummyLauncher:
    """A launcher of practice agents on the real subjects."""

    def __init__(
        self,
        url: str,
        key: Key,
        *,
        name: str = "local",
        capacity: int = 4,
        applications: tuple[tuple[str, str], ...] = (("practice", "1"),),
        folder: Path | None = None,
    ) -> None:
        self.url, self._key, self.name, self.capacity, self.applications = (
            url,
            key,
            name,
            capacity,
            applications,
        )
        self._folder = folder  # set: agents are processes, their tokens lie here
        self.kept: dict[str, ManagedDummy] = {}
        self.refuses: str = ""
        self.missing: list[dict[str, str]] = []
        self.starts_nothing = False  # says yes and does nothing
        self._watch: asyncio.Task | None = None

    async def start(self) -> None:
        """Connect to NATS and answer the requests of the registry."""
        self.connection = await connect(
            self.url,
            name=f"launcher-{self.name}",
            nkeys_seed_str=self._key.seed.decode(),
            inbox_prefix=f"_INBOX_launcher-{self.name}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            error_cb=ignore_error,
            reconnected_cb=self.tell_ready,
        )
        self._js = self.connection.jetstream()
        await self.connection.subscribe(messages.subject_launcher(self.name, "start"), cb=self._start)
        await self.connection.subscribe(messages.subject_launcher(self.name, "stop"), cb=self._stop)
        await self.connection.subscribe(messages.subject_launcher(self.name, "list"), cb=self._list)
        await self.tell_ready()
        self._watch = asyncio.create_task(self._tell_gone())

    async def close(self) -> None:
        """Stop all agents and disconnect."""
        if self._watch is not None:
            self._watch.cancel()
        for kept in list(self.kept.values()):
            await kept.stop(0.0)
        await self.connection.close()

    async def tell_ready(self) -> None:
        event = LauncherReady(
            launcher=self.name,
            manager="practice",
            capacity=self.capacity,
            running=[agent.agent for agent in self._alive()],
            applications=[{"slug": slug, "version": version} for slug, version in self.applications],
            missing=self.missing,
        )
        await self._tell(event)

    async def _tell(self, event: messages.Message) -> None:
        with contextlib.suppress(NatsError, TimeoutError):
            await self._js.publish(
                messages.subject_events(f"launcher-{self.name}"), event.model_dump_json().encode()
            )

    def _alive(self) -> list[ManagedDummy]:
        return [agent for agent in self.kept.values() if agent.is_alive()]

    def _answer(self, ok: bool = True, error: str = "") -> bytes:
        running = [
            RunningAgent(
                agent=agent.agent,
                application_slug=agent.request.application_slug,
                application_version=agent.request.application_version,
                started_at=agent.started_at,
                handle=str(agent.pid),
                alive=agent.is_alive(),
                exit_code=agent.exit_code(),
            )
            for agent in self.kept.values()
        ]
        free = max(self.capacity - len(self._alive()), 0)
        return LauncherAnswer(ok=ok, error=error, agents=running, free=free).model_dump_json().encode()

    async def _start(self, message: Msg) -> None:
        request = StartAgent.model_validate_json(message.data)
        if self.refuses:
            await message.respond(self._answer(ok=False, error=self.refuses))
            return
        if len(self._alive()) >= self.capacity:
            await message.respond(self._answer(ok=False, error="all places are taken"))
            return
        if not self.starts_nothing and request.agent not in self.kept:
            start = self.start_in_process if self._folder else self.start_in_task
            self.kept[request.agent] = await start(request)
        await message.respond(self._answer())

    async def start_in_task(self, request: StartAgent) -> ManagedDummy:
        """Start a dummy agent as a task of this process."""
        ended: list[int] = []

        def die() -> None:
            ended.append(17)
            task.cancel()

        practice = DummyAgent(self.url, request, self.name, on_die=die)
        task = asyncio.create_task(practice.run())

        async def stop(_: float) -> None:
            while not task.done():  # nats-py may mistake a cancellation for its own timeout
                task.cancel()
                await asyncio.wait({task}, timeout=1.0)

        return ManagedDummy(
            request.agent,
            request,
            stop,
            lambda: not task.done(),
            lambda: (ended or [0])[0] if task.done() else None,
            practice=practice,
        )

    async def start_in_process(self, request: StartAgent) -> ManagedDummy:
        """Start a dummy agent as a process that can be killed."""
        assert self._folder is not None
        token_file = self._folder / f"{request.agent}.token"
        token_file.write_text(request.enrolment_token)
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "qcrbox_registry.testing.agent",
                "--url",
                self.url,
                "--agent",
                request.agent,
            ),
            *("--application", request.application_slug, "--version", request.application_version),
            *("--launcher", self.name, "--token-file", str(token_file)),
        )

        async def stop(grace_s: float) -> None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    await within(process.wait(), grace_s)
                except TimeoutError:
                    process.kill()
                    await process.wait()

        return ManagedDummy(
            request.agent,
            request,
            stop,
            lambda: process.returncode is None,
            lambda: process.returncode,
            pid=process.pid,
        )

    async def _stop(self, message: Msg) -> None:
        request = StopAgent.model_validate_json(message.data)
        kept = self.kept.get(request.agent)
        if kept is not None:
            await kept.stop(request.grace_s)
            kept.told_gone = True
            del self.kept[request.agent]
        await message.respond(self._answer())

    async def _list(self, message: Msg) -> None:
        await message.respond(self._answer())

    async def _tell_gone(self) -> None:
        while True:
            for kept in list(self.kept.values()):
                if not kept.is_alive() and not kept.told_gone:
                    kept.told_gone = True
                    await self._tell(
                        AgentGone(agent=kept.agent, reason="its process ended", exit_code=kept.exit_code())
                    )
            await asyncio.sleep(0.05)
