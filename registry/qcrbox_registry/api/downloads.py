"""Bytes that leave: attachments that never run in our origin, and rights asked again while they flow."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from qcrbox.contract.errors import QcError
from sqlalchemy.engine import Connection
from starlette.responses import StreamingResponse

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.core import Core

ASK_AGAIN_S = 5.0  # so long a right that was taken may still be used


class StillAllowed:
    """Asks again, every few seconds of a long transfer, who is reading and whether they may."""

    def __init__(
        self, core: Core, request: Request, actor: Actor, ask: Callable[[Connection, Actor], Any]
    ) -> None:
        self._core, self._request, self._actor, self._ask = core, request, actor, ask
        self._asked = time.monotonic()

    async def require(self) -> None:
        """Raises NotSignedIn, NotAllowed or NotFound when the right is gone."""
        if time.monotonic() - self._asked < ASK_AGAIN_S:
            return
        try:
            self._actor = await self._core.identity.again(self._actor, self._request)
        except QcError as error:
            if error.status != 503:  # the hub's own restart must not end transfers
                raise
        await self._core.db.read(lambda conn: self._ask(conn, self._actor))
        self._asked = time.monotonic()


async def while_allowed(chunks: AsyncIterable[bytes], allowed: StillAllowed) -> AsyncIterator[bytes]:
    """The chunks; the transfer breaks off, and so never looks complete, when the right ends."""
    async for chunk in chunks:
        await allowed.require()
        yield chunk


async def file_response(
    core: Core,
    sha256: str,
    size: int,
    filename: str,
    *,
    request: Request | None = None,
    allowed: StillAllowed | None = None,
) -> Response:
    """A file's bytes, or 304 when the caller (`request`) has them already."""
    headers = {**as_attachment(filename), "etag": f'"{sha256}"', "cache-control": "private, no-cache"}
    if request is not None and headers["etag"] in _known_tags(request):
        return Response(status_code=304, headers=headers)
    content = core.objects.get(sha256)
    # The first chunk before the answer begins: missing contents are a 404, not a broken 200.
    first = await anext(content, b"")
    whole = _rejoined(first, content)
    return StreamingResponse(
        whole if allowed is None else while_allowed(whole, allowed),
        media_type="application/octet-stream",
        headers={**headers, "content-length": str(size)},
    )


def _known_tags(request: Request) -> list[str]:
    given = request.headers.get("if-none-match", "")
    return [tag.strip().removeprefix("W/") for tag in given.split(",")]


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def as_attachment(filename: str) -> dict[str, str]:
    """Never shown in our own origin: a stored HTML or SVG file must not run there."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    return {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }
