"""The command of the test application: counts seconds and reports each as progress."""

from __future__ import annotations

import time

from qcrbox_agent.progress import report


def count(seconds: int = 20) -> None:
    """Count seconds."""
    for second in range(1, int(seconds) + 1):
        time.sleep(1)
        print(f"second {second}", flush=True)
        report(second / int(seconds), f"second {second} of {seconds}", second=second)
