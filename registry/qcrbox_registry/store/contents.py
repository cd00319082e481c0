"""File contents by hash, and how many rows point to each. The bytes are in the object store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import data_files, file_contents

# Bytes that nothing points to yet: an upload is stored first and named afterwards.
ORPHAN_AGE_S = 24 * 3600.0


def add(conn: Connection, sha256: str, size: int, now: float, references: int = 0) -> str | None:
    """Note that the object store holds these bytes, and add `references` to them.

    Returns the state they had before, None for new ones: after `removing` or `removed` the caller checks that the bytes
    are there.
    """
    query = sa.select(file_contents.c.state).where(file_contents.c.sha256 == sha256)
    before: str | None = conn.execute(query).scalar()
    if before is None:
        conn.execute(
            sa.insert(file_contents).values(
                sha256=sha256, size=size, refcount=references, state="stored", created_at=now
            )
        )
        return None
    conn.execute(
        sa.update(file_contents)
        .where(file_contents.c.sha256 == sha256)
        .values(refcount=file_contents.c.refcount + references, state="stored", created_at=now)
    )
    return before


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


def size_of(conn: Connection, sha256: str) -> int:
    """Bytes of known contents."""
    query = sa.select(file_contents.c.size).where(file_contents.c.sha256 == sha256)
    size: int = conn.execute(query).scalar_one()
    return size


def unused(conn: Connection, now: float, age_s: float = ORPHAN_AGE_S, limit: int = 1000) -> list[str]:
    """Hashes that nothing has pointed to for `age_s`."""
    query = (
        sa.select(file_contents.c.sha256)
        .where(
            file_contents.c.refcount == 0,
            file_contents.c.state != "removed",
            file_contents.c.created_at < now - age_s,
        )
        .order_by(file_contents.c.created_at)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def begin_removal(conn: Connection, sha256: str) -> bool:
    """True when nothing points to these bytes and they may be deleted from the object store now."""
    marked = conn.execute(
        sa.update(file_contents)
        .where(file_contents.c.sha256 == sha256, file_contents.c.refcount == 0)
        .values(state="removing")
    )
    return marked.rowcount == 1


def end_removal(conn: Connection, sha256: str) -> None:
    """The bytes are gone. The row stays: deleted files' records still name the hash."""
    conn.execute(
        sa.update(file_contents)
        .where(file_contents.c.sha256 == sha256, file_contents.c.state == "removing")
        .values(state="removed")
    )


def mark(conn: Connection, sha256: str, *, sound: bool, now: float) -> None:
    """Keep the outcome of a hash check. Contents that are being removed meanwhile stay so: their bytes are not there."""
    conn.execute(
        sa.update(file_contents)
        .where(file_contents.c.sha256 == sha256, file_contents.c.state.in_(["stored", "damaged"]))
        .values(state="stored" if sound else "damaged", checked_at=now)
    )


@dataclass(frozen=True, slots=True)
class Contents:
    """Stored contents and how many files point to them."""

    sha256: str
    size: int
    refcount: int


_records = Records(Contents, file_contents)


def known(conn: Connection, after: str = "", limit: int = 1000) -> list[Contents]:
    """All contents in the order of their hashes, page by page (for checks)."""
    query = _records.select.where(file_contents.c.sha256 > after, file_contents.c.state != "removed")
    return _records.all(conn, query.order_by(file_contents.c.sha256).limit(limit))


def faulty_references(conn: Connection) -> list[str]:
    """Contents whose number of references is not the number of files that point to them, as texts."""
    pointing = sa.union_all(
        sa.select(data_files.c.sha256.label("sha256")).where(data_files.c.purged_at.is_(None)),
        sa.select(data_files.c.unified_sha256).where(data_files.c.unified_sha256.isnot(None)),
    ).subquery()
    counted = sa.select(pointing.c.sha256, sa.func.count().label("n")).group_by(pointing.c.sha256).subquery()
    used = sa.func.coalesce(counted.c.n, 0)
    query = (
        sa.select(file_contents.c.sha256, file_contents.c.refcount, used.label("n"))
        .outerjoin(counted, counted.c.sha256 == file_contents.c.sha256)
        .where(file_contents.c.refcount != used)
    )
    return [f"{row.sha256}: counted {row.refcount}, used {row.n} times" for row in conn.execute(query)]
