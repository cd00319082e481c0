"""Inside a container without a network: a loopback port that leads to a Unix socket the launcher mounted.

The NATS client speaks TCP only; the port is on the container's own loopback, which nobody else can reach.
"""

from __future__ import annotations

import asyncio
import contextlib

_CHUNK = 256 * 1024


class Relay:
    """`nats://127.0.0.1:<port>` for a Unix socket. Dials anew for each connection, so a restarted launcher is found again."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_unix_connection(self.socket, limit=_CHUNK)
        except OSError:
            writer.close()
            return
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
        for end in (writer, there_writer):
            end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof() if writer.can_write_eof() else writer.close()
