"""Tags of datasets, files and calculations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.ids import of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import tags

LONGEST = 100


def checked(tag: str) -> str:
    """The tag, trimmed. Raises UserInputError for an empty, long or unprintable one."""
    tag = tag.strip()
    if not tag or len(tag) > LONGEST or not tag.isprintable():
        raise UserInputError(f"A tag is 1 to {LONGEST} printable characters; you gave {tag[:50]!r}.")
    return tag


@dataclass(frozen=True, slots=True)
class Tagged:
    """The object that gets tags, from whom and when (Unix time, s)."""

    kind: str  # dataset | data_file | calculation
    object_id: str
    by_id: int
    at: float


def add(conn: Connection, tagged: Tagged, new: Sequence[str]) -> None:
    """Add tags; those that are there already stay."""
    rows = [
        {
            "kind": tagged.kind,
            "object_id": tagged.object_id,
            "tag": tag,
            "by_id": tagged.by_id,
            "at": tagged.at,
        }
        for tag in dict.fromkeys(new)
    ]
    if rows:
        conn.execute(upsert(conn, tags).on_conflict_do_nothing(), rows)


def replace(conn: Connection, tagged: Tagged, new: Sequence[str]) -> None:
    """Set exactly these tags."""
    conn.execute(
        sa.delete(tags).where(
            tags.c.kind == tagged.kind,
            tags.c.object_id == tagged.object_id,
            tags.c.tag.not_in(list(new) or [""]),
        )
    )
    add(conn, tagged, new)


def of(conn: Connection, kind: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags of each object, in order."""
    found: dict[str, list[str]] = {object_id: [] for object_id in ids}
    for part in parts(ids):
        query = (
            sa.select(tags.c.object_id, tags.c.tag)
            .where(tags.c.kind == kind, tags.c.object_id.in_(part))
            .order_by(tags.c.tag)
        )
        for row in conn.execute(query):
            found[of_kind(kind, row.object_id)].append(row.tag)
    return found


def having(kind: str, tag: str) -> sa.Select[str]:
    """Ids of the objects that carry a tag, as a subquery."""
    return sa.select(tags.c.object_id).where(tags.c.tag == tag, tags.c.kind == kind)
