"""Progress to whoever runs the calculation; silent outside an agent."""

from __future__ import annotations

from typing import Any

try:
    from qcrbox_agent.progress import report
except ImportError:

    def report(fraction: float | None = None, text: str = "", **metrics: Any) -> None:
        """Nobody listens: the log lines say the same."""


__all__ = ["report"]
