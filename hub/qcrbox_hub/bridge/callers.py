"""Who may use the bridge: programs of the same person, and pages that the bridge itself has served.

The bridge uses a person's token for every caller that reaches its ports. Three kinds of strangers reach a loopback port: pages
of other sites in the person's browser (also under a name of their own that they let point to 127.0.0.1), and
programs of other accounts of the machine.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import NotAllowed, QcError, UserInputError
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


class OwnCallersOnly:
    """ASGI middleware: refuses every other caller before anything of the request is read."""

    def __init__(self, app: App, *, pages: frozenset[str] = frozenset()) -> None:
        """pages: paths to which a page of another site may link."""
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            require_own_page(scope, self._pages)
            require_own_program(scope["client"], scope["server"])
        except QcError as error:
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).close(1008)
            else:
                await JSONResponse(error.envelope(), error.status)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def require_own_page(scope: Scope, pages: frozenset[str] = frozenset()) -> None:
    """Raises NotAllowed for requests that a page of another site has made, under whatever name it reached us."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    port = scope["server"][1]
    host = headers.get(b"host", "").lower()
    if host not in {f"{name}:{port}" for name in _NAMES} and not (port == 80 and host in _NAMES):
        raise NotAllowed(
            "This address is not one of the bridge's.",
            where=host[:100],
            why="Pages of other sites could reach it under a name of their own.",
            next=f"Use http://127.0.0.1:{port}.",
        )
    origin = headers.get(b"origin")
    foreign = origin is not None and origin.lower() != f"http://{host}"
    site = headers.get(b"sec-fetch-site", "none")
    opened = headers.get(b"sec-fetch-mode") == "navigate" and scope.get("method") in ("GET", "HEAD")
    if site not in ("none", "same-origin") and not (opened and scope["path"] in pages):
        foreign = True
    if foreign:
        raise NotAllowed("Cross-origin request refused.", why="The request came from a page of another site.")


def require_own_program(client: tuple[str, int] | None, server: tuple[str, int]) -> None:
    """Raises NotAllowed for a connection from another account of this machine; checked on Linux only."""
    if client is None:
        raise NotAllowed("The connection does not say where it comes from.")
    owner = owner_of(client, server)
    if owner is not None and owner not in (os.getuid(), 0):
        raise NotAllowed(
            "This bridge belongs to another account of this machine.",
            next="Start your own: qcrbox bridge.",
        )


def knows_accounts() -> bool:
    """True where the account behind a connection can be determined."""
    return _TABLES[0].exists()


def owner_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The account (uid) that holds the client's end of a loopback connection; None when it cannot be determined."""
    if not knows_accounts():
        return None
    wanted = (_as_kernel_writes(client), _as_kernel_writes(server))
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            # Without an inode no program holds that end any more, and the kernel shows it as root's.
            if tuple(words[1:3]) == wanted and words[9] != "0":
                return int(words[7])
    # The client has hung up: nothing that it sent is acted upon.
    raise NotAllowed("The connection is gone.")


def _as_kernel_writes(end: tuple[str, int]) -> str:
    """Address and port as /proc/net/tcp has them: hexadecimal, 32-bit words in the machine's byte order."""
    try:
        address = ipaddress.ip_address(end[0])
    except ValueError:
        raise UserInputError(f"{end[0]!r} is no address.") from None
    packed = address.packed
    words = [packed[at : at + 4] for at in range(0, len(packed), 4)]
    text = "".join(f"{int.from_bytes(word, 'little' if _LITTLE else 'big'):08X}" for word in words)
    return f"{text}:{end[1]:04X}"


_LITTLE = socket.htonl(1) != 1
