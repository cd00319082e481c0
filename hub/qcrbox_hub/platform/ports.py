"""TCP ports: which are free, and who holds one that is not."""

from __future__ import annotations

import contextlib
import socket

import psutil
from qcrbox.contract.errors import Conflict, UserInputError


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(_family(host)) as probe:
        # A port in TIME_WAIT of the last run is free for a server, which binds with this option too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(host: str, port: int) -> None:
    """Raises Conflict naming the process that holds the port, UserInputError for an unusable address."""
    if not 0 < port < 65536:
        raise UserInputError(f"{port} is not a port number.", next="Choose one from 1 to 65535 with --port.")
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise UserInputError(
                f"Port {port} may not be opened by this user.",
                why="Ports below 1024 need special rights.",
                next="Choose another one with --port.",
            ) from error
        except OSError as error:
            if error.errno in (98, 48):  # EADDRINUSE on Linux and macOS
                raise Conflict(
                    f"Port {port} is in use{_by(port)}.",
                    where=f"{host}:{port}",
                    next="Stop that program, or choose another port with --port.",
                    port=port,
                ) from error
            raise UserInputError(
                f"This machine has no address {host}.",
                why=f"{error.strerror}.",
                next="Choose another --host.",
            ) from error


def choose(count: int, host: str = "127.0.0.1") -> list[int]:
    """`count` different free ports, as the kernel gives them."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((host, 0))
        return [each.getsockname()[1] for each in sockets]


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _by(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid:
                    return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
                break
    except psutil.Error:
        pass  # of another user: the message does without the name
    return ""
