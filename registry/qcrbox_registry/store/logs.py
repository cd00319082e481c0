"""Log chunks and progress of calculations. Repeated messages change nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.messages import Log, Progress
from sqlalchemy.engine import Connection

from qcrbox_registry.store import events
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import calculations, log_chunks, progress

# The agent cuts at 10 MB; this only keeps a broken one from filling the database.
MOST_BYTES = 16 * 1024 * 1024
MOST_METRICS = 400  # entries of a history
MOST_NAMES, LONGEST_NAME = 50, 100  # metrics in one entry


@dataclass(slots=True)
class _Owner:
    owner_id: int
    group_id: int | None
    attempt: int
    state: str


def _owners(conn: Connection, ids: set[str]) -> dict[str, _Owner]:
    found: dict[str, _Owner] = {}
    for part in parts(sorted(ids)):
        query = sa.select(
            calculations.c.id,
            calculations.c.owner_id,
            calculations.c.group_id,
            calculations.c.attempt,
            calculations.c.state,
        ).where(calculations.c.id.in_(part))
        for row in conn.execute(query):
            found[row.id] = _Owner(row.owner_id, row.group_id, row.attempt, row.state)
    return found


def append(conn: Connection, messages: Sequence[Log]) -> list[events.Event]:
    """Keep log chunks; the events to publish (without a row of their own: the log itself is kept).

    Chunks of an older attempt are kept under that attempt and not published. Each byte of a stream is kept once,
    whatever offsets an agent gives: bytes that are there already are cut off.
    """
    owners = _owners(conn, {message.calculation_id for message in messages})
    kept: dict[tuple[str, int, str], _Kept] = {}
    rows: list[dict[str, Any]] = []
    published: list[events.Event] = []
    for message in messages:
        owner = owners.get(message.calculation_id)
        content = message.text.encode("utf-8", "replace")
        if owner is None or message.offset < 0 or message.offset + len(content) > MOST_BYTES:
            continue
        stream = (message.calculation_id, message.attempt, message.stream)
        if stream not in kept:
            kept[stream] = _Kept(conn, *stream)
        for begin, end in kept[stream].take(message.offset, message.offset + len(content)):
            piece = content[begin - message.offset : end - message.offset]
            # NUL is legal in a program's output and illegal in PostgreSQL's text.
            text = piece.decode("utf-8", "replace").replace("\x00", "\ufffd")
            rows.append(
                {
                    "calculation_id": message.calculation_id,
                    "attempt": message.attempt,
                    "stream": message.stream,
                    "offset": begin,
                    "size": end - begin,
                    "at": message.at,
                    "text": text,
                }
            )
            if message.attempt == owner.attempt:
                payload = {"stream": message.stream, "offset": begin, "text": text}
                published.append(_event("log", message, owner, payload))
    if rows:
        conn.execute(upsert(conn, log_chunks).on_conflict_do_nothing(), rows)
    return published


class _Kept:
    """The bytes of one stream that are kept. Chunks come in order, except redelivered ones, which may fill a gap."""

    def __init__(self, conn: Connection, calculation_id: str, attempt: int, stream: str) -> None:
        self._conn = conn
        self._of_stream = (
            log_chunks.c.calculation_id == calculation_id,
            log_chunks.c.attempt == attempt,
            log_chunks.c.stream == stream,
        )
        self._new: list[tuple[int, int]] = []
        query = sa.select(log_chunks.c.offset + log_chunks.c.size).where(*self._of_stream)
        self._end = conn.execute(query.order_by(log_chunks.c.offset.desc()).limit(1)).scalar() or 0

    def take(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The parts of these bytes that are not kept yet; they count as kept afterwards."""
        missing = [(begin, end)] if begin >= self._end else self._gaps(begin, end)
        missing = [gap for gap in missing if gap[0] < gap[1]]
        self._new += missing
        self._end = max(self._end, end)
        return missing

    def _gaps(self, begin: int, end: int) -> list[tuple[int, int]]:
        size = log_chunks.c.offset + log_chunks.c.size
        query = sa.select(log_chunks.c.offset, size).where(
            *self._of_stream, log_chunks.c.offset < end, size > begin
        )
        covered = [(row[0], row[1]) for row in self._conn.execute(query)]
        gaps, at = [], begin
        for start, stop in sorted(covered + self._new):
            if start > at:
                gaps.append((at, min(start, end)))
            at = max(at, stop)
            if at >= end:
                break
        return [*gaps, (at, end)] if at < end else gaps


def _measured(metrics: dict[str, float]) -> dict[str, float]:
    """The metrics that are kept: finite numbers, with limits on their count and the length of names."""
    kept = [(name[:LONGEST_NAME], value) for name, value in metrics.items() if math.isfinite(value)]
    return dict(kept[:MOST_NAMES])


