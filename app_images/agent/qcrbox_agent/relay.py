"""Inside a container without a network: a loopback port that leads to a Unix socket the launcher mounted.

The NATS client speaks TCP only; the port is on the container's own loopback, which nobody else can reach.
"""

from __future__ import annotations

import asyncio

from qcrbox.byte_pump import CHUNK, join


class Relay:
    """`nats://127.0.0.1:<port>` for a Unix socket. Dials anew for each connection, so a restarted launcher is found again."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_unix_connection(self.socket, limit=CHUNK)
        except OSError:
            writer.close()
            return
        await join((reader, writer), there)
