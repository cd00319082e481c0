"""The agent of one application: registers, receives commands one at a time, and leaves in order."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
from collections import OrderedDict
from pathlib import Path

import qcrbox
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError
from qcrbox import lifeline
from qcrbox.background import BackgroundTasks
from qcrbox.contract import messages
from qcrbox.contract.states import State
from qcrbox.sandbox.relay import Relay, Target
from qcrbox.spec import Application, load

from qcrbox_agent.calculation import Attempt, Tools, refused
from qcrbox_agent.files import FileClient
from qcrbox_agent.link import Link
from qcrbox_agent.outbox import Outbox
from qcrbox_agent.receive import Delivery, Receiver
from qcrbox_agent.run import groups
from qcrbox_agent.run.ended import Stop
from qcrbox_agent.run.python import PythonRunner, WardenLink
from qcrbox_agent.run.start_warden import StartedWarden, program_environment
from qcrbox_agent.settings import Settings
from qcrbox_agent.workdir import WorkFolders

log = logging.getLogger(__name__)


def _report(error: BaseException) -> None:
    log.error("a task of the agent failed: %r", error, exc_info=error)


HEARTBEAT_S = 2.0
REMEMBERED_CANCELS = 1000
REMEMBERED_ENDS = 10_000  # as many as the receiver knows to have ended


class Agent:
    """One agent process: its connection, the command it runs, and its orderly end."""

    def __init__(self, settings: Settings, token: str, warden: StartedWarden | None = None) -> None:
        self.settings = settings
        self.application: Application = load(settings.spec)
        self.link = Link(settings.nats_url, settings.agent, token)
        self.outbox = Outbox(self.link, settings.agent)
        self.receiver = Receiver(self.link, settings.agent)
        environment = program_environment(settings.folder)
        self.warden = WardenLink(settings.spec, environment, warden)
        self.tools = Tools(
            application=self.application,
            folder=settings.folder,
            folders=WorkFolders(settings.work_dir, settings.keep_failed_s),
            client=FileClient(settings.registry_socket),
            warden=self.warden,
            python=PythonRunner(self.warden),
            environment=environment,
            post=self.outbox.post,
            registry_socket=settings.registry_socket,
        )
        self.notes: list[str] = []
        self.current: Attempt | None = None
        self._cancelled: dict[tuple[str, int], messages.Cancel] = {}
        self._ended: OrderedDict[tuple[str, int], messages.Finished] = OrderedDict()
        self._is_ready = False
        self._draining = False
        self._leave = asyncio.Event()
        self._reason = "stopped"
        self._tasks = BackgroundTasks(_report)
        self.receiver.on_repeat = self._tell_again
        self.link.on_up(self._connected)

    # ------------------------------------------------------------ life

    async def run(self) -> int:
        """Run until drained, stopped or asked to leave. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave, "stopped")
        lifeline.watch(_end_at_once)
        if self.settings.nats_socket:
            relay = Relay(target=Target(path=Path(self.settings.nats_socket)))
            self.link.url = f"nats://127.0.0.1:{await relay.open()}"
        background = [
            asyncio.create_task(part, name=name)
            for name, part in (
                ("link", self.link.run()),
                ("outbox", self.outbox.run()),
                ("receiver", self.receiver.run()),
                ("heartbeat", self._heartbeats()),
                ("ready", self._become_ready()),
                ("work", self._work()),
                ("orphaned", self._leave_when_orphaned()),
            )
        ]
        leaving = asyncio.create_task(self._leave.wait(), name="leave")
        done, _ = await asyncio.wait([leaving, *background], return_when=asyncio.FIRST_COMPLETED)
        code = 0
        for task in done - {leaving}:
            if error := task.exception():
                log.error("%s ended with %r", task.get_name(), error, exc_info=error)
                self._reason, code = f"the agent failed: {error}", 1
        await self._say_goodbye()
        for task in [leaving, *background]:
            task.cancel()
        await self._tasks.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await self._end_programs()
        await self.link.close()
        await self.tools.client.close()
        return code

    async def _leave_when_orphaned(self) -> None:
        """A container is not notified of the end of its platform: no lifeline leads into it."""
        loop = asyncio.get_running_loop()
        seen = loop.time()
        while self.settings.orphaned_after_s > 0:
            await asyncio.sleep(min(5.0, self.settings.orphaned_after_s / 4))
            if self.link.client is not None or self.current is not None:
                seen = loop.time()
            elif loop.time() - seen > self.settings.orphaned_after_s:
                self.leave(f"NATS was away for {self.settings.orphaned_after_s:.0f} s and nothing runs here")
        await asyncio.Event().wait()

    def leave(self, reason: str) -> None:
        """Stop accepting commands and let `run` return; the registry is sent `reason`."""
        self._reason = reason
        self._leave.set()

    async def _say_goodbye(self) -> None:
        self.receiver.stop()
        groups.kill_all()
        self.outbox.post(messages.AgentGone(agent=self.settings.agent, reason=self._reason))
        if not await self.outbox.drained(3.0):
            log.warning("left with %d events that NATS has not stored", self.outbox.waiting)

    async def _end_programs(self) -> None:
        self.tools.python.close()
        groups.kill_all()
        await self.warden.stop()
        if self.current is not None and self.current.folder is not None:
            self.tools.folders.remove(self.current.folder)
        self.tools.folders.close()

    # ------------------------------------------------------------ registering

    async def _become_ready(self) -> None:
        # Ready means that the modules are imported: the first command need not wait for that.
        notes, _ = await asyncio.gather(self.warden.start(), asyncio.to_thread(self._import_ahead))
        self.notes = [*self.application.notes, *notes]
        self._is_ready = True
        if self.link.client is not None:
            self._register()
        await asyncio.Event().wait()

    def _import_ahead(self) -> None:
        """What the first command with a file would have to wait for."""
        parameters = [p for command in self.application.commands for p in command.parameters]
        if any(p.is_input_file for p in parameters):
            importlib.import_module("httpx")
        if any(command.cif_inputs for command in self.application.commands):
            importlib.import_module("qcrbox.cif.convert")

    async def _connected(self, client: Client) -> None:
        await client.subscribe(messages.subject_control(self.settings.agent), cb=self._control)
        if self._is_ready:
            self._register()

    def _register(self) -> None:
        busy, attempt = self._busy()
        self.outbox.post(
            messages.AgentReady(
                agent=self.settings.agent,
                application_slug=self.application.slug,
                application_version=self.application.version,
                launcher=self.settings.launcher,
                host=socket.gethostname(),
                pid=os.getpid(),
                qcrbox_version=qcrbox.__version__,
                commands=[command.name for command in self.application.commands],
                notes=self.notes[:100],
                busy_with=busy,
                attempt=attempt,
            )
        )

    def _busy(self) -> tuple[str | None, int | None]:
        return self.current.key if self.current is not None else (None, None)

    async def _heartbeats(self) -> None:
        subject = messages.subject_heartbeats(self.settings.agent)
        swept_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if self._is_ready and (client := self.link.client) is not None:
                busy, attempt = self._busy()
                beat = messages.Heartbeat(
                    agent=self.settings.agent, busy_with=busy, attempt=attempt, rss_bytes=_own_rss()
                )
                with contextlib.suppress(NatsError, OSError):
                    await client.publish(subject, beat.model_dump_json().encode())
            if loop.time() - swept_at > 600:
                swept_at = loop.time()
                await asyncio.to_thread(self.tools.folders.sweep)
            await asyncio.sleep(HEARTBEAT_S)

    # ------------------------------------------------------------ working

    async def _work(self) -> None:
        while not self._draining:
            delivery = await self.receiver.next()
            if self._draining:
                break
            finished = await self._attempt(delivery)
            self._remember(finished)
            stored = self.outbox.post(finished)
            self._tasks.spawn(self._acknowledge(delivery, stored))
        self.leave("drained")
        await asyncio.Event().wait()

    async def _attempt(self, delivery: Delivery) -> messages.Finished:
        message = delivery.command
        command = self.application.command(message.command_name)
        if (message.application_slug, message.application_version) != (
            self.application.slug,
            self.application.version,
        ):
            return refused(message, f"This agent runs {self.application.slug} {self.application.version}.")
        if command is None:
            return refused(message, f"{self.application.name} has no command '{message.command_name}'.")
        attempt = Attempt(message, command, self.tools)
        if cancel := self._cancelled.pop(attempt.key, None):
            attempt.stop(Stop(State.CANCELLED, cancel.reason or "Cancelled."))
        self.current = attempt
        try:
            finished = await attempt.run()
        finally:
            self.current = None
        log.info(
            "calculation=%s attempt=%d command=%s status=%s seconds=%.3f correlation_id=%s",
            *attempt.key,
            command.name,
            finished.status,
            finished.timings_s["total"],
            message.correlation_id,
        )
        return finished

    async def _acknowledge(self, delivery: Delivery, stored: asyncio.Future[None]) -> None:
        await stored
        await self.receiver.acknowledge(delivery)

    def _remember(self, finished: messages.Finished) -> None:
        self._ended[(finished.calculation_id, finished.attempt)] = finished
        while len(self._ended) > REMEMBERED_ENDS:
            self._ended.popitem(last=False)

    def _tell_again(self, delivery: Delivery) -> None:
        finished = self._ended.get(delivery.key)
        if finished is None:
            finished = refused(delivery.command, "This attempt has ended; how is not remembered any more.")
        self._tasks.spawn(self._acknowledge(delivery, self.outbox.post(finished)))

    # ------------------------------------------------------------ control

    async def _control(self, message: Msg) -> None:
        try:
            control = messages.control_adapter.validate_json(message.data)
        except ValidationError as error:
            log.warning("a control message cannot be read: %s", str(error)[:300])
            return
        if isinstance(control, messages.Drain):
            self._drain()
        elif isinstance(control, messages.Cancel):
            self._cancel(control)
        elif (attempt := self._meant(control)) is None:
            log.info("%s for %s, which does not run here", control.kind, control.calculation_id)
        elif isinstance(control, messages.EndSession):
            if not attempt.end_session.done():
                attempt.end_session.set_result(control)
        else:
            self._tasks.spawn(self._tunnel(control, attempt))

    def _meant(self, control: messages.EndSession | messages.OpenTunnel | messages.Cancel) -> Attempt | None:
        """The attempt that runs now, when `control` is about it."""
        is_meant = self.current is not None and self.current.key == (control.calculation_id, control.attempt)
        return self.current if is_meant else None

    def _cancel(self, cancel: messages.Cancel) -> None:
        if (attempt := self._meant(cancel)) is not None:
            attempt.stop(Stop(State.CANCELLED, cancel.reason or "Cancelled.", cancel.grace_s))
            return
        # It may wait here, or still be on its way.
        self._cancelled[(cancel.calculation_id, cancel.attempt)] = cancel
        while len(self._cancelled) > REMEMBERED_CANCELS:
            self._cancelled.pop(next(iter(self._cancelled)))

    def _drain(self) -> None:
        self._draining = True
        self.receiver.stop()
        if self.current is None:
            self.leave("drained")

    async def _tunnel(self, control: messages.OpenTunnel, attempt: Attempt) -> None:
        # Most agents never show a window: they need not load the websocket library.
        tunnel = importlib.import_module("qcrbox_agent.run.tunnel")
        await tunnel.open_tunnel(control, attempt)


def _own_rss() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _end_at_once() -> None:
    """The platform is gone. Called from another thread."""
    groups.kill_all()
    os._exit(0)
