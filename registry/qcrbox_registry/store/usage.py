"""Past use of slots (for fair share) and processor time of the month (for the CPU-hours quota)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import calculations, command_durations, usage


@dataclass(frozen=True, slots=True)
class Use:
    """What a person or group used. `decayed_s`: slot seconds as of `decayed_at` (Unix time, s); `cpu_s`: processor
    seconds in `month` (YYYY-MM)."""

    subject: str
    subject_id: int
    decayed_s: float
    decayed_at: float
    cpu_s: float
    month: str


_records = Records(Use, usage)


def everyone(conn: Connection) -> list[Use]:
    """The use of every person and group."""
    return _records.all(conn, _records.select)


def add(conn: Connection, uses: Sequence[Use]) -> None:
    """Replace the slot seconds and add the processor seconds; those of an earlier month are dropped."""
    for use in uses:
        statement = upsert(conn, usage).values(**asdict(use))
        this_month = usage.c.month == use.month
        values = {
            "decayed_s": use.decayed_s,
            "decayed_at": use.decayed_at,
            "cpu_s": sa.case((this_month, usage.c.cpu_s + use.cpu_s), else_=use.cpu_s),
            "month": use.month,
        }
        conn.execute(statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_=values))


def workers(conn: Connection, since: float) -> list[tuple[int, int]]:
    """Who had calculations for which group handed to agents since then (Unix time, s): (person, group), each pair once."""
    statement = (
        sa.select(calculations.c.owner_id, calculations.c.group_id)
        .where(calculations.c.group_id.isnot(None), calculations.c.assigned_at >= since)
        .distinct()
    )
    return [(row.owner_id, row.group_id) for row in conn.execute(statement)]


def mean_runtimes(conn: Connection) -> dict[int, float]:
    """Mean runtime, s, of each command that has run."""
    return {row.command_id: row.mean_s for row in conn.execute(sa.select(command_durations))}
