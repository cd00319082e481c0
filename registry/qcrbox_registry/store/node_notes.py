"""What people add to datasets and calculations: a note, a pin, and the project a dataset was moved to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.ids import of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import node_notes


@dataclass(frozen=True, slots=True)
class Annotation:
    """`project_id`: the founding dataset of the project that a dataset was moved to; None: its own place."""

    note: str = ""
    pinned: bool = False
    project_id: str | None = None


NONE = Annotation()


@dataclass(frozen=True, slots=True)
class Annotated:
    """The object that is annotated, by whom and when (Unix time, s)."""

    kind: str  # dataset | calculation
    object_id: str
    by_id: int
    at: float


def of(conn: Connection, kind: str, ids: Sequence[str]) -> dict[str, Annotation]:
    """The annotations of these objects; objects without any are left out."""
    found: dict[str, Annotation] = {}
    columns = (
        node_notes.c.object_id,
        node_notes.c.note,
        node_notes.c.pinned,
        node_notes.c.project_id,
    )
    for part in parts(ids):
        query = sa.select(*columns).where(node_notes.c.kind == kind, node_notes.c.object_id.in_(part))
        for row in conn.execute(query):
            found[of_kind(kind, row.object_id)] = Annotation(row.note, row.pinned, row.project_id)
    return found


def change(conn: Connection, subject: Annotated, values: Mapping[str, Any]) -> None:
    """Set some of `note`, `pinned`, `project_id`; the others stay."""
    row = {
        "kind": subject.kind,
        "object_id": subject.object_id,
        "by_id": subject.by_id,
        "at": subject.at,
        **values,
    }
    statement = upsert(conn, node_notes).values(row)
    changed = {name: row[name] for name in ("by_id", "at", *values)}
    conn.execute(statement.on_conflict_do_update(index_elements=["kind", "object_id"], set_=changed))
