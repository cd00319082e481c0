"""Bytes that leave: attachments that never run in this origin, and rights checked again while they flow."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from urllib.parse import quote

from fastapi import Request, Response

from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.streams import Streamed
from qcrbox_registry.services.contents import Content


async def while_allowed(
    chunks: AsyncIterable[bytes], presence: Presence, require: Callable[[Actor], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """The chunks, while `require` accepts the caller; else the transfer breaks off and never looks complete."""
    async for chunk in chunks:
        if presence.is_due:
            await require(await presence.now())
        yield chunk


async def file_response(
    content: Content,
    request: Request | None = None,
    while_sent: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]] = lambda chunks: chunks,
) -> Response:
    """The bytes of a file, or 304 when the caller (`request`) has them already. Raises NotFound for missing contents."""
    headers = {
        **as_attachment(content.filename),
        "etag": f'"{content.sha256}"',
        "cache-control": "private, no-cache",
    }
    if request is not None and headers["etag"] in _known_tags(request):
        return Response(status_code=304, headers=headers)
    # The first chunk is read before the answer begins: missing contents are a 404, not a broken 200.
    first = await anext(content.chunks, b"")
    return Streamed(
        while_sent(_rejoined(first, content.chunks)),
        media_type="application/octet-stream",
        headers={**headers, "content-length": str(content.size)},
    )


def _known_tags(request: Request) -> list[str]:
    given = request.headers.get("if-none-match", "")
    return [tag.strip().removeprefix("W/") for tag in given.split(",")]


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def as_attachment(filename: str) -> dict[str, str]:
    """Headers that make a browser save the file: a stored HTML or SVG file must not run in this origin."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    return {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }
