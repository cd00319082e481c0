"""Persons and groups, as far as objects need them: the hub keeps the list, here are the ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import groups, people


def ensure_person(conn: Connection, name: str, stable_id: str, now: float, kind: str = "person") -> int:
    """The id of this account. A re-created account of the same name has another stable id: another person."""
    query = sa.select(people.c.id).where(people.c.name == name, people.c.stable_id == stable_id)
    found = conn.execute(query).scalar()
    if found is None:
        row = {"name": name, "stable_id": stable_id, "kind": kind, "created_at": now, "last_seen_at": now}
        conn.execute(upsert(conn, people).values(row).on_conflict_do_nothing())
        return conn.execute(query).scalar_one()
    conn.execute(sa.update(people).where(people.c.id == found).values(last_seen_at=now, gone_at=None))
    return found


def ensure_groups(conn: Connection, names: Sequence[str], now: float) -> dict[str, int]:
    """name -> id of these groups; new ones are written down."""
    if not names:
        return {}
    query = sa.select(groups.c.name, groups.c.id).where(groups.c.name.in_(list(names)))
    found = {row.name: row.id for row in conn.execute(query)}
    new = sorted(set(names) - set(found))
    if new:
        rows = [{"name": name, "created_at": now} for name in new]
        conn.execute(upsert(conn, groups).on_conflict_do_nothing(), rows)
        found = {row.name: row.id for row in conn.execute(query)}
    return found


def names_of_groups(conn: Connection, ids: Sequence[int]) -> dict[int, str]:
    if not ids:
        return {}
    query = sa.select(groups.c.id, groups.c.name).where(groups.c.id.in_(list(ids)))
    return {row.id: row.name for row in conn.execute(query)}


def named(name: str) -> sa.Select:
    """Ids of all accounts that have, or had, this name; as a subquery."""
    return sa.select(people.c.id).where(people.c.name == name)


def find_person(conn: Connection, name: str) -> sa.Row:
    """The newest account of this name. Raises NotFound."""
    row = conn.execute(
        sa.select(people)
        .where(people.c.name == name, people.c.kind == "person", people.c.gone_at.is_(None))
        .order_by(people.c.id.desc())
    ).first()
    if row is None:
        raise NotFound(f"There is no person {name[:200]!r}.", next="They appear once they have signed in.")
    return row


def find_group(conn: Connection, name: str) -> sa.Row:
    row = conn.execute(sa.select(groups).where(groups.c.name == name, groups.c.gone_at.is_(None))).first()
    if row is None:
        raise NotFound(f"There is no group {name[:200]!r}.")
    return row


def remember_group(conn: Connection, person_id: int, group_id: int | None) -> None:
    """Keep the home group that a person used last: it is the default for the next time."""
    conn.execute(
        sa.update(people)
        .where(people.c.id == person_id, people.c.last_group_id.is_distinct_from(group_id))
        .values(last_group_id=group_id)
    )


def last_group(conn: Connection, person_id: int) -> int | None:
    return conn.execute(sa.select(people.c.last_group_id).where(people.c.id == person_id)).scalar()


def mark_departed(
    conn: Connection, known_groups: set[str], known_people: dict[str, str], now: float, since: float
) -> list[tuple[str, int, str]]:
    """Note which groups and accounts the hub no longer knows; (kind, id, name) of those newly gone.

    known_people: name -> stable id, "" when the hub did not tell. since: what was made later than this is left alone, for the
    hub may have been asked before. A group that is gone gives its name free: one made anew under it gets nothing of the old one's.
    """
    departed: list[tuple[str, int, str]] = []
    for row in conn.execute(
        sa.select(groups).where(groups.c.gone_at.is_(None), groups.c.created_at < since)
    ).all():
        if row.name in known_groups:
            continue
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        name = f"{row.name[:200]} (deleted {day}, {row.id})"
        conn.execute(sa.update(groups).where(groups.c.id == row.id).values(gone_at=now, name=name))
        departed.append(("group", row.id, name))
    accounts = sa.select(people).where(
        people.c.kind == "person", people.c.stable_id.not_in(["local", "service"])
    )
    for row in conn.execute(accounts).all():
        stable_id = known_people.get(row.name)
        is_known = stable_id is not None and (not stable_id or row.stable_id in (stable_id, "hub"))
        if is_known == (row.gone_at is None) or row.created_at >= since:
            continue
        conn.execute(sa.update(people).where(people.c.id == row.id).values(gone_at=None if is_known else now))
        if not is_known:
            departed.append(("person", row.id, row.name))
    return departed
