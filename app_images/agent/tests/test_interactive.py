"""The life of a session: what its person does, what its program does, and which of the two decides."""

from __future__ import annotations

import asyncio
import signal
from types import SimpleNamespace

import pytest
from qcrbox.contract.messages import EndSession
from qcrbox.contract.states import State, Step
from qcrbox.spec import loads
from qcrbox_agent.inputs import Prepared
from qcrbox_agent.run import interactive
from qcrbox_agent.run.ended import Ended, ProgramFailed, from_exit_code
from qcrbox_agent.run.interactive import Session

SPEC = """
name: Viewer
slug: viewer
version: "1"
commands:
  - name: look
    implemented_as: interactive_session
    parameters: []
    interactive_lifecycle:
      prepare: {implemented_as: cli_command, call_pattern: "prepare", used_basecommand_parameters: []}
      run: {implemented_as: cli_command, call_pattern: "run", used_basecommand_parameters: []}
      finalise: {implemented_as: cli_command, call_pattern: "finalise", used_basecommand_parameters: []}
"""
WAIT_S = 30


class Attempt:
    """An attempt whose programs end when the test says so. `ends`: how a call ends, by its pattern."""

    def __init__(self, folder) -> None:
        application = loads(SPEC)
        self.command = application.command("look")
        self.folder = folder
        self.message = SimpleNamespace(calculation_id="c1", attempt=1)
        self.end_session: asyncio.Future[EndSession] = asyncio.get_running_loop().create_future()
        self.reported: list[object] = []
        self.ran: list[str] = []
        self.stopped = None
        self.terminated = False
        self.ends = {"prepare": Ended(), "finalise": Ended()}
        self.program: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        warden = SimpleNamespace(guard=lambda _: None, release=lambda _: None)
        self.tools = SimpleNamespace(application=application, warden=warden, post=self._post)

    def _post(self, event) -> None:
        self.reported.append(event.state)
        self.last = event

    def tell(self, step) -> None:
        self.reported.append(step)

    async def run_call(self, call, values, environment=None) -> Ended:
        self.ran.append(call.call_pattern)
        if call.call_pattern == "run":
            return await asyncio.shield(self.program)
        return self.ends[call.call_pattern]

    async def terminate_program(self, grace_s) -> None:
        self.terminated = True
        if not self.program.done():
            self.program.set_result(from_exit_code(-signal.SIGTERM))

    def stop(self, stop) -> None:
        self.stopped = stop

    def end(self, *, keep=True, reason="") -> None:
        self.end_session.set_result(EndSession(calculation_id="c1", attempt=1, keep=keep, reason=reason))

    async def until_reported(self, what) -> None:
        async with asyncio.timeout(WAIT_S):
            while what not in self.reported:
                await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    """As on a machine without an X server."""

    async def none(*_):
        return None

    monkeypatch.setattr(interactive.display, "open_display", none)


@pytest.fixture
async def attempt(tmp_path):
    return Attempt(tmp_path)


@pytest.fixture
async def session(attempt):
    return Session(attempt, Prepared())


@pytest.fixture
async def running(session, attempt):
    """A session whose program runs."""
    task = asyncio.create_task(session.run())
    await attempt.until_reported("open")
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_session_is_prepared_opened_and_finalised(running, attempt):
    attempt.end()
    assert (await running).error == ""
    assert attempt.ran == ["prepare", "run", "finalise"]
    assert attempt.reported == [
        "starting",
        Step.PREPARING,
        Step.OPEN,
        "open",
        Step.FINALISING,
        "finalising",
    ]


async def test_ending_a_session_whose_program_runs_is_no_failure(running, attempt):
    attempt.end()
    await running
    assert attempt.terminated
    assert attempt.stopped is None


async def test_a_discarded_session_runs_no_finalise_and_is_cancelled(running, attempt):
    attempt.end(keep=False, reason="It went wrong.")
    await running
    assert attempt.ran == ["prepare", "run"]
    assert (attempt.stopped.state, attempt.stopped.reason) == (State.CANCELLED, "It went wrong.")


