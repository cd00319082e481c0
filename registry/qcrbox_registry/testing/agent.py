"""An agent and a launcher that speak the real messages and do no science: for tests, faults and benchmarks.

What a practice agent does depends on the command's name: `noop` succeeds, `sleep` (argument `seconds`) takes its time
and can be cancelled, `stubborn` sleeps and cannot, `fail` fails, `die` kills its agent. The launcher keeps its agents
as tasks in this process (`start_in_task`) or as processes (`start_in_process`).

`python -m qcrbox_registry.testing.agent --url nats://… --agent ID --token-file FILE …` runs one agent.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox.contract import messages
from qcrbox.contract.messages import (
    AgentGone,
    AgentReady,
    Cancel,
    Command,
    Drain,
    Finished,
    Heartbeat,
    LauncherAnswer,
    LauncherReady,
    Log,
    RunningAgent,
    StartAgent,
    StepChanged,
    StopAgent,
)
from qcrbox.contract.states import State, Step
from qcrbox.nats_client import connect
from qcrbox.waiting import within

from qcrbox_registry.messaging.keys import Key
from qcrbox_registry.messaging.publisher import Publisher

HEARTBEAT_S = 2.0
SEEN_KEPT = 20_000


async def _quiet(_: Exception) -> None:
    """A cut connection comes back by itself."""


class PracticeAgent:
    def __init__(
        self, url: str, request: StartAgent, launcher: str = "", *, on_die: Callable[[], None] | None = None
    ) -> None:
        self.url, self.request, self.id, self.launcher = url, request, request.agent, launcher
        self.connection: Client
        self._publisher: Publisher
        self._busy: Command | None = None
        self._cancelled: dict[tuple[str, int], str] = {}
        self._done: dict[tuple[str, int], Finished] = {}
        self._work: asyncio.Task | None = None
        self._on_die = on_die or (lambda: os._exit(17))
        self.is_draining = False
        self.ran: list[str] = []

    async def run(self) -> None:
        self.connection = await connect(
            self.url,
            token=self.request.enrolment_token,
            name=self.id,
            inbox_prefix=f"_INBOX_{self.id}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            error_cb=_quiet,
            disconnected_cb=self._lost,
            reconnected_cb=self._again,
        )
        self._publisher = Publisher(self.connection)
        await self._publisher.start()
        await self.connection.subscribe(messages.subject_control(self.id), cb=self._control)
        await self._ready()
        beat = asyncio.create_task(self._heartbeats())
        try:
            await self._take_commands()
        finally:
            beat.cancel()
            await self.connection.close()

    async def _lost(self) -> None:
        self._publisher.connection_lost()

    async def _again(self) -> None:
        asyncio.get_running_loop().create_task(self._ready())

    async def _ready(self) -> None:
        busy = self._busy
        await self.tell(
            AgentReady(
                agent=self.id,
                application_slug=self.request.application_slug,
                application_version=self.request.application_version,
                launcher=self.launcher,
                pid=os.getpid(),
                busy_with=busy.calculation_id if busy else None,
                attempt=busy.attempt if busy else None,
            )
        )

    async def tell(self, event: messages.Message, message_id: str | None = None) -> None:
        await self._publisher.publish(
            messages.subject_events(self.id),
            event.model_dump_json().encode(),
            message_id=message_id,
            patience_s=3600,
        )

    async def _heartbeats(self) -> None:
        while True:
            busy = self._busy
            beat = Heartbeat(
                agent=self.id,
                busy_with=busy.calculation_id if busy else None,
                attempt=busy.attempt if busy else None,
            )
            with contextlib.suppress(NatsError):
                await self.connection.publish(
                    messages.subject_heartbeats(self.id), beat.model_dump_json().encode()
                )
            await asyncio.sleep(HEARTBEAT_S)

    # ------------------------------------------------------------ commands

    async def _take_commands(self) -> None:
        js = self.connection.jetstream()
        subscription = None
        while not self.is_draining:
            try:
                if subscription is None:
                    subscription = await js.pull_subscribe_bind(consumer=self.id, stream="COMMANDS")
                taken = await subscription.fetch(16, timeout=1)
            except (NatsError, TimeoutError) as error:
                if not isinstance(error, TimeoutError):
                    subscription = None
                    await asyncio.sleep(0.1)
                continue
            ends = []
            for message in taken:
                ends.append(await self._one(message))
            await asyncio.gather(*ends)

    async def _one(self, message: Msg) -> asyncio.Future:
        command = Command.model_validate_json(message.data)
        key = (command.calculation_id, command.attempt)
        if key not in self._done:
            self._busy = command
            if command.command_name != "noop":
                await self.tell(self._step(command))
            else:
                await self._publisher.send(
                    messages.subject_events(self.id), self._step(command).model_dump_json().encode()
                )
            self._work = asyncio.create_task(self._end_of(command))
            status, text = await self._work
            self._busy = None
            self.ran.append(command.calculation_id)
            self._done[key] = Finished(
                calculation_id=key[0], attempt=key[1], status=status, error_msg=text, at=time.time()
            )
            while len(self._done) > SEEN_KEPT:
                del self._done[next(iter(self._done))]
        return asyncio.ensure_future(self._finish(message, self._done[key]))

    async def _finish(self, message: Msg, end: Finished) -> None:
        await self.tell(end, f"{end.calculation_id}.{end.attempt}.end")
        with contextlib.suppress(NatsError):
            await self.connection.publish(message.reply, b"+ACK")

    @staticmethod
    def _step(command: Command) -> StepChanged:
        return StepChanged(
            calculation_id=command.calculation_id, attempt=command.attempt, step=Step.RUNNING, at=time.time()
        )

    async def _end_of(self, command: Command) -> tuple[State, str]:
        key = (command.calculation_id, command.attempt)
        name = command.command_name
        if key in self._cancelled:
            return State.CANCELLED, self._cancelled[key]
        if name in ("fail", "die"):
            await self.tell(
                Log(
                    calculation_id=key[0],
                    attempt=key[1],
                    stream="stderr",
                    offset=0,
                    text=f"about to {name}\n",
                    at=time.time(),
                )
            )
        if name == "fail":
            return State.FAILED, "The program failed.\nabout to fail"
        if name == "die":
            self._on_die()
            await asyncio.sleep(3600)
        if name in ("sleep", "stubborn"):
            until = time.monotonic() + float(command.arguments.get("seconds", 1.0))
            while time.monotonic() < until:
                if key in self._cancelled and name == "sleep":
                    return State.CANCELLED, self._cancelled[key]
                await asyncio.sleep(min(0.02, max(until - time.monotonic(), 0)))
        return State.SUCCESSFUL, ""

    async def _control(self, message: Msg) -> None:
        control = messages.control_adapter.validate_json(message.data)
        if isinstance(control, Cancel):
            self._cancelled[control.calculation_id, control.attempt] = control.reason
        elif isinstance(control, Drain):
            self.is_draining = True


async def _run_agent(url: str, request: StartAgent, launcher: str) -> None:
    await PracticeAgent(url, request, launcher).run()


@dataclass
class _Kept:
    agent: str
    request: StartAgent
    stop: Callable[[float], Awaitable[None]]
    is_alive: Callable[[], bool]
    exit_code: Callable[[], int | None]
    pid: int = 0
    practice: PracticeAgent | None = None
    told_gone: bool = False
    started_at: float = field(default_factory=time.time)


class PracticeLauncher:
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
        self.kept: dict[str, _Kept] = {}
        self.refuses: str = ""
        self.starts_nothing = False  # says yes and does nothing
        self._watch: asyncio.Task | None = None

    async def start(self) -> None:
        self.connection = await connect(
            self.url,
            name=f"launcher-{self.name}",
            nkeys_seed_str=self._key.seed.decode(),
            inbox_prefix=f"_INBOX_launcher-{self.name}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            error_cb=_quiet,
            reconnected_cb=self._ready,
        )
        self._js = self.connection.jetstream()
        await self.connection.subscribe(messages.subject_launcher(self.name, "start"), cb=self._start)
        await self.connection.subscribe(messages.subject_launcher(self.name, "stop"), cb=self._stop)
        await self.connection.subscribe(messages.subject_launcher(self.name, "list"), cb=self._list)
        await self._ready()
        self._watch = asyncio.create_task(self._tell_gone())

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        for kept in list(self.kept.values()):
            await kept.stop(0.0)
        await self.connection.close()

    async def _ready(self) -> None:
        event = LauncherReady(
            launcher=self.name,
            manager="practice",
            capacity=self.capacity,
            running=[one.agent for one in self._alive()],
            applications=[{"slug": slug, "version": version} for slug, version in self.applications],
        )
        await self._tell(event)

    async def _tell(self, event: messages.Message) -> None:
        with contextlib.suppress(NatsError, TimeoutError):
            await self._js.publish(
                messages.subject_events(f"launcher-{self.name}"), event.model_dump_json().encode()
            )

    def _alive(self) -> list[_Kept]:
        return [one for one in self.kept.values() if one.is_alive()]

    def _answer(self, ok: bool = True, error: str = "") -> bytes:
        running = [
            RunningAgent(
                agent=one.agent,
                application_slug=one.request.application_slug,
                application_version=one.request.application_version,
                started_at=one.started_at,
                handle=str(one.pid),
                alive=one.is_alive(),
                exit_code=one.exit_code(),
            )
            for one in self.kept.values()
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

    async def start_in_task(self, request: StartAgent) -> _Kept:
        ended: list[int] = []

        def die() -> None:
            ended.append(17)
            task.cancel()

        practice = PracticeAgent(self.url, request, self.name, on_die=die)
        task = asyncio.create_task(practice.run())

        async def stop(_: float) -> None:
            while not task.done():  # nats-py may take one cancellation for a timeout of its own
                task.cancel()
                await asyncio.wait({task}, timeout=1.0)

        return _Kept(
            request.agent,
            request,
            stop,
            lambda: not task.done(),
            lambda: (ended or [0])[0] if task.done() else None,
            practice=practice,
        )

    async def start_in_process(self, request: StartAgent) -> _Kept:
        assert self._folder is not None
        token_file = self._folder / f"{request.agent}.token"
        token_file.write_text(request.enrolment_token)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "qcrbox_registry.testing.agent", "--url", self.url, "--agent", request.agent),
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

        return _Kept(
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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m qcrbox_registry.testing.agent")
    parser.add_argument("--url", required=True)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--application", default="practice")
    parser.add_argument("--version", default="1")
    parser.add_argument("--launcher", default="local")
    parser.add_argument("--token-file", type=Path, required=True)
    given = parser.parse_args(argv)
    request = StartAgent(
        agent=given.agent,
        application_slug=given.application,
        application_version=given.version,
        enrolment_token=given.token_file.read_text().strip(),
    )
    asyncio.run(_run_agent(given.url, request, given.launcher))
    return 0


if __name__ == "__main__":
    sys.exit(main())
