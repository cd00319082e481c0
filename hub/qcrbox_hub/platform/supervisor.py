"""Starts the platform's processes in order, keeps them running, and ends them all.

One function, `tick`, looks at every child and moves it one step, so starting up, a crash during start-up and
a crash a week later are the same case. What the children inherit is the read end of the lifeline; the write
end stays here and closes when this process ends, however it ends.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from qcrbox.contract.errors import Unreachable
from qcrbox.signal_flag import SignalFlag

from qcrbox_hub.platform.child import Child, ChildSpec
from qcrbox_hub.platform.log_files import CHECK_EVERY_S, TRIM_EVERY_S, rotate_large, trim_peoples

MARK = "QCRBOX_PLATFORM"
TICK_S = 0.05
SAY_AFTER_S = 2.0
SAY_EVERY_S = 5.0
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_AFTER_S = 60.0

Phase = Literal["waiting", "starting", "ready", "backing_off"]


@dataclass
class Watched:
    """What the supervisor knows about one child."""

    child: Child
    phase: Phase = "waiting"
    since: float = 0.0
    reported_at: float = 0.0
    crashes: int = 0
    was_ready: bool = False
    started_in_s: float = 0.0

    @property
    def name(self) -> str:
        """Name of the process, as in the logs."""
        return self.child.spec.name


class Supervisor:
    """Children by name. `say` prints one line for the person who started the platform."""

    def __init__(
        self,
        specs: list[ChildSpec],
        logs: Path,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.watched = [Watched(Child(spec, logs / (spec.log_name or f"{spec.name}.log"))) for spec in specs]
        self.logs = logs
        self.say = say
        self.clock = clock
        self.read_end, self._write_end = os.pipe()
        self.on_change: Callable[[], None] = lambda: None

    # ------------------------------------------------------------------ starting

    def start(self, stop: SignalFlag) -> bool:
        """Returns True when all are ready, False when `stop` was set before.

        Raises Unreachable with the end of the log when one of them cannot be started.
        """
        while not stop.is_set():
            self.tick()
            if all(each.phase == "ready" for each in self.watched):
                return True
            stop.wait(TICK_S)
        return False

    def watch(self, stop: SignalFlag) -> None:
        """Restart what ends, and keep the logs small, until `stop` is set."""
        next_look = next_trim = self.clock()
        while not stop.is_set():
            self.tick()
            if self.clock() >= next_look:
                rotate_large(self.logs)
                next_look = self.clock() + CHECK_EVERY_S
            if self.clock() >= next_trim:
                trim_peoples(self.logs)
                next_trim = self.clock() + TRIM_EVERY_S
            stop.wait(0.2)

    def tick(self) -> None:
        """Look at every child and move it one step."""
        for each in self.watched:
            if each.phase == "waiting":
                if self._needs_met(each):
                    self._launch(each)
            elif each.phase == "backing_off":
                if self.clock() >= each.since + self._backoff_s(each):
                    self._launch(each)
            elif not each.child.running():
                self._ended(each)
            elif each.phase == "starting":
                self._look_whether_ready(each)
            elif each.crashes and self.clock() - each.since > STEADY_AFTER_S:
                each.crashes = 0

    def _needs_met(self, each: Watched) -> bool:
        # A restarted child does not wait for the others again: they know how to wait for each other.
        ready = {other.name for other in self.watched if other.was_ready}
        return set(each.child.spec.needs) <= ready

    def _launch(self, each: Watched) -> None:
        each.child.start(self.read_end)
        each.phase, each.since, each.reported_at = "starting", self.clock(), 0.0
        self.on_change()

    def _look_whether_ready(self, each: Watched) -> None:
        waited = self.clock() - each.since
        if each.child.spec.ready():
            each.phase, each.started_in_s = "ready", waited
            if not each.was_ready:
                self.say(f"{each.name} ready ({waited:.1f} s)")
            else:
                self.say(f"{each.name} is back")
            each.was_ready, each.since = True, self.clock()
            self.on_change()
        elif waited > each.child.spec.start_limit_s:
            self.say(f"{each.name} did not get ready within {waited:.0f} s; stopping it")
            each.child.signal(signal.SIGKILL)
        elif (
            waited > SAY_AFTER_S
            and self.clock() - max(each.reported_at, each.since - SAY_EVERY_S) > SAY_EVERY_S
        ):
            each.reported_at = self.clock()
            self.say(f"still waiting for {each.name} ({waited:.0f} s); its log: {each.child.log}")

    def _ended(self, each: Watched) -> None:
        code = each.child.exit_code()
        each.child.end_leftovers()
        if not each.was_ready:
            raise Unreachable(
                f"{each.name} could not be started ({describe_exit(code)}).",
                where=str(each.child.log),
                why=f"The end of its log:\n{each.child.log_tail()}\n",
                next="`qcrbox doctor` looks for the usual causes.",
                part=each.name,
            )
        each.phase, each.since = "backing_off", self.clock()
        each.crashes += 1
        self.say(f"{each.name} ended ({describe_exit(code)}); restarting it in {self._backoff_s(each):g} s")
        self.on_change()

    @staticmethod
    def _backoff_s(each: Watched) -> float:
        return min(FIRST_BACKOFF_S * 2 ** max(each.crashes - 1, 0), LONGEST_BACKOFF_S)

    # ------------------------------------------------------------------ stopping

    def stop(self, *, last: tuple[str, ...] = (), within_s: float = 4.5) -> None:
        """End all: first those that tidy up, then (the lifeline) `last` and everything they started."""
        begin = self.clock()
        first = [each.child for each in self.watched if each.name not in last]
        for child in first:
            child.signal(signal.SIGTERM)
        self._wait(first, begin + within_s * 0.65)
        self.cut_lifeline()
        everyone = [each.child for each in self.watched]
        for child in everyone:
            child.signal(signal.SIGTERM)
        self._wait(everyone, begin + within_s * 0.9)
        for child in everyone:
            child.signal(signal.SIGKILL)
        self._wait(everyone, begin + within_s)

    def cut_lifeline(self) -> None:
        """What closes by itself when this process dies; everything that watches it ends itself."""
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    def _wait(self, children: list[Child], until: float) -> None:
        while any(child.running() for child in children) and self.clock() < until:
            time.sleep(0.02)


def describe_exit(code: int | None) -> str:
    """An exit code in words, as `subprocess` gives it: negative for a signal, None while it runs."""
    if code is None:
        return "still running"
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"


def marked_processes(mark: str) -> list[psutil.Process]:
    """Every process of this user that carries the data folder's mark, except this one and its parents."""
    if not mark:
        return []
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid not in own and process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def end_marked_processes(mark: str, *, grace_s: float) -> list[psutil.Process]:
    """Wait for them to end by themselves, then kill them. Returns those that had to be killed."""
    alive = _wait_until_ended(marked_processes(mark), grace_s)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    _wait_until_ended(alive, 1)
    return alive


def _wait_until_ended(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that still run after this time. `psutil.wait_procs` would also wait until their parents have asked for them.

    The parent of an orphan is process 1, which takes seconds in some containers, or never asks.
    """
    deadline = time.monotonic() + within_s
    while alive := [process for process in processes if _runs(process)]:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.02)
    return []


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
