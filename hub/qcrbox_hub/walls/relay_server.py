"""`python -m qcrbox_hub.walls.relay_server`: joins people's servers, which have no network, to hub, registry and proxy.

A separate process, so that connections survive a restart of the hub, and without rights, because what it connects to in
`out` is chosen by people's code. The hub orders over a Unix socket, one JSON object a line; what is open is written
down, so that a relay that is started again opens the same ports.
"""

from __future__ import annotations

import asyncio

# Both are loaded at the first look-up of a name; without rights they could not be found any more.
import concurrent.futures.thread  # noqa: F401
import contextlib
import ctypes
import encodings.idna  # noqa: F401
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from qcrbox import lifeline
from qcrbox.contract.errors import QcError
from qcrbox.sandbox.relay import Relay, Target

from qcrbox_hub.platform.data_folder import write_private
from qcrbox_hub.walls.internet import InternetProxy
from qcrbox_hub.walls.relay_settings import RelaySettings
from qcrbox_hub.walls.socket_folders import HUB, INTERNET, PLATFORM, REGISTRY, SERVER, SocketFolders

MOST_CONNECTIONS = 512
_LONGEST_ORDER = 64 * 1024
_PR_SET_NO_NEW_PRIVS = 38
log = logging.getLogger("qcrbox.relay")


class Opened(BaseModel):
    """One server's relays."""

    server: str = Field(pattern=r"[0-9]+(-[a-z0-9-]{1,40})?")
    number: int
    port: int = 0
    internet: bool = False


def source_address(number: int) -> str:
    """The loopback address from which hub and registry see an account's server: it cannot pass for the proxy."""
    return f"127.{64 + (number >> 16 & 63)}.{number >> 8 & 255}.{number & 255}"


class RelayServer:
    """All relays of one platform."""

    def __init__(self, settings: RelaySettings) -> None:
        self.settings = settings
        self.folders = SocketFolders(settings.root, settings.uid)
        self.opened: dict[str, Opened] = {}
        self._relays: dict[str, list[Relay | InternetProxy | PlatformSocket]] = {}

    async def open(self, wanted: Opened) -> int:
        """Open a server's relays; again for one that is open. Returns the port that leads to the server."""
        await self.close(wanted.server)
        incoming, source = self.folders.incoming(wanted.server), source_address(wanted.number)
        to_server = Target(path=self.folders.outgoing(wanted.server) / SERVER, untrusted=True)
        relays: list[Relay | InternetProxy | PlatformSocket] = [
            self._to(self.settings.hub_port, source, incoming / HUB),
            self._to(self.settings.registry_port, source, incoming / REGISTRY),
            Relay(target=to_server, port=wanted.port, most=MOST_CONNECTIONS),
            PlatformSocket(incoming / PLATFORM),
        ]
        if wanted.internet:
            relays.append(InternetProxy(incoming / INTERNET))
        self._relays[wanted.server] = relays
        try:
            for relay in relays:
                wanted.port = await relay.open() or wanted.port
        except OSError:
            await self.close(wanted.server)
            raise
        self.opened[wanted.server] = wanted
        self._write()
        return wanted.port

    def _to(self, port: int, source: str, socket: Path) -> Relay:
        target = Target(host="127.0.0.1", port=port, source=source)
        return Relay(target=target, socket=socket, most=MOST_CONNECTIONS)

    async def close(self, server: str) -> None:
        """Close the relays of a server; an unknown one is ignored."""
        for relay in self._relays.pop(server, ()):
            with contextlib.suppress(OSError):
                await relay.close()
        if self.opened.pop(server, None):
            self._write()

    async def restore(self) -> None:
        """Open what was open when the last relay of this platform ended."""
        try:
            entries = [Opened.model_validate(each) for each in json.loads(self.folders.state.read_text())]
        except (OSError, ValueError):
            return
        for entry in entries:
            try:
                await self.open(entry)
            except OSError as error:
                log.warning("the relay of %s could not be opened again: %s", entry.server, error)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            write_private(
                self.folders.state, json.dumps([each.model_dump() for each in self.opened.values()])
            )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the hub."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._obey(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # the hub ended, or an order was too long
        finally:
            writer.close()

    async def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            match order["do"]:
                case "open":
                    return {"port": await self.open(Opened.model_validate(order["relay"]))}
                case "close":
                    await self.close(str(order["server"]))
                    return {}
            return {"error": "there is no such order"}
        except (OSError, ValueError, KeyError, TypeError, QcError) as error:
            log.warning("an order failed: %r", error)
            return {"error": str(error)}


class PlatformSocket:
    """Keeps connections open while the platform is there: a container's lifeline, which no pipe can be."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> int:
        """Listen on the Unix socket; returns 0 in place of a port."""
        self._socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._hold, str(self._socket))
        self._socket.chmod(0o666)
        return 0

    async def close(self) -> None:
        """Stop listening, close all connections and remove the socket."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.close()
        self._socket.unlink(missing_ok=True)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) < 4:
            self._open.add(writer)
            with contextlib.suppress(OSError):
                while await reader.read(1024):
                    pass
            self._open.discard(writer)
        writer.close()


def drop_rights(uid: int | None) -> None:
    """Become a user that owns nothing. What is needed has to be imported and opened before."""
    if uid is not None and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


async def run(settings: RelaySettings) -> None:
    """Until SIGTERM or the end of the platform."""
    server = RelayServer(settings)
    server.folders.control.unlink(missing_ok=True)
    control = await asyncio.start_unix_server(server.serve, str(server.folders.control), limit=_LONGEST_ORDER)
    server.folders.control.chmod(0o600)
    await server.restore()
    log.info("relays at %s", server.folders.root)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    lifeline.watch(lifeline.terminate_self)
    await end.wait()
    control.close()


def main() -> int:
    """Run the relay with reduced rights until it is terminated; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = RelaySettings.load()
    drop_rights(settings.uid)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
