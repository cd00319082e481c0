"""The audit trail: who, when, from where, did what to which object, allowed or refused.

Append-only; each row carries the hash of the one before, so that a changed or missing row shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.ids import spellings
from sqlalchemy.engine import Connection

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.store.tables import audit

FIRST = "0" * 64
_newest = sa.select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_insert = sa.insert(audit)
_COLUMNS = ("at", "who_id", "who", "address", "action", "kind", "object_id", "allowed", "details")


@dataclass(slots=True)
class Entry:
    at: float
    who: str
    action: str
    who_id: int | None = None
    address: str = ""
    kind: str = ""
    object_id: str = ""
    allowed: bool = True
    details: dict[str, Any] = field(default_factory=dict)


def entry(
    actor: Actor,
    action: str,
    now: float,
    *,
    kind: str = "",
    object_id: str = "",
    allowed: bool = True,
    **details: Any,
) -> Entry:
    """What `actor` did, ready for `record`."""
    return Entry(
        at=now,
        who=actor.name,
        who_id=actor.person_id,
        address=actor.address,
        action=action,
        kind=kind,
        object_id=object_id[:64],
        allowed=allowed,
        details=details,
    )


def record(conn: Connection, entries: Sequence[Entry]) -> None:
    """Append to the chain. Runs in the one writer, so the last row is the one before."""
    if not entries:
        return
    previous = _last_hash(conn)
    rows = []
    for one in entries:
        values = {name: getattr(one, name) for name in _COLUMNS}
        digest = _hash(previous, values)
        rows.append({**values, "previous": previous, "hash": digest})
        previous = digest
    conn.execute(_insert, rows)


def _last_hash(conn: Connection) -> str:
    return conn.execute(_newest).scalar() or FIRST


def _hash(previous: str, values: dict[str, Any]) -> str:
    # repr of a float is exact both ways, so a row read back gives the same text.
    text = json.dumps([previous, *(values[name] for name in _COLUMNS)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def page(conn: Connection, *, after: int | None = None, limit: int = 100, **equal: Any) -> list[sa.Row]:
    """Entries, newest first, with seq < after, and with these columns equal."""
    query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if after is not None:
        query = query.where(audit.c.seq < after)
    for name, value in equal.items():
        # The trail is never rewritten, so it has ids as they were at the time.
        holds = audit.c[name].in_(spellings(value)) if name == "object_id" else audit.c[name] == value
        query = query.where(holds)
    return list(conn.execute(query))


def after(conn: Connection, seq: int, limit: int = 1000) -> list[sa.Row]:
    """Entries after this one, oldest first."""
    return list(conn.execute(sa.select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(limit)))


def broken_links(conn: Connection, limit: int = 20) -> list[int]:
    """Sequence numbers where the chain does not hold; empty when nobody touched it."""
    broken: list[int] = []
    previous = FIRST
    for row in conn.execute(sa.select(audit).order_by(audit.c.seq)):
        values = {name: getattr(row, name) for name in _COLUMNS}
        if row.previous != previous or row.hash != _hash(previous, values):
            broken.append(row.seq)
            if len(broken) >= limit:
                break
        previous = row.hash
    return broken
