"""Holds of applications, launchers and the site: nothing new starts there."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import holds, people


@dataclass(frozen=True, slots=True)
class Hold:
    """`mode` hold: nothing new starts; drain: warm agents end too. `object_id`: the id of an application as text, the
    name of a launcher, "" for the site."""

    kind: str  # application | launcher | site
    object_id: str
    mode: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlacedHold:
    """A hold with who placed it ("" for the platform itself) and when (Unix time, s)."""

    hold: Hold
    by: str
    at: float


_records = Records(Hold, holds)


def everything(conn: Connection) -> list[Hold]:
    """Every hold."""
    return _records.all(conn, _records.select)


def placed_holds(conn: Connection) -> list[PlacedHold]:
    """Every hold with who placed it and when, oldest first."""
    query = sa.select(holds, sa.func.coalesce(people.c.name, "").label("by")).select_from(
        holds.outerjoin(people, people.c.id == holds.c.by_id)
    )
    return [
        PlacedHold(Hold(row.kind, row.object_id, row.mode, row.reason), row.by, row.at)
        for row in conn.execute(query.order_by(holds.c.at))
    ]


def put(conn: Connection, hold: Hold, by_id: int, now: float) -> None:
    """Set a hold in place of an earlier one."""
    lift(conn, hold.kind, hold.object_id)
    conn.execute(
        sa.insert(holds).values(
            kind=hold.kind,
            object_id=hold.object_id,
            mode=hold.mode,
            reason=hold.reason,
            by_id=by_id,
            at=now,
        )
    )


def lift(conn: Connection, kind: str, object_id: str) -> None:
    """Remove a hold; nothing happens without one."""
    conn.execute(sa.delete(holds).where(holds.c.kind == kind, holds.c.object_id == object_id))
