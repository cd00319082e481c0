"""Ids of persons and groups. The hub keeps the accounts; objects point to these rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import groups, people


def ensure_person(conn: Connection, name: str, stable_id: str, now: float, kind: str = "person") -> int:
    """The id of this account. A re-created account of the same name has another stable id: another person."""
    query = sa.select(people.c.id).where(people.c.name == name, people.c.stable_id == stable_id)
    found: int | None = conn.execute(query).scalar()
    if found is None:
        row = {"name": name, "stable_id": stable_id, "kind": kind, "created_at": now, "last_seen_at": now}
        conn.execute(upsert(conn, people).values(row).on_conflict_do_nothing())
        made: int = conn.execute(query).scalar_one()
        return made
    conn.execute(sa.update(people).where(people.c.id == found).values(last_seen_at=now, gone_at=None))
    return found


def may_be_renamed(conn: Connection, name: str, stable_id: str) -> bool:
    """Is this account new here while another name has its time of creation?"""
    ids = sa.select(people.c.name).where(people.c.stable_id == stable_id, people.c.kind == "person")
    known = set(conn.execute(ids).scalars())
    return bool(known) and name not in known


def by_creation(conn: Connection, times: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Time of creation at the hub -> (id, name) of who has signed in; times that several people share are left out."""
    rows: dict[str, list[tuple[int, str]]] = {}
    for part in parts(sorted({time for time in times if time})):
        query = sa.select(people.c.stable_id, people.c.id, people.c.name).where(
            people.c.kind == "person", people.c.stable_id.in_(part), people.c.last_seen_at.isnot(None)
        )
        for known in conn.execute(query):
            rows.setdefault(known.stable_id, []).append((known.id, known.name))
    return {stable_id: found[0] for stable_id, found in rows.items() if len(found) == 1}


def follow_renames(conn: Connection, hub: HubAccounts) -> list[tuple[str, str]]:
    """Give accounts that the hub has renamed their new names; (old, new) of each.

    An account is known by the time of its creation, which renaming does not change. Where two accounts share it, none
    is taken for the other.
    """
    now_called: dict[str, list[str]] = {}
    for name, stable_id in hub.people.items():
        if stable_id:
            now_called.setdefault(stable_id, []).append(name)
    rows: dict[str, list[tuple[int, str]]] = {}
    query = sa.select(people.c.id, people.c.name, people.c.stable_id).where(people.c.kind == "person")
    for known in conn.execute(query):
        rows.setdefault(known.stable_id, []).append((known.id, known.name))
    followed = []
    for stable_id, names in now_called.items():
        of_this_time = rows.get(stable_id, [])
        if len(names) != 1 or len(of_this_time) != 1 or of_this_time[0][1] == names[0]:
            continue
        ((person_id, old),), (new,) = of_this_time, names
        conn.execute(sa.update(people).where(people.c.id == person_id).values(name=new, gone_at=None))
        followed.append((old, new))
    return followed


def introduce_person(conn: Connection, name: str, stable_id: str, now: float) -> None:
    """Write down an account of the hub that has not come yet, so that rules can name it. stable_id: "" where unknown."""
    known = sa.select(people.c.id).where(people.c.name == name, people.c.kind == "person")
    if stable_id:
        known = known.where(people.c.stable_id.in_([stable_id, "hub"]))
    found: int | None = conn.execute(known.order_by(people.c.id.desc())).scalar()
    if found is not None:
        conn.execute(sa.update(people).where(people.c.id == found).values(gone_at=None))
        return
    row = {"name": name, "stable_id": stable_id or "hub", "kind": "person", "created_at": now}
    conn.execute(upsert(conn, people).values(row).on_conflict_do_nothing())


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


def group_ids(conn: Connection) -> dict[str, int]:
    """name -> id of every group."""
    return {row.name: row.id for row in conn.execute(sa.select(groups.c.name, groups.c.id))}


def names_of_groups(conn: Connection, ids: Iterable[int | None]) -> dict[int, str]:
    """id -> name of these groups; None is skipped."""
    wanted = sorted({group_id for group_id in ids if group_id is not None})
    if not wanted:
        return {}
    query = sa.select(groups.c.id, groups.c.name).where(groups.c.id.in_(wanted))
    return {row.id: row.name for row in conn.execute(query)}


def named(name: str) -> sa.Select[int]:
    """Ids of all accounts that have, or had, this name; as a subquery."""
    return sa.select(people.c.id).where(people.c.name == name)


