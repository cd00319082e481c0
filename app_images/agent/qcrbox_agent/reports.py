"""Progress of a running program: from `report()` of a Python callable or from lines of a log, at most ten a second."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from qcrbox.contract.messages import Progress
from qcrbox.contract.remark_kinds import RemarkKind
from qcrbox.contract.remarks import Remark

PER_SECOND = 10.0
BURST = 20.0  # a short refinement may report each of its cycles at once
MAX_METRICS = 50
MAX_WARNINGS, MAX_WARNING = 100, 500  # the same for other remarks
_KINDS = {str(kind): kind for kind in RemarkKind}


class Reports:
    """Coalesces reports of one attempt: a report that comes too soon is merged into the next one sent.

    warnings, remarks: texts that a callable passed to `warn`, `note` and `not_applied`, for the end of the attempt.
    """

    def __init__(
        self,
        calculation_id: str,
        attempt: int,
        post: Callable[[Progress], object],
        pattern: str | None = None,
    ) -> None:
        self._id, self._attempt, self._post = calculation_id, attempt, post
        self._pattern = re.compile(pattern) if pattern else None
        self._waiting: dict[str, Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tokens, self._counted_at = BURST, 0.0
        self.warnings: list[str] = []
        self.remarks: list[Remark] = []

    def report(self, message: Mapping[str, Any]) -> None:
        """`message` comes from a program, so nothing in it is taken for granted."""
        if "warning" in message:
            self._warn(str(message["warning"]).strip()[:MAX_WARNING])
            return
        if "remark" in message:
            kind = _KINDS.get(str(message.get("kind")), RemarkKind.NOTE)
            self._remark(Remark(kind=kind, text=str(message["remark"]).strip()[:MAX_WARNING]))
            return
        report = _checked(message)
        if self._waiting is not None:
            report["metrics"] = (self._waiting["metrics"] | report["metrics"]) if report["metrics"] else {}
            report["text"] = report["text"] or self._waiting["text"]
            if report["fraction"] is None:
                report["fraction"] = self._waiting["fraction"]
        self._waiting = report
        if self._timer is None:
            self._send_or_wait()

    def _warn(self, text: str) -> None:
        if text and text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    def _remark(self, remark: Remark) -> None:
        if remark.text and remark not in self.remarks and len(self.remarks) < MAX_WARNINGS:
            self.remarks.append(remark)

    def line(self, line: str) -> None:
        """Look for the spec's `progress` pattern in one line of output."""
        if self._pattern is None or (match := self._pattern.search(line[:2000])) is None:
            return
        groups = {name: text for name, text in match.groupdict().items() if text is not None}
        report: dict[str, Any] = {"text": groups.pop("text", ""), "metrics": {}}
        step, steps = groups.get("cycle"), groups.pop("cycles", None)
        if (text := groups.pop("percent", None)) is not None:
            report["fraction"] = _number(text, 0.01)
        elif (text := groups.pop("fraction", None)) is not None:
            report["fraction"] = _number(text)
        elif step is not None and steps is not None and _number(steps):
            report["fraction"] = (_number(step) or 0.0) / (_number(steps) or 1.0)
        report["metrics"] = {name: n for name, text in groups.items() if (n := _number(text)) is not None}
        self.report(report)

    def close(self) -> None:
        """Send the latest progress and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._send()

    def _send_or_wait(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._tokens = min(BURST, self._tokens + (now - self._counted_at) * PER_SECOND)
        self._counted_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            self._send()
        else:
            self._timer = loop.call_later((1.0 - self._tokens) / PER_SECOND, self._timer_ran)

    def _timer_ran(self) -> None:
        self._timer = None
        if self._waiting is not None:
            self._send_or_wait()

    def _send(self) -> None:
        if self._waiting is None:
            return
        report, self._waiting = self._waiting, None
        self._post(Progress(calculation_id=self._id, attempt=self._attempt, **report))


def _checked(message: Mapping[str, Any]) -> dict[str, Any]:
    fraction = _number(message.get("fraction"))
    metrics = message.get("metrics")
    numbers: dict[str, float] = {}
    if isinstance(metrics, Mapping):
        for name, value in list(metrics.items())[:MAX_METRICS]:
            if (number := _number(value)) is not None:
                numbers[str(name)[:60]] = number
    return {
        "fraction": None if fraction is None else min(max(fraction, 0.0), 1.0),
        "text": str(message.get("text") or "")[:500],
        "metrics": numbers,
        "at": _number(message.get("at")) or time.time(),
    }


def _number(value: Any, scale: float = 1.0) -> float | None:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        number = float(value) * scale
        if number - number == 0.0:  # neither nan nor infinite
            return number
    return None
