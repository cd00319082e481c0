"""One attempt of one calculation, from the command to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qcrbox.contract import messages
from qcrbox.contract.errors import CalculationFailed, QcError
from qcrbox.contract.messages import Finished, OutputFile, StepChanged
from qcrbox.contract.states import State, Step
from qcrbox.spec.call_pattern import parse
from qcrbox.spec.model import Application, Call, Command, Implementation

from qcrbox_agent import archives, outputs
from qcrbox_agent.checkpoint import Checkpoint
from qcrbox_agent.files import FileClient, FileRoutes
from qcrbox_agent.inputs import Inputs, Prepared
from qcrbox_agent.logs import Logs
from qcrbox_agent.reports import Reports
from qcrbox_agent.run import memory
from qcrbox_agent.run.cli import CliProgram
from qcrbox_agent.run.ended import Ended, ProgramFailed, Stop
from qcrbox_agent.run.interactive import Session
from qcrbox_agent.run.python import PythonRunner, Surroundings, WardenLink
from qcrbox_agent.workdir import WorkFolders

log = logging.getLogger(__name__)

RESCUED = "session-files.zip"
NOTHING_CHANGED = "Nothing was changed, so there is nothing new in the store."

HOLD_S = 0.015
KEEP_S = 20.0  # for storing what an attempt that did not succeed leaves

Post = Callable[[messages.Event], asyncio.Future[None]]


@dataclass(frozen=True)
class Tools:
    """What every calculation of an agent shares."""

    application: Application
    folder: Path  # of the spec
    folders: WorkFolders
    client: FileClient
    warden: WardenLink
    python: PythonRunner
    environment: Mapping[str, str]  # of programs
    post: Post
    registry_socket: str = ""  # in a container without a network, the door to the registry


@dataclass
class Result:
    """What an attempt that ran to its end gives."""

    outputs: list[OutputFile] = field(default_factory=list)
    returncode: int | None = 0
    warnings: list[str] = field(default_factory=list)


class Attempt:
    """Runs once. `stop` ends it from outside; `end_session` is for interactive ones."""

    def __init__(self, message: messages.Command, command: Command, tools: Tools) -> None:
        self.message, self.command, self.tools = message, command, tools
        self.key = (message.calculation_id, message.attempt)
        self.folder: Path | None = None
        self.logs = Logs(*self.key, tools.post)
        self.reports = Reports(*self.key, tools.post, command.progress)
        if command.progress:
            self.logs.stdout.on_line = self.reports.line
            self.logs.stderr.on_line = self.reports.line
        self.timings: dict[str, float] = {}
        self.peak_rss_bytes = 0
        self.end_session: asyncio.Future[messages.EndSession] = asyncio.get_running_loop().create_future()
        self.rescued: list[
            OutputFile
        ] = []  # of a session whose end failed, or of a command with a checkpoint
        self.checkpoint: Checkpoint | None = None
        self.session: Any = None  # the Session of an interactive attempt, for tunnels
        self._step: Step | None = None
        self._held_step: StepChanged | None = None
        self._held_timer: asyncio.TimerHandle
        self._stop: Stop | None = None
        self._inner: asyncio.Task[Result] | None = None
        self._program: CliProgram | PythonRunner | None = None
        self._ending: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ the whole

    async def run(self) -> Finished:
        """The end of the attempt, whatever happens. Raises only when this task itself is cancelled."""
        started = time.monotonic()
        timer = self._start_wall_time()
        finished: dict[str, Any]
        try:
            if self._stop is None:
                self._inner = asyncio.create_task(self._to_the_end())
                result = await self._inner
            if self._stop is not None:
                finished = self._stopped()
            else:
                finished = {
                    "status": State.SUCCESSFUL,
                    "outputs": result.outputs,
                    "returncode": result.returncode,
                    "warnings": [*self.reports.warnings, *result.warnings],
                    "remarks": self.reports.remarks,
                }
        except ProgramFailed as error:
            finished = self._stopped() if self._stop else self._failed(str(error), error.ended.returncode)
        except QcError as error:
            finished = self._stopped() if self._stop else self._failed(error.message, None)
        except asyncio.CancelledError:
            if self._stop is None:
                if self._inner is not None:
                    self._inner.cancel()
                raise
            finished = self._stopped()
        except Exception as error:
            log.exception("calculation %s: a fault of the agent", self.message.calculation_id)
            finished = self._failed(f"The agent failed: {type(error).__name__}: {error}", None)
        finally:
            if timer is not None:
                timer.cancel()
            self.logs.close()
            self.reports.close()
        if self.checkpoint is not None and finished["status"] is not State.SUCCESSFUL:
            finished["outputs"] = await self._kept()
        self._close_telling(finished["status"])
        failed = finished["status"] is State.FAILED
        await self._clean_up(failed)
        self.timings["total"] = time.monotonic() - started
        return Finished(
            calculation_id=self.message.calculation_id,
            attempt=self.message.attempt,
            timings_s={name: round(seconds, 6) for name, seconds in self.timings.items()},
            peak_rss_bytes=self.peak_rss_bytes,
            at=time.time(),
            **finished,
        )

    async def _to_the_end(self) -> Result:
        self.folder = self.tools.folders.make(self.message.owner)
        routes = FileRoutes(self.tools.client, self.message)
        inputs = Inputs(self.tools.application, self.command, self.message, routes, self.folder)
        prepared = await inputs.prepare(self.tell)
        self._time("fetch", prepared.fetched_s)
        self._time("convert", prepared.converted_s)
        if self.command.is_interactive:
            self.session = Session(self, prepared)
            try:
                return await self._session(prepared, routes)
            except (ProgramFailed, QcError):
                if self.session.was_open and self._stop is None:
                    await self._rescue(routes)
                raise
        else:
            assert self.command.call is not None
            if self.command.checkpoint:
                await self._begin_checkpoint(self.command.checkpoint, routes)
            self.tell(Step.RUNNING)
            ended = await self.run_call(self.command.call, prepared.values)
            if self.checkpoint is not None:
                await self.checkpoint.close()
            if ended.error:
                raise ProgramFailed(ended)
        if self._stop is not None:
            return Result()
        return await self._store(prepared, ended, routes)

    async def _session(self, prepared: Prepared, routes: FileRoutes) -> Result:
        ended = await self.session.run()
        if self._stop is not None:
            return Result()
        result = await self._store(prepared, ended, routes, self.session.files)
        if not result.outputs:
            result.warnings.append(NOTHING_CHANGED)
        result.warnings += self.session.warnings
        return result

    async def _rescue(self, routes: FileRoutes) -> None:
        """A session's last step failed: hours of a person's work lie in its folder, and are kept as they are."""
        assert self.folder is not None
        archive = self.folder / RESCUED
        try:
            if await asyncio.to_thread(archives.pack, self.folder, archive):
                kept = outputs.Collected([outputs.Produced(archive, RESCUED)])
                self.rescued = await outputs.upload(kept, routes)
        except (QcError, OSError) as error:
            log.error("the files of session %s are lost: %s", self.message.calculation_id, error)

    async def _begin_checkpoint(self, filename: str, routes: FileRoutes) -> None:
        assert self.folder is not None
        self.routes = routes
        self.checkpoint = Checkpoint(self.folder / filename, routes)
        # A first attempt as well: an earlier run of the same call may have kept one.
        if await self.checkpoint.restore():
            self.logs.feed("stdout", b"Continuing from the checkpoint of an earlier attempt.\n")
        self.checkpoint.watch()

    async def _kept(self) -> list[OutputFile]:
        """What a command with a checkpoint leaves when it does not succeed: its checkpoint and the outputs it had written."""
        assert self.folder is not None
        assert self.checkpoint is not None
        await self.checkpoint.close()
        try:
            async with asyncio.timeout(KEEP_S):
                there = outputs.present(self.command, self.folder)
                stored = await outputs.upload(there, self.routes)
                checkpoint = await self.checkpoint.kept()
        except (QcError, OSError, TimeoutError) as error:
            log.error("the outputs of %s are lost: %s", self.message.calculation_id, error)
            return []
        return [*stored, checkpoint] if checkpoint else stored

    async def _store(
        self, prepared: Prepared, ended: Ended, routes: FileRoutes, beside: Sequence[Path] = ()
    ) -> Result:
        """Store what the command produced; `beside`: further files, stored when they exist."""
        assert self.folder is not None
        if not ended.files and not self.command.outputs and not beside:
            return Result(returncode=ended.returncode, warnings=prepared.warnings)
        started = time.monotonic()
        collected = outputs.collect(
            self.command, self.folder, ended.files, prepared.values, self.message.arguments
        )
        collected.files += [outputs.Produced(path, path.name) for path in beside if path.is_file()]
        await outputs.merge_back(collected, self.command, self.tools.application, prepared, self.folder)
        stored: list[OutputFile] = []
        if collected.files:
            self.tell(Step.UPLOADING)
            stored = await outputs.upload(collected, routes)
        self._time("upload", time.monotonic() - started)
        return Result(stored, ended.returncode, prepared.warnings + collected.warnings)

    # ------------------------------------------------------------ programs

    async def run_call(
        self, call: Call, values: Mapping[str, Any], extra: Mapping[str, str] | None = None
    ) -> Ended:
        """Run one call of the spec to its end, with the values it uses."""
        assert self.folder is not None
        given = {name: value for name, value in values.items() if call.uses is None or name in call.uses}
        environment = {
            **self.tools.environment,
            "QCRBOX_WORK_DIR": str(self.folder),
            "QCRBOX_CALCULATION_ID": self.message.calculation_id,
            **(extra or {}),
        }
        started, memory_before = time.monotonic(), memory.look()
        try:
            if call.implemented_as is Implementation.CLI:
                ended = await self._run_cli(call, given, environment)
            else:
                ended = await self._run_python(call, given, environment)
        finally:
            self._program = None
            self._time("run", time.monotonic() - started)
        if ended.error and (why := memory.explains(memory_before, memory.look())):
            ended.error = f"The program {why}."
        self.peak_rss_bytes = max(self.peak_rss_bytes, ended.peak_rss_bytes)
        return ended

    async def _run_cli(self, call: Call, values: Mapping[str, Any], environment: dict[str, str]) -> Ended:
        assert self.folder is not None
        text = parse(call.call_pattern or "").render(values)
        program = CliProgram(self.tools.warden.guard, self.tools.warden.release)
        self._program = program
        return await program.run(text, self.folder, environment, self.logs)

    async def _run_python(self, call: Call, values: Mapping[str, Any], environment: dict[str, str]) -> Ended:
        assert self.folder is not None
        self._program = self.tools.python
        arguments = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
        # The worker inherited the rest of the environment.
        own = {name: environment[name] for name in ("QCRBOX_WORK_DIR", "QCRBOX_CALCULATION_ID")}
        own |= {n: v for n, v in environment.items() if n not in own and self.tools.environment.get(n) != v}
        around = Surroundings(self.folder, own, self.logs, self.reports.report, self.message.owner)
        return await self.tools.python.run(call, arguments, around)

    # ------------------------------------------------------------ ends from outside

    def stop(self, stop: Stop) -> None:
        """End the attempt. The first reason counts."""
        if self._stop is not None or (self._inner is not None and self._inner.done()):
            return
        self._stop = stop
        self.tell(Step.CANCELLING, stop.reason)
        if self._inner is not None:
            self._ending = asyncio.create_task(self._end_program(stop))

    async def _end_program(self, stop: Stop) -> None:
        assert self._inner is not None
        program = self._program
        if program is not None and not self.command.is_interactive:
            await program.terminate(stop.grace_s)
            await asyncio.wait([self._inner], timeout=2.0)
        if not self._inner.done():
            self._inner.cancel()

    async def terminate_program(self, grace_s: float) -> None:
        """For sessions: end the step that runs now."""
        if self._program is not None:
            await self._program.terminate(grace_s)

    def _start_wall_time(self) -> asyncio.TimerHandle | None:
        limit = self.message.wall_time_s
        if limit is None:
            return None
        reason = f"It ran longer than the {limit:g} s allowed."
        return asyncio.get_running_loop().call_later(limit, self.stop, Stop(State.FAILED, reason))

    # ------------------------------------------------------------ telling

    def tell(self, step: Step, text: str = "") -> None:
        """Report a step of the attempt to the registry; a repeated step is not sent again."""
        if step is self._step:
            return
        first = self._step is None
        self._step = step
        self._send_held_step()
        changed = StepChanged(
            calculation_id=self.message.calculation_id,
            attempt=self.message.attempt,
            step=step,
            text=text,
            at=time.time(),
        )
        if first and step is Step.RUNNING:
            # Of a command that ends at once the end says it all: half the messages of many small commands.
            self._held_step = changed
            self._held_timer = asyncio.get_running_loop().call_later(HOLD_S, self._send_held_step)
        else:
            self.tools.post(changed)

    def _send_held_step(self) -> None:
        if self._held_step is not None:
            self._held_timer.cancel()
            self.tools.post(self._held_step)
            self._held_step = None

    def _close_telling(self, status: State) -> None:
        """Nothing may come after the end: what is held goes out now, or not at all."""
        if status is State.SUCCESSFUL and self._held_step is not None:
            self._held_timer.cancel()
            self._held_step = None
        self._send_held_step()

    def _time(self, name: str, seconds: float) -> None:
        self.timings[name] = self.timings.get(name, 0.0) + seconds

    def _stopped(self) -> dict[str, Any]:
        assert self._stop is not None
        text = self._stop.reason
        if self._stop.state is State.FAILED:
            return self._failed(text, None)
        return {"status": self._stop.state, "error_msg": text}

    def _failed(self, text: str, returncode: int | None) -> dict[str, Any]:
        tail = self.logs.tail()
        if self.rescued:
            text = f"{text} The files of the session are kept: {RESCUED} in its output dataset."
        message = f"{text}\n{tail}" if tail else text
        return {
            "status": State.FAILED,
            "error_msg": message,
            "returncode": returncode,
            "outputs": self.rescued,
        }

    async def _clean_up(self, failed: bool) -> None:
        if self.folder is not None:
            with contextlib.suppress(OSError):
                self.tools.folders.remove(self.folder, self.message.owner, failed)


def refused(message: messages.Command, text: str) -> Finished:
    """The end of a command that cannot even begin."""
    return Finished(
        calculation_id=message.calculation_id,
        attempt=message.attempt,
        status=State.FAILED,
        error_msg=text,
        at=time.time(),
    )


__all__ = ["Attempt", "CalculationFailed", "ProgramFailed", "Stop", "Tools", "refused"]
