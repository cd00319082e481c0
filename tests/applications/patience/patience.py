"""The commands of the test application: count seconds and report each as progress."""

from __future__ import annotations

import time
from pathlib import Path

from qcrbox_agent.progress import report


def count(seconds: int = 20) -> None:
    """Count seconds."""
    for second in range(1, int(seconds) + 1):
        time.sleep(1)
        _tell(second, int(seconds))


def count_until(file: str) -> None:
    """Count seconds until a file is there: as long as somebody needs to look, on a slow machine too."""
    second = 0
    while not Path(file).exists():
        time.sleep(1)
        second += 1
        _tell(second, 600)
    print(f"found {Path(file).name}", flush=True)


def _tell(second: int, seconds: int) -> None:
    report(second / seconds, f"second {second} of {seconds}", second=second)
    # After the progress: what the program writes must not take its progress away.
    print(f"second {second}", flush=True)
