"""Shares of datasets, files and calculations, and what `rights.authorize` must know of an object."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.ids import of_kind
from sqlalchemy.engine import Connection

from qcrbox_registry.access.rights import Actor, Grant, Resource, authorize, missing
from qcrbox_registry.store import calculations as calculations_store
from qcrbox_registry.store import datasets as datasets_store
from qcrbox_registry.store.tables import groups, new_id, people, shares


def grants(conn: Connection, ids: Sequence[str], now: float | None = None) -> dict[str, list[Grant]]:
    """The shares of each object that hold now."""
    at = time.time() if now is None else now
    found: dict[str, list[Grant]] = {one: [] for one in ids}
    for start in range(0, len(ids), 500):
        query = sa.select(shares).where(
            shares.c.object_id.in_(ids[start : start + 500]),
            shares.c.revoked_at.is_(None),
            sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > at),
        )
        for row in conn.execute(query):
            found[of_kind(row.kind, row.object_id)].append(Grant(row.mode, row.person_id, row.group_id))
    return found


def dataset_resource(conn: Connection, row: sa.Row) -> Resource:
    if row.kind == "example":
        return Resource("example", row.id)
    return Resource("dataset", row.id, row.owner_id, row.group_id, tuple(grants(conn, [row.id])[row.id]))


def file_resources(conn: Connection, rows: Sequence[sa.Row]) -> dict[str, Resource]:
    """The things of data files; a share of the dataset counts for its files."""
    wanted = [row.id for row in rows] + [row.dataset_id for row in rows if row.dataset_id]
    held = grants(conn, list(dict.fromkeys(wanted)))
    kinds = _dataset_kinds(conn, [row.dataset_id for row in rows if row.dataset_id])
    return {
        row.id: Resource("example", row.id)
        if kinds.get(row.dataset_id) == "example"
        else Resource(
            "data_file",
            row.id,
            row.owner_id,
            row.group_id,
            (*held[row.id], *(held[row.dataset_id] if row.dataset_id else ())),
        )
        for row in rows
    }


def _dataset_kinds(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    table = datasets_store.datasets
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        query = sa.select(table.c.id, table.c.kind).where(table.c.id.in_(ids[start : start + 500]))
        found |= {row.id: row.kind for row in conn.execute(query)}
    return found


def calculation_resource(conn: Connection, row: sa.Row) -> Resource:
    return Resource("calculation", row.id, row.owner_id, row.group_id, tuple(grants(conn, [row.id])[row.id]))


def calculation_resources(conn: Connection, rows: Sequence[sa.Row]) -> list[Resource]:
    held = grants(conn, [row.id for row in rows])
    return [Resource("calculation", row.id, row.owner_id, row.group_id, tuple(held[row.id])) for row in rows]


# ---------------------------------------------------------------- read and ask in one


def dataset(conn: Connection, actor: Actor, action: str, dataset_id: str, *, deleted: bool = False) -> sa.Row:
    """The dataset, when the actor may do this with it; else NotFound or NotAllowed."""
    try:
        row = datasets_store.get(conn, dataset_id, deleted=deleted)
    except NotFound:
        raise missing("dataset", dataset_id) from None
    authorize(actor, action, dataset_resource(conn, row))
    return row


def data_file(conn: Connection, actor: Actor, action: str, file_id: str, *, deleted: bool = False) -> sa.Row:
    try:
        row = datasets_store.get_file(conn, file_id, deleted=deleted)
    except NotFound:
        raise missing("data_file", file_id) from None
    resource = file_resources(conn, [row])[row.id]
    if resource.kind == "example" and action != "read":
        resource = Resource("example", file_id)
    authorize(actor, action, resource)
    return row


def calculation(conn: Connection, actor: Actor, action: str, calculation_id: str) -> sa.Row:
    try:
        row = calculations_store.get(conn, calculation_id)
    except NotFound:
        raise missing("calculation", calculation_id) from None
    authorize(actor, action, calculation_resource(conn, row))
    return row


# ---------------------------------------------------------------- giving and taking


def give(
    conn: Connection,
    *,
    kind: str,
    object_id: str,
    mode: str,
    by_id: int,
    now: float,
    person_id: int | None = None,
    group_id: int | None = None,
    expires_at: float | None = None,
) -> str:
    """Share an object; giving again replaces the mode. The share's id."""
    revoke_for(conn, object_id, person_id=person_id, group_id=group_id, now=now)
    share_id = new_id()
    conn.execute(
        sa.insert(shares).values(
            id=share_id,
            kind=kind,
            object_id=object_id,
            person_id=person_id,
            group_id=group_id,
            mode=mode,
            by_id=by_id,
            at=now,
            expires_at=expires_at,
        )
    )
    return share_id


def revoke(conn: Connection, object_id: str, share_id: str, now: float) -> None:
    """Take a share back. Raises NotFound."""
    taken = conn.execute(
        sa.update(shares)
        .where(shares.c.id == share_id, shares.c.object_id == object_id, shares.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if taken.rowcount == 0:
        raise NotFound(f"There is no share {share_id[:64]!r} of this object.")


def revoke_for(
    conn: Connection, object_id: str, *, person_id: int | None, group_id: int | None, now: float
) -> None:
    conn.execute(
        sa.update(shares)
        .where(
            shares.c.object_id == object_id,
            shares.c.revoked_at.is_(None),
            shares.c.person_id == person_id if person_id is not None else shares.c.person_id.is_(None),
            shares.c.group_id == group_id if group_id is not None else shares.c.group_id.is_(None),
        )
        .values(revoked_at=now)
    )


def _listed() -> sa.Select:
    giver = people.alias("giver")
    return (
        sa.select(
            shares, people.c.name.label("person"), groups.c.name.label("group"), giver.c.name.label("by")
        )
        .outerjoin(people, people.c.id == shares.c.person_id)
        .outerjoin(groups, groups.c.id == shares.c.group_id)
        .join(giver, giver.c.id == shares.c.by_id)
        .order_by(shares.c.at)
    )


def _holds(now: float) -> sa.ColumnElement[bool]:
    return sa.and_(
        shares.c.revoked_at.is_(None), sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > now)
    )


def listed(conn: Connection, object_id: str, now: float) -> list[sa.Row]:
    """The shares of an object that hold, with the names of person, group and giver."""
    return list(conn.execute(_listed().where(shares.c.object_id == object_id, _holds(now))))


def given_by(conn: Connection, person_id: int, now: float) -> list[sa.Row]:
    """The shares that a person gave and that hold."""
    return list(conn.execute(_listed().where(shares.c.by_id == person_id, _holds(now)).limit(1000)))


def shared_with(conn: Connection, actor: Actor, now: float) -> frozenset[str]:
    """Ids of the objects that are shared with the actor (for event streams)."""
    query = sa.select(shares.c.kind, shares.c.object_id).where(
        shares.c.revoked_at.is_(None),
        sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > now),
        sa.or_(shares.c.person_id == actor.person_id, shares.c.group_id.in_(sorted(actor.group_ids) or [-1])),
    )
    return frozenset(of_kind(row.kind, row.object_id) for row in conn.execute(query))
