"""File contents by hash, and how many rows point to each. The bytes are in the object store."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import file_contents

# Bytes that nothing points to yet: an upload is stored first and named afterwards.
ORPHAN_AGE_S = 24 * 3600.0


def add(conn: Connection, sha256: str, size: int, now: float, references: int = 0) -> None:
    """Note that the object store holds these bytes, and add `references` to them."""
    statement = upsert(conn, file_contents).values(
        sha256=sha256, size=size, refcount=references, state="stored", created_at=now
    )
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["sha256"],
            set_={"refcount": file_contents.c.refcount + references, "state": "stored", "created_at": now},
        )
    )


def refer(conn: Connection, counts: Mapping[str, int]) -> None:
    """Add to (or, negative, take from) the number of references of contents that are there."""
    rows = [{"_sha256": sha256, "_n": n} for sha256, n in sorted(counts.items()) if n]
    if rows:
        conn.execute(
            sa.update(file_contents)
            .where(file_contents.c.sha256 == sa.bindparam("_sha256"))
            .values(refcount=file_contents.c.refcount + sa.bindparam("_n", type_=sa.Integer)),
            rows,
        )


def unused(conn: Connection, now: float, age_s: float = ORPHAN_AGE_S, limit: int = 1000) -> list[str]:
    """Hashes that nothing has pointed to for `age_s`."""
    query = (
        sa.select(file_contents.c.sha256)
        .where(file_contents.c.refcount == 0, file_contents.c.created_at < now - age_s)
        .order_by(file_contents.c.created_at)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def forget(conn: Connection, sha256: str) -> bool:
    """Drop the row of unused contents; True when the bytes may go too."""
    gone = conn.execute(
        sa.delete(file_contents).where(file_contents.c.sha256 == sha256, file_contents.c.refcount == 0)
    )
    return gone.rowcount == 1


def mark(conn: Connection, sha256: str, *, sound: bool, now: float) -> None:
    """Keep the outcome of a hash check."""
    conn.execute(
        sa.update(file_contents)
        .where(file_contents.c.sha256 == sha256)
        .values(state="stored" if sound else "damaged", checked_at=now)
    )


def known(conn: Connection, after: str = "", limit: int = 1000) -> list[sa.Row]:
    """All contents in the order of their hashes, page by page (for sweeps and backups)."""
    query = (
        sa.select(file_contents)
        .where(file_contents.c.sha256 > after)
        .order_by(file_contents.c.sha256)
        .limit(limit)
    )
    return list(conn.execute(query))
