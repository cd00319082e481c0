"""Relays between sockets: how what has no network reaches the few services that it may use.

A sandbox or container gets a folder with Unix sockets, mounted read-only; each leads to one service outside.
Its network namespace is empty but for its own loopback: no gateway, no neighbour, no metadata address and no
open port of the host to try. Programs that speak TCP only find a relay on that loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox.byte_pump import CHUNK, End, join


@dataclass(frozen=True)
class Target:
    """Where a relay leads: a TCP address on this machine, or a Unix socket.

    source: the local address that the service sees, so that it can tell one caller from another.
    untrusted: the socket's folder can be written by whom the relay must not trust; links are refused.
    """

    host: str = ""
    port: int = 0
    path: Path | None = None
    source: str = ""
    untrusted: bool = False

    async def dial(self) -> End:
        """Raises OSError where nothing answers."""
        if self.path is not None and self.untrusted:
            return await _dial_without_links(self.path)
        if self.path is not None:
            return await asyncio.open_unix_connection(str(self.path), limit=CHUNK)
        local = (self.source, 0) if self.source else None
        return await asyncio.open_connection(self.host, self.port, limit=CHUNK, local_addr=local)


async def _dial_without_links(path: Path) -> End:
    """Connect to this very socket. `connect` alone follows links, to Docker's socket for instance."""
    handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(handle).st_mode):
            raise OSError(f"{path} is not a socket")
        return await asyncio.open_unix_connection(f"/proc/self/fd/{handle}", limit=CHUNK)
    finally:
        os.close(handle)


@dataclass
class Listener:
    """Listens at a Unix socket, or at a TCP port of the loopback (0: any); a subclass serves each caller.

    most: how many connections may be open at once; further ones are closed.
    """

    socket: Path | None = None
    port: int = 0
    most: int = 64
    _server: asyncio.Server | None = field(default=None, init=False)
    _open: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def serve(self, caller: End) -> None:
        """Serve one caller to its end. An OSError ends the connection: the caller tries again."""
        raise NotImplementedError

    async def open(self) -> int:
        """Start to listen. Returns the port, 0 for a Unix socket."""
        if self.socket is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=CHUNK)
            self.port = self._server.sockets[0].getsockname()[1]
            return self.port
        self.socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, str(self.socket), limit=CHUNK)
        # Callers have another user id; who may reach the socket is decided by the folder it lies in.
        self.socket.chmod(0o666)
        return 0

    async def close(self) -> None:
        """Close the sockets and stop."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        if self.socket is not None:
            # The platform may have closed its folder meanwhile, and removes it itself.
            with contextlib.suppress(OSError):
                self.socket.unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = asyncio.current_task()
        assert mine is not None
        if len(self._open) >= self.most:
            writer.close()
            return
        self._open.add(mine)
        try:
            # Cancelled when the listener is closed, which asyncio would report as a fault of this function.
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await self.serve((reader, writer))
        finally:
            self._open.discard(mine)
            writer.close()


@dataclass
class Relay(Listener):
    """Joins each caller to the target, by a new connection."""

    target: Target = field(kw_only=True)

    async def serve(self, caller: End) -> None:
        """Join the caller to the target until both directions have ended."""
        await join(caller, await self.target.dial())
