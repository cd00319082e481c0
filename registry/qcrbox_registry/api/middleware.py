"""Around every request: the proxy's prefix, safe headers, one correlation id, a line in the log."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from qcrbox_registry.store.tables import new_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
_CORRELATION = re.compile(rb"^[A-Za-z0-9_.:-]{1,64}$")
# Our own pages load nothing from elsewhere and are framed by nobody.
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_PAGE_POLICY = b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'"
log = structlog.get_logger("qcrbox_registry.requests")


class RequestMiddleware:
    """ASGI middleware."""

    def __init__(self, app: App, prefix: str = "") -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            # The proxy hands the whole path on; at our own address the same routes are at the root.
            scope = {**scope, "root_path": self._prefix}
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-correlation-id"), None)
        correlation = given if given and _CORRELATION.match(given) else new_id().encode()
        scope.setdefault("state", {})["correlation_id"] = correlation.decode()
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *_added(message, correlation)]}
            await send(message)

        tell: Callable[[Message], Awaitable[None]] = answer
        if scope["method"] == "HEAD" and "/api/uploads/" not in path:
            # Uploads tell by HEAD how far they are; everywhere else it is a GET without its body.
            scope, tell = {**scope, "method": "GET"}, _without_body(answer)
        # Every line that is logged on behalf of this request carries the id.
        with structlog.contextvars.bound_contextvars(correlation_id=correlation.decode()):
            try:
                await self._app(scope, receive, tell)
            except _Enough:
                pass
            finally:
                _audit_administrator(scope)
                log.debug(
                    "request",
                    method=scope["method"],
                    path=path,
                    status=status,
                    ms=round((time.perf_counter() - began) * 1000, 2),
                )


class _Enough(Exception):
    """The head of an answer is all that was asked for."""


def _without_body(send: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
    """Sends the head; what would make the body is stopped, for it may be gigabytes, or never end."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({"type": "http.response.body", "body": b""})
            raise _Enough
        await send(message)

    return answer


def _audit_administrator(scope: Scope) -> None:
    """What only the administrator's right has opened is always in the audit trail."""
    actor = (scope.get("state") or {}).get("actor")
    noticed = getattr(actor, "noticed", None)
    if noticed:
        core = scope["app"].state.core
        for action, kind, object_id in dict.fromkeys(noticed):
            core.audit_soon(actor, f"{action} as administrator", kind=kind, object_id=object_id)


def _added(message: Message, correlation: bytes) -> list[tuple[bytes, bytes]]:
    headers = {name.lower(): value for name, value in message.get("headers", ())}
    added = [*_HEADERS, (b"x-correlation-id", correlation)]
    if (
        headers.get(b"content-type", b"").startswith(b"text/html")
        and b"content-security-policy" not in headers
    ):
        added.append((b"content-security-policy", _PAGE_POLICY))
    return [(name, value) for name, value in added if name not in headers]
