"""The registry with a wall clock that a file moves and a witness of its turns.

`python -m tests.faults.watched_registry CLOCK_FILE TURNS_FILE …`
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from qcrbox_registry import __main__ as registry
from qcrbox_registry.scheduler import scheduler
from qcrbox_registry.scheduler.clock import Clock

from tests.faults.witness import Witness


class FileClock(Clock):
    """The offset of the wall clock, s, stands in a file."""

    path = Path()

    def time(self) -> float:
        try:
            return time.time() + float(self.path.read_text() or 0)
        except (OSError, ValueError):
            return time.time()


def show_tasks(*_: object) -> None:
    """What every coroutine waits for, on standard error: for a run that did not come to its end."""
    for one, loop in _running:
        for task in asyncio.all_tasks(loop):
            task.print_stack(limit=6, file=sys.stderr)
        sys.stderr.write(f"{one.status()}\n{one.state.fleet.applications}\n")


_running: list[tuple[scheduler.Scheduler, asyncio.AbstractEventLoop]] = []
_start = scheduler.Scheduler.start


async def _start_watched(self: scheduler.Scheduler) -> None:
    _running.append((self, asyncio.get_running_loop()))
    await _start(self)
    Witness(Path(sys.argv[2])).watch(self.dispatcher)


if __name__ == "__main__":
    scheduler.Scheduler.start = _start_watched  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR2, show_tasks)
    FileClock.path = Path(sys.argv[1])
    scheduler.Clock = FileClock  # type: ignore[misc]
    sys.exit(registry.main(sys.argv[3:]))
