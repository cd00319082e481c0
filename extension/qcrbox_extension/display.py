"""The picture of a session, from the registry's websocket to the browser's, with the person's token.

Binary messages are RFB bytes and go both ways as they are. Text messages are this server's own words to the
page: `{"alive": true}` every few seconds, because a page cannot see by itself that its connection has silently
died, and `{"end": code, "reason": "…"}` before the end, because a proxy in between drops close codes. Text
from the page goes nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from qcrbox.contract.errors import QcError
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketHandler,
    websocket_connect,
)

from qcrbox_extension.upstream import CONNECT_TIMEOUT_S, Upstream

ALIVE_S = 4.0
LARGEST_BYTES = (
    8 * 1024**2
)  # a clipboard of 4 MiB is what the registry lets through; a picture comes in pieces
MOST_OPEN = 32  # of this person, in all tabs
UNREACHABLE = 4503  # the registry's own code for "try again"
TOO_MANY = 4429


class DisplayHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One tab in front of one session. Who asks, and from which page, is settled before the registry is asked."""

    auth_resource = "qcrbox"
    open_displays = 0

    def initialize(self, upstream: Upstream) -> None:
        """Called by tornado with the registry to connect to."""
        self.upstream = upstream
        self._registry: WebSocketClientConnection | None = None
        self._moving: asyncio.Task[None] | None = None
        self._counted = False

    @property
    def max_message_size(self) -> int:
        """Largest message from the browser, in bytes."""
        return LARGEST_BYTES

    def get_compression_options(self) -> dict[str, Any] | None:
        """None: no websocket compression."""
        return None  # RFB compresses by itself

    @ws_authenticated
    async def get(self, session_id: str) -> None:  # type: ignore[override, unused-ignore]
        """Open the websocket, or answer 403 if the user may not execute on this server."""
        allowed = self.authorizer.is_authorized(self, self.current_user, "execute", "qcrbox")
        if not (await allowed if asyncio.iscoroutine(allowed) else allowed):
            raise web.HTTPError(403)
        await super().get(session_id)

    async def open(self, session_id: str) -> None:  # type: ignore[override, unused-ignore]
        """Connect to the session's display at the registry; closes the socket if too many are open."""
        super().open(session_id)
        if DisplayHandler.open_displays >= MOST_OPEN:
            await self._end(TOO_MANY, f"{MOST_OPEN} windows are open already; close a tab.")
            return
        DisplayHandler.open_displays += 1
        self._counted = True
        try:
            self._registry = await self._connect(session_id)
        except QcError as error:
            await self._end(UNREACHABLE, error.message)
            return
        except (HTTPClientError, OSError, WebSocketClosedError) as error:
            self.log.warning("QCrBox: display of session %s: %r", session_id, error)
            await self._end(UNREACHABLE, "The registry does not answer; it may be starting again.")
            return
        if self._closed_by_page():
            self._registry.close()
            return
        # Tornado keeps Nagle's algorithm on, which may hold a small message, a click say, for 40 ms.
        self.set_nodelay(True)
        if self._registry.protocol is not None:
            self._registry.protocol.set_nodelay(True)
        self._moving = asyncio.ensure_future(self._move(self._registry))

    async def _connect(self, session_id: str) -> WebSocketClientConnection:
        view = "view=true" if self.get_query_argument("view", "") == "true" else ""
        address = self.upstream.address(f"interactive-sessions/{session_id}/display", view)
        request = HTTPRequest(
            str(address.copy_with(scheme="wss" if address.scheme == "https" else "ws")),
            headers=self.upstream.authorization(),
            connect_timeout=CONNECT_TIMEOUT_S,
            follow_redirects=False,
        )
        return await websocket_connect(request, max_message_size=LARGEST_BYTES, ping_interval=20)

    async def on_message(self, message: str | bytes) -> None:
        """From the page. Awaited, so a slow registry slows the page instead of filling the memory."""
        if self._registry is None or isinstance(message, str):
            return
        with contextlib.suppress(WebSocketClosedError):  # the other direction reports the end
            await self._registry.write_message(message, binary=True)

    async def _move(self, registry: WebSocketClientConnection) -> None:
        """To the page, each piece when the one before it was taken, until one side is gone."""
        alive = asyncio.ensure_future(self._say_alive())
        try:
            while (message := await registry.read_message()) is not None:
                if isinstance(message, bytes):
                    await self.write_message(message, binary=True)
            await self._end(registry.close_code or UNREACHABLE, registry.close_reason or "")
        except WebSocketClosedError:
            return
        finally:
            alive.cancel()

    async def _say_alive(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_S)
            try:
                await self.write_message(json.dumps({"alive": True}))
            except WebSocketClosedError:
                return

    async def _end(self, code: int, reason: str) -> None:
        try:
            await self.write_message(json.dumps({"end": code, "reason": reason}))
        except WebSocketClosedError:
            return
        # Codes below 4000 have a meaning of their own in the protocol and some may not be sent.
        self.close(code if code == 1000 or code >= 4000 else UNREACHABLE, _short(reason))

    def _closed_by_page(self) -> bool:
        return self.ws_connection is None or self.ws_connection.is_closing()

    def on_close(self) -> None:
        """Close the connection to the registry as well."""
        super().on_close()
        if self._counted:
            self._counted = False
            DisplayHandler.open_displays -= 1
        if self._moving is not None:
            self._moving.cancel()
        if self._registry is not None:
            self._registry.close()


def _short(reason: str) -> str:
    """A close reason has 123 bytes at most."""
    return reason.encode()[:123].decode(errors="ignore")
