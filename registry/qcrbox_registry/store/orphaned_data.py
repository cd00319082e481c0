"""Data of deleted groups and accounts, and the decisions of administrators about it.

No data is removed without a decision. A decision is stored with every object as it was before, so it can be undone;
the same decision again finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.ids import of_kind
from qcrbox.contract.previews import PREFIX
from sqlalchemy.engine import Connection

from qcrbox_registry.store import datasets as datasets_store
from qcrbox_registry.store import events, trash
from qcrbox_registry.store.records import Records
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
_PREVIEW = people.c.name.like(f"{PREFIX}%")
_DECISIONS = sa.select(handovers.c.subject_id).where(handovers.c.subject == "person")
_UNDONE = people.c.id.in_(_DECISIONS.where(handovers.c.undone_at.isnot(None)))
# Data of a preview account goes to the trash by itself, and waits for an administrator only after they brought it back.
_LISTED: dict[str, tuple[sa.ColumnElement[bool], ...]] = {"group": (), "person": (~_PREVIEW | _UNDONE,)}
# What may be decided: for a group's data, for a person's private data.
DECISIONS = {
    "group": frozenset({"archive", "delete", "group", "owners"}),
    "person": frozenset({"archive", "delete", "group", "person"}),
}
_TABLES: dict[str, sa.Table] = {"dataset": datasets, "data_file": data_files, "calculation": calculations}


@dataclass(frozen=True, slots=True)
class Subject:
    """The deleted group or account whose data this is."""

    kind: str  # person | group
    id: int
    name: str
    gone_at: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision before it is carried out. `to_id`: the group or person that gets the data."""

    kind: str  # archive | delete | group | owners | person
    by_id: int
    to_id: int | None = None
    reason: str = ""


# ---------------------------------------------------------------- lists


def find_subject(conn: Connection, kind: str, subject_id: int) -> Subject:
    """Raises NotFound for a group or account that does not exist or is not deleted."""
    table = groups if kind == "group" else people
    row = conn.execute(sa.select(table).where(table.c.id == subject_id, table.c.gone_at.isnot(None))).first()
    if row is None:
        raise NotFound(f"There is no deleted {kind} {subject_id}.")
    return Subject(kind, row.id, row.name, row.gone_at)


@dataclass(frozen=True, slots=True)
class Orphaned:
    """The data of one deleted group or account. `decision`: the newest one that was not undone."""

    subject: Subject
    counts: dict[str, int]  # datasets, data_files, calculations, bytes
    decision: str | None


def listed(conn: Connection) -> list[Orphaned]:
    """Data that waits for a decision or was archived, of the longest deleted group or account first."""
    found: list[Orphaned] = []
    for kind, table in (("group", groups), ("person", people)):
        for row in conn.execute(sa.select(table).where(table.c.gone_at.isnot(None), *_LISTED[kind])):
            subject = Subject(kind, row.id, row.name, row.gone_at)
            counts = _counts(conn, subject)
            if any(counts.values()):
                found.append(Orphaned(subject, counts, _newest_decision(conn, subject)))
    return sorted(found, key=lambda orphaned: orphaned.subject.gone_at)


def gone_previews(conn: Connection) -> list[Subject]:
    """Preview accounts that the hub has deleted and whose data was not dealt with yet."""
    query = sa.select(people).where(_PREVIEW, people.c.gone_at.isnot(None), people.c.id.not_in(_DECISIONS))
    return [Subject("person", row.id, row.name, row.gone_at) for row in conn.execute(query)]


def _counts(conn: Connection, subject: Subject) -> dict[str, int]:
    kinds = {"datasets": "dataset", "data_files": "data_file", "calculations": "calculation"}
    counts: dict[str, int] = {
        name: conn.execute(sa.select(sa.func.count()).where(_of(subject, kind))).scalar_one()
        for name, kind in kinds.items()
    }
    size = sa.select(sa.func.coalesce(sa.func.sum(data_files.c.size), 0))
    counts["bytes"] = int(conn.execute(size.where(_of(subject, "data_file"))).scalar_one())
    return counts


def _of(subject: Subject, kind: str) -> sa.ColumnElement[bool]:
    """The data of a deleted group, or the private data of a deleted account. Data in the trash does not count."""
    table = _TABLES[kind]
    if subject.kind == "group":
        whose = table.c.group_id == subject.id
    else:
        whose = sa.and_(table.c.owner_id == subject.id, table.c.group_id.is_(None))
    if kind == "calculation":
        # A running calculation belongs to the deleted group until its end.
        return sa.and_(whose, calculations.c.finished_at.isnot(None))
    return sa.and_(whose, table.c.deleted_at.is_(None))


def _newest_decision(conn: Connection, subject: Subject) -> str | None:
    query = (
        sa.select(handovers.c.decision)
        .where(
            handovers.c.subject == subject.kind,
            handovers.c.subject_id == subject.id,
            handovers.c.undone_at.is_(None),
        )
        .order_by(handovers.c.id.desc())
    )
    return conn.execute(query.limit(1)).scalar()


