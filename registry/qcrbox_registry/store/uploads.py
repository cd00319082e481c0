"""Uploads that are not files yet: outputs that wait for the end of their calculation, and resumable uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.messages import CHECKPOINT
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import new_id, uploads


@dataclass(frozen=True, slots=True)
class Upload:
    """A row of `uploads`. `size` and `offset` in bytes."""

    id: str
    purpose: str  # data_file | dataset | append | output
    owner_id: int | None
    filename: str
    size: int
    offset: int
    sha256: str | None
    target_id: str | None
    group_id: int | None
    state: str  # open | stored | used
    result: dict[str, Any] | None


_records = Records(Upload, uploads)


def get(conn: Connection, upload_id: str) -> Upload:
    """Raises NotFound."""
    return _records.require(conn, upload_id, "upload")


# ---------------------------------------------------------------- outputs of calculations


@dataclass(frozen=True, slots=True)
class NewOutput:
    """An output of one attempt whose bytes are in the object store."""

    calculation_id: str
    attempt: int
    owner_id: int
    name: str
    filename: str
    sha256: str
    size: int
    index: dict[str, Any] | None


def output(conn: Connection, calculation_id: str, attempt: int, key: OutputKey) -> Upload | None:
    """An output that this attempt has stored before."""
    query = _records.select.where(
        uploads.c.calculation_id == calculation_id,
        uploads.c.attempt == attempt,
        uploads.c.purpose == "output",
        uploads.c.output_name == key.name,
        uploads.c.filename == key.filename,
        uploads.c.sha256 == key.sha256,
    )
    return _records.first(conn, query)


@dataclass(frozen=True, slots=True)
class OutputKey:
    """What makes an output of an attempt the same when it is sent again."""

    name: str
    filename: str
    sha256: str


def add_output(conn: Connection, new: NewOutput, now: float) -> Upload:
    """Note an output; the same output twice gives the same row."""
    key = OutputKey(new.name, new.filename, new.sha256)
    known = output(conn, new.calculation_id, new.attempt, key)
    if known is not None:
        return known
    upload_id = new_id()
    conn.execute(
        sa.insert(uploads).values(
            id=upload_id,
            purpose="output",
            owner_id=new.owner_id,
            calculation_id=new.calculation_id,
            attempt=new.attempt,
            output_name=new.name,
            filename=new.filename,
            sha256=new.sha256,
            size=new.size,
            offset=new.size,
            state="stored",
            result={"index": new.index},
            created_at=now,
            changed_at=now,
        )
    )
    return get(conn, upload_id)


def checkpoint(conn: Connection, calculation_id: str) -> Upload | None:
    """The newest checkpoint of any attempt of a calculation."""
    query = _records.select.where(*_is_checkpoint(calculation_id)).order_by(uploads.c.created_at.desc())
    return _records.first(conn, query.limit(1))


def drop_checkpoints(conn: Connection, calculation_id: str, but: str = "") -> None:
    """Forget the checkpoints that are not an output, except `but`."""
    conn.execute(_drop_checkpoints, {"_calculation": calculation_id, "_but": but})


def _is_checkpoint(calculation_id: str | sa.BindParameter[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        uploads.c.calculation_id == calculation_id,
        uploads.c.purpose == "output",
        uploads.c.output_name == CHECKPOINT,
    )


# Built once: every calculation that ends executes it.
_drop_checkpoints = sa.delete(uploads).where(
    *_is_checkpoint(sa.bindparam("_calculation", type_=sa.String)),
    uploads.c.state == "stored",
    uploads.c.id != sa.bindparam("_but", type_=sa.String),
)


# ---------------------------------------------------------------- resumable uploads


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A resumable upload before it is written. `about` (name, description) is kept until it is complete."""

    owner_id: int
    purpose: str
    filename: str
    size: int
    sha256: str | None
    target_id: str | None
    group_id: int | None
    about: dict[str, str]


def begin(conn: Connection, new: NewUpload, now: float) -> str:
    """Write a resumable upload; its id."""
    upload_id = new_id()
    conn.execute(
        sa.insert(uploads).values(
            id=upload_id,
            purpose=new.purpose,
            owner_id=new.owner_id,
            filename=new.filename,
            size=new.size,
            sha256=new.sha256,
            target_id=new.target_id,
            group_id=new.group_id,
            result={"about": new.about},
            state="open",
            created_at=now,
            changed_at=now,
        )
    )
    return upload_id


def number_open(conn: Connection, owner_id: int) -> int:
    """How many uploads of a person are not complete."""
    query = sa.select(sa.func.count()).where(uploads.c.owner_id == owner_id, uploads.c.state == "open")
    return int(conn.execute(query).scalar_one())


def announced(conn: Connection, subject: str, subject_id: int) -> int:
    """Bytes that uploads announced which are not complete: those of a person, or into a group."""
    whose = uploads.c.owner_id if subject == "person" else uploads.c.group_id
    query = sa.select(sa.func.coalesce(sa.func.sum(uploads.c.size), 0)).where(
        whose == subject_id, uploads.c.state == "open"
    )
    return int(conn.execute(query).scalar_one())


def advance(conn: Connection, upload_id: str, offset: int, now: float) -> None:
    """Note how many bytes have arrived."""
    conn.execute(sa.update(uploads).where(uploads.c.id == upload_id).values(offset=offset, changed_at=now))


def finish(conn: Connection, upload_id: str, result: dict[str, Any], now: float) -> None:
    """Note what the complete upload became."""
    conn.execute(
        sa.update(uploads)
        .where(uploads.c.id == upload_id)
        .values(state="used", result=result, changed_at=now)
    )


def stale(conn: Connection, before: float, limit: int = 500) -> list[str]:
    """Ids of uploads that were not touched since: abandoned ones, and outputs of lost attempts."""
    query = (
        sa.select(uploads.c.id)
        .where(uploads.c.changed_at < before, uploads.c.state.in_(["open", "stored", "used"]))
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def drop(conn: Connection, upload_id: str) -> None:
    """Forget an upload."""
    conn.execute(sa.delete(uploads).where(uploads.c.id == upload_id))
