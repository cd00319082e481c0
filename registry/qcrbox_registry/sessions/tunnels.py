"""Joins a person's websocket to the one that a session's agent dials.

A tunnel is asked for by a person who has the right (`Tunnels.opened`), dialled by the agent with a token of its
own within seconds (`Tunnels.dialled`), and used once.
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
    """One way from a person to a session's display."""

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
        """A tunnel whose id nobody can guess; it is over when the block ends."""
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
        """The agent's websocket. Raises Unreachable when it does not come."""
        try:
            return await within(asyncio.shield(tunnel.agent_side), seconds)
        except TimeoutError:
            raise Unreachable(
                "The session's picture does not come.",
                why=f"Its agent did not answer within {seconds:g} s.",
                next="It is tried again by itself; if this stays, end the session and keep what was done.",
                part="agent",
            ) from None

    def claim(self, tunnel_id: str, calculation_id: str, attempt: int) -> Tunnel:
        """For the agent that dials: its tunnel, once. Raises NotFound."""
        tunnel = self._waiting.get(tunnel_id)
        if tunnel is None or (tunnel.calculation_id, tunnel.attempt) != (calculation_id, attempt):
            raise NotFound("Nobody waits for this tunnel.")
        del self._waiting[tunnel_id]
        self.open[tunnel_id] = tunnel
        return tunnel


async def received(websocket: WebSocket) -> bytes | None:
    """The next bytes, or None when the other side is gone."""
    message: dict[str, Any] = dict(await websocket.receive())
    if message["type"] == "websocket.disconnect":
        return None
    data = message.get("bytes")
    return data if data is not None else (message.get("text") or "").encode()


async def close(websocket: WebSocket, code: int, reason: str) -> None:
    """Say goodbye to a side that may be gone already. A reason has 123 bytes at most."""
    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
        await websocket.close(code, reason.encode()[:123].decode(errors="ignore"))
