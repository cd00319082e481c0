"""An agent that sends and answers the real messages but runs no program.

The name of the command decides what it does: `noop` succeeds, `sleep` (argument `seconds`) takes its time and can be
cancelled, `stubborn` sleeps and cannot, `fail` fails, `die` kills the agent.

`python -m qcrbox_registry.testing.agent --url nats://… --agent ID --token-file FILE …` runs one agent.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox.contract import messages
from qcrbox.contract.messages import (
    AgentReady,
    Cancel,
    Command,
    Drain,
    Finished,
    Heartbeat,
    Log,
    StartAgent,
    StepChanged,
)
from qcrbox.contract.states import State, Step
from qcrbox.nats_client import connect

from qcrbox_registry.messaging.publisher import Publisher

HEARTBEAT_S = 2.0
SEEN_KEPT = 20_000


async def ignore_error(_: Exception) -> None:
    """A lost connection reconnects."""


class DummyAgent:
    """An agent for tests: acknowledges, reports and ends commands as the real one does, without a program."""

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
        """Connect, register and handle commands until stopped."""
        self.connection = await connect(
            self.url,
            token=self.request.enrolment_token,
            name=self.id,
            inbox_prefix=f"_INBOX_{self.id}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            error_cb=ignore_error,
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
        """Publish an event and wait until JetStream has stored it."""
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
    await DummyAgent(url, request, launcher).run()


def main(argv: list[str] | None = None) -> int:
    """Run a dummy agent as a process; returns the exit code."""
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
