"""REST through the bridge: the token is added, and answers say where the windows of sessions are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
from qcrbox.contract.errors import NotFound, QcError, Unreachable
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from qcrbox_hub.bridge.upstream import Upstream
from qcrbox_hub.bridge.windows import Windows

# Nothing else of a request is forwarded: no cookies, no origin, none of the program's credentials.
_PASSED = (
    "content-type",
    "content-length",
    "accept",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "range",
    "user-agent",
    "x-correlation-id",
    "upload-offset",
    "upload-length",
)
_RETURNED = (
    "content-type",
    "content-length",
    "content-disposition",
    "content-range",
    "content-security-policy",
    "x-content-type-options",
    "cache-control",
    "etag",
    "allow",
    "retry-after",
    "x-correlation-id",
    "upload-offset",
    "upload-length",
    "location",
)
# Clients of the older interface read the words of an error under these codes only; others they show as "None".
_UNDERSTOOD = frozenset({400, 404, 500})


class Forwarding:
    """The routes under /api/."""

    def __init__(self, upstream: Upstream, windows: Windows) -> None:
        self._upstream, self._windows = upstream, windows

    async def answer(self, request: Request) -> Response:
        """Whatever the registry answers, or why there is no answer."""
        try:
            return await self._forward(request)
        except QcError as error:
            return failure(error)

    async def _forward(self, request: Request) -> Response:
        path = _checked_path(request)
        query = request.url.query
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        # Bytes are forwarded unchanged, so no content encoding is requested.
        headers["accept-encoding"] = "identity"
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        body = request.stream() if has_body else None
        sending = self._upstream.send(request.method, f"{path}?{query}" if query else path, headers, body)
        try:
            answer = await sending.__aenter__()
        except ClientDisconnect:
            raise Unreachable("The request was cut off before its end.") from None
        closing = BackgroundTask(sending.__aexit__, None, None, None)
        try:
            if answer.status_code >= 400 or answer.status_code in (301, 302, 303, 307, 308):
                content = await answer.aread()
                await closing()
                return failure(self._upstream.error_of(answer.status_code, content), answer)
            if request.method == "GET" and answer.status_code == 200 and _has_windows(path):
                content = await answer.aread()
                await closing()
                return JSONResponse(await self._windows.shown_in(json.loads(content)))
        except httpx.HTTPError as error:
            await closing()
            raise self._upstream.away(error) from None
        except BaseException:
            await closing()
            raise
        return StreamingResponse(
            _chunks(answer), answer.status_code, headers=_returned(answer), background=closing
        )


def _checked_path(request: Request) -> str:
    """The path as it came, percent-encoded. Raises NotFound for one that could lead out of the registry's /api/."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    plain = unquote(unquote(path)).replace("\\", "/")
    if not path.startswith("/api/") or any(part in (".", "..") for part in plain.split("/")):
        raise NotFound(f"There is nothing at {path[:200]}.")
    return path


def _has_windows(path: str) -> bool:
    parts = path.strip("/").split("/")
    return parts == ["api", "applications"] or (parts[1:2] == ["interactive-sessions"] and len(parts) <= 3)


def _returned(answer: httpx.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in _RETURNED if name in answer.headers}


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_raw():
        yield chunk


def failure(error: QcError, answer: httpx.Response | None = None) -> Response:
    """The error in the contract's envelope, under a code whose words older clients read."""
    body: dict[str, Any] = error.envelope()
    status = answer.status_code if answer is not None and answer.status_code >= 400 else error.status
    shown = status if status in _UNDERSTOOD else 400 if status < 500 else 500
    body["error"]["code"] = shown
    headers = {"x-qcrbox-status": str(status)}
    if answer is not None and "retry-after" in answer.headers:
        headers["retry-after"] = answer.headers["retry-after"]
    return JSONResponse(body, shown, headers)