def find_person(conn: Connection, name: str) -> int:
    """The id of the newest account of this name. Raises NotFound."""
    found: int | None = conn.execute(
        sa.select(people.c.id)
        .where(people.c.name == name, people.c.kind == "person", people.c.gone_at.is_(None))
        .order_by(people.c.id.desc())
    ).scalar()
    if found is None:
        raise NotFound(
            f"There is no person {name[:200]!r}.",
            next="Check the spelling. Accounts of the hub have this name there.",
        )
    return found


def present_accounts(conn: Connection, names: Sequence[str]) -> dict[str, int]:
    """name -> id of the newest account of each name that has signed in and is not gone."""
    found: dict[str, int] = {}
    for part in parts(names):
        query = (
            sa.select(people.c.name, sa.func.max(people.c.id).label("id"))
            .where(
                people.c.name.in_(part),
                people.c.kind == "person",
                people.c.gone_at.is_(None),
                people.c.last_seen_at.isnot(None),
            )
            .group_by(people.c.name)
        )
        found |= {row.name: row.id for row in conn.execute(query)}
    return found


def last_seen(conn: Connection, ids: Sequence[int]) -> dict[int, float]:
    """id -> when the account last asked for something, Unix time, s."""
    found: dict[int, float] = {}
    for part in parts(ids):
        query = sa.select(people.c.id, people.c.last_seen_at).where(
            people.c.id.in_(part), people.c.last_seen_at.isnot(None)
        )
        found |= {row.id: row.last_seen_at for row in conn.execute(query)}
    return found


def find_group(conn: Connection, name: str) -> int:
    """The id of the group of this name. Raises NotFound."""
    found: int | None = conn.execute(
        sa.select(groups.c.id).where(groups.c.name == name, groups.c.gone_at.is_(None))
    ).scalar()
    if found is None:
        raise NotFound(
            f"There is no group {name[:200]!r}.",
            next="Check the spelling. Groups of the hub have this name there.",
        )
    return found


def remember_group(conn: Connection, person_id: int, group_id: int | None) -> None:
    """Keep the home group that a person used last: it is the default for the next time."""
    conn.execute(
        sa.update(people)
        .where(people.c.id == person_id, people.c.last_group_id.is_distinct_from(group_id))
        .values(last_group_id=group_id)
    )


def last_group(conn: Connection, person_id: int) -> int | None:
    """The home group that a person used last."""
    found: int | None = conn.execute(
        sa.select(people.c.last_group_id).where(people.c.id == person_id)
    ).scalar()
    return found


# ---------------------------------------------------------------- offboarding


@dataclass(frozen=True, slots=True)
class Departed:
    """A group or account that the hub no longer has."""

    kind: str  # group | person
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class HubAccounts:
    """What the hub has: names of groups; names of accounts with their stable id, "" where the hub did not give it.

    asked_at: rows made later (Unix time, s) are left alone, for the hub may have answered before they were made.
    """

    groups: frozenset[str]
    people: Mapping[str, str]
    asked_at: float


def mark_departed(conn: Connection, hub: HubAccounts, now: float) -> list[Departed]:
    """Note which groups and accounts the hub no longer has; those newly gone."""
    return _mark_groups(conn, hub, now) + _mark_people(conn, hub, now)


def _mark_groups(conn: Connection, hub: HubAccounts, now: float) -> list[Departed]:
    """A group that is gone frees its name: a new group of that name gets nothing of the old one."""
    departed: list[Departed] = []
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    query = sa.select(groups).where(groups.c.gone_at.is_(None), groups.c.created_at < hub.asked_at)
    for row in conn.execute(query).all():
        if row.name in hub.groups:
            continue
        name = f"{row.name[:200]} (deleted {day}, {row.id})"
        conn.execute(sa.update(groups).where(groups.c.id == row.id).values(gone_at=now, name=name))
        departed.append(Departed("group", row.id, name))
    return departed


def _mark_people(conn: Connection, hub: HubAccounts, now: float) -> list[Departed]:
    departed: list[Departed] = []
    query = sa.select(people).where(
        people.c.kind == "person", people.c.stable_id.not_in(["local", "service"])
    )
    for row in conn.execute(query).all():
        stable_id = hub.people.get(row.name)
        is_known = stable_id is not None and (not stable_id or row.stable_id in (stable_id, "hub"))
        if is_known == (row.gone_at is None) or row.created_at >= hub.asked_at:
            continue
        conn.execute(sa.update(people).where(people.c.id == row.id).values(gone_at=None if is_known else now))
        if not is_known:
            departed.append(Departed("person", row.id, row.name))
    return departed
