"""Joins two byte streams: what one end says the other hears, until both are done or one is gone."""

from __future__ import annotations

import asyncio
import contextlib

CHUNK = 256 * 1024  # bytes moved at once, and what a stream may hold (its `limit`)

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def join(left: End, right: End) -> None:
    """Move bytes both ways and close both ends. An end that has said all (half-closed) may still listen.

    Returns when both ends are done, or one of them broke; a broken connection is an end, not an error.
    """
    moving = [
        asyncio.ensure_future(_move(left[0], right[1])),
        asyncio.ensure_future(_move(right[0], left[1])),
    ]
    try:
        with contextlib.suppress(OSError):
            await asyncio.gather(*moving)
    finally:
        # Where one direction broke, the other would wait for ever.
        for each in moving:
            each.cancel()
        await asyncio.gather(*moving, return_exceptions=True)
        for _, writer in (left, right):
            writer.close()
        for _, writer in (left, right):
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _move(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
