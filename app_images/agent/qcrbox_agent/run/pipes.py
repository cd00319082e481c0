"""Reading the output of a program from pipes without ever waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

SIZE = 65536


class Pipe:
    """The read end of a pipe on the event loop. `write_fd` goes to the program and is closed here after that."""

    def __init__(self, on_data: Callable[[bytes], None]) -> None:
        self._on_data = on_data
        self._fd, self.write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._fd, False)
        self._open = True
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def given(self) -> None:
        """The program has its end now."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def redirect(self, on_data: Callable[[bytes], None]) -> None:
        """Pass further output to `on_data`."""
        self._on_data = on_data

    def _readable(self) -> None:
        # One read a turn: a program that floods must not starve heartbeats.
        self._read_once()

    def _read_once(self) -> bool:
        try:
            data = os.read(self._fd, SIZE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            return False
        self._on_data(data)
        return True

    def drain(self, most: int = 1024) -> None:
        """Read what is there now (a pipe holds 64 kB; `most` bounds what a living writer can add)."""
        while self._open and most and self._read_once():
            most -= 1

    def close(self) -> None:
        """Stop reading and close the file descriptor. May be called twice."""
        if self._open:
            self._open = False
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
        self.given()
