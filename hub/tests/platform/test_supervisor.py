"""Starting, restarting and ending children, with real processes and a clock in hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox.signal_flag import SignalFlag
from qcrbox_hub.platform.child import ChildSpec
from qcrbox_hub.platform.supervisor import (
    MARK,
    Supervisor,
    describe_exit,
    end_marked_processes,
    marked_processes,
)

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
BROKEN = [sys.executable, "-c", "print('no such table: atoms'); raise SystemExit(3)"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def until(condition, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def record() -> list[str]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, record: list[str]):
    """Makes a supervisor that is stopped at the end of the test."""
    made: list[Supervisor] = []

    def make(*specs: ChildSpec, clock=time.monotonic) -> Supervisor:
        supervisor = Supervisor(list(specs), tmp_path, record.append, clock=clock)
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.clock = time.monotonic
        supervisor.stop(within_s=1)


def test_child_starts_only_when_what_it_needs_is_ready(supervise) -> None:
    ready = threading.Event()
    supervisor = supervise(
        ChildSpec("nats", SLEEPER, ready=ready.is_set), ChildSpec("registry", SLEEPER, needs=("nats",))
    )
    supervisor.tick()
    nats, registry = supervisor.watched
    assert nats.child.running()
    assert registry.child.process is None
    ready.set()
    supervisor.tick()
    supervisor.tick()
    assert registry.child.running()


def test_failed_start_shows_the_end_of_the_log(supervise) -> None:
    supervisor = supervise(ChildSpec("registry", BROKEN, ready=lambda: False))
    with pytest.raises(Unreachable) as caught:
        supervisor.start(SignalFlag())
    assert "exit code 3" in caught.value.what
    assert "no such table: atoms" in caught.value.why


def test_crashed_child_is_restarted_after_a_growing_pause(supervise, record: list[str]) -> None:
    clock = Clock()
    supervisor = supervise(ChildSpec("registry", SLEEPER), clock=clock)
    supervisor.tick()
    supervisor.tick()
    (registry,) = supervisor.watched
    pauses = []
    for _ in range(3):
        first = registry.child.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: not registry.child.running())
        supervisor.tick()
        pause = supervisor._backoff_s(registry)
        pauses.append(pause)
        clock.now += pause - 0.01
        supervisor.tick()
        assert registry.phase == "backing_off"
        clock.now += 0.02
        supervisor.tick()
        supervisor.tick()
        assert registry.child.pid != first
    assert pauses == [0.5, 1.0, 2.0]
    assert "registry ended (killed by SIGKILL); restarting it in 0.5 s" in record
    assert "registry is back" in record


def test_crashes_are_forgotten_after_a_steady_minute(supervise) -> None:
    clock = Clock()
    supervisor = supervise(ChildSpec("registry", SLEEPER), clock=clock)
    (registry,) = supervisor.watched
    supervisor.tick()
    supervisor.tick()
    registry.crashes = 5
    clock.now += 61
    supervisor.tick()
    assert registry.crashes == 0


def test_waiting_is_said_after_two_seconds_and_then_every_five(supervise, record: list[str]) -> None:
    clock = Clock()
    supervisor = supervise(ChildSpec("hub", SLEEPER, ready=lambda: False), clock=clock)
    for _ in range(80):
        supervisor.tick()
        clock.now += 0.1
    waiting = [text for text in record if text.startswith("still waiting for hub")]
    assert len(waiting) == 2


def test_child_that_never_gets_ready_is_stopped(supervise, record: list[str]) -> None:
    clock = Clock()
    supervisor = supervise(ChildSpec("hub", SLEEPER, ready=lambda: False, start_limit_s=30), clock=clock)
    supervisor.tick()
    clock.now += 31
    supervisor.tick()
    (hub,) = supervisor.watched
    until(lambda: not hub.child.running())
    assert any("did not get ready within 31 s" in text for text in record)


def test_stop_ends_also_a_child_that_ignores_sigterm(supervise) -> None:
    supervisor = supervise(ChildSpec("deaf", DEAF), ChildSpec("nats", SLEEPER))
    supervisor.tick()
    deaf, nats = (each.child for each in supervisor.watched)
    until(lambda: "deaf" in deaf.log_tail())
    supervisor.stop(last=("nats",), within_s=1.5)
    assert deaf.exit_code() == -signal.SIGKILL
    assert not nats.running()


def test_group_of_a_whole_child_goes_with_it(supervise, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    script = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(file)!r}, "w").write(str(child.pid))
        time.sleep(600)
    """
    spec = ChildSpec("nats", [sys.executable, "-c", textwrap.dedent(script)], whole_group=True)
    supervisor = supervise(spec)
    supervisor.tick()
    until(lambda: file.exists() and file.read_text())
    supervisor.tick()
    grandchild = int(file.read_text())
    os.kill(supervisor.watched[0].child.pid, signal.SIGKILL)
    until(lambda: not supervisor.watched[0].child.running())
    supervisor.tick()
    until(lambda: not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == "zombie")


