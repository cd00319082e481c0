"""How a Python callable reports its progress, and remarks on its result.

    from qcrbox_agent.progress import note, not_applied, report, warn  # the same functions as here
    report(0.4, "cycle 4 of 10", R1=0.0523, max_shift_su=1.2)
    warn("Finished, but not converged: max shift/s.u. 0.31 (z of C7).")
    note("N3 and C3 (0.8/0.2) are taken as alternatives.")
    not_applied("MPLA 3 C1 C2 C3 (planes are not computed)")

A calculation with a warning is shown in amber: its result should be looked at before it is used. Notes and what was not
applied are shown beside it and change nothing.

Outside an agent these do nothing, so a module runs and can be tested without one. `say` and `tell` are for commands that
write a log and keep their remarks until the end.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from qcrbox.contract.remark_kinds import RemarkKind

Sink = Callable[[dict[str, Any]], None]
_sink: Sink | None = None


def report(fraction: float | None = None, text: str = "", **metrics: float) -> None:
    """fraction: 0..1 or None when not known; metrics: plain numbers by name. Never raises for odd numbers."""
    if _sink is None:
        return
    part = _number(fraction)
    known = None if math.isnan(part) else min(max(part, 0.0), 1.0)
    # JSON has no nan and no infinity; a metric that is not a number says nothing.
    numbers = {name: number for name, value in metrics.items() if math.isfinite(number := _number(value))}
    _sink({"fraction": known, "text": str(text), "metrics": numbers, "at": time.time()})


def _number(value: Any) -> float:
    """A number as float; NaN for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def warn(text: str) -> None:
    """A warning that stays with the calculation and stands in its result card."""
    if _sink is not None:
        _sink({"warning": str(text)})


def note(text: str) -> None:
    """Information that stays with the calculation, such as an assumption that was made. No warning."""
    _remark(RemarkKind.NOTE, text)


def not_applied(text: str) -> None:
    """Something of the input that the result does without, and why. No warning."""
    _remark(RemarkKind.NOT_APPLIED, text)


def tell(remarks: Iterable[Sequence[str]]) -> None:
    """Send remarks, each (kind, text): "warning", "note" or "not_applied"."""
    for kind, text in remarks:
        _TELLERS[kind](text)


def say(text: str) -> None:
    """One line for the log of the calculation, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _remark(kind: RemarkKind, text: str) -> None:
    if _sink is not None:
        _sink({"remark": str(text), "kind": str(kind)})


_TELLERS = {"warning": warn, "note": note, "not_applied": not_applied}


def send_to(sink: Sink | None) -> None:
    """For the agent's worker process: where reports and warnings go."""
    global _sink
    _sink = sink
