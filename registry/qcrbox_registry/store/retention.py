"""Old outputs of calculations that nobody uses: which they are, and putting them into the trash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store import trash
from qcrbox_registry.store.datasets import Dataset, get
from qcrbox_registry.store.tables import (
    calculation_inputs,
    calculations,
    data_files,
    datasets,
    groups,
    people,
    shares,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Outputs that were last used before this time (Unix time, s); of one group, or of everyone (None).

    Used: made, changed, or given to a calculation as an input. What is shared with someone is kept.
    """

    unused_since: float
    group_id: int | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """Numbers of datasets and files, and bytes."""

    datasets: int
    files: int
    bytes: int

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.datasets + other.datasets, self.files + other.files, self.bytes + other.bytes)


def _chosen(rule: Rule, now: float) -> list[Any]:
    """Conditions on `datasets`."""
    of_dataset = data_files.c.dataset_id == datasets.c.id
    unfinished = (
        sa.select(calculations.c.id)
        .where(calculations.c.id == datasets.c.calculation_id, calculations.c.finished_at.is_(None))
        .exists()
    )
    newer = (
        sa.select(data_files.c.id)
        .where(of_dataset, data_files.c.deleted_at.is_(None), data_files.c.created_at >= rule.unused_since)
        .exists()
    )
    found = [
        datasets.c.kind == "output",
        datasets.c.deleted_at.is_(None),
        datasets.c.changed_at < rule.unused_since,
        ~newer,
        ~unfinished,
        ~_used(rule),
        ~_shared(now),
        *_not_orphaned(),
    ]
    return found if rule.group_id is None else [*found, datasets.c.group_id == rule.group_id]


def _used(rule: Rule) -> sa.Exists:
    """A calculation read one of the files since, or still does."""
    return (
        sa.select(calculation_inputs.c.calculation_id)
        .join(calculations, calculations.c.id == calculation_inputs.c.calculation_id)
        .join(data_files, data_files.c.id == calculation_inputs.c.data_file_id)
        .where(
            data_files.c.dataset_id == datasets.c.id,
            # A calculation that has not ended still reads its inputs, however long it waits.
            sa.or_(
                calculations.c.submitted_at >= rule.unused_since,
                calculations.c.finished_at.is_(None),
                calculations.c.finished_at >= rule.unused_since,
            ),
        )
        .exists()
    )


def _shared(now: float) -> sa.Exists:
    """The dataset, one of its files or its calculation is shared with someone."""
    holds = sa.and_(
        shares.c.revoked_at.is_(None), sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > now)
    )
    files = sa.select(data_files.c.id).where(data_files.c.dataset_id == datasets.c.id).correlate(datasets)
    return (
        sa.select(shares.c.id)
        .where(
            holds,
            sa.or_(
                sa.and_(shares.c.kind == "dataset", shares.c.object_id == datasets.c.id),
                sa.and_(shares.c.kind == "data_file", shares.c.object_id.in_(files)),
                sa.and_(shares.c.kind == "calculation", shares.c.object_id == datasets.c.calculation_id),
            ),
        )
        .exists()
    )


def _not_orphaned() -> list[sa.ColumnElement[bool]]:
    """Data of deleted groups, and private data of deleted accounts, wait for a decision."""
    groups_gone = sa.select(groups.c.id).where(groups.c.gone_at.isnot(None))
    people_gone = sa.select(people.c.id).where(people.c.gone_at.isnot(None))
    return [
        sa.or_(datasets.c.group_id.is_(None), datasets.c.group_id.notin_(groups_gone)),
        sa.or_(datasets.c.group_id.isnot(None), datasets.c.owner_id.notin_(people_gone)),
    ]


def count(conn: Connection, rule: Rule, now: float) -> Amount:
    """What `move` would put into the trash."""
    return _amount(conn, sa.select(datasets.c.id).where(*_chosen(rule, now)))


def _amount(conn: Connection, ids: sa.Select[tuple[str]]) -> Amount:
    chosen = ids.subquery()
    number = conn.execute(sa.select(sa.func.count()).select_from(chosen)).scalar_one()
    there = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(data_files.c.size), 0)).where(
        data_files.c.dataset_id.in_(sa.select(chosen.c.id)), data_files.c.deleted_at.is_(None)
    )
    files, size = conn.execute(there).one()
    return Amount(int(number), int(files), int(size))


def move(
    conn: Connection, rule: Rule, by_id: int, now: float, limit: int = 100
) -> tuple[list[Dataset], Amount]:
    """Put some of them into the trash, oldest first. Those that went, and how much; none when none is left."""
    query = sa.select(datasets.c.id).where(*_chosen(rule, now)).order_by(datasets.c.changed_at).limit(limit)
    ids = conn.execute(query).scalars().all()
    moved = _amount(conn, sa.select(datasets.c.id).where(datasets.c.id.in_(ids)))
    rows = [get(conn, dataset_id) for dataset_id in ids]
    for row in rows:
        trash.delete_dataset(conn, row.id, by_id, now)
    return rows, moved