# ---------------------------------------------------------------- decisions


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did: its id, how many objects of each kind, the events to publish."""

    id: str
    counts: dict[str, int]
    events: list[events.Event]


def decide(conn: Connection, subject: Subject, decision: Decision, now: float) -> Decided:
    """Carry out a decision. Raises UserInputError for a decision that this kind of subject does not allow."""
    if decision.kind not in DECISIONS[subject.kind]:
        raise UserInputError(
            f"{decision.kind!r} cannot be decided for the data of a {subject.kind}.",
            next=f"Possible: {', '.join(sorted(DECISIONS[subject.kind]))}.",
        )
    handover_id = new_id()
    conn.execute(
        sa.insert(handovers).values(
            id=handover_id,
            at=now,
            by_id=decision.by_id,
            subject=subject.kind,
            subject_id=subject.id,
            decision=decision.kind,
            to_id=decision.to_id,
            reason=decision.reason,
        )
    )
    if decision.kind == "archive":
        return Decided(handover_id, _counts(conn, subject), [])
    kinds = _kinds(decision.kind)
    for kind in kinds:
        _note(conn, handover_id, subject, kind)
    counts = dict.fromkeys(kinds, 0) | _noted(conn, handover_id)
    made = list(_carry_out(conn, handover_id, decision, now))
    return Decided(handover_id, counts, list(events.write(conn, made)))


def _kinds(decision: str) -> Sequence[str]:
    # A record of a calculation is never deleted.
    return ("dataset", "data_file") if decision == "delete" else ("dataset", "data_file", "calculation")


def _note(conn: Connection, handover_id: str, subject: Subject, kind: str) -> None:
    """Store the objects concerned as they are now. Files go with their dataset."""
    table = _TABLES[kind]
    where = [_of(subject, kind)]
    if kind == "data_file":
        where.append(table.c.dataset_id.is_(None))
    chosen = sa.select(
        sa.literal(handover_id), sa.literal(kind), table.c.id, table.c.owner_id, table.c.group_id
    ).where(*where)
    names = ["handover_id", "kind", "object_id", "owner_id", "group_id"]
    conn.execute(sa.insert(handover_items).from_select(names, chosen))


def _noted(conn: Connection, handover_id: str) -> dict[str, int]:
    """How many objects of each kind are concerned."""
    query = (
        sa.select(handover_items.c.kind, sa.func.count().label("n"))
        .where(handover_items.c.handover_id == handover_id)
        .group_by(handover_items.c.kind)
    )
    return {row.kind: row.n for row in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class _Item:
    """An object concerned, as it was before."""

    kind: str
    object_id: str
    owner_id: int
    group_id: int | None


def _items(conn: Connection, handover_id: str) -> Iterator[_Item]:
    query = sa.select(handover_items).where(handover_items.c.handover_id == handover_id)
    for row in conn.execute(query.order_by(handover_items.c.kind, handover_items.c.object_id)).all():
        yield _Item(row.kind, of_kind(row.kind, row.object_id), row.owner_id, row.group_id)


def _carry_out(conn: Connection, handover_id: str, decision: Decision, now: float) -> Iterator[events.Event]:
    for item in _items(conn, handover_id):
        if decision.kind == "delete":
            delete = trash.delete_dataset if item.kind == "dataset" else trash.delete_file
            delete(conn, item.object_id, decision.by_id, now)
            yield _event(item, now, "deleted", item.owner_id, item.group_id)
        else:
            owner_id, group_id = _after(item, decision.kind, decision.to_id)
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
        file = datasets_store.get_file(conn, item.object_id, deleted=True)
        if file.deleted_at is None:  # one in the trash is counted when it is restored
            _count(conn, file, owner_id, group_id)
    conn.execute(sa.update(table).where(table.c.id == item.object_id).values(**values))
    return _event(item, now, "changed", owner_id, group_id)


def _count(conn: Connection, file: datasets_store.DataFile, owner_id: int, group_id: int | None) -> None:
    datasets_store.count_bytes(conn, file.owner_id, file.group_id, -file.size)
    datasets_store.count_bytes(conn, owner_id, group_id, file.size)


def _event(item: _Item, now: float, status: str, owner_id: int, group_id: int | None) -> events.Event:
    # The state of a calculation does not change, so this event is not part of its history.
    kind = "handover" if item.kind == "calculation" else item.kind
    return events.Event(kind, item.object_id, now, status=status, owner_id=owner_id, group_id=group_id)


# ---------------------------------------------------------------- undo


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A row of `handovers` with the name of the administrator."""

    id: str
    at: float
    subject: str
    subject_id: int
    decision: str
    to_id: int | None
    reason: str
    undone_at: float | None
    by: str


_decisions = Records(
    DecisionRow,
    handovers,
    {"by": people.c.name},
    handovers.join(people, people.c.id == handovers.c.by_id),
)


def decisions(conn: Connection, limit: int = 200) -> list[DecisionRow]:
    """The newest decisions."""
    return _decisions.all(conn, _decisions.select.order_by(handovers.c.id.desc()).limit(limit))


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did: the decision, how many objects, the events to publish."""

    decision: DecisionRow
    count: int
    events: list[events.Event]


def undo(conn: Connection, handover_id: str, now: float) -> Undone:
    """Put back the objects of a decision that were not changed since. A second undo does nothing. Raises NotFound."""
    found = _decisions.require(conn, handover_id, "decision")
    if found.undone_at is not None:
        return Undone(found, 0, [])
    made = [event for item in _items(conn, handover_id) if (event := _put_back(conn, found, item, now))]
    conn.execute(sa.update(handovers).where(handovers.c.id == handover_id).values(undone_at=now))
    return Undone(found, len(made), list(events.write(conn, made)))


def _put_back(conn: Connection, handover: DecisionRow, item: _Item, now: float) -> events.Event | None:
    table = _TABLES[item.kind]
    present = conn.execute(sa.select(table).where(table.c.id == item.object_id)).first()
    if present is None:
        return None
    if handover.decision == "delete":
        if present.deleted_at != handover.at:
            return None
        restore = trash.restore_dataset if item.kind == "dataset" else trash.restore_file
        try:
            restore(conn, item.object_id, now)
        except NotFound:
            return None  # its bytes are gone; the others are put back
        return _event(item, now, "restored", item.owner_id, item.group_id)
    if (present.owner_id, present.group_id) != _after(item, handover.decision, handover.to_id):
        return None
    return _move(conn, item, item.owner_id, item.group_id, now)
