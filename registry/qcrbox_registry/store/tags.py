"""Tags of datasets, files and calculations."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.ids import of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import tags

LONGEST = 100


def checked(tag: str) -> str:
    """The tag, trimmed. Raises UserInputError for an empty, long or unprintable one."""
    tag = tag.strip()
    if not tag or len(tag) > LONGEST or not tag.isprintable():
        raise UserInputError(f"A tag is 1 to {LONGEST} printable characters; you gave {tag[:50]!r}.")
    return tag


def add(conn: Connection, kind: str, object_id: str, new: Sequence[str], by_id: int, now: float) -> None:
    rows = [
        {"kind": kind, "object_id": object_id, "tag": tag, "by_id": by_id, "at": now}
        for tag in dict.fromkeys(new)
    ]
    if rows:
        conn.execute(upsert(conn, tags).on_conflict_do_nothing(), rows)


def replace(conn: Connection, kind: str, object_id: str, new: Sequence[str], by_id: int, now: float) -> None:
    """Exactly these tags."""
    conn.execute(
        sa.delete(tags).where(
            tags.c.kind == kind, tags.c.object_id == object_id, tags.c.tag.not_in(list(new) or [""])
        )
    )
    add(conn, kind, object_id, new, by_id, now)


def of(conn: Connection, kind: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags of each object, in order."""
    found: dict[str, list[str]] = {one: [] for one in ids}
    for start in range(0, len(ids), 500):
        query = (
            sa.select(tags.c.object_id, tags.c.tag)
            .where(tags.c.kind == kind, tags.c.object_id.in_(ids[start : start + 500]))
            .order_by(tags.c.tag)
        )
        for row in conn.execute(query):
            found[of_kind(kind, row.object_id)].append(row.tag)
    return found


def having(kind: str, tag: str) -> sa.Select:
    """Ids of the objects that carry a tag, as a subquery."""
    return sa.select(tags.c.object_id).where(tags.c.tag == tag, tags.c.kind == kind)
