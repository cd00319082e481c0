"""Pages by key over what a person may see: cost depends on the page, not on the table."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

MOST = 1000


def newest_ids(
    conn: Connection,
    table: sa.Table,
    visibility_filters: Sequence[sa.ColumnElement[bool]] | None,
    *,
    where: Sequence[sa.ColumnElement[bool]] = (),
    limit: int | None,
    after: str | None = None,
    key: sa.ColumnElement[str] | None = None,
) -> list[str]:
    """Ids, newest first, older than `after`, that satisfy `where` and at least one of the branches.

    Each branch is asked for its own newest `limit` (its index gives them in order), then the newest of all are
    taken: an OR over them would walk the whole table for a person who owns little of it.
    """
    if key is None:
        key = table.c.id
    conditions = [*where] + ([key < after] if after is not None else [])
    found: set[str] = set()
    for condition in [sa.true()] if visibility_filters is None else visibility_filters:
        query = sa.select(key).where(condition, *conditions).order_by(key.desc())
        if limit is not None:
            query = query.limit(limit)
        found.update(conn.execute(query).scalars())
    ordered = sorted(found, reverse=True)
    return ordered if limit is None else ordered[:limit]
