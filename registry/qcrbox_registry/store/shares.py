"""Shares of datasets, data files and calculations with persons or groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.ids import of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records, parts
from qcrbox_registry.store.tables import groups, new_id, people, shares
from qcrbox_registry.store.visibility import holding


@dataclass(frozen=True, slots=True)
class Share:
    """A row of `shares` with the names of person, group and giver."""

    id: str
    kind: str
    object_id: str
    mode: str
    at: float
    expires_at: float | None
    revoked_at: float | None
    person: str | None
    group: str | None
    by: str


@dataclass(frozen=True, slots=True)
class HeldShare:
    """Whom an object is shared with, and how."""

    kind: str
    object_id: str
    mode: str  # read | write
    person_id: int | None
    group_id: int | None


@dataclass(frozen=True, slots=True)
class NewShare:
    """A share before it is written: with a person or a group."""

    kind: str
    object_id: str
    mode: str
    by_id: int
    person_id: int | None = None
    group_id: int | None = None
    expires_at: float | None = None


_giver = people.alias("giver")
_records = Records(
    Share,
    shares,
    {"person": people.c.name, "group": groups.c.name, "by": _giver.c.name},
    shares.outerjoin(people, people.c.id == shares.c.person_id)
    .outerjoin(groups, groups.c.id == shares.c.group_id)
    .join(_giver, _giver.c.id == shares.c.by_id),
)
_held = Records(HeldShare, shares)


def _holds(now: float) -> sa.ColumnElement[bool]:
    return sa.and_(
        shares.c.revoked_at.is_(None), sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > now)
    )


def held(conn: Connection, object_ids: Sequence[str], now: float) -> dict[str, list[HeldShare]]:
    """The shares of each object that hold at `now` (Unix time, s)."""
    found: dict[str, list[HeldShare]] = {object_id: [] for object_id in object_ids}
    for part in parts(object_ids):
        for share in _held.all(conn, _held.select.where(shares.c.object_id.in_(part), _holds(now))):
            found[of_kind(share.kind, share.object_id)].append(share)
    return found


def objects_shared_with(
    conn: Connection, person_id: int, group_ids: frozenset[int], now: float
) -> frozenset[str]:
    """Ids of the objects that are shared with a person or these groups."""
    query = sa.select(shares.c.kind, shares.c.object_id).where(holding(person_id, group_ids, now))
    return frozenset(of_kind(row.kind, row.object_id) for row in conn.execute(query))


def give(conn: Connection, new: NewShare, now: float) -> str:
    """Share an object; giving again replaces the mode. The id of the share."""
    _revoke_same(conn, new, now)
    share_id = new_id()
    conn.execute(
        sa.insert(shares).values(
            id=share_id,
            kind=new.kind,
            object_id=new.object_id,
            person_id=new.person_id,
            group_id=new.group_id,
            mode=new.mode,
            by_id=new.by_id,
            at=now,
            expires_at=new.expires_at,
        )
    )
    return share_id


def _revoke_same(conn: Connection, new: NewShare, now: float) -> None:
    person, group = shares.c.person_id, shares.c.group_id
    conn.execute(
        sa.update(shares)
        .where(
            shares.c.object_id == new.object_id,
            shares.c.revoked_at.is_(None),
            person.is_(None) if new.person_id is None else person == new.person_id,
            group.is_(None) if new.group_id is None else group == new.group_id,
        )
        .values(revoked_at=now)
    )


def revoke(conn: Connection, share_id: str, now: float) -> None:
    """End a share. Raises NotFound."""
    taken = conn.execute(
        sa.update(shares).where(shares.c.id == share_id, shares.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    if taken.rowcount == 0:
        raise NotFound(f"There is no share {share_id[:64]!r}.")


def get(conn: Connection, share_id: str) -> Share:
    """A share that was not revoked. Raises NotFound."""
    found = _records.by_key(conn, share_id)
    if found is None or found.revoked_at is not None:
        raise NotFound(f"There is no share {share_id[:64]!r}.")
    return found


def of_object(conn: Connection, object_id: str, now: float) -> list[Share]:
    """The shares of an object that hold, oldest first."""
    query = _records.select.where(shares.c.object_id == object_id, _holds(now))
    return _records.all(conn, query.order_by(shares.c.at))


def given_by(conn: Connection, person_id: int, now: float, limit: int = 1000) -> list[Share]:
    """The shares that a person gave and that hold, oldest first."""
    query = _records.select.where(shares.c.by_id == person_id, _holds(now))
    return _records.all(conn, query.order_by(shares.c.at).limit(limit))
