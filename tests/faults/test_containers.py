"""Containers outlive what may be restarted, and nothing of them is left when the platform ends, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, RunningRegistry
from tests.sessions.conftest import WINDOW, Sessions, approve

pytestmark = pytest.mark.docker
SAMPLE = ROOT / "app_images" / "agent" / "tests" / "fixtures" / "sample"


def until(condition: Callable[[], Any], seconds: float = 90.0, shown: Callable[[], Any] = lambda: "") -> Any:
    """What the condition answers once it is true. A failure says what `shown` answers at the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except (httpx.HTTPError, OSError, KeyError, ValueError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"it did not happen in time {shown()}")


class Platform(Sessions):
    """A platform with containers."""

    @property
    def data(self) -> Path:
        return self.running.data

    def children(self) -> dict[str, int]:
        found = json.loads((self.data / "run" / "platform.json").read_text())["children"]
        return {name: child["pid"] for name, child in found.items() if child["phase"] == "ready"}

    def containers(self) -> dict[str, str]:
        """id -> slug of what runs for this platform."""
        import docker

        found = docker.from_env().containers.list(ignore_removed=True)
        key = str(self.data.resolve())
        mine = (one for one in found if one.labels.get("org.qcrbox.data") == key)
        return {one.id: one.labels["org.qcrbox.slug"] for one in mine}

    def containers_of(self, slug: str) -> set[str]:
        """Ids of the containers of one application."""
        return {container for container, name in self.containers().items() if name == slug}

    def run(self, slug: str, command: str, **arguments: Any) -> str:
        body = {"application_slug": slug, "application_version": "1.0", "command_name": command, "command_arguments": arguments}  # fmt: skip
        return self.call("POST", "/api/commands", json=body)["calculation_id"]

    def ended(self, calculation_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            one = self.call("GET", f"/api/calculations/{calculation_id}")["calculations"][0]
            return one if one["status"] in ("successful", "failed", "cancelled") else None

        return until(look)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill a child of `qcrbox registry` and wait for its successor."""
        pid = self.children()[name]
        os.kill(pid, number)
        until(lambda: self.children().get(name) not in (None, pid))
        until(lambda: self.http.get("/api/readyz").is_success)


@contextlib.contextmanager
def started(data: Path) -> Iterator[Platform]:
    approve(data, SAMPLE, WINDOW)
    running = RunningRegistry(data, SAMPLE, WINDOW, manager="docker").start()
    made = Platform(running)
    yield made
    running.stop()
    until(lambda: not made.containers())


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """For tests after which the platform still runs."""
    with started(tmp_path_factory.mktemp("platform") / "data") as made:
        yield made


@pytest.fixture
def own_platform(tmp_path: Path) -> Iterator[Platform]:
    """For a test that ends it."""
    with started(tmp_path / "data") as made:
        yield made


def test_after_registry_and_launcher_are_killed_both_applications_work_and_the_first_container_is_the_same(
    platform: Platform,
):
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful"
    (first,) = platform.containers_of("sample")
    platform.kill("registry")
    platform.kill("launcher")
    session_id = platform.open("window")
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful"
    running = platform.containers()
    assert running[first] == "sample"
    assert sorted(running.values()) == ["sample", "window"]
    platform.close(session_id)


def test_a_launcher_that_is_only_restarted_leaves_its_containers(platform: Platform):
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful"
    before = platform.containers_of("sample")
    platform.kill("launcher", signal.SIGTERM)
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful"
    assert platform.containers_of("sample") == before


def test_nothing_is_left_when_the_platform_is_killed(own_platform: Platform):
    own_platform.run("sample", "sleep", seconds=300)
    assert own_platform.open("window")
    until(
        lambda: sorted(own_platform.containers().values()) == ["sample", "window"],
        shown=own_platform.containers,
    )
    assert own_platform.running.process is not None
    own_platform.running.process.kill()
    until(lambda: not own_platform.containers())


def test_nothing_is_left_when_the_platform_is_stopped(own_platform: Platform):
    own_platform.run("sample", "sleep", seconds=300)
    own_platform.open("window")
    own_platform.running.stop()
    until(lambda: not own_platform.containers())


def test_a_program_that_uses_too_much_memory_is_told_in_words(platform: Platform):
    done = platform.ended(platform.run("sample", "hoard", megabytes=4000))
    assert done["status"] == "failed"
    text = done["status_events"][-1]["extra_info"]["error_msg"]
    assert "used more than the 2000 MB of memory that were allowed" in text
    assert platform.ended(platform.run("sample", "echo"))["status"] == "successful", "the agent lives on"
