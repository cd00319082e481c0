"""Answers that are sent as they are made, and are closed with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Send

_Piece = TypeVar("_Piece")
_EVENT_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class Streamed(StreamingResponse):
    """A streaming answer whose generator ends with it: HEAD takes the head alone, and clients leave in the middle.

    Starlette drops the generator, which is then open until the garbage collector finds it: a subscription would go on
    collecting events, and a download would keep what it reads from.
    """

    async def stream_response(self, send: Send) -> None:
        """Send the pieces, then close what made them."""
        try:
            await super().stream_response(send)
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                # A client that has left cancels this task, and closing may have to wait for a moment.
                await asyncio.shield(asyncio.ensure_future(self.body_iterator.aclose()))


def event_stream(
    request: Request, pieces: AsyncGenerator[_Piece, None], written: Callable[[_Piece], bytes]
) -> Streamed:
    """Server-sent events. written: their text for a piece; b"" for a piece that only keeps the connection alive."""

    async def text() -> AsyncIterator[bytes]:
        async with aclosing(pieces):
            yield b": connected\n\n"
            async for piece in pieces:
                if await request.is_disconnected():
                    return
                yield written(piece) or b": still here\n\n"

    return Streamed(text(), media_type="text/event-stream", headers=_EVENT_HEADERS)
