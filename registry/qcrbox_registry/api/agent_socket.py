"""A Unix socket with the routes for agents only: the sockets in containers lead here.

In a registry without sign-in, a container that reached the whole API would be the person `local`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn

_NOT_FOUND = b'{"status":"error","error":{"code":404,"message":"Not found.","details":"Not found."}}'


class AgentRoutesOnly:
    """ASGI: passes `/internal/…` on to the registry, answers 404 to everything else."""

    def __init__(self, app: Any, prefix: str = "") -> None:
        self._app, self._starts = app, ("/internal/", f"{prefix}/internal/")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith(self._starts):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(_NOT_FOUND)).encode()),
            ]
            await send({"type": "http.response.start", "status": 404, "headers": headers})
            await send({"type": "http.response.body", "body": _NOT_FOUND})


class _Quiet(uvicorn.Server):
    """Leaves the signals to the main server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def serve_agent_socket(app: Any, path: Path, prefix: str = "") -> AsyncIterator[None]:
    """Serve the routes for agents of `app` at the socket `path` (0600) while the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = _Quiet(
        uvicorn.Config(
            AgentRoutesOnly(app, prefix),
            uds=str(path),
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # the bytes of a tunnel are compressed already
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    before = os.umask(0o177)
    try:
        serving = asyncio.create_task(server.serve(), name="agent-socket")
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
    finally:
        os.umask(before)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        path.unlink(missing_ok=True)
