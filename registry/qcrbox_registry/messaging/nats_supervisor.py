"""The parent of a nats-server: ends it with the platform, starts it again when it died or its disk was full.

After a write that failed for lack of space nats-server keeps a stream closed, also when there is space again, and
answers nothing about it; only its log says so. This parent reads the log and restarts the server once the disk has
room. `python -m qcrbox_registry.messaging.nats_supervisor --log FILE --store DIR -- COMMAND…`
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from qcrbox import lifeline
from qcrbox.signal_flag import SignalFlag

LOOK_S = 0.5
LONGEST_PAUSE_S = 10.0
LIVED_WELL_S = 30.0
FREE_BYTES = 16 * 1024 * 1024
_BROKEN = (b"critical write error", b"JetStream out of")


class LogWatch:
    """Finds the lines that say that a stream is closed; looks at what was written since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = self._size()

    def is_broken(self) -> bool:
        """Whether the server has logged, since the last call, that its store cannot be written."""
        size = self._size()
        if size < self._offset:  # a new log was begun
            self._offset = 0
        if size == self._offset:
            return False
        with self._path.open("rb") as file:
            file.seek(self._offset)
            new = file.read(1 << 20)
        self._offset += len(new)
        return any(words in new for words in _BROKEN)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


class NatsSupervisor:
    """Runs nats-server and restarts it after a crash or a full disk."""

    def __init__(self, command: list[str], watch: LogWatch, has_room: Callable[[], bool]) -> None:
        self._command, self._watch, self._has_room = command, watch, has_room
        self._stopping = SignalFlag()
        self._is_broken = False
        self.starts = 0

    def run(self) -> int:
        """Until `stop`; the exit code of the last server."""
        pause = 0.1
        code = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            self._child = subprocess.Popen(self._command, preexec_fn=lifeline.die_with_parent)
            self.starts += 1
            code = self._follow()
            if self._stopping.is_set():
                break
            lived_well = time.monotonic() - started > LIVED_WELL_S
            pause = 0.1 if lived_well else min(pause * 2, LONGEST_PAUSE_S)
            self._stopping.wait(pause)
        return code

    def _follow(self) -> int:
        while True:
            try:
                return self._child.wait(LOOK_S)
            except subprocess.TimeoutExpired:
                pass
            if self._stopping.is_set():
                return self._end()
            self._is_broken = self._watch.is_broken() or self._is_broken
            if self._is_broken and self._has_room():
                self._is_broken = False
                return self._end()

    def _end(self, grace_s: float = 5.0) -> int:
        self._child.terminate()
        try:
            return self._child.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def stop(self) -> None:
        """Terminate the server and do not restart it."""
        self._stopping.set()
        child = getattr(self, "_child", None)
        if child is not None and child.poll() is None:
            child.terminate()


def has_room(folder: Path) -> bool:
    """Whether the disk has enough free bytes for the server to start."""
    try:
        return shutil.disk_usage(folder).free > FREE_BYTES
    except OSError:
        return False


def main(argv: list[str] | None = None) -> int:
    """Run the supervisor on the command after the flags; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m qcrbox_registry.messaging.nats_supervisor")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(argv)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    keeper = NatsSupervisor(command, LogWatch(given.log), lambda: has_room(given.store))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.stop())
    lifeline.watch(keeper.stop)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
