"""Around every request: the prefix of the proxy, safe headers, the correlation id, a line in the log."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.dependencies import core_of
from qcrbox_registry.store.tables import new_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
_CORRELATION = re.compile(rb"^[A-Za-z0-9_.:-]{1,64}$")
# Our pages load nothing from other hosts and must not be framed.
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_PAGE_POLICY = b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'"
log = structlog.get_logger("qcrbox_registry.requests")


class RequestMiddleware:
    """ASGI middleware of the whole application."""

    def __init__(self, app: App, prefix: str = "") -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            # The proxy keeps the prefix in the path; at the address of the registry itself the same routes are at the root.
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

        reply: Callable[[Message], Awaitable[None]] = answer
        if scope["method"] == "HEAD" and "/api/uploads/" not in path:
            # HEAD of an upload is a separate route; everywhere else it is a GET without its body.
            scope, reply = {**scope, "method": "GET"}, _without_body(answer)
        # Every line that is logged for this request has the id.
        with structlog.contextvars.bound_contextvars(correlation_id=correlation.decode()):
            try:
                await self._app(scope, receive, reply)
            except _HeadSent:
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


class _HeadSent(Exception):
    """The head of the answer was sent; the body is not wanted."""


def _without_body(send: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
    """Sends the head and stops the handler: its body may be gigabytes, or endless."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({"type": "http.response.body", "body": b""})
            raise _HeadSent
        await send(message)

    return answer


def _audit_administrator(scope: Scope) -> None:
    """Audit what only the right of an administrator opened."""
    actor: Actor | None = (scope.get("state") or {}).get("actor")
    if actor is not None and actor.noticed:
        context = core_of(scope["app"]).context
        for action, kind, object_id in dict.fromkeys(actor.noticed):
            context.audit_soon(actor, f"{action} as administrator", kind=kind, object_id=object_id)


def _added(message: Message, correlation: bytes) -> list[tuple[bytes, bytes]]:
    headers = {name.lower(): value for name, value in message.get("headers", ())}
    added = [*_HEADERS, (b"x-correlation-id", correlation)]
    if (
        headers.get(b"content-type", b"").startswith(b"text/html")
        and b"content-security-policy" not in headers
    ):
        added.append((b"content-security-policy", _PAGE_POLICY))
    return [(name, value) for name, value in added if name not in headers]
