"""Join two byte streams in both directions until both have ended or one breaks."""

from __future__ import annotations

import asyncio
import contextlib

CHUNK = 256 * 1024  # bytes moved at once, and what a stream may hold (its `limit`)

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def join(left: End, right: End) -> None:
    """Copy bytes both ways, then close both ends. A half-closed end still receives.

    Returns when both directions have ended or one broke; a broken connection is not an error.
    """
    moving = [
        asyncio.ensure_future(_move(left[0], right[1])),
        asyncio.ensure_future(_move(right[0], left[1])),
    ]
    try:
        with contextlib.suppress(OSError):
            await asyncio.gather(*moving)
    finally:
        # When one direction breaks, cancel the other, which would never end.
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
