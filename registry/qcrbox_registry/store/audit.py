"""The audit trail: append-only rows, each with the hash of the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.ids import spellings
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records, parts
from qcrbox_registry.store.tables import audit

FIRST = "0" * 64  # the hash before the first row
_newest = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_insert = sa.insert(audit)
_HASHED = ("at", "who_id", "who", "address", "action", "kind", "object_id", "allowed", "details")


@dataclass(slots=True)
class Entry:
    """An entry before it is written: who did what to which object, when, from where, allowed or refused."""

    at: float
    who: str
    action: str
    who_id: int | None = None
    address: str = ""
    kind: str = ""
    object_id: str = ""
    allowed: bool = True
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the trail."""

    seq: int
    at: float
    who_id: int | None
    who: str
    address: str
    action: str
    kind: str
    object_id: str
    allowed: bool
    details: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Search:
    """Columns that an entry must equal; None = any value."""

    who: str | None = None
    action: str | None = None
    object_id: str | None = None
    allowed: bool | None = None


_records = Records(AuditRow, audit)


def record(conn: Connection, entries: Sequence[Entry]) -> None:
    """Append to the chain. Called in the one writer, so the newest row is the previous one."""
    if not entries:
        return
    previous = head(conn)[1]
    rows = []
    for entry in entries:
        values = {name: getattr(entry, name) for name in _HASHED}
        digest = _hash(previous, values)
        rows.append({**values, "previous": previous, "hash": digest})
        previous = digest
    conn.execute(_insert, rows)


def record_grouped(conn: Connection, entries: list[Entry]) -> list[None]:
    """As `record`, for `Database.write_grouped`."""
    record(conn, entries)
    return [None] * len(entries)


def head(conn: Connection) -> tuple[int, str]:
    """Sequence number and hash of the newest row; (0, FIRST) of an empty trail."""
    row = conn.execute(_newest).first()
    return (0, FIRST) if row is None else (row.seq, row.hash)


def hashes(conn: Connection, seqs: Sequence[int]) -> dict[int, str]:
    """Sequence number -> hash of these rows; missing ones are left out."""
    found: dict[int, str] = {}
    for part in parts(seqs):
        query = sa.select(audit.c.seq, audit.c.hash).where(audit.c.seq.in_(part))
        found |= {row.seq: row.hash for row in conn.execute(query)}
    return found


def _hash(previous: str, values: dict[str, Any]) -> str:
    # repr of a float is exact both ways, so a row that is read back gives the same text.
    text = json.dumps([previous, *(values[name] for name in _HASHED)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def page(conn: Connection, search: Search, *, before: int | None = None, limit: int = 100) -> list[AuditRow]:
    """Rows that match, newest first, with sequence numbers below `before`."""
    query = _records.select.order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.seq < before)
    for name in ("who", "action", "object_id", "allowed"):
        value = getattr(search, name)
        if value is None:
            continue
        # The trail is never rewritten, so it has ids as they were written at the time.
        same = audit.c[name].in_(spellings(value)) if name == "object_id" else audit.c[name] == value
        query = query.where(same)
    return _records.all(conn, query)


def after(conn: Connection, seq: int, limit: int = 1000) -> list[AuditRow]:
    """Rows after this sequence number, oldest first."""
    return _records.all(conn, _records.select.where(audit.c.seq > seq).order_by(audit.c.seq).limit(limit))


def _all(conn: Connection) -> Iterator[AuditRow]:
    seq = 0
    while rows := after(conn, seq):
        yield from rows
        seq = rows[-1].seq


def broken_links(conn: Connection, limit: int = 20) -> list[int]:
    """Sequence numbers at which the chain is broken; empty when no row was changed or removed."""
    broken: list[int] = []
    previous = FIRST
    for row in _all(conn):
        values = {name: getattr(row, name) for name in _HASHED}
        if row.previous != previous or row.hash != _hash(previous, values):
            broken.append(row.seq)
            if len(broken) >= limit:
                break
        previous = row.hash
    return broken
