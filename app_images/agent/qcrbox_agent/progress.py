"""How a Python callable reports its progress, and remarks on its result.

    from qcrbox_agent.progress import report, warn
    report(0.4, "cycle 4 of 10", R1=0.0523, max_shift_su=1.2)
    warn("Not applied: MPLA 3 C1 C2 C3")

Outside an agent the call does nothing, so a module can be tested without one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

Sink = Callable[[dict], None]
_sink: Sink | None = None


def report(fraction: float | None = None, text: str = "", **metrics: float) -> None:
    """fraction: 0..1 or None when not known; metrics: plain numbers by name. Never raises for odd numbers."""
    if _sink is None:
        return
    known = None if fraction is None or math.isnan(float(fraction)) else min(max(float(fraction), 0.0), 1.0)
    # JSON has no nan and no infinity; a metric that is not a number says nothing.
    numbers = {name: float(value) for name, value in metrics.items() if math.isfinite(float(value))}
    _sink({"fraction": known, "text": str(text), "metrics": numbers, "at": time.time()})


def warn(text: str) -> None:
    """A warning that stays with the calculation and stands in its result card."""
    if _sink is not None:
        _sink({"warning": str(text)})


def send_to(sink: Sink | None) -> None:
    """For the agent's worker process: where reports and warnings go."""
    global _sink
    _sink = sink
