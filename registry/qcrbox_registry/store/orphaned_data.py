"""Data of groups and accounts that are gone: what there is of it, and what an administrator decides for it.

Nothing disappears by itself. A decision is written down with every object as it was before, so it can be undone; made
again it finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.ids import of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.store import datasets as datasets_store
from qcrbox_registry.store import events, trash
from qcrbox_registry.store.tables import (
    calculations,
    data_files,
    datasets,
    groups,
    handover_items,
    handovers,
    new_id,
    people,
)

HELD_S = 30 * 86400.0  # private data of an account that is gone waits this long for a decision
# What may be decided: for a group's data, for a person's private data.
DECISIONS = {
    "group": frozenset({"archive", "delete", "group", "owners"}),
    "person": frozenset({"archive", "delete", "group", "person"}),
}
_TABLES: dict[str, sa.Table] = {"dataset": datasets, "data_file": data_files, "calculation": calculations}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is."""

    kind: str  # person | group
    id: int
    name: str
    gone_at: float


@dataclass(slots=True)
class Wish:
    """A decision before it is carried out. `to_id`: the group or person that gets the data."""

    decision: str
    by_id: int
    to_id: int | None = None
    reason: str = ""


# ---------------------------------------------------------------- what there is


def subject(conn: Connection, kind: str, subject_id: int) -> Subject:
    """Raises NotFound for one that is not there, or that the hub still knows."""
    table = groups if kind == "group" else people
    row = conn.execute(sa.select(table).where(table.c.id == subject_id, table.c.gone_at.isnot(None))).first()
    if row is None:
        raise NotFound(f"There is no {kind} {subject_id} that is gone.")
    return Subject(kind, row.id, row.name, row.gone_at)


def listed(conn: Connection) -> list[dict[str, Any]]:
    """Everything that waits for a decision or was archived, those gone longest first."""
    found = []
    for kind, table in (("group", groups), ("person", people)):
        for row in conn.execute(sa.select(table).where(table.c.gone_at.isnot(None))):
            one = Subject(kind, row.id, row.name, row.gone_at)
            counts = _counts(conn, one)
            if any(counts.values()):
                found.append({"about": one, **counts, "decision": _newest_decision(conn, one)})
    return sorted(found, key=lambda each: each["about"].gone_at)


def _counts(conn: Connection, one: Subject) -> dict[str, int]:
    counts = {
        name: conn.execute(sa.select(sa.func.count()).where(_of(one, kind))).scalar_one()
        for name, kind in (
            ("datasets", "dataset"),
            ("data_files", "data_file"),
            ("calculations", "calculation"),
        )
    }
    size = sa.select(sa.func.coalesce(sa.func.sum(data_files.c.size), 0))
    counts["bytes"] = int(conn.execute(size.where(_of(one, "data_file"))).scalar_one())
    return counts


def _of(one: Subject, kind: str) -> sa.ColumnElement[bool]:
    """What belongs to a group that is gone, or privately to an account that is. Deleted data is in the bin already."""
    table = _TABLES[kind]
    if one.kind == "group":
        whose = table.c.group_id == one.id
    else:
        whose = sa.and_(table.c.owner_id == one.id, table.c.group_id.is_(None))
    if kind == "calculation":
        # What still runs counts for its old group until its end.
        return sa.and_(whose, calculations.c.finished_at.isnot(None))
    return sa.and_(whose, table.c.deleted_at.is_(None))


def _newest_decision(conn: Connection, one: Subject) -> str | None:
    query = (
        sa.select(handovers.c.decision)
        .where(
            handovers.c.subject == one.kind,
            handovers.c.subject_id == one.id,
            handovers.c.undone_at.is_(None),
        )
        .order_by(handovers.c.id.desc())
    )
    return conn.execute(query.limit(1)).scalar()


# ---------------------------------------------------------------- deciding


def decide(
    conn: Connection, one: Subject, wish: Wish, now: float
) -> tuple[str, dict[str, int], list[events.Event]]:
    """Carry out a decision: (its id, how many of each kind, what to tell). Raises UserInputError."""
    if wish.decision not in DECISIONS[one.kind]:
        raise UserInputError(
            f"{wish.decision!r} cannot be decided for the data of a {one.kind}.",
            next=f"Possible: {', '.join(sorted(DECISIONS[one.kind]))}.",
        )
    handover_id = new_id()
    conn.execute(
        sa.insert(handovers).values(
            id=handover_id,
            at=now,
            by_id=wish.by_id,
            subject=one.kind,
            subject_id=one.id,
            decision=wish.decision,
            to_id=wish.to_id,
            reason=wish.reason,
        )
    )
    if wish.decision == "archive":
        return handover_id, _counts(conn, one), []
    for kind in _kinds(wish.decision):
        _note(conn, handover_id, one, kind)
    counts = dict.fromkeys(_kinds(wish.decision), 0) | _noted(conn, handover_id)
    told = list(_carry_out(conn, handover_id, wish, now))
    return handover_id, counts, list(events.write(conn, told))


def _kinds(decision: str) -> Sequence[str]:
    # A record of a calculation is never deleted.
    return ("dataset", "data_file") if decision == "delete" else ("dataset", "data_file", "calculation")


