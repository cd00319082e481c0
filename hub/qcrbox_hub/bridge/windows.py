"""Windows of sessions at local ports: a page with a viewer, the websocket it uses, and plain RFB for VNC viewers.

Older programs know one port of an application and expect its window there, so each interactive application has a
port of its own, which shows the person's newest session of it. One more port shows the newest session of all.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from qcrbox.contract.errors import NotAllowed, NotFound, QcError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from qcrbox_hub.bridge.callers import OwnCallersOnly, require_own_program
from qcrbox_hub.bridge.upstream import Upstream

PAGE = Path(__file__).with_name("page")
STATIC = Path(__file__).with_name("static")
STARTING_S = 120.0  # so long a window waits for its session to open
ASK_AGAIN_S = 0.5
CHUNK = 256 * 1024
_OPEN = ("open", "program_ended", "finalising")
_VERSION = b"RFB 003.008\n"
_QUERY = "autoconnect=true&resize=remote&reconnect=true&show_dot=true"
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'"
)

OpenPorts = Callable[["Window"], Awaitable[tuple[int, int]]]


@dataclass
class Window:
    """One pair of ports. `slug` "": the newest session of any application."""

    slug: str
    name: str
    port: int = 0  # HTTP: the page and its websocket
    vnc_port: int = 0  # plain RFB

    def address(self, session_id: str = "") -> str:
        """URL of the viewer page for a session; without an id, for the newest one."""
        path = quote(f"vnc/{session_id}", safe="") if session_id else "vnc"
        return f"http://127.0.0.1:{self.port}/vnc.html?path={path}&{_QUERY}"


class Windows:
    """All windows. `open_ports` starts to listen for one and returns its ports."""

    def __init__(self, upstream: Upstream, open_ports: OpenPorts) -> None:
        self._upstream, self._open_ports = upstream, open_ports
        self._windows: dict[str, Window] = {}
        self._opening = asyncio.Lock()

    async def window(self, slug: str, name: str) -> Window:
        """The window of an application, with its ports opened at the first call."""
        async with self._opening:
            if slug not in self._windows:
                window = Window(slug, name)
                window.port, window.vnc_port = await self._open_ports(window)
                self._windows[slug] = window
        return self._windows[slug]

    # ------------------------------------------------------------ what REST says of them

    async def shown_in(self, body: dict[str, Any]) -> dict[str, Any]:
        """An answer of the registry with the ports of windows filled in."""
        payload = body.get("payload") or {}
        for application in payload.get("applications") or ():
            if any(
                command.get("implemented_as") == "interactive_session" for command in application["commands"]
            ):
                window = await self.window(application["slug"], application["name"])
                application["gui_port"] = str(window.port)
                application["vnc_port"] = str(window.vnc_port)
        for session in payload.get("interactive_sessions") or ():
            if session.get("owner", self._upstream.person) == self._upstream.person:
                slug = str(session.get("application_slug") or "")
                window = await self.window(slug, slug)
                session["gui_url"] = window.address(session["session_id"])
        return body

    # ------------------------------------------------------------ which session

    async def session_for(self, window: Window, wanted: str = "") -> str:
        """The id of the session to show, once it is open. Raises NotFound with the reason there is none."""
        deadline = time.monotonic() + STARTING_S
        while True:
            found = [
                session
                for session in await self._upstream.own_sessions()
                if self._fits(session, window, wanted)
            ]
            if not found:
                raise NotFound(
                    f"No session of {window.name} is open." if window.slug else "No session is open.",
                    next="Start one in your program; this page connects automatically.",
                )
            if found[0].get("state") in _OPEN:
                return str(found[0]["session_id"])
            if time.monotonic() > deadline:
                raise NotFound(
                    f"The session of {window.name or 'this program'} is still starting.",
                    why=str(found[0].get("reason") or ""),
                )
            await asyncio.sleep(ASK_AGAIN_S)

    @staticmethod
    def _fits(session: dict[str, Any], window: Window, wanted: str) -> bool:
        if wanted:
            return session["session_id"] == wanted
        return not window.slug or session.get("application_slug") == window.slug

    # ------------------------------------------------------------ HTTP

    def app(self, window: Window) -> OwnCallersOnly:
        """The ASGI application of one port."""

        async def page(_: Request) -> Response:
            text = (PAGE / "vnc.html").read_text().replace("{title}", html.escape(window.name or "QCrBox"))
            return HTMLResponse(
                text, headers={"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
            )

        async def front(request: Request) -> Response:
            return RedirectResponse(f"/vnc.html?{request.url.query or 'path=vnc&' + _QUERY}")

        async def display(websocket: WebSocket) -> None:
            await self._join_page(window, websocket, websocket.path_params.get("session_id", ""))

        routes = [
            Route("/", front),
            Route("/vnc.html", page),
            Route("/vnc_lite.html", page),
            WebSocketRoute("/vnc", display),
            WebSocketRoute("/websockify", display),
            WebSocketRoute("/vnc/{session_id}", display),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ]
        return OwnCallersOnly(Starlette(routes=routes), pages=frozenset({"/", "/vnc.html", "/vnc_lite.html"}))

    async def _join_page(self, window: Window, websocket: WebSocket, wanted: str) -> None:
        offered = websocket.scope.get("subprotocols", ())
        await websocket.accept(subprotocol="binary" if "binary" in offered else None)
        try:
            display = await self._upstream.display(await self.session_for(window, wanted))
        except QcError as error:
            await _close(websocket, {401: 4401, 403: 4403, 404: 4404}.get(error.status, 4503), error.message)
            return
        async with display:
            code, reason = await _join(display, _from_page(websocket), websocket.send_bytes)
        await _close(websocket, code, reason)

    # ------------------------------------------------------------ RFB over TCP

    async def serve_vnc(
        self, window: Window, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One VNC viewer, from its connection to its end."""
        try:
            client, server = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
            try:
                require_own_program(client[:2], server[:2])
                display = await self._upstream.display(await self.session_for(window))
            except NotAllowed:
                return
            except QcError as error:
                await _tell_viewer(reader, writer, error.message)
                return

            async def give(data: bytes) -> None:
                writer.write(data)
                await writer.drain()

            async with display:
                await _join(display, lambda: reader.read(CHUNK), give)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the viewer is gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _from_page(websocket: WebSocket) -> Callable[[], Awaitable[bytes]]:
    async def take() -> bytes:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return b""
        data = message.get("bytes")
        return data if data is not None else (message.get("text") or "").encode()

    return take