def test_kill_9_of_the_supervisor_ends_what_watches_the_lifeline(tmp_path: Path) -> None:
    """The one promise nobody can keep by tidying up: there is no chance to."""
    mark = f"test-{os.getpid()}-{time.time_ns()}"
    script = f"""
        import sys
        from pathlib import Path
        from qcrbox.signal_flag import SignalFlag
        from qcrbox_hub.platform.child import ChildSpec
        from qcrbox_hub.platform.supervisor import Supervisor
        sleeper = [sys.executable, "-m", "qcrbox.lifeline", "--", sys.executable, "-c", "import time; time.sleep(600)"]
        specs = [ChildSpec(name, sleeper, {{"{MARK}": {mark!r}}}) for name in ("nats", "proxy")]
        supervisor = Supervisor(specs, Path({str(tmp_path)!r}), lambda text: None)
        supervisor.start(SignalFlag())
        print("up", flush=True)
        supervisor.watch(SignalFlag())
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout
        assert parent.stdout.readline().strip() == "up"
        until(lambda: len(marked_processes(mark)) == 4)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not marked_processes(mark))


def test_left_over_processes_are_found_by_their_mark_and_ended() -> None:
    mark = f"test-{os.getpid()}-{time.time_ns()}"
    process = subprocess.Popen(DEAF, env={**os.environ, MARK: mark})
    try:
        until(lambda: [each.pid for each in marked_processes(mark)] == [process.pid])
        assert [each.pid for each in end_marked_processes(mark, grace_s=0.1)] == [process.pid]
        assert process.poll() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()


def test_an_ended_process_is_not_waited_for_until_its_parent_asks() -> None:
    """In some containers process 1, the parent of orphans, asks late or never."""
    mark = f"test-{os.getpid()}-{time.time_ns()}"
    script = """
        import os, subprocess, sys, time
        child = subprocess.Popen(["cat"], stdin=sys.stdin, env={**os.environ, sys.argv[1]: sys.argv[2]})
        print("up", flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), MARK, mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert parent.stdin
        assert parent.stdout
        assert parent.stdout.readline() == b"up\n"
        until(lambda: marked_processes(mark))
        threading.Timer(0.1, parent.stdin.close).start()
        begin = time.monotonic()
        assert end_marked_processes(mark, grace_s=20) == []
        assert time.monotonic() - begin < 15
    finally:
        parent.kill()
        parent.wait()


def test_no_mark_finds_no_process() -> None:
    assert marked_processes("") == []


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (-9, "killed by SIGKILL"), (None, "still running")], ids=str
)
def test_exit_in_words(code: int | None, words: str) -> None:
    assert describe_exit(code) == words


def test_what_people_wait_for_goes_first(supervise) -> None:
    """In its own session; a server of a person, which begins a session of its own, does not inherit that."""
    grandchild = "import subprocess, sys, time; print(subprocess.run(['setsid', 'cat', '/proc/self/autogroup'], capture_output=True, text=True).stdout, flush=True); time.sleep(600)"
    file = Path("/proc/self/autogroup")
    if not file.exists():
        pytest.skip("this kernel does not weigh sessions")
    wanted = -5 if os.geteuid() == 0 else 5
    supervisor = supervise(ChildSpec("hub", [sys.executable, "-c", grandchild], niceness=wanted))
    supervisor.tick()
    child = supervisor.watched[0].child
    assert Path(f"/proc/{child.pid}/autogroup").read_text().split()[-1] == str(wanted)
    until(lambda: "nice" in child.log_tail())
    assert child.log_tail().split()[-1] == "0"
