"""Interactive sessions: prepare, run with a window, wait for the person, finalise.

The display and the tunnel are other files (`display.py`, `tunnel.py`); a program that needs no window runs
without them. Closing the program ends nothing: the session stays open until its person, or a limit, ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.contract.messages import EndSession, SessionState
from qcrbox.contract.states import State, Step
from qcrbox.spec.arguments import default_file_name
from qcrbox.spec.dtypes import DType
from qcrbox.spec.model import Call

from qcrbox_agent.inputs import Prepared
from qcrbox_agent.run import display
from qcrbox_agent.run.ended import Ended, ProgramFailed, Stop

if TYPE_CHECKING:
    from qcrbox_agent.calculation import Attempt

GRACE_S = 5.0
STARTED_S = 5.0
_CLOSED_BY = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


class Session:
    """The life of one session inside an `Attempt`."""

    def __init__(self, attempt: Attempt, prepared: Prepared) -> None:
        self._attempt, self._prepared = attempt, prepared
        self.display: display.Display | None = None
        self.was_open = False
        self.files: list[Path] = []  # what was done, as the application's toparams wrote it
        self.warnings: list[str] = []

    async def run(self) -> Ended:
        """What finalise returned. Raises ProgramFailed when a step fails."""
        attempt = self._attempt
        lifecycle = attempt.command.lifecycle
        assert lifecycle is not None
        if attempt.folder is None:
            raise AssertionError("a session needs its folder")
        try:
            self._tell("starting")
            if lifecycle.prepare is not None:
                attempt.tell(Step.PREPARING)
                await self._step(lifecycle.prepare, "Prepare")
            warden = attempt.tools.warden
            self.display = await display.open_display(warden.guard, warden.release)
            end = await self._open(lifecycle.run)
            if not end.keep:
                attempt.stop(Stop(State.CANCELLED, end.reason or "The session was discarded."))
                return Ended()
            ended = Ended()
            if lifecycle.finalise is not None:
                attempt.tell(Step.FINALISING)
                self._tell("finalising")
                ended = await self._step(lifecycle.finalise, "Finalise")
            await self._write_down()
            return ended
        finally:
            await self._close_display()

    async def _close_display(self) -> None:
        """Run to the end even if the attempt is cancelled, as for a discarded session: otherwise its X server would stay."""
        if self.display is None:
            return
        closing = asyncio.create_task(self.display.close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await asyncio.wait([closing])
            raise

    async def _open(self, call: Call) -> EndSession:
        """Run the program until the person ends the session."""
        attempt = self._attempt
        attempt.tell(Step.OPEN)
        environment = self.display.environment if self.display else {}
        program = asyncio.create_task(attempt.run_call(call, self._prepared.values, environment))
        self._tell("open", "" if self.display else display.ABSENT)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            waiting: list[asyncio.Future] = [program, attempt.end_session]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            self.was_open = attempt.end_session.done()
            if not attempt.end_session.done():
                self._program_ended(program.result(), loop.time() - started)
            self.was_open = True
            end = await attempt.end_session
            if not program.done():
                # Ending while the program runs is how most sessions end: no failure.
                await attempt.terminate_program(GRACE_S)
            await program
            return end
        finally:
            if not program.done():
                await attempt.terminate_program(0.5)
                program.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await program

    def _program_ended(self, ended: Ended, lived_s: float) -> None:
        """A program that fails at once never opened. Later, even a crash must not cost the person their files."""
        if ended.error and ended.killed_by not in _CLOSED_BY and lived_s < STARTED_S:
            self._fail(ended, "Run")
        how = "was closed" if not ended.error or ended.killed_by in _CLOSED_BY else f"ended: {ended.error}"
        self._tell("program_ended", f"The program {how}. The session is still open.")

    async def _step(self, call: Call, name: str) -> Ended:
        ended = await self._attempt.run_call(call, self._prepared.values, self._environment())
        if ended.error:
            self._fail(ended, name)
        return ended

    async def _write_down(self) -> None:
        """Run the older application's `toparams`, which writes what was done so that it can be repeated.

        A failure is a warning: the session's results are there.
        """
        application, name = self._attempt.tools.application, self._attempt.command.toparams
        hidden = application.command(name) if name else None
        if hidden is None or hidden.call is None or self._attempt.folder is None:
            return
        values = dict(self._prepared.values)
        source = self._attempt.command.source_cif
        for parameter in hidden.parameters:
            if parameter.name in values:
                continue
            path = self._attempt.folder / default_file_name(parameter)
            if parameter.dtype is DType.CIF_DATA_FILE:
                values[parameter.name] = values.get(source.name) if source else None
            elif parameter.dtype in (DType.FOLDER, DType.OUTPUT_FOLDER):
                path.mkdir(exist_ok=True)
                values[parameter.name] = path
            elif parameter.is_output:
                values[parameter.name] = path
                self.files.append(path)
        wanted = [p.name for p in hidden.parameters] if hidden.call.uses is None else hidden.call.uses
        call = hidden.call.model_copy(update={"uses": wanted})
        ended = await self._attempt.run_call(call, values, self._environment())
        if ended.error:
            self.warnings.append(f"What was done in this session could not be written down: {ended.error}")

    def _environment(self) -> dict[str, str]:
        return dict(self.display.environment) if self.display else {}

    def _fail(self, ended: Ended, name: str) -> None:
        if self.display is None and name == "Run":
            ended.error = f"{ended.error} {display.ABSENT}"
        raise ProgramFailed(ended, f"{name} step failed: ")

    def _tell(self, state: Any, reason: str = "") -> None:
        shown = self.display
        self._attempt.tools.post(
            SessionState(
                calculation_id=self._attempt.message.calculation_id,
                attempt=self._attempt.message.attempt,
                state=state,
                reason=reason,
                width=shown.width if shown else 0,
                height=shown.height if shown else 0,
            )
        )
