"""Tunnels: each joins the websocket of a person to the one that the agent of a session dials.

A tunnel is opened for a person who has the right (`Tunnels.opened`), dialled by the agent within seconds with a
token for this tunnel (`Tunnels.claim`), and used once.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from qcrbox.contract.errors import NotFound, Unreachable
from qcrbox.waiting import within
from starlette.websockets import WebSocket, WebSocketDisconnect

DIAL_S = 15.0


@dataclass
class Tunnel:
    """The connection of one person to the display of a session. `over` is set at its end."""

    id: str
    calculation_id: str
    attempt: int
    agent_side: asyncio.Future[WebSocket] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Tunnels:
    """The tunnels of this registry process."""

    def __init__(self) -> None:
        self._waiting: dict[str, Tunnel] = {}
        self.open: dict[str, Tunnel] = {}

    @contextlib.asynccontextmanager
    async def opened(self, calculation_id: str, attempt: int) -> AsyncIterator[Tunnel]:
        """A tunnel with an unguessable id; it ends with the block."""
        tunnel = Tunnel(secrets.token_urlsafe(24), calculation_id, attempt)
        self._waiting[tunnel.id] = tunnel
        try:
            yield tunnel
        finally:
            self._waiting.pop(tunnel.id, None)
            self.open.pop(tunnel.id, None)
            tunnel.agent_side.cancel()
            tunnel.over.set()

    async def wait(self, tunnel: Tunnel, seconds: float = DIAL_S) -> WebSocket:
        """The websocket of the agent. Raises Unreachable when the agent does not dial in time."""
        try:
            return await within(asyncio.shield(tunnel.agent_side), seconds)
        except TimeoutError:
            raise Unreachable(
                "The display of the session cannot be reached.",
                why=f"Its agent did not answer within {seconds:g} s.",
                next="The page tries again; if this stays, end the session and keep its outputs.",
                part="agent",
            ) from None

    def claim(self, tunnel_id: str, calculation_id: str, attempt: int) -> Tunnel:
        """The tunnel for the agent that dials it, once. Raises NotFound."""
        tunnel = self._waiting.get(tunnel_id)
        if tunnel is None or (tunnel.calculation_id, tunnel.attempt) != (calculation_id, attempt):
            raise NotFound("No display waits for this tunnel.")
        del self._waiting[tunnel_id]
        self.open[tunnel_id] = tunnel
        return tunnel


async def received(websocket: WebSocket) -> bytes | None:
    """The next bytes; None when the other side has left."""
    message: dict[str, Any] = dict(await websocket.receive())
    if message["type"] == "websocket.disconnect":
        return None
    data = message.get("bytes")
    return data if data is not None else (message.get("text") or "").encode()


async def close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close a side that may have left already. A reason is cut at 123 bytes, the limit of the protocol."""
    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
        await websocket.close(code, reason.encode()[:123].decode(errors="ignore"))
