"""Passes the browser's calls on to the registry with the person's token, which never reaches JavaScript.

Bodies stream both ways: an upload is not kept in memory, an event stream arrives as it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
from jupyter_server.base.handlers import APIHandler
from qcrbox.contract.errors import NotAllowed, NotSignedIn, QcError, Unreachable
from tornado import web
from tornado.iostream import StreamClosedError

from qcrbox_extension.handlers import Handler
from qcrbox_extension.upstream import Upstream

# Everything else (cookies, the Jupyter token, Origin) is between browser and this server.
TO_REGISTRY = (
    "Accept",
    "Content-Type",
    "Content-Length",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Range",
    "X-Request-Id",
)
TO_BROWSER = (
    "Content-Type",
    "Content-Length",
    "Content-Disposition",
    "Content-Range",
    "Accept-Ranges",
    "Cache-Control",
    "ETag",
    "Last-Modified",
    "Retry-After",
    "X-Request-Id",
)
# Shown in a page of this origin they could run scripts with the person's rights.
NEVER_SHOWN = (
    "text/html",
    "application/xhtml",
    "image/svg",
    "text/xml",
    "application/xml",
    "text/javascript",
)


@web.stream_request_body
class ForwardHandler(Handler):
    """`/qcrbox/api/…` of this server is `/api/…` of the registry."""

    def initialize(self, upstream: Upstream, client: httpx.AsyncClient) -> None:
        """Called by tornado with the registry and the HTTP client that all handlers share."""
        self.upstream, self.client = upstream, client
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=8)
        self._forwarding: asyncio.Task[None] | None = None
        self._complete = False
        self._ending = False

    def set_default_headers(self) -> None:
        """Close the connection after a refusal."""
        super().set_default_headers()
        # A refusal comes before the body is read, and tornado closes such a connection: say so, or the
        # browser's next call on it would fail.
        self.set_header("Connection", "close")

    async def prepare(self) -> None:  # type: ignore[override]
        """Who asks is settled before a byte of the body is taken."""
        await super().prepare()
        if self._finished:
            return
        try:
            if not self.current_user:
                raise NotSignedIn("You are not signed in.", next="Reload the page and sign in.")
            action = "read" if self.request.method in ("GET", "HEAD") else "write"
            allowed = self.authorizer.is_authorized(self, self.current_user, action, "qcrbox")
            if not (await allowed if asyncio.iscoroutine(allowed) else allowed):
                raise NotAllowed("This server does not allow you to use QCrBox.")
            raw_path, _, query = self.request.uri.partition("?")
            tail = raw_path.partition("/qcrbox/api/")[2]
            address = self.upstream.address(tail, query)
            headers = self._request_headers()
        except QcError as error:
            self.refuse(error)
            return
        self._forwarding = asyncio.ensure_future(self._forward(address, headers))

    async def data_received(self, chunk: bytes) -> None:
        """Pass a piece of the body on; waits while the registry is slower than the browser."""
        await self._feed(chunk)

    async def _body_complete(self, *_: Any) -> None:
        if self._forwarding is None:
            return
        self._complete = True
        await self._feed(None)
        await asyncio.wait({self._forwarding})
        if not self._forwarding.cancelled():
            self._forwarding.result()

    get = head = post = put = patch = delete = _body_complete

    def on_connection_close(self) -> None:
        """Cancel the call to the registry when the browser has closed the connection."""
        # The tab was closed or reloaded: end its streams at the registry. Once only: a second cancellation, or one after a
        # failed write has begun to close them, would interrupt that closing and leave the registry's end open.
        if self._forwarding is not None and not self._ending:
            self._ending = True
            self._forwarding.cancel()

    async def _feed(self, chunk: bytes | None) -> None:
        if self._forwarding is None or self._forwarding.done():
            return
        put = asyncio.ensure_future(self._chunks.put(chunk))
        await asyncio.wait({put, self._forwarding}, return_when=asyncio.FIRST_COMPLETED)
        put.cancel()

    def _request_headers(self) -> dict[str, str]:
        given = self.request.headers
        return {name: given[name] for name in TO_REGISTRY if name in given} | self.upstream.authorization()

    def _content(self) -> AsyncIterator[bytes] | None:
        given = self.request.headers
        if given.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in given:
            return None
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def _forward(self, address: httpx.URL, headers: dict[str, str]) -> None:
        try:
            async with self.client.stream(
                self.request.method,
                address,
                headers=headers,
                content=self._content(),
            ) as answer:
                try:
                    await self._answer(answer)
                except StreamClosedError:
                    self._ending = True
        except StreamClosedError:
            return
        except httpx.HTTPError as error:
            self.log.warning("QCrBox: %s %s: %r", self.request.method, address.path, error)
            if self._headers_written:
                # Too late for an error text: a cut connection is the only honest sign left.
                self.request.connection.stream.close()  # type: ignore[union-attr, unused-ignore]
                return
            self.refuse(
                Unreachable(
                    "The registry does not answer.",
                    why="It may be starting again.",
                    next="Running calculations continue; this page will retry.",
                    part="registry",
                )
            )

    async def _answer(self, answer: httpx.Response) -> None:
        self.set_status(answer.status_code)
        if self._complete:
            self.clear_header("Connection")
        for name in TO_BROWSER:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self._disarm(answer.headers.get("Content-Type", ""))
        if self.request.method == "HEAD" or answer.status_code in (204, 304):
            self.clear_header("Content-Length")
            await super(APIHandler, self).finish()
            return
        await self.flush()
        async for chunk in answer.aiter_raw():
            self.write(chunk)
            await self.flush()
        await super(APIHandler, self).finish()

    def _disarm(self, content_type: str) -> None:
        """Nothing a person or a program stored may act as a page of this origin."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
        if content_type.lower().startswith(NEVER_SHOWN):
            self.set_header("Content-Type", "application/octet-stream")
            self.set_header("Content-Disposition", "attachment")
