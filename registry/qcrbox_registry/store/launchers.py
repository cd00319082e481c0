"""Rows of launchers: what each offers and how many agents it can still start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import launchers


@dataclass(frozen=True, slots=True)
class LauncherRow:
    """A launcher as it last reported."""

    name: str
    manager: str
    host: str
    capacity: int
    free: int | None
    applications: list[dict[str, str]]


_records = Records(LauncherRow, launchers)


def everyone(conn: Connection) -> list[LauncherRow]:
    """Every launcher that ever reported."""
    return _records.all(conn, _records.select)


def register(conn: Connection, launcher: LauncherRow, now: float) -> None:
    """Write what a launcher reports of itself."""
    row = {**asdict(launcher), "last_seen_at": now}
    statement = upsert(conn, launchers).values(**row, first_seen_at=now)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))


def set_free(conn: Connection, free: Mapping[str, int]) -> None:
    """Write how many agents each launcher can still start."""
    for name, places in free.items():
        conn.execute(sa.update(launchers).where(launchers.c.name == name).values(free=places))
