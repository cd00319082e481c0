"""A platform with an application that has a window, with processes and with containers."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from qcrbox.contract.errors import Unreachable
from qcrbox.spec import load
from qcrbox.spec.folder import required_spec_of
from qcrbox_hub.apps.images import ImageBuilder
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import connect, keep_image
from qcrbox_registry.launcher.approvals import Approvals

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


_images: dict[Path, str] = {}


def approve(data: Path, *folders: Path) -> None:
    """Build the images of `folders`, once in a test run, and approve them. Skips without a Docker daemon.

    Without the command: it starts a process for each approval, and has tests of its own.
    """
    try:
        client = connect()
    except Unreachable as problem:
        pytest.skip(problem.message)
    (data / "run").mkdir(parents=True, exist_ok=True)
    builder = ImageBuilder(
        client, sources=paths.applications_folder(), constraints=paths.agent_pins(), say=print
    )
    for folder in folders:
        if folder not in _images:
            _images[folder] = builder.build_application(folder)[1]
        application = load(required_spec_of(folder))
        keep_image(client, _images[folder], data)
        Approvals(data).approve(application.slug, application.version, _images[folder])


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
