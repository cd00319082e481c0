"""Reports progress to the agent; silent outside an agent."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

try:
    from qcrbox_agent.progress import not_applied, note, report, warn
except ImportError:

    def report(fraction: float | None = None, text: str = "", **metrics: Any) -> None:
        """Does nothing outside an agent: the log lines contain the same."""

    def warn(text: str) -> None:
        """Does nothing outside an agent: the log lines contain the same."""

    def note(text: str) -> None:
        """Nobody listens: the log lines say the same."""

    def not_applied(text: str) -> None:
        """Nobody listens: the log lines say the same."""


_TELLERS = {"warning": warn, "note": note, "not_applied": not_applied}


def tell(remarks: Iterable[tuple[str, str]]) -> None:
    """Send remarks, each (kind, text), to the result of the calculation."""
    for kind, text in remarks:
        _TELLERS[kind](text)


def say(text: str) -> None:
    """One line for the calculation's log, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


__all__ = ["report", "say", "tell"]
