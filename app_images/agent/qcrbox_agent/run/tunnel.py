"""The agent's end of a session's picture: RFB bytes between the display's Unix socket and a websocket to the registry.

The agent dials out; nothing in a container listens for anybody outside. What a person may do is settled at the
registry, which sees each message; here bytes are moved.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from qcrbox.contract.messages import OpenTunnel
from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from qcrbox_agent.run.display import ABSENT

if TYPE_CHECKING:
    from qcrbox_agent.calculation import Attempt

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
DIAL_S = 10.0
NO_PICTURE = 4404  # close code: there is nothing to see, and the reason says why
ENDED = 1000


async def open_tunnel(control: OpenTunnel, attempt: Attempt) -> None:
    """Dial, and move bytes until one side ends. Raises nothing: errors are sent over the websocket or logged."""
    try:
        async with _dial(control, attempt.tools.registry_socket) as websocket:
            await _serve(websocket, attempt)
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        log.warning("the tunnel of session %s was not opened: %s", control.calculation_id, error)
    except ConnectionClosed:
        pass


def _dial(control: OpenTunnel, socket: str) -> Any:
    options: dict[str, Any] = {
        "additional_headers": {"Authorization": f"Bearer {control.token}"},
        "compression": None,  # RFB compresses by itself
        "max_size": 4 * 1024 * 1024,
        "open_timeout": DIAL_S,
        "close_timeout": 2,
        "ping_interval": 20,
        "ping_timeout": 20,
    }
    url = control.url.replace("http", "ws", 1) if control.url.startswith("http") else control.url
    if socket:
        return unix_connect(socket, url, **options)
    return connect(url, proxy=None, **options)


async def _serve(websocket: Any, attempt: Attempt) -> None:
    display = getattr(attempt.session, "display", None)
    if display is None:
        await websocket.close(NO_PICTURE, ABSENT)
        return
    try:
        reader, writer = await asyncio.open_unix_connection(str(display.socket_path), limit=CHUNK)
    except OSError:
        await websocket.close(NO_PICTURE, "The session's display has ended.")
        return
    pumps = [
        asyncio.create_task(_to_person(reader, websocket)),
        asyncio.create_task(_from_person(websocket, writer)),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        await websocket.close(ENDED, "The session's picture ended.")


async def _to_person(reader: asyncio.StreamReader, websocket: Any) -> None:
    while data := await reader.read(CHUNK):
        await websocket.send(data)


async def _from_person(websocket: Any, writer: asyncio.StreamWriter) -> None:
    async for data in websocket:
        writer.write(data if isinstance(data, bytes) else data.encode())
        await writer.drain()
