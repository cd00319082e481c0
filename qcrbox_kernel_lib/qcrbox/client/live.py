"""What is known of a calculation at this moment, from its record and from events; and its words."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from qcrbox.contract.states import FINAL, State
from qcrbox.language import tr

_LOG_LINES = 200
_ICONS = {
    "submitted": "◷",
    "running": "▶",
    "successful": "✓",
    "failed": "✗",
    "cancelled": "⊘",
    "unknown": "?",
}


@dataclass(frozen=True)
class Progress:
    """How far it is: `fraction` 0..1 or None, what the program says, its metrics, the queue before it."""

    fraction: float | None = None
    text: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    step: str = ""
    queue_position: int | None = None
    estimated_start_s: float | None = None
    waits_for: str = ""

    def __repr__(self) -> str:
        return f"<Progress: {self}>"

    def __str__(self) -> str:
        parts = [self.step] if self.step else []
        if self.queue_position:
            parts.append(f"{self.queue_position} before you")
        if self.fraction is not None:
            parts.append(f"{self.fraction:.0%}")
        if self.text:
            parts.append(self.text)
        parts += [f"{name} {value:.6g}" for name, value in self.metrics.items()]
        return ", ".join(parts)


class Live:
    """State of one calculation. Only ever moves on: a late or repeated message changes nothing."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._lock = threading.RLock()
        self.said: dict[str, Any] = {}
        self.status: State = State.SUBMITTED
        self.step = ""
        self.progress = Progress()
        self.history: list[dict[str, float]] = []
        self.log_lines: list[str] = []
        self.error_msg = ""
        self.warnings: list[str] = []
        self.times: dict[str, float] = {}
        self.complete = False  # the whole record of an ended calculation is known
        self.take_said(said)

    @property
    def final(self) -> bool:
        return self.status in FINAL

    # ------------------------------------------------------------ taking news

    def take_said(self, said: dict[str, Any]) -> None:
        """The record as REST gives it."""
        with self._lock:
            self.said = {**self.said, **said}
            events = said.get("status_events") or []
            more = (events[-1].get("extra_info") if events else None) or {}
            merged = {**more, **{key: said[key] for key in said if said[key] is not None}}
            self._take_state(said.get("status"), merged.get("step"))
            self._take_details(merged)
            kept = (said.get("progress") or {}).get("history")
            if isinstance(kept, list) and len(kept) >= len(self.history):
                self.history = [row for row in kept if isinstance(row, dict)]
            for event in events:
                self.times.setdefault(str(event.get("status")), _unix(event.get("timestamp")))
            self.complete = self.complete or (self.final and bool(events))

    def ends_with(self, data: dict[str, Any]) -> bool:
        """True when this event brings the end."""
        return not self.final and data.get("status") in {str(state) for state in FINAL}

    def take_event(self, name: str, data: dict[str, Any]) -> None:
        """An event; what it says of the state counts only until the end."""
        with self._lock:
            merged = dict(data)
            kind = str(merged.get("kind") or name)
            self._take_state(merged.get("status"), merged.get("step"))
            self._take_details(merged)
            metrics = merged.get("metrics")
            if metrics and kind.endswith("progress"):
                self._add_to_history(metrics)
            if kind.endswith("log") and isinstance(merged.get("text"), str):
                self._add_to_log(merged["text"])

    def _take_state(self, status: Any, step: Any) -> None:
        if status and not self.final:
            try:
                self.status = State(status)
            except ValueError:
                self.status = State.UNKNOWN
        if step:
            self.step = str(step)
        if self.final:
            self.step = "done"

    def _take_details(self, said: dict[str, Any]) -> None:
        inner, queued = said.get("progress"), said.get("queue")
        progress: dict[str, Any] = inner if isinstance(inner, dict) else said
        queue: dict[str, Any] = queued if isinstance(queued, dict) else {}
        now = self.progress
        metrics = progress.get("metrics")
        is_log = str(said.get("kind", "")).endswith("log")
        place = queue.get("place")  # 1 is next
        self.progress = Progress(
            fraction=_or(progress.get("fraction"), now.fraction),
            text=now.text if is_log else str(_or(progress.get("text"), now.text)),
            metrics=dict(metrics) if metrics else now.metrics,
            step=self.step or str(self.status),
            queue_position=now.queue_position if place is None else max(0, int(place) - 1),
            estimated_start_s=_until(queue.get("estimated_start"), now.estimated_start_s),
            waits_for=str(queue.get("reason") or now.waits_for),
        )
        self.error_msg = str(said.get("error_msg") or self.error_msg)
        if said.get("warnings"):
            self.warnings = [str(w) for w in said["warnings"]]

    def _add_to_history(self, metrics: dict[str, float]) -> None:
        if self.history and self.history[-1].get("cycle") == metrics.get("cycle") and "cycle" in metrics:
            self.history[-1] = {**self.history[-1], **metrics}
        else:
            self.history.append(dict(metrics))

    def _add_to_log(self, text: str) -> None:
        self.log_lines = [*self.log_lines, *text.splitlines()][-_LOG_LINES:]

    # ------------------------------------------------------------ words

    @property
    def status_in_words(self) -> str:
        return f"{_ICONS.get(str(self.status), '')} {self.status}"

    @property
    def status_for_people(self) -> str:
        """The same in the person's language."""
        return f"{_ICONS.get(str(self.status), '')} {tr(str(self.status))}"

    @property
    def when(self) -> str:
        started = self.times.get("submitted") or _unix(self.said.get("submitted_at"))
        return datetime.fromtimestamp(started).astimezone().strftime("%Y-%m-%d %H:%M") if started else ""

    @property
    def elapsed_s(self) -> float | None:
        start = self.times.get("running")
        if not start:
            return None
        ends = [self.times[str(state)] for state in FINAL if str(state) in self.times]
        return max(0.0, (ends[0] if ends else time.time()) - start)

    @property
    def queue_in_words(self) -> str:
        """`Queued: 14 before you, about 6 min. Your group may run 8 at once.`"""
        progress = self.progress
        if self.status != State.SUBMITTED:
            return ""
        place, after = progress.queue_position, progress.estimated_start_s
        about = _duration(after) if after else ""
        if place is None:
            words = tr("Queued, about {time}.", time=about) if about else tr("Queued.")
        elif place:
            words = (
                tr("Queued: {n} before you, about {time}.", n=place, time=about)
                if about
                else tr("Queued: {n} before you.", n=place)
            )
        else:
            words = tr("Queued: next, about {time}.", time=about) if about else tr("Queued: next.")
        return f"{words} {progress.waits_for}".strip()

    @property
    def brief(self) -> str:
        """One line: the error, the queue, or the progress."""
        if self.error_msg and self.final:
            return plain_error(self.error_msg).splitlines()[0]
        if self.status == State.SUBMITTED:
            return self.queue_in_words
        if self.progress.text:
            return self.progress.text
        shown = [f"{name} {value:.4g}" for name, value in self.progress.metrics.items()]
        return ", ".join(shown) or ("" if self.final else self.step)

    def line(self, name: str, short_id: str, *, width: int = 0) -> str:
        bar = ""
        if width and self.progress.fraction is not None and not self.final:
            full = round(self.progress.fraction * width)
            bar = f" [{'█' * full}{'·' * (width - full)}]"
        brief = f" – {self.brief}" if self.brief else ""
        return f"{self.status_for_people} {name} ({short_id}){bar}{brief}"

    def snapshot(self) -> dict[str, Any]:
        with self._lock:
            return {
                "status": str(self.status),
                "final": self.final,
                "step": self.step,
                "fraction": self.progress.fraction,
                "text": self.progress.text,
                "metrics": self.progress.metrics,
                "queue": self.queue_in_words,
                "history": self.history[-200:],
                "log": self.log_lines[-_LOG_LINES:],
                "error": plain_error(self.error_msg),
                "warnings": self.warnings,
                "elapsed_s": self.elapsed_s,
            }


def plain_error(text: str) -> str:
    """A program's message without the name of its exception, which says nothing to its reader."""
    return re.sub(r"^(?:\w+\.)*\w*(?:Error|Failed|Exception): ", "", text)


def first_error(log: str, said: str = "") -> int | None:
    """The line of a log (from 1) where the error stands: the one that was told, else the first that looks like one."""
    lines = log.splitlines()
    told = said.strip()[:60]
    for number, line in enumerate(lines, 1):
        if told and told in line:
            return number
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(error|fatal|exception|traceback|failed)\b", line, re.IGNORECASE):
            return number
    return None


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _unix(stamp: Any) -> float:
    """Unix seconds of an ISO stamp or number; 0 when there is none."""
    if isinstance(stamp, (int, float)):
        return float(stamp)
    try:
        moment = datetime.fromisoformat(str(stamp))
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _until(moment: Any, otherwise: float | None) -> float | None:
    """Seconds from now to a moment given as Unix time or ISO text; small numbers are seconds already."""
    if moment is None:
        return otherwise
    if isinstance(moment, (int, float)) and moment < 1e8:
        return float(moment)
    return max(0.0, _unix(moment) - time.time())


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