def update_progress(conn: Connection, messages: Sequence[Progress]) -> list[events.Event]:
    """Keep the newest progress of each calculation and the history of its metrics; the events to publish."""
    owners = _owners(conn, {message.calculation_id for message in messages})
    messages = [message.model_copy(update={"metrics": _measured(message.metrics)}) for message in messages]
    current = {
        message.calculation_id: message
        for message in messages
        if (owner := owners.get(message.calculation_id)) and owner.attempt == message.attempt
    }
    history = _history(conn, current)
    for message in messages:
        if current.get(message.calculation_id) is not None and message.metrics:
            entry = {"at": message.at, **message.metrics}
            if entry not in history[message.calculation_id]:
                history[message.calculation_id].append(entry)
    published = []
    for calculation_id, message in current.items():
        row = {
            "calculation_id": calculation_id,
            "attempt": message.attempt,
            "fraction": message.fraction if math.isfinite(message.fraction or 0.0) else None,
            "text": message.text.replace("\x00", "\ufffd")[:2000],
            "metrics": message.metrics,
            "history": _thinned(history[calculation_id]),
            "at": message.at,
        }
        statement = upsert(conn, progress).values(row)
        changed = {name: statement.excluded[name] for name in row if name != "calculation_id"}
        conn.execute(statement.on_conflict_do_update(index_elements=["calculation_id"], set_=changed))
        shown = {name: row[name] for name in ("fraction", "text", "metrics")}
        published.append(_event("progress", message, owners[calculation_id], shown))
    return published


def _history(conn: Connection, current: dict[str, Progress]) -> dict[str, list[dict[str, Any]]]:
    history: dict[str, list[dict[str, Any]]] = {calculation_id: [] for calculation_id in current}
    if current:
        query = sa.select(progress.c.calculation_id, progress.c.attempt, progress.c.history).where(
            progress.c.calculation_id.in_(list(current))
        )
        for row in conn.execute(query):
            if row.attempt == current[row.calculation_id].attempt:
                history[row.calculation_id] = list(row.history)
    return history


def _thinned(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A long history without every second entry of its older half."""
    if len(history) <= MOST_METRICS:
        return history
    half = len(history) // 2
    return history[:half:2] + history[half:]


def _event(kind: str, message: Log | Progress, owner: _Owner, payload: dict[str, Any]) -> events.Event:
    return events.Event(
        kind=kind,
        object_id=message.calculation_id,
        at=message.at,
        status=owner.state,
        attempt=message.attempt,
        owner_id=owner.owner_id,
        group_id=owner.group_id,
        payload=payload,
    )


def read(
    conn: Connection,
    calculation_id: str,
    attempt: int,
    stream: str,
    *,
    start: int = 0,
    most: int | None = None,
) -> tuple[str, int]:
    """The text of one stream from byte `start` on, at most about `most` bytes; and the offset after it."""
    query = (
        sa.select(log_chunks.c.offset, log_chunks.c.size, log_chunks.c.text)
        .where(
            log_chunks.c.calculation_id == calculation_id,
            log_chunks.c.attempt == attempt,
            log_chunks.c.stream == stream,
            log_chunks.c.offset + log_chunks.c.size > start,
        )
        .order_by(log_chunks.c.offset)
    )
    parts: list[str] = []
    at, got = start, 0
    for row in conn.execute(query):
        if most is not None and got >= most:
            break
        if row.offset < at:  # it overlaps the chunk before it
            text = row.text.encode("utf-8", "replace")[at - row.offset :].decode("utf-8", "replace")
        else:
            text = row.text
        parts.append(text)
        got += len(text)
        at = max(at, row.offset + row.size)
    return "".join(parts), at


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a stream. at: Unix time, s."""

    stream: str
    at: float
    text: str


def merged(conn: Connection, calculation_id: str, attempt: int, most_chunks: int = 20_000) -> list[Chunk]:
    """Chunks of both streams in the order of time."""
    query = (
        sa.select(log_chunks.c.stream, log_chunks.c.at, log_chunks.c.text)
        .where(log_chunks.c.calculation_id == calculation_id, log_chunks.c.attempt == attempt)
        .order_by(log_chunks.c.at, log_chunks.c.stream, log_chunks.c.offset)
        .limit(most_chunks)
    )
    return [Chunk(*row) for row in conn.execute(query)]


def tail(conn: Connection, calculation_id: str, attempt: int, stream: str, lines: int = 20) -> str:
    """The last lines of a stream."""
    query = (
        sa.select(log_chunks.c.text)
        .where(
            log_chunks.c.calculation_id == calculation_id,
            log_chunks.c.attempt == attempt,
            log_chunks.c.stream == stream,
        )
        .order_by(log_chunks.c.offset.desc())
        .limit(50)
    )
    text = "".join(reversed(list(conn.execute(query).scalars())))
    return "\n".join(text.splitlines()[-lines:])


def progress_of(conn: Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The newest progress of each calculation that has one."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts(ids):
        query = sa.select(progress).where(progress.c.calculation_id.in_(part))
        for row in conn.execute(query):
            found[row.calculation_id] = {
                "fraction": row.fraction,
                "text": row.text,
                "metrics": row.metrics,
                "history": row.history,
                "at": row.at,
            }
    return found
