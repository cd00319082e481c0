"""The registry behind the bridge, spoken to with the person's token."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import websockets
from qcrbox.client import loopback
from qcrbox.contract.errors import NotAllowed, NotFound, NotSignedIn, QcError, Unreachable
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake, WebSocketException

# A program may compute for hours before the next byte of an event stream or a download comes.
_TIMEOUT = httpx.Timeout(connect=10.0, read=None, write=120.0, pool=None)
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


class Upstream:
    """One registry. Nothing of the token is in its repr, its errors or its log lines."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        # A registry on this machine must not be asked for through a proxy that the environment names.
        self._outside = not loopback.is_loopback(self.url)
        self._tls = ssl.create_default_context() if self.url.startswith("https://") else None
        self._http = httpx.AsyncClient(
            headers=self._headers,
            timeout=_TIMEOUT,
            limits=_LIMITS,
            trust_env=self._outside,
            mounts=loopback.async_mounts(self.url),
        )
        self.person = ""

    def __repr__(self) -> str:
        return f"Upstream({self.url!r})"

    async def close(self) -> None:
        """Close the connections to the registry."""
        await self._http.aclose()

    async def sign_in(self) -> str:
        """The name of the person to whom the token belongs. Raises NotSignedIn, Unreachable."""
        self.person = str((await self.get("/api/me"))["name"])
        return self.person

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The payload of a GET. Raises the errors of the contract, and Unreachable."""
        try:
            answer = await self._http.get(self.url + path, params=query, timeout=30.0)
        except httpx.HTTPError as error:
            raise self.away(error) from None
        if answer.status_code != 200:
            raise self.error_of(answer.status_code, answer.content)
        return answer.json()["payload"]

    @contextlib.asynccontextmanager
    async def send(
        self, method: str, path: str, headers: dict[str, str], body: Any
    ) -> AsyncIterator[httpx.Response]:
        """A request whose answer is read as a stream. `path` is percent-encoded, with its query."""
        request = self._http.build_request(method, self.url + path, headers=headers, content=body)
        try:
            answer = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self.away(error) from None
        try:
            yield answer
        finally:
            await answer.aclose()

    async def own_sessions(self) -> list[dict[str, Any]]:
        """The person's own sessions that have not ended, newest first."""
        shown = (await self.get("/api/interactive-sessions"))["interactive_sessions"]
        return [session for session in shown if session.get("owner", self.person) == self.person]

    async def display(self, session_id: str) -> ClientConnection:
        """The display of a session as a websocket of RFB bytes. Raises Unreachable, NotSignedIn, NotFound."""
        address = f"{self.url}/api/interactive-sessions/{quote(session_id, safe='')}/display"
        try:
            return await websockets.connect(
                address.replace("http", "ws", 1),
                additional_headers=self._headers,
                compression=None,  # pictures are compressed already
                max_size=None,
                open_timeout=20,
                ssl=self._tls,
                proxy=True if self._outside else None,
                **self._place(),
            )
        except InvalidHandshake as error:
            status = getattr(getattr(error, "response", None), "status_code", 500)
            raise self.error_of(status, b"") from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise self.away(error) from None

    def _place(self) -> dict[str, Any]:
        """Where to connect to, for a name below localhost that only browsers find."""
        parts = urlsplit(self.url)
        if not (parts.hostname or "").endswith(".localhost"):
            return {}
        return {"host": "127.0.0.1", "port": parts.port or (443 if self._tls else 80)}

    def away(self, error: Exception) -> Unreachable:
        """What to tell when there is no answer."""
        return Unreachable(
            f"{self.url} does not answer.",
            why=f"({type(error).__name__})",
            next="Is the network there, and the hub up? The bridge asks again with the next request.",
            part="hub",
        )

    def error_of(self, status: int, body: bytes) -> QcError:
        """The error of an answer; a page of a proxy in between is none of the registry's words."""
        if status == 401:
            return NotSignedIn(
                f"{self.url} does not know you any more.",
                why="Your token has been revoked or has expired.",
                next="Start `qcrbox bridge` again; it lets you sign in.",
            )
        try:
            return QcError.from_envelope(json.loads(body), status)
        except (ValueError, AttributeError):
            pass  # not an answer of a registry: named below by its status
        if status in (403, 404):
            return (NotAllowed if status == 403 else NotFound)(f"{self.url} answered {status}.")
        return Unreachable(
            f"{self.url} does not answer as a registry does.",
            why=f"(status {status})",
            next="If the hub is being started or updated, try again in a minute.",
            part="hub",
        )
