"""Reports progress to the agent; silent outside an agent."""

from __future__ import annotations

import sys
from typing import Any

try:
    from qcrbox_agent.progress import report
except ImportError:

    def report(fraction: float | None = None, text: str = "", **metrics: Any) -> None:
        """Without an agent the log lines say the same."""


def say(text: str) -> None:
    """One line for the log of the calculation, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


__all__ = ["report", "say"]
