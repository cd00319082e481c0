"""A bridge in front of a registry that answers what a test wants: faults that a real one does not have on demand."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from qcrbox_hub.bridge.server import Bridge, Ports, listening
from qcrbox_hub.bridge.upstream import Upstream
from qcrbox_hub.bridge.windows import Window
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

TOKEN = "the-token-of-ada"
SESSION = {"session_id": "s1", "owner": "ada", "application_slug": "window", "state": "open"}
APPLICATIONS = [
    {
        "slug": "window",
        "name": "Window",
        "gui_port": None,
        "commands": [{"implemented_as": "interactive_session"}],
    },
    {"slug": "tools", "name": "Tools", "gui_port": None, "commands": [{"implemented_as": "python_callable"}]},
]


def success(**payload: Any) -> Response:
    body = {"status": "success", "message": "", "timestamp": "2026-01-01T00:00:00Z", "payload": payload}
    return Response(json.dumps(body), media_type="application/json")


@dataclass
class StandIn:
    """Answers by path; `answers[path]` is a response, or a coroutine function of the request."""

    answers: dict[str, Any] = field(default_factory=dict)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.seen.append((request.method, str(request.url).partition(self.url)[2], dict(request.headers)))
        if path in self.answers:
            made = self.answers[path]
            return await made(request) if callable(made) and not isinstance(made, Response) else made
        if path == "/api/me":
            return success(name="ada", groups=[], roles={})
        if path == "/api/applications":
            return success(applications=json.loads(json.dumps(APPLICATIONS)))
        if path.startswith("/api/interactive-sessions"):
            return success(interactive_sessions=self.sessions)
        return success(body=(await request.body()).decode("latin-1"))

    async def display(self, websocket: WebSocket) -> None:
        self.seen.append(("DISPLAY", websocket.url.path, dict(websocket.headers)))
        await websocket.accept()
        await websocket.send_bytes(b"RFB 003.008\n")
        with contextlib.suppress(Exception):
            while True:
                data = await websocket.receive_bytes()
                if data == b"end":
                    await websocket.close(1000, "The session has ended.")
                    return
                await websocket.send_bytes(b"<" + data + b">")


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    sockets = listening(0, "")
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="websockets-sansio"))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve(sockets))
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@dataclass
class Running:
    bridge: Bridge
    rest: str
    newest: Window
    stand_in: StandIn

    def client(self, **more: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.rest, trust_env=False, timeout=20, **more)


@pytest_asyncio.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    made = StandIn()
    routes = [
        WebSocketRoute("/api/interactive-sessions/{id}/display", made.display),
        Route("/{path:path}", made.answer, methods=["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]),
    ]
    async with served(Starlette(routes=routes)) as made.url:
        yield made


Start = Callable[..., Any]


@pytest_asyncio.fixture
async def bridge(stand_in: StandIn) -> AsyncIterator[Running]:
    made = Bridge(Upstream(stand_in.url, TOKEN), Ports(0, 0, 0))
    ready: asyncio.Future[tuple[str, Window]] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(made.run(lambda rest, newest: ready.set_result((rest, newest))))
    rest, newest = await asyncio.wait_for(ready, 60)
    stand_in.seen.clear()
    yield Running(made, rest, newest, stand_in)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def token() -> str:
    return TOKEN
