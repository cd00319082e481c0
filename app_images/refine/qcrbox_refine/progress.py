"""Reports progress to the agent; silent outside an agent."""

from __future__ import annotations

import sys
from typing import Any

try:
    from qcrbox_agent.progress import report, warn
except ImportError:

    def report(fraction: float | None = None, text: str = "", **metrics: Any) -> None:
        """Does nothing outside an agent: the log lines contain the same."""

    def warn(text: str) -> None:
        """Does nothing outside an agent: the log lines contain the same."""


def say(text: str) -> None:
    """One line for the calculation's log, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


__all__ = ["report", "say", "warn"]
