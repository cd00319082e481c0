"""Events in one global sequence: written with the change itself, published to subscribers after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from qcrbox.contract.ids import dataset_id, of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import events


@dataclass(slots=True)
class Event:
    """One row of the sequence. `seq` is 0 until it is written; events that are only published (progress) keep 0."""

    kind: str  # calculation | dataset | data_file | session | application | agent | share …
    object_id: str
    at: float
    status: str = ""
    step: str = ""
    attempt: int = 0
    owner_id: int | None = None  # None: everybody may see it
    group_id: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    seq: int = 0

    def public(self) -> dict[str, Any]:
        """The event as clients get it, without owner, group and receiver."""
        shown: dict[str, Any] = {
            "seq": self.seq,
            "kind": self.kind,
            "id": self.object_id,
            "at": self.at,
            "status": self.status,
            "step": self.step,
            "attempt": self.attempt,
        }
        if self.kind in ("calculation", "progress", "log", "session"):
            shown["calculation_id"] = self.object_id
        shown.update({name: value for name, value in self.payload.items() if name != "to"})
        return shown


class Owned(Protocol):
    """An object with an owner and perhaps a home group."""

    @property
    def id(self) -> str:
        """Id of the object."""

    @property
    def owner_id(self) -> int:
        """Person who owns the object."""

    @property
    def group_id(self) -> int | None:
        """Group that the object belongs to; None for a private object."""


def about(kind: str, row: Owned, at: float, status: str, **payload: Any) -> Event:
    """An event about an owned object."""
    return Event(
        kind, row.id, at, status=status, owner_id=row.owner_id, group_id=row.group_id, payload=payload
    )


_COLUMNS = ("at", "kind", "object_id", "status", "step", "attempt", "owner_id", "group_id", "payload")
_insert = sa.insert(events)


def write(conn: Connection, new: Sequence[Event]) -> Sequence[Event]:
    """Append the events in order and fill in their sequence numbers."""
    if not new:
        return new
    rows = [{name: getattr(event, name) for name in _COLUMNS} for event in new]
    if conn.dialect.name == "sqlite":
        # The one writer holds the lock and AUTOINCREMENT leaves no gap inside a transaction, so the
        # numbers are the last ones: cheaper than RETURNING for every row.
        conn.execute(_insert, rows)
        last = conn.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'events'").scalar_one()
        numbers: Iterable[int] = range(last - len(new) + 1, last + 1)
    else:
        numbers = conn.execute(_insert.returning(events.c.seq, sort_by_parameter_order=True), rows).scalars()
    for event, seq in zip(new, numbers, strict=True):
        event.seq = seq
    return new


def _from_row(row: sa.Row[Any]) -> Event:
    return Event(
        kind=row.kind,
        object_id=of_kind(row.payload.get("of", "") if row.kind == "share" else row.kind, row.object_id),
        at=row.at,
        status=row.status,
        step=row.step,
        attempt=row.attempt,
        owner_id=row.owner_id,
        group_id=row.group_id,
        payload=_payload(row.payload),
        seq=row.seq,
    )


def _payload(stored: dict[str, Any]) -> dict[str, Any]:
    """The payload with the id of its dataset as it is written now."""
    output = stored.get("output_dataset_id")
    return stored if output is None else {**stored, "output_dataset_id": dataset_id(output)}


def after(conn: Connection, seq: int, *, limit: int = 1000) -> list[Event]:
    """The events after `seq`, oldest first: a stream is resumed with these."""
    query = sa.select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
    return [_from_row(row) for row in conn.execute(query)]


def ends_after(conn: Connection, seq: int, newest: int, states: Sequence[str], limit: int) -> list[Event]:
    """The events that ended a calculation, after `seq` up to `newest`, oldest first."""
    query = (
        sa.select(events)
        .where(
            events.c.seq > seq,
            events.c.seq <= newest,
            events.c.kind == "calculation",
            events.c.status.in_(states),
        )
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [_from_row(row) for row in conn.execute(query)]


def of_calculation(conn: Connection, calculation_id: str, after_seq: int, limit: int = 10_000) -> list[Event]:
    """The events of a calculation and its session after `after_seq`, oldest first."""
    query = (
        sa.select(events)
        .where(
            events.c.object_id == calculation_id,
            events.c.kind.in_(["calculation", "session"]),
            events.c.seq > after_seq,
        )
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [_from_row(row) for row in conn.execute(query)]


def of_objects(conn: Connection, ids: Sequence[str], kind: str | None = None) -> dict[str, list[Event]]:
    """All events (of one kind) of these objects, oldest first."""
    found: dict[str, list[Event]] = {object_id: [] for object_id in ids}
    for part in parts(ids):
        query = sa.select(events).where(events.c.object_id.in_(part)).order_by(events.c.seq)
        if kind is not None:
            query = query.where(events.c.kind == kind)
        for row in conn.execute(query):
            event = _from_row(row)
            found[event.object_id].append(event)
    return found


def newest(conn: Connection) -> int:
    """The highest sequence number, 0 when there is none."""
    return conn.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