def _note(conn: Connection, handover_id: str, one: Subject, kind: str) -> None:
    """Write down what is concerned, as it is now. Files go with their dataset."""
    table = _TABLES[kind]
    where = [_of(one, kind)]
    if kind == "data_file":
        where.append(table.c.dataset_id.is_(None))
    chosen = sa.select(
        sa.literal(handover_id), sa.literal(kind), table.c.id, table.c.owner_id, table.c.group_id
    ).where(*where)
    names = ["handover_id", "kind", "object_id", "owner_id", "group_id"]
    conn.execute(sa.insert(handover_items).from_select(names, chosen))


def _noted(conn: Connection, handover_id: str) -> dict[str, int]:
    """How many of each kind are concerned."""
    query = sa.select(handover_items.c.kind, sa.func.count()).group_by(handover_items.c.kind)
    return dict(conn.execute(query.where(handover_items.c.handover_id == handover_id)).tuples().all())


@dataclass(frozen=True)
class _Item:
    """One object concerned, as it was before."""

    kind: str
    object_id: str
    owner_id: int
    group_id: int | None


def _items(conn: Connection, handover_id: str) -> Iterator[_Item]:
    query = sa.select(handover_items).where(handover_items.c.handover_id == handover_id)
    for row in conn.execute(query.order_by(handover_items.c.kind, handover_items.c.object_id)).all():
        yield _Item(row.kind, of_kind(row.kind, row.object_id), row.owner_id, row.group_id)


def _carry_out(conn: Connection, handover_id: str, wish: Wish, now: float) -> Iterator[events.Event]:
    for item in _items(conn, handover_id):
        if wish.decision == "delete":
            throw = trash.delete_dataset if item.kind == "dataset" else trash.delete_file
            throw(conn, item.object_id, wish.by_id, now)
            yield _event(item, now, "deleted", item.owner_id, item.group_id)
        else:
            owner_id, group_id = _after(item, wish.decision, wish.to_id)
            yield _move(conn, item, owner_id, group_id, now)


def _after(item: _Item, decision: str, to_id: int | None) -> tuple[int, int | None]:
    """(owner, home group) that an item has by this decision."""
    if decision == "person":
        assert to_id is not None
        return to_id, None
    return item.owner_id, to_id if decision == "group" else None


def _move(conn: Connection, item: _Item, owner_id: int, group_id: int | None, now: float) -> events.Event:
    values = {"owner_id": owner_id, "group_id": group_id}
    table = _TABLES[item.kind]
    if item.kind == "dataset":
        files = datasets_store.files_of(conn, [item.object_id])[item.object_id]
        conn.execute(sa.update(data_files).where(data_files.c.dataset_id == item.object_id).values(**values))
        for file in files:
            _count(conn, file, owner_id, group_id)
    elif item.kind == "data_file":
        _count(conn, datasets_store.get_file(conn, item.object_id), owner_id, group_id)
    conn.execute(sa.update(table).where(table.c.id == item.object_id).values(**values))
    return _event(item, now, "changed", owner_id, group_id)


def _count(conn: Connection, file: sa.Row, owner_id: int, group_id: int | None) -> None:
    datasets_store.count_bytes(conn, file.owner_id, file.group_id, -file.size)
    datasets_store.count_bytes(conn, owner_id, group_id, file.size)


def _event(item: _Item, now: float, status: str, owner_id: int, group_id: int | None) -> events.Event:
    # The state of a calculation has not changed, so this is no event of its history.
    kind = "handover" if item.kind == "calculation" else item.kind
    return events.Event(kind, item.object_id, now, status=status, owner_id=owner_id, group_id=group_id)


# ---------------------------------------------------------------- taking it back


def decisions(conn: Connection, limit: int = 200) -> list[sa.Row]:
    """The newest decisions, with the name of who made each."""
    query = sa.select(handovers, people.c.name.label("by")).join(people, people.c.id == handovers.c.by_id)
    return list(conn.execute(query.order_by(handovers.c.id.desc()).limit(limit)))


def undo(conn: Connection, handover_id: str, now: float) -> tuple[sa.Row, int, list[events.Event]]:
    """Put back what a decision changed and nobody has changed since: (the decision, how many, what to tell).

    Undone before: nothing happens. Raises NotFound.
    """
    row = conn.execute(sa.select(handovers).where(handovers.c.id == handover_id)).first()
    if row is None:
        raise NotFound(f"There is no decision {handover_id[:64]!r}.")
    if row.undone_at is not None:
        return row, 0, []
    told = [event for item in _items(conn, handover_id) if (event := _put_back(conn, row, item, now))]
    conn.execute(sa.update(handovers).where(handovers.c.id == handover_id).values(undone_at=now))
    return row, len(told), list(events.write(conn, told))


def _put_back(conn: Connection, handover: sa.Row, item: _Item, now: float) -> events.Event | None:
    table = _TABLES[item.kind]
    present = conn.execute(sa.select(table).where(table.c.id == item.object_id)).first()
    if present is None:
        return None
    if handover.decision == "delete":
        if present.deleted_at != handover.at:
            return None
        back = trash.restore_dataset if item.kind == "dataset" else trash.restore_file
        back(conn, item.object_id, now)
        return _event(item, now, "restored", item.owner_id, item.group_id)
    if (present.owner_id, present.group_id) != _after(item, handover.decision, handover.to_id):
        return None
    return _move(conn, item, item.owner_id, item.group_id, now)