async def test_a_discarded_session_without_a_reason_gets_one(running, attempt):
    attempt.end(keep=False)
    await running
    assert "discarded" in attempt.stopped.reason


async def test_closing_the_program_does_not_end_the_session(running, attempt):
    attempt.program.set_result(Ended())
    await attempt.until_reported("program_ended")
    assert "was closed" in attempt.last.reason
    assert not running.done()
    attempt.end()
    await running
    assert not attempt.terminated


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
async def test_a_program_ended_by_its_window_manager_was_closed(running, attempt, number):
    attempt.program.set_result(from_exit_code(-number))
    await attempt.until_reported("program_ended")
    assert "was closed" in attempt.last.reason


async def test_a_program_that_fails_at_once_fails_the_session(running, attempt, session):
    attempt.program.set_result(from_exit_code(3))
    with pytest.raises(ProgramFailed, match="Run step failed: The program ended with exit code 3"):
        await running
    assert not session.was_open, "the window was never usable"


async def test_a_program_without_a_display_says_what_is_missing(running, attempt):
    """The fixture's machine has no X server."""
    attempt.program.set_result(from_exit_code(1))
    with pytest.raises(ProgramFailed, match="tigervnc-standalone-server"):
        await running


async def test_a_later_crash_costs_no_work(running, attempt, session, monkeypatch):
    """The session stays open: its person decides what is kept."""
    monkeypatch.setattr(interactive, "STARTED_S", 0.0)
    attempt.program.set_result(from_exit_code(-signal.SIGSEGV))
    await attempt.until_reported("program_ended")
    assert "segmentation fault" in attempt.last.reason
    assert not running.done()
    attempt.end()
    await running
    assert attempt.ran[-1] == "finalise"
    assert session.was_open


async def test_an_end_that_comes_with_the_crash_keeps_the_work(running, attempt, session):
    """The person ended it first: the crash of a program that is being ended is no failure."""
    attempt.end()
    attempt.program.set_result(from_exit_code(-signal.SIGSEGV))
    await running
    assert session.was_open
    assert attempt.ran[-1] == "finalise"


async def test_a_failed_preparation_starts_no_program(session, attempt):
    attempt.ends["prepare"] = Ended(4, "The licence has expired.")
    with pytest.raises(ProgramFailed, match="Prepare step failed: The licence has expired"):
        await session.run()
    assert attempt.ran == ["prepare"]


async def test_a_failed_finalise_fails_a_session_that_was_open(running, attempt, session):
    attempt.ends["finalise"] = Ended(1, "No model was saved.")
    attempt.end()
    with pytest.raises(ProgramFailed, match="Finalise step failed: No model was saved"):
        await running
    assert session.was_open, "so that its files are kept as they are"


async def test_a_cancelled_session_leaves_no_program(running, attempt):
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert attempt.terminated


class Display:
    """Notes when it is closed; with `may_close`, not before that is set."""

    width, height = 1280, 800

    def __init__(self, closed, may_close=None):
        self.environment = {"DISPLAY": ":7"}
        self._closed, self._may_close = closed, may_close

    async def close(self):
        await asyncio.sleep(0)
        if self._may_close is not None:
            await self._may_close.wait()
        self._closed.append(True)


def show(monkeypatch, shown):
    async def opened(*_):
        return shown

    monkeypatch.setattr(interactive.display, "open_display", opened)


async def test_the_display_is_closed_however_the_session_ends(attempt, session, monkeypatch):
    closed = []

    show(monkeypatch, Display(closed))
    task = asyncio.create_task(session.run())
    await attempt.until_reported("open")
    assert (attempt.last.width, attempt.last.height) == (1280, 800)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


async def test_a_second_cancel_does_not_leave_the_display_behind(attempt, session, monkeypatch):
    closed, may_close = [], asyncio.Event()

    show(monkeypatch, Display(closed, may_close))
    task = asyncio.create_task(session.run())
    await attempt.until_reported("open")
    task.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    may_close.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]
