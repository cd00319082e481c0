"""A platform with an application that has a window, with processes and with containers."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.conftest import RunningRegistry
from tests.rfb_viewer import Viewer, WebSocketTransport

WINDOW = Path(__file__).parents[1] / "applications" / "window"


class Sessions:
    """What a person does with sessions, over REST."""

    def __init__(self, running: RunningRegistry) -> None:
        self.running = running
        self.http = httpx.Client(base_url=running.url, timeout=90, trust_env=False)

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self.http.request(method, path, **options)
        assert answer.is_success, answer.text
        return answer.json()["payload"]

    def open(
        self, slug: str = "window", arguments: dict[str, Any] | None = None, group: str | None = None
    ) -> str:
        body = {"application_slug": slug, "application_version": "1.0", "command_arguments": arguments or {}}
        body |= {"group": group} if group else {}
        session_id = self.call("POST", "/api/interactive-sessions", json=body)["interactive_session_id"]
        self.wait(session_id, "open")
        return session_id

    def look(self, session_id: str) -> dict[str, Any]:
        return self.call("GET", f"/api/interactive-sessions/{session_id}")["interactive_sessions"][0]

    def wait(self, session_id: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (found := self.look(session_id))["state"] not in states:
            assert time.monotonic() < deadline, found
            assert found["state"] != "closed", found
            time.sleep(0.05)
        return found

    def close(self, session_id: str, how: str = "close") -> dict[str, Any]:
        return self.call("POST", f"/api/interactive-sessions/{session_id}/{how}")["interactive_sessions"][0]

    def text_of(self, dataset_id: str, filename: str) -> str:
        files = self.call("GET", f"/api/datasets/{dataset_id}")["datasets"][0]["data_files"]
        return self.http.get(f"/api/data-files/{files[filename]['qcrbox_file_id']}/download").text

    def address(self, session_id: str, query: str = "") -> str:
        return (
            f"{self.running.url.replace('http', 'ws')}/api/interactive-sessions/{session_id}/display{query}"
        )

    async def socket(self, session_id: str, query: str = "", **options: Any) -> Any:
        options = {"compression": None, "max_size": None, "proxy": None} | options
        return await websockets.connect(self.address(session_id, query), **options)

    async def viewer(self, session_id: str, query: str = "") -> Viewer:
        return await Viewer(WebSocketTransport(await self.socket(session_id, query))).start()


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def colour_of(viewer: Viewer) -> tuple[int, int, int]:
    """Of one pixel; not in the middle of the picture, where the pointer is at first."""
    picture = await viewer.whole()
    height, width = picture.shape[:2]
    red, green, blue = (int(part) for part in picture[height // 4, width // 4])
    return red, green, blue


async def shows(viewer: Viewer, colour: tuple[int, int, int], seconds: float = 60.0) -> None:
    """Until the picture has this colour."""
    async with asyncio.timeout(seconds):
        while await colour_of(viewer) != colour:
            await asyncio.sleep(0.05)


_built: set[Path] = set()


def approve(data: Path, *folders: Path) -> None:
    """Build the images of `folders`, once in a test run, and approve them. Skips without a Docker daemon."""
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env().ping()
    except DockerException as problem:
        pytest.skip(f"no Docker daemon answers: {problem}")
    (data / "run").mkdir(parents=True, exist_ok=True)
    if missing := [folder for folder in folders if folder not in _built]:
        _apps("build", *map(str, missing))
        _built.update(missing)
    _apps("approve", *map(str, folders), "--data", str(data))


def _apps(*arguments: str) -> None:
    command = [sys.executable, "-m", "qcrbox_hub", "apps", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def manager(request: pytest.FixtureRequest) -> str:
    if request.param == "process" and shutil.which("Xtigervnc") is None:
        pytest.skip("Xtigervnc is not installed")
    return request.param


@pytest.fixture(scope="module")
def sessions(manager: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    data = tmp_path_factory.mktemp("platform") / "data"
    if manager == "docker":
        approve(data, WINDOW)
    running = RunningRegistry(data, WINDOW, manager=manager).start()
    yield Sessions(running)
    running.stop()
