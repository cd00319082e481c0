"""State of a calculation, from its record and its events."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from qcrbox.client.metrics import figures
from qcrbox.contract.remark_kinds import RemarkKind
from qcrbox.contract.states import FINAL, State

LOG_LINES = 200  # kept of the log


@dataclass(frozen=True)
class Progress:
    """Progress of a calculation: `fraction` 0..1 or None, the program's text and metrics, its place in the queue."""

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
        parts += [f"{label} {text}" for label, text in figures(self.metrics)]
        return ", ".join(parts)


class Live:
    """State of one calculation. A final state never changes: late or repeated messages are ignored."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.lock = threading.RLock()
        self.record: dict[str, Any] = {}
        self.status: State = State.SUBMITTED
        self.step = ""
        self.progress = Progress()
        self.history: list[dict[str, float]] = []
        self.log_lines: list[str] = []
        self.error_msg = ""
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.not_applied: list[str] = []
        self.times: dict[str, float] = {}
        self.complete = False  # the whole record of an ended calculation is known
        self.take_record(record)

    @property
    def final(self) -> bool:
        """True in a final state."""
        return self.status in FINAL

    @property
    def doubt(self) -> str:
        """Why a successful calculation needs a look: "not converged", "with warnings", or "". Notes are no reason."""
        if self.status != State.SUCCESSFUL:
            return ""
        said = any("not converged" in warning.lower() for warning in self.warnings)
        if said or self.progress.metrics.get("converged") == 0:
            return "not converged"
        return "with warnings" if self.warnings else ""

    def take_record(self, record: dict[str, Any]) -> None:
        """Apply the record of the calculation as REST gives it."""
        with self.lock:
            self.record = {**self.record, **record}
            events = record.get("status_events") or []
            more = (events[-1].get("extra_info") if events else None) or {}
            merged = {**more, **{key: record[key] for key in record if record[key] is not None}}
            self._take_state(record.get("status"), merged.get("step"))
            self._take_details(merged)
            kept = (record.get("progress") or {}).get("history")
            if isinstance(kept, list) and len(kept) >= len(self.history):
                self.history = [row for row in kept if isinstance(row, dict)]
            for event in events:
                if at := _unix(event.get("timestamp")):
                    self.times.setdefault(str(event.get("status")), at)
            self.complete = self.complete or (self.final and bool(events))

    def ends_with(self, data: dict[str, Any]) -> bool:
        """True when this event is the change to a final state."""
        return not self.final and data.get("status") in {str(state) for state in FINAL}

    def take_event(self, name: str, data: dict[str, Any]) -> None:
        """Apply an event of the registry. Its state is ignored once the calculation has ended."""
        with self.lock:
            kind = str(data.get("kind") or name)
            merged = {**data, "kind": kind}
            self._take_state(merged.get("status"), merged.get("step"))
            self._take_details(merged)
            metrics = merged.get("metrics")
            if metrics and kind.endswith("progress"):
                self._add_to_history(metrics)
            if kind.endswith("log") and isinstance(merged.get("text"), str):
                self._add_to_log(merged["text"])

    @property
    def started_at(self) -> float | None:
        """Unix time (s) of the submission; None when it is not known."""
        return self.times.get("submitted") or _unix(self.record.get("submitted_at")) or None

    @property
    def ended_at(self) -> float | None:
        """Unix time (s) of the end; None before it."""
        ends = [self.times[str(state)] for state in FINAL if str(state) in self.times]
        return ends[0] if ends else _unix(self.record.get("finished_at")) or None

    @property
    def elapsed_s(self) -> float | None:
        """Seconds since the program started, up to its end; None before it starts."""
        start = self.times.get("running")
        if not start:
            return None
        end = self.ended_at if self.final else time.time()
        return None if end is None else max(0.0, end - start)

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

    def _take_details(self, record: dict[str, Any]) -> None:
        inner, queued = record.get("progress"), record.get("queue")
        progress: dict[str, Any] = inner if isinstance(inner, dict) else record
        queue: dict[str, Any] = queued if isinstance(queued, dict) else {}
        now = self.progress
        metrics = progress.get("metrics")
        is_log = str(record.get("kind", "")).endswith("log")
        place = queue.get("place")  # 1 is next
        self.progress = Progress(
            fraction=_share(progress.get("fraction"), now.fraction),
            text=now.text if is_log else str(_or(progress.get("text"), now.text)),
            metrics=dict(metrics) if metrics else now.metrics,
            step=self.step or str(self.status),
            queue_position=now.queue_position if place is None else max(0, int(place) - 1),
            estimated_start_s=_until(queue.get("estimated_start"), now.estimated_start_s),
            waits_for=str(queue.get("reason") or now.waits_for),
        )
        self.error_msg = str(record.get("error_msg") or self.error_msg)
        if record.get("warnings"):
            self.warnings = [str(w) for w in record["warnings"]]
        remarks = [
            remark
            for remark in record.get("remarks") or []
            if isinstance(remark, dict) and remark.get("text")
        ]
        if remarks:
            # A kind that a newer registry adds informs, as a note does.
            not_applied = [remark.get("kind") == RemarkKind.NOT_APPLIED for remark in remarks]
            texts = [str(remark["text"]) for remark in remarks]
            self.notes = [text for text, apart in zip(texts, not_applied, strict=True) if not apart]
            self.not_applied = [text for text, apart in zip(texts, not_applied, strict=True) if apart]

    def _add_to_history(self, metrics: dict[str, float]) -> None:
        if self.history and self.history[-1].get("cycle") == metrics.get("cycle") and "cycle" in metrics:
            self.history[-1] = {**self.history[-1], **metrics}
        else:
            self.history.append(dict(metrics))

    def _add_to_log(self, text: str) -> None:
        self.log_lines = [*self.log_lines, *text.splitlines()][-LOG_LINES:]


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _share(value: Any, otherwise: float | None) -> float | None:
    """A fraction between 0 and 1; programs may report what is none."""
    if not isinstance(value, (int, float)) or math.isnan(value):
        return otherwise
    return min(max(float(value), 0.0), 1.0)


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
