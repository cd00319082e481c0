"""The registry, with a wall clock that a file moves: `python -m tests.faults.registry_with_clock CLOCK_FILE …`"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from qcrbox_registry import __main__ as registry
from qcrbox_registry.scheduler import scheduler
from qcrbox_registry.scheduler.clock import Clock


class FileClock(Clock):
    """The offset of the wall clock, s, stands in a file."""

    path = Path()

    def time(self) -> float:
        try:
            return time.time() + float(self.path.read_text() or 0)
        except (OSError, ValueError):
            return time.time()


if __name__ == "__main__":
    FileClock.path = Path(sys.argv[1])
    scheduler.Clock = FileClock  # type: ignore[misc]
    sys.exit(registry.main(sys.argv[2:]))
