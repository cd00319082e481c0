"""The bridge's ports, from the first to Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import uvicorn
from qcrbox.contract.errors import Conflict
from starlette.applications import Starlette
from starlette.routing import Route

from qcrbox_hub.bridge.callers import App, OwnCallersOnly
from qcrbox_hub.bridge.forwarding import Forwarding
from qcrbox_hub.bridge.upstream import Upstream
from qcrbox_hub.bridge.windows import Window, Windows

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Ports:
    """Ports wished for; 0: any free one."""

    rest: int = 11000
    window: int = 12004
    vnc: int = 5904
    of_applications: dict[str, int] = field(default_factory=dict)  # slug -> HTTP port of its window


class Bridge:
    """Serves one person. `ready` is called with (address of REST, window of the newest session)."""

    def __init__(self, upstream: Upstream, ports: Ports) -> None:
        self._upstream, self._ports = upstream, ports
        self._running: list[asyncio.Task[None]] = []
        self._servers: list[_Server] = []
        self._vnc: list[asyncio.Server] = []
        self._first_window = 0
        self.windows = Windows(upstream, self._open_window)

    async def run(self, ready: Callable[[str, Window], None]) -> None:
        """Until SIGINT or SIGTERM. Raises Conflict for a port that is taken, and what signing in raises."""
        await self._upstream.sign_in()
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        try:
            forwarding = Forwarding(self._upstream, self.windows)
            rest = Starlette(routes=[Route("/{path:path}", forwarding.answer, methods=_METHODS)])
            port = self._serve(OwnCallersOnly(rest), self._ports.rest, "--port")
            newest = await self.windows.window("", "")
            ready(f"http://127.0.0.1:{port}", newest)
            await stopped.wait()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            await self._stop()
            await self._upstream.close()

    async def _open_window(self, window: Window) -> tuple[int, int]:
        app = self.windows.app(window)
        if not window.slug:
            self._first_window = self._serve(app, self._ports.window, "--window-port")
            return self._first_window, await self._serve_vnc(window, self._ports.vnc)
        wished = self._ports.of_applications.get(window.slug)
        if wished is not None:
            port = self._serve(app, wished, f"--session-port {window.slug}=")
        else:
            port = self._serve_near(app, self._first_window + 1)
        return port, await self._serve_vnc(window, 0)

    def _serve_near(self, app: App, first: int) -> int:
        """The next free port, so that an application has the same one each time."""
        for port in range(first, first + 100):
            with contextlib.suppress(Conflict):
                return self._serve(app, port, "--session-port")
        return self._serve(app, 0, "--session-port")

    def _serve(self, app: App, wished: int, flag: str) -> int:
        sockets = listening(wished, flag)
        server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # who has connected is not for the client to say
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._servers.append(server)
        self._running.append(asyncio.create_task(server.serve(sockets)))
        return sockets[0].getsockname()[1]

    async def _serve_vnc(self, window: Window, wished: int) -> int:
        sockets = listening(wished, "--vnc-port")

        async def viewer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.windows.serve_vnc(window, reader, writer)

        for each in sockets:
            self._vnc.append(await asyncio.start_server(viewer, sock=each))
        return sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        for vnc in self._vnc:
            vnc.close()
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._running, return_exceptions=True)


class _Server(uvicorn.Server):
    """Signals belong to the bridge, not to each of its ports."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(port: int, flag: str) -> list[socket.socket]:
    """Sockets on one port of 127.0.0.1 and, where there is one, ::1. Raises Conflict when it is taken.

    Both, because `localhost` is either: another account could take the one that we leave.
    """
    sockets = [_bound(socket.AF_INET, "127.0.0.1", port, flag)]
    if not socket.has_ipv6:
        return sockets
    try:
        sockets.append(_bound(socket.AF_INET6, "::1", sockets[0].getsockname()[1], flag))
    except Conflict:
        sockets[0].close()
        raise
    except OSError:
        pass  # no IPv6 on this machine
    return sockets


def _bound(family: socket.AddressFamily, host: str, port: int, flag: str) -> socket.socket:
    # asyncio sends small packets at once only where the protocol is named; else each answer may wait 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows this option would let another program take the port away.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(100)
        made.setblocking(False)
    except OSError as error:
        made.close()
        if error.errno in (98, 48, 10048, 13):  # in use (Linux, macOS, Windows), or not for this account
            raise Conflict(
                f"Port {port} cannot be used.",
                where=f"{host}:{port}",
                why=f"({error.strerror})",
                next=f"Stop the program that has it, or choose another one with {flag}.",
                port=port,
            ) from None
        raise
    return made
