"""Uploads that are not files yet: outputs that wait for their calculation's end, and resumable uploads."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.messages import CHECKPOINT
from sqlalchemy.engine import Connection

from qcrbox_registry.store.tables import new_id, uploads


def get(conn: Connection, upload_id: str) -> sa.Row:
    row = conn.execute(sa.select(uploads).where(uploads.c.id == upload_id)).first()
    if row is None:
        raise NotFound(f"There is no upload {upload_id[:64]!r}.")
    return row


# ---------------------------------------------------------------- outputs of calculations


def output(
    conn: Connection, calculation_id: str, attempt: int, name: str, filename: str, sha256: str
) -> sa.Row | None:
    """An output that this attempt has stored before."""
    query = sa.select(uploads).where(
        uploads.c.calculation_id == calculation_id,
        uploads.c.attempt == attempt,
        uploads.c.purpose == "output",
        uploads.c.output_name == name,
        uploads.c.filename == filename,
        uploads.c.sha256 == sha256,
    )
    return conn.execute(query).first()


def add_output(
    conn: Connection,
    *,
    calculation_id: str,
    attempt: int,
    owner_id: int,
    name: str,
    filename: str,
    sha256: str,
    size: int,
    index: dict[str, Any] | None,
    now: float,
) -> sa.Row:
    """Note an output whose bytes are stored; two requests at once give one row."""
    known = output(conn, calculation_id, attempt, name, filename, sha256)
    if known is not None:
        return known
    upload_id = new_id()
    conn.execute(
        sa.insert(uploads).values(
            id=upload_id,
            purpose="output",
            owner_id=owner_id,
            calculation_id=calculation_id,
            attempt=attempt,
            output_name=name,
            filename=filename,
            sha256=sha256,
            size=size,
            offset=size,
            state="stored",
            result={"index": index},
            created_at=now,
            changed_at=now,
        )
    )
    return get(conn, upload_id)


def checkpoint(conn: Connection, calculation_id: str) -> sa.Row | None:
    """The newest checkpoint that any attempt of a calculation has stored."""
    query = sa.select(uploads).where(*_is_checkpoint(calculation_id)).order_by(uploads.c.created_at.desc())
    return conn.execute(query.limit(1)).first()


def drop_checkpoints(conn: Connection, calculation_id: str, but: str = "") -> None:
    """Forget checkpoints that were not kept as an output, all `but` one."""
    conn.execute(
        sa.delete(uploads).where(
            *_is_checkpoint(calculation_id), uploads.c.state == "stored", uploads.c.id != but
        )
    )


def _is_checkpoint(calculation_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        uploads.c.calculation_id == calculation_id,
        uploads.c.purpose == "output",
        uploads.c.output_name == CHECKPOINT,
    )


# ---------------------------------------------------------------- resumable uploads


def begin(
    conn: Connection,
    *,
    owner_id: int,
    purpose: str,
    filename: str,
    size: int | None,
    sha256: str | None,
    target_id: str | None,
    group_id: int | None,
    about: dict[str, Any],
    now: float,
) -> str:
    """A new resumable upload; its id. `about` (name, description) is kept until it is complete."""
    upload_id = new_id()
    conn.execute(
        sa.insert(uploads).values(
            id=upload_id,
            purpose=purpose,
            owner_id=owner_id,
            filename=filename,
            size=size,
            sha256=sha256,
            target_id=target_id,
            group_id=group_id,
            result={"about": about},
            state="open",
            created_at=now,
            changed_at=now,
        )
    )
    return upload_id


def open_of(conn: Connection, owner_id: int) -> tuple[int, int]:
    """How many uploads of a person are not complete, and their announced bytes."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(uploads.c.size), 0)).where(
        uploads.c.owner_id == owner_id, uploads.c.state == "open"
    )
    count, size = conn.execute(query).one()
    return count, int(size)


def advance(conn: Connection, upload_id: str, offset: int, now: float) -> None:
    conn.execute(sa.update(uploads).where(uploads.c.id == upload_id).values(offset=offset, changed_at=now))


def finish(conn: Connection, upload_id: str, result: dict[str, Any], now: float) -> None:
    conn.execute(
        sa.update(uploads)
        .where(uploads.c.id == upload_id)
        .values(state="used", result=result, changed_at=now)
    )


def stale(conn: Connection, before: float, limit: int = 500) -> list[sa.Row]:
    """Uploads nobody has touched since: given up, or outputs of an attempt that was lost."""
    query = (
        sa.select(uploads.c.id, uploads.c.purpose)
        .where(uploads.c.changed_at < before, uploads.c.state.in_(["open", "stored", "used"]))
        .limit(limit)
    )
    return list(conn.execute(query))


def drop(conn: Connection, upload_id: str) -> None:
    conn.execute(sa.delete(uploads).where(uploads.c.id == upload_id))
