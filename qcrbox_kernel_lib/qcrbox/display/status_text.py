"""The state of a calculation in words: one line, its place in the queue, its error, and the data of its card."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from qcrbox.client.live import Live
from qcrbox.client.metrics import figure_label, figure_text, figures
from qcrbox.contract.states import State, state_word
from qcrbox.display.failure_words import failure_of
from qcrbox.language import tr
from qcrbox.markup import Dated

_ICONS = {
    "submitted": "◷",
    "running": "▶",
    "successful": "✓",
    "failed": "✗",
    "cancelled": "⊘",
    "unknown": "?",
}


def status_text(live: Live) -> str:
    """Icon and state in English, as tables that a script may read show them; a result in doubt has a warning sign."""
    if live.doubt:
        return f"⚠ {state_word(live.status)}, {live.doubt}"
    return f"{_ICONS.get(str(live.status), '')} {state_word(live.status)}"


def translated_status(live: Live) -> str:
    """Icon and state in the person's language."""
    if live.doubt:
        return f"⚠ {tr(state_word(live.status))}, {tr(live.doubt)}"
    return f"{_ICONS.get(str(live.status), '')} {tr(state_word(live.status))}"


def start_text(live: Live) -> str:
    """Local date and time of the submission; empty when it is not known."""
    started = live.started_at
    return day_and_time(datetime.fromtimestamp(started)) if started else ""


def day_and_time(at: datetime) -> Dated:
    """A moment on this machine's clock: 2026-11-29 18:24."""
    return Dated("", at, at.astimezone().strftime("%Y-%m-%d %H:%M"))


def title_text(live: Live, title: str) -> str:
    """A title with the local time of the end (of the submission, before that): `thpp · IAM refinement · R1 0.0412 · 18:24`.

    The day stands before the time unless it is today. A name that a person gave stands alone.
    """
    at = live.ended_at or live.started_at
    if live.record.get("name") or not at:
        return title
    moment = datetime.fromtimestamp(at).astimezone()
    is_today = moment.date() == datetime.now().astimezone().date()
    return Dated(f"{title} · ", moment, moment.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M"))


def queue_text(live: Live) -> str:
    """`Queued: 14 before you, about 6 min. Your group may run 8 at once.`; empty unless it is queued."""
    progress = live.progress
    if live.status != State.SUBMITTED:
        return ""
    place, after = progress.queue_position, progress.estimated_start_s
    about = _duration(after) if after else ""
    if place is None:
        text = tr("Queued, about {time}.", time=about) if about else tr("Queued.")
    elif place:
        text = (
            tr("Queued: {n} before you, about {time}.", n=place, time=about)
            if about
            else tr("Queued: {n} before you.", n=place)
        )
    else:
        text = tr("Queued: next, about {time}.", time=about) if about else tr("Queued: next.")
    return f"{text} {progress.waits_for}".strip()


def brief_text(live: Live) -> str:
    """One line: the error, the queue, or the progress."""
    if live.error_msg and live.final:
        return failure_of(live.error_msg)[0].splitlines()[0]
    if live.status == State.SUBMITTED:
        return queue_text(live)
    if live.progress.text:
        return live.progress.text
    shown = [f"{label} {text}" for label, text in figures(live.progress.metrics)]
    return ", ".join(shown) or ("" if live.final else live.step)


def line_text(live: Live, name: str, short_id: str, *, width: int = 0) -> str:
    """One line with state, name, id and progress; a bar of `width` characters where the fraction is known."""
    bar = ""
    if width and live.progress.fraction is not None and not live.final:
        full = round(live.progress.fraction * width)
        bar = f" [{'█' * full}{'·' * (width - full)}]"
    brief = brief_text(live)
    return f"{translated_status(live)} {name} ({short_id}){bar}{f' – {brief}' if brief else ''}"


def card_state(live: Live) -> dict[str, Any]:
    """Everything a card shows of the state, as JSON."""
    with live.lock:
        error, details = failure_of(live.error_msg) if live.error_msg else ("", "")
        return {
            "status": str(live.status),
            "word": state_word(live.status),
            "final": live.final,
            "step": live.step,
            "fraction": live.progress.fraction,
            "text": live.progress.text,
            "metrics": live.progress.metrics,
            "figures": [
                {"name": name, "label": figure_label(name), "text": figure_text(name, value)}
                for name, value in live.progress.metrics.items()
            ],
            "queue": queue_text(live),
            "history": live.history[-200:],
            "log": live.log_lines,
            "error": error,
            "details": details,
            "doubt": live.doubt,
            "warnings": live.warnings,
            "not_applied": live.not_applied,
            "notes": live.notes,
            "elapsed_s": live.elapsed_s,
        }


def lost_connection_text(calculations: int, lost_s: float | None) -> str:
    """`Connection lost 20 s ago; …`; empty while the connection is there (`lost_s` is None)."""
    if lost_s is None:
        return ""
    seconds = f"{max(0.0, lost_s):.0f}"
    if calculations == 1:
        return tr("Connection lost {s} s ago; your calculation is still running. Retrying…", s=seconds)
    return tr(
        "Connection lost {s} s ago; your {n} calculations are still running. Retrying…",
        s=seconds,
        n=calculations,
    )


def first_error(log: str, message: str = "") -> int | None:
    """Number (from 1) of the log line with the error: the reported message, else the first line that looks like one."""
    lines = log.splitlines()
    # A message of several lines is written to the log as lines.
    reported = message.strip().partition("\n")[0].rstrip()[:60]
    for number, line in enumerate(lines, 1):
        if reported and reported in line:
            return number
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(error|fatal|exception|traceback|failed)\b", line, re.IGNORECASE):
            return number
    return None


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
