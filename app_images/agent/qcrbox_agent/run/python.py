"""The agent's side of Python callables: a warden that has imported the modules, and a worker forked from it.

The worker is kept for the next call of the same owner, so a command that does nothing costs a message both
ways. Another owner, a cancel or a crash: it is killed, and the next call gets a fresh one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qcrbox.spec.model import Call
from qcrbox.waiting import within

from qcrbox_agent.logs import Logs
from qcrbox_agent.run import frames, groups
from qcrbox_agent.run.ended import Ended, from_exit_code, signal_words
from qcrbox_agent.run.pipes import Pipe
from qcrbox_agent.run.start_warden import StartedWarden, start_warden

log = logging.getLogger(__name__)

IMPORT_S = 300.0  # a large package on a cold disk

Report = Callable[[Mapping[str, Any]], None]


class WardenGone(Exception):
    """The warden ended; the text says how."""


class WardenLink:
    """Starts the warden, exchanges messages with it, and restarts it when it has died."""

    def __init__(
        self, spec: Path, environment: Mapping[str, str], started: StartedWarden | None = None
    ) -> None:
        self._spec, self._environment = spec, dict(environment)
        self._started = started  # the first one may have been started already
        self._numbers = itertools.count()
        self._connection: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._forked: dict[int, asyncio.Future[int]] = {}
        self._ready: asyncio.Future[list[str]] | None = None
        self._guarded: set[int] = set()
        self._on_end: dict[int, Callable[[int, int], None]] = {}
        self._imports = True

    async def start(self) -> list[str]:
        """What the check of the spec against its modules found.

        When importing kills the importing process, that is left to the worker of the command concerned.
        """
        for imports in (self._imports, False):
            self._imports = imports
            self._launch()
            assert self._ready is not None
            try:
                notes = await within(asyncio.shield(self._ready), IMPORT_S)
            except (WardenGone, TimeoutError) as error:
                log.warning("importing the application's modules failed: %s", error)
                await self.stop()
                continue
            return notes if imports else ["importing the modules of its commands ends the process"]
        raise WardenGone("The process that starts Python callables does not come up.")

    def _launch(self) -> None:
        started, self._started = self._started, None
        if started is None:
            started = start_warden(self._spec, self._environment, self._imports)
        self._ready = asyncio.get_running_loop().create_future()
        self._process, self._connection = started.process, started.connection
        self._reader = asyncio.create_task(self._read(started.connection), name="warden")
        for group in self._guarded:
            self._tell({"guard": group})

    async def _read(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        splitter = frames.Splitter()
        with contextlib.suppress(OSError, frames.TooLong):
            while data := await loop.sock_recv(connection, 65536):
                for message in splitter.feed(data):
                    self._heard(message)
        self._lost()

    def _heard(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            if self._ready is not None and not self._ready.done():
                self._ready.set_result([str(note) for note in message.get("notes") or []])
        elif "forked" in message:
            future = self._forked.pop(message["forked"], None)
            if future is not None and not future.done():
                future.set_result(int(message["pid"]))
        elif "ended" in message:
            tell = self._on_end.pop(message["ended"], None)
            if tell is not None:
                tell(int(message["code"]), int(message.get("peak_rss_bytes", 0)))

    def _lost(self) -> None:
        error = WardenGone("The process that starts Python callables ended.")
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()
        for future in self._forked.values():
            if not future.done():
                future.set_exception(error)
        self._forked.clear()
        for tell in list(self._on_end.values()):
            tell(-signal.SIGKILL, 0)
        self._on_end.clear()
        self._connection = None

    async def fork(self, descriptors: list[int], on_end: Callable[[int, int], None]) -> int:
        """The pid of a new worker that has the three descriptors. Raises WardenGone."""
        if self._connection is None:
            await self.start()
        assert self._connection is not None
        if self._ready is not None and not self._ready.done():
            await asyncio.shield(self._ready)
        number = next(self._numbers)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._forked[number] = future
        socket.send_fds(self._connection, [frames.pack({"fork": number})], descriptors)
        pid = await future
        self._on_end[pid] = on_end
        return pid

    def guard(self, group: int) -> None:
        """Kill this group when the agent is gone."""
        self._guarded.add(group)
        self._tell({"guard": group})

    def release(self, group: int) -> None:
        """The warden no longer has to kill this process group when the agent ends."""
        self._guarded.discard(group)
        self._tell({"release": group})

    def _tell(self, message: dict[str, Any]) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.send(frames.pack(message))

    async def stop(self) -> None:
        """Close the connection, on which the warden ends, and wait for its process."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._reader is not None:
            self._reader.cancel()
        if self._process is not None:
            try:
                await asyncio.to_thread(self._process.wait, 5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class _Worker:
    """One forked process with its link and pipes."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.pid = 0
        self.link, self.their_end = socket.socketpair()
        self.link.setblocking(False)
        self.stdout = Pipe(lambda _: None)
        self.stderr = Pipe(lambda _: None)
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.splitter = frames.Splitter()

    def set_ended(self, code: int, peak_rss_bytes: int) -> None:
        if not self.ended.done():
            self.ended.set_result(from_exit_code(code, peak_rss_bytes))

    def close(self) -> None:
        self.link.close()
        for pipe in (self.stdout, self.stderr):
            pipe.drain()
            pipe.close()


@dataclass(frozen=True)
class Surroundings:
    """Where a callable runs and who hears of it. A worker is kept for the next call of the same `owner`."""

    cwd: Path
    environment: Mapping[str, str]
    logs: Logs
    report: Report
    owner: str


class PythonRunner:
    """Calls Python callables, one at a time."""

    def __init__(self, warden: WardenLink) -> None:
        self._warden = warden
        self._worker: _Worker | None = None
        self._numbers = itertools.count()

    async def run(self, call: Call, arguments: Mapping[str, Any], around: Surroundings) -> Ended:
        """Call with keywords and wait for the end. Output goes to the logs, progress to `around.report`."""
        try:
            worker = await self._worker_for(around.owner)
        except WardenGone as error:
            return Ended(None, f"The callable could not be started: {error}")
        worker.stdout.redirect(lambda data: around.logs.feed("stdout", data))
        worker.stderr.redirect(lambda data: around.logs.feed("stderr", data))
        message = {
            "id": next(self._numbers),
            "import_path": call.import_path,
            "callable_name": call.callable_name,
            "arguments": dict(arguments),
            "cwd": str(around.cwd),
            "environment": dict(around.environment),
        }
        try:
            ended = await self._exchange(worker, message, around.report)
        except asyncio.CancelledError:
            self._drop(worker, kill=True)
            raise
        if ended is None:
            ended = await self._of_dead(worker)
            self._drop(worker, kill=True)
            return ended
        for pipe in (worker.stdout, worker.stderr):
            pipe.drain()
            pipe.redirect(lambda _: None)
        return ended

    async def _worker_for(self, owner: str) -> _Worker:
        worker = self._worker
        if worker is not None and (worker.owner != owner or worker.ended.done()):
            self._drop(worker, kill=True)
            worker = None
        if worker is None:
            worker = _Worker(owner)
            ends = [worker.their_end.fileno(), worker.stdout.write_fd, worker.stderr.write_fd]
            try:
                worker.pid = await self._warden.fork(ends, worker.set_ended)
            except BaseException:
                worker.close()
                raise
            finally:
                worker.their_end.close()
                worker.stdout.given()
                worker.stderr.given()
            groups.add(worker.pid)
            self._worker = worker
        return worker

    async def _exchange(self, worker: _Worker, message: dict[str, Any], report: Report) -> Ended | None:
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(worker.link, frames.pack(message))
            while data := await loop.sock_recv(worker.link, 65536):
                for answer in worker.splitter.feed(data):
                    if "progress" in answer and isinstance(answer["progress"], dict):
                        report(answer["progress"])
                    elif "done" in answer and answer["done"].get("id") == message["id"]:
                        return _ended(answer["done"])
        except (OSError, frames.TooLong, ValueError) as error:
            log.debug("the link to the worker broke: %s", error)
        return None

    async def _of_dead(self, worker: _Worker) -> Ended:
        try:
            ended = await within(asyncio.shield(worker.ended), 5)
        except TimeoutError:
            groups.send(worker.pid, signal.SIGKILL)
            return Ended(None, "The program closed its connection to the agent and was killed.")
        if ended.returncode == 0:
            return Ended(0, "The program left Python without an answer (os._exit).")
        if ended.killed_by:
            return Ended(
                ended.returncode, f"The program {signal_words(ended.killed_by)}.", [], ended.peak_rss_bytes
            )
        return ended

    def _drop(self, worker: _Worker, kill: bool) -> None:
        if kill:
            groups.send(worker.pid, signal.SIGKILL)
        groups.remove(worker.pid)
        worker.close()
        if self._worker is worker:
            self._worker = None

    async def terminate(self, grace_s: float) -> None:
        """End the call that runs now; `run` returns."""
        worker = self._worker
        if worker is not None:
            await groups.terminate(worker.pid, grace_s)

    def close(self) -> None:
        """Kill the worker that waits for a call, if there is one."""
        if self._worker is not None:
            self._drop(self._worker, kill=True)


def _ended(answer: Mapping[str, Any]) -> Ended:
    error = str(answer.get("error") or "")
    files = [
        (str(pair[0]), str(pair[1]))
        for pair in answer.get("files") or []
        if isinstance(pair, list) and len(pair) == 2
    ]
    code = answer.get("returncode")
    return Ended(
        returncode=(1 if error else 0) if not isinstance(code, int) else code,
        error=error,
        files=files,
        peak_rss_bytes=int(answer.get("peak_rss_bytes") or 0),
    )
