"""What goes wrong around containers is told in words a person can use, and harms nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qcrbox.sandbox.relay import Relay, Target
from qcrbox_registry.launcher.approvals import Approvals

from tests.conftest import INTRUDER, ROOT, RunningRegistry
from tests.faults.test_containers import SAMPLE, Platform, until
from tests.sessions.conftest import approve

pytestmark = pytest.mark.docker
MEMORY_BYTES = 600_000_000
FRAGILE = ROOT / "tests" / "applications" / "fragile"


class BreakableDaemon:
    """A way to the machine's Docker daemon that can be cut, as if the daemon were gone."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="qt-")
        self.path = Path(self._folder.name) / "docker.sock"
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._socket = Relay(target=Target(path=Path("/var/run/docker.sock")), socket=self.path, most=1000)

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def open(self) -> None:
        self._do(self._socket.open())

    def cut(self) -> None:
        self._do(self._socket.close())

    def end(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._folder.cleanup()


@pytest.fixture(scope="module")
def daemon() -> Iterator[BreakableDaemon]:
    made = BreakableDaemon()
    made.open()
    yield made
    made.end()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, daemon: BreakableDaemon) -> Iterator[Platform]:
    data = tmp_path_factory.mktemp("platform") / "data"
    approve(data, SAMPLE, FRAGILE)
    # Little, so that a program has used it up long before its window counts as open.
    (data / "launcher.json").write_text(json.dumps({"DockerManager": {"memory_bytes": MEMORY_BYTES}}))
    settings = {"DOCKER_HOST": f"unix://{daemon.path}"}
    running = RunningRegistry(data, SAMPLE, FRAGILE, INTRUDER, manager="docker", settings=settings).start()
    made = Platform(running)
    yield made
    running.stop()
    until(lambda: not made.containers(), 30)


def message_of(done: dict[str, Any]) -> str:
    assert done["status"] == "failed", done
    return done["error_msg"]


def why_not(platform: Platform) -> str:
    """Why an intruder does not start: told at once where the launcher has reported it, else by the calculation."""
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "wait", "command_arguments": {}}  # fmt: skip
    answer = platform.http.post("/api/commands", json=body)
    if answer.status_code == 409:
        return str(answer.json()["error"])
    return message_of(platform.ended(answer.json()["payload"]["calculation_id"]))


def test_an_application_without_an_approved_image_says_what_an_administrator_has_to_do(
    platform: Platform,
) -> None:
    text = why_not(platform)
    assert "intruder 1.0 has no approved image" in text
    assert "qcrbox apps build intruder" in text


def test_an_approved_image_that_is_gone_is_told(platform: Platform) -> None:
    Approvals(platform.data).approve("intruder", "1.0", "sha256:" + "0" * 64)
    until(lambda: "The approved image of intruder 1.0 is not on this machine" in why_not(platform), 60)
    Approvals(platform.data).retire("intruder", "1.0")


def test_a_daemon_that_is_gone_in_the_middle_costs_nothing_but_time(
    platform: Platform, daemon: BreakableDaemon
) -> None:
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful"
    before = platform.containers()
    running = platform.run("sample", "sleep", seconds=6, steps=3)
    daemon.cut()
    try:
        waiting = platform.call("POST", "/api/interactive-sessions", json={"application_slug": "fragile", "application_version": "1.0", "command_name": "ends_at_once", "command_arguments": {}})["interactive_session_id"]  # fmt: skip
        until(lambda: "Docker daemon does not answer" in queue_of(platform, waiting)["reason"], 60)
        assert platform.ended(running)["status"] == "successful", "what runs goes on"
        assert queue_of(platform, waiting)["reason"], "and what waits has not failed"
    finally:
        daemon.open()
    assert "Run step failed" in message_of(platform.ended(waiting))
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful"
    assert before.items() <= platform.containers().items()


def queue_of(platform: Platform, calculation_id: str) -> dict[str, Any]:
    one = platform.call("GET", f"/api/calculations/{calculation_id}")["calculations"][0]
    assert one["status"] == "submitted", one
    return one["queue"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("ends_at_once", ["Run step failed", "exit code 3", "cannot load the graphics driver"]),
        ("crashes_at_once", ["Run step failed", "crashed with a segmentation fault"]),
        ("is_not_installed", ["Run step failed", "no-such-program"]),
        ("cannot_prepare", ["Prepare step failed", "the licence has expired"]),
        ("needs_more_memory", ["used more than the", "MB of memory that were allowed"]),
    ],
)
def test_a_window_that_does_not_come_up_ends_its_session_with_the_programs_last_words(
    platform: Platform, command: str, told: list[str]
) -> None:
    body = {"application_slug": "fragile", "application_version": "1.0", "command_name": command, "command_arguments": {}}  # fmt: skip
    made = platform.call("POST", "/api/interactive-sessions", json=body)["interactive_session_id"]
    text = message_of(platform.ended(made))
    assert all(words in text for words in told), text
    shown = platform.look(made)
    assert shown["state"] == "closed"
    closed = platform.call("POST", f"/api/interactive-sessions/{made}/close")["interactive_sessions"][0]
    assert closed["status"] == "failed", "ending what has ended is harmless"


def test_nothing_is_left_when_everybody_is_told_to_end_at_once_and_the_launcher_hears_it_first(
    tmp_path: Path,
) -> None:
    """As when a machine shuts down. A launcher that ends alone leaves its containers to the next one."""
    data = tmp_path / "data"
    approve(data, SAMPLE)
    made = Platform(RunningRegistry(data, SAMPLE, manager="docker").start())
    made.run("sample", "sleep", seconds=300)
    until(made.containers)
    assert made.running.process is not None
    os.kill(made.children()["launcher"], signal.SIGTERM)
    time.sleep(0.3)
    made.running.process.terminate()
    until(lambda: not made.containers(), 60)
    made.running.process.wait(60)
