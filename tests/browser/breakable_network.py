"""A network between browser and server that can go silent (nothing is closed, nothing arrives) or refuse everything."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading


class BreakableNetwork:
    """Listens on a free port of loopback and passes bytes on to another one."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._passes = threading.Event()
        self._passes.set()
        self._refuses = False
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Silence: connections stay, nothing comes through."""
        self._passes.clear()

    def refuse(self) -> None:
        """Every connection is broken, and so is each new one."""
        self._refuses = True
        for end in list(self._open):
            _break(end)

    def mend(self) -> None:
        self._refuses = False
        self._passes.set()

    def close(self) -> None:
        self.mend()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        self._passes.wait()
        if self._refuses:
            _break(near)
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        ends = {near, far}
        self._open |= ends
        other_way = threading.Thread(target=self._move, args=(near, far), daemon=True)
        other_way.start()
        self._move(far, near)
        other_way.join()
        self._open -= ends
        for end in ends:
            end.close()

    def _move(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._passes.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _break(end: socket.socket) -> None:
    """The other side gets a reset, not a goodbye."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RD)
        end.close()