async def _join(
    display: ClientConnection, take: Callable[[], Awaitable[bytes]], give: Callable[[bytes], Awaitable[None]]
) -> tuple[int, str]:
    """Move bytes both ways until one side ends; the close code and reason of the display."""

    async def to_display() -> None:
        while data := await take():
            await display.send(data)

    async def to_viewer() -> None:
        async for data in display:
            await give(data if isinstance(data, bytes) else data.encode())

    parts = [asyncio.create_task(to_display()), asyncio.create_task(to_viewer())]
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            with contextlib.suppress(ConnectionClosed, WebSocketDisconnect, RuntimeError, OSError):
                part.result()
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
    if display.close_code in (None, 1006):
        return 4503, "The connection to the hub broke."
    return display.close_code or 1000, display.close_reason or ""


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    # A reason has 123 bytes at most.
    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
        await websocket.close(code, reason.encode()[:123].decode(errors="ignore"))


async def _tell_viewer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: str) -> None:
    """A refusal that VNC viewers show: no security type, and why (RFC 6143, 7.1.2)."""
    writer.write(_VERSION)
    await writer.drain()
    async with asyncio.timeout(10):
        await reader.readexactly(len(_VERSION))
    said = text.encode()[:1000]
    writer.write(b"\0" + len(said).to_bytes(4, "big") + said)
    await writer.drain()
