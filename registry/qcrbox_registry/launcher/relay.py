"""Doors for containers that have no network at all: Unix sockets that lead to NATS and to the agents' routes, nothing else.

A container gets one folder with `nats.sock`, `registry.sock` and its enrolment token, mounted read-only. Its
network namespace is empty but for its own loopback, so there is no gateway, no neighbour, no metadata address
and no open port of the host to try.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox.byte_pump import CHUNK, End, join


@dataclass(frozen=True)
class Target:
    """Where a door leads: a TCP address on this machine, or a Unix socket."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    async def dial(self) -> End:
        if self.path is not None:
            return await asyncio.open_unix_connection(str(self.path), limit=CHUNK)
        return await asyncio.open_connection(self.host, self.port, limit=CHUNK)


@dataclass
class AgentSocket:
    """One listening Unix socket. `most` bounds how many connections one container may hold."""

    socket: Path
    target: Target
    most: int = 64
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task] = field(default_factory=set)

    async def open(self) -> None:
        self.socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, str(self.socket), limit=CHUNK)
        # The container's user is not ours; who may reach the socket is decided by the folder it lies in.
        self.socket.chmod(0o666)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self.socket.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = asyncio.current_task()
        assert mine is not None
        if len(self._open) >= self.most:
            writer.close()
            return
        self._open.add(mine)
        try:
            there = await self.target.dial()
        except OSError:
            # NATS or the registry restarts: the agent dials again by itself.
            writer.close()
        else:
            # Cancelled when the door is closed, which asyncio would report as a fault of this function.
            with contextlib.suppress(asyncio.CancelledError):
                await join((reader, writer), there)
        finally:
            self._open.discard(mine)
