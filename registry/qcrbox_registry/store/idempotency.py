"""Answers to requests with an Idempotency-Key, so that the same request again gives the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.tables import idempotency

KEPT_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered, and the answer."""

    owner_id: int
    key: str
    request_hash: str
    answer: dict[str, Any]


def find(conn: Connection, owner_id: int, key: str) -> Answered | None:
    """The request of this person that came with this key."""
    row = conn.execute(
        sa.select(idempotency.c.request_hash, idempotency.c.answer).where(
            idempotency.c.owner_id == owner_id, idempotency.c.key == key
        )
    ).first()
    return None if row is None else Answered(owner_id, key, row.request_hash, row.answer)


def remember(conn: Connection, answered: Answered, now: float) -> None:
    """Keep an answer for a day."""
    conn.execute(
        sa.insert(idempotency).values(
            owner_id=answered.owner_id,
            key=answered.key,
            request_hash=answered.request_hash,
            answer=answered.answer,
            at=now,
        )
    )


def forget_old(conn: Connection, now: float) -> int:
    """Delete answers older than a day; how many."""
    return conn.execute(sa.delete(idempotency).where(idempotency.c.at < now - KEPT_S)).rowcount
