"""Quotas of persons and groups: the stricter holds, and the message says which and who can raise it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import QuotaExceeded
from sqlalchemy.engine import Connection

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.settings import Settings
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import groups, loads, people, quotas, sessions, storage, usage

Subject = tuple[str, int]  # ("person" | "group", id)
GIB = 1024**3
QUOTAS = ("gib", "running", "queued", "sessions", "cpu_hours")
_WORDS = {
    "gib": "GiB of storage",
    "running": "running calculations",
    "queued": "waiting calculations",
    "sessions": "open interactive sessions",
    "cpu_hours": "CPU hours (running time × processors) this month",
}
_ADVICE = {
    "gib": "Delete what is not needed any more",
    "running": "Wait until one has ended",
    "queued": "Wait until some have begun",
    "sessions": "End one that is not needed any more",
    "cpu_hours": "Wait for the first day of the next month (UTC)",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that holds for a person, through themselves or through a group."""

    quota: str
    limit: float
    subject: str  # person | group
    subject_id: int

    def require(self, now: float, more: float) -> None:
        """Raises QuotaExceeded when `more` beside what is used `now` would go over it."""
        if now + more <= self.limit:
            return
        whose = "your" if self.subject == "person" else "your group's"
        raise QuotaExceeded(
            f"This would go over {whose} limit of {self.limit:g} {_WORDS[self.quota]}.",
            why=f"{now:.6g} are used and {more:.6g} more are asked for.",
            next=f"{_ADVICE[self.quota]}; or an administrator can raise {'it' if self.subject == 'person' else 'the limit of the group'}.",
            quota=self.quota,
            limit=self.limit,
            used=now,
            who_can_raise="administrator",
        )


@dataclass(frozen=True, slots=True)
class QuotaHeadroom:
    """Limits of storage, each with what is used of it, GiB: asked while bytes arrive, so that no more than allowed is kept."""

    limits: tuple[tuple[Limit, float], ...] = ()

    def require(self, size: int) -> None:
        """Raises QuotaExceeded when so many more bytes would go over a limit."""
        for limit, now in self.limits:
            limit.require(now, size / GIB)

    def without(self, size: int) -> QuotaHeadroom:
        """The room that is left after so many bytes."""
        return QuotaHeadroom(tuple((limit, now + size / GIB) for limit, now in self.limits))


def defaults(settings: Settings) -> dict[str, float]:
    """The site's limits for persons without one of their own; a quota that is absent is unlimited."""
    given = {
        "gib": settings.gib_limit,
        "running": settings.running_limit,
        "queued": settings.queued_limit,
        "sessions": settings.sessions_limit,
        "cpu_hours": settings.cpu_hours_limit,
    }
    return {quota: float(limit) for quota, limit in given.items() if limit is not None}


class Quotas:
    """All limits in memory; `load` again after a change."""

    def __init__(self, site: dict[str, float]) -> None:
        self._site = site
        self._set: dict[tuple[str, int, str], float] = {}

    def load(self, conn: Connection) -> None:
        self._set = {
            (row.subject, row.subject_id, row.quota): row.limit for row in conn.execute(sa.select(quotas))
        }

    def limits(self, person_id: int, group_id: int | None, quota: str) -> list[Limit]:
        """What holds for this person (and for this home group), stricter first."""
        own = self._set.get(("person", person_id, quota))
        if own is None:
            own = self._set.get(("default-person", 0, quota), self._site.get(quota))
        found = [] if own is None else [Limit(quota, own, "person", person_id)]
        if group_id is not None:
            of_group = self._set.get(("group", group_id, quota), self._set.get(("default-group", 0, quota)))
            if of_group is not None:
                found.append(Limit(quota, of_group, "group", group_id))
        return sorted(found, key=lambda limit: limit.limit)

    def require(
        self, conn: Connection, person_id: int, group_id: int | None, quota: str, more: float
    ) -> None:
        """Raises QuotaExceeded when `more` of it would go over a limit. Called in the writer, so no race."""
        for limit in self.limits(person_id, group_id, quota):
            limit.require(used(conn, limit.subject, limit.subject_id, quota), more)

    def headroom(self, conn: Connection, person_id: int, group_id: int | None) -> QuotaHeadroom:
        """What this person (in this home group) may still store."""
        limits = self.limits(person_id, group_id, "gib")
        return QuotaHeadroom(
            tuple((limit, used(conn, limit.subject, limit.subject_id, "gib")) for limit in limits)
        )

    def shown(self, conn: Connection, actor: Actor) -> list[dict[str, Any]]:
        """The actor's own limits and what is used of them."""
        rows = []
        subjects: list[tuple[str, int, str]] = [("person", actor.person_id, actor.name)]
        subjects += [("group", group_id, name) for name, group_id in sorted(actor.groups.items())]
        for quota in QUOTAS:
            for subject, subject_id, name in subjects:
                limit = self._set.get((subject, subject_id, quota))
                if limit is None and subject == "person":
                    limit = self._set.get(("default-person", 0, quota), self._site.get(quota))
                if limit is None and subject == "group":
                    continue
                rows.append(
                    {
                        "quota": quota,
                        "words": _WORDS[quota],
                        "subject": subject,
                        "name": name,
                        "limit": limit,
                        "used": round(used(conn, subject, subject_id, quota), 6),
                    }
                )
        return rows


def used(conn: Connection, subject: str, subject_id: int, quota: str) -> float:
    """How much of a quota a person or group uses now.

    CPU hours: of calculations that ended in this month (UTC), their time from start to end, times the processors that their
    application declares (one when it declares none), whether the program kept them busy or not.
    """
    if quota == "gib":
        table = storage
        value = conn.execute(
            sa.select(table.c.bytes).where(table.c.subject == subject, table.c.subject_id == subject_id)
        ).scalar()
        return (value or 0) / GIB
    if quota in ("running", "queued"):
        query = sa.select(sa.func.sum(loads.c[quota])).where(
            loads.c.subject == subject, loads.c.subject_id == subject_id
        )
        return float(conn.execute(query).scalar() or 0)
    if quota == "sessions":
        whose = sessions.c.owner_id if subject == "person" else sessions.c.group_id
        query = sa.select(sa.func.count()).where(whose == subject_id, sessions.c.closed_at.is_(None))
        return float(conn.execute(query).scalar_one())
    seconds = conn.execute(
        sa.select(usage.c.cpu_s).where(
            usage.c.subject == subject,
            usage.c.subject_id == subject_id,
            usage.c.month == time.strftime("%Y-%m", time.gmtime()),
        )
    ).scalar()
    return (seconds or 0.0) / 3600


def set_limit(
    conn: Connection, subject: str, subject_id: int, quota: str, limit: float | None, by_id: int, now: float
) -> None:
    """Set a limit, or (None) go back to the default."""
    where = (quotas.c.subject == subject, quotas.c.subject_id == subject_id, quotas.c.quota == quota)
    if limit is None:
        conn.execute(sa.delete(quotas).where(*where))
        return
    row = {"subject": subject, "subject_id": subject_id, "quota": quota}
    values = {"limit": limit, "by_id": by_id, "at": now}
    statement = upsert(conn, quotas).values(**row, **values)
    conn.execute(
        statement.on_conflict_do_update(index_elements=["subject", "subject_id", "quota"], set_=values)
    )


def listed(conn: Connection) -> list[dict[str, Any]]:
    """Every limit that is set, with names; for administrators."""
    names = {("person", row.id): row.name for row in conn.execute(sa.select(people.c.id, people.c.name))}
    names |= {("group", row.id): row.name for row in conn.execute(sa.select(groups.c.id, groups.c.name))}
    return [
        {
            "subject": row.subject,
            "name": names.get((row.subject, row.subject_id), ""),
            "quota": row.quota,
            "limit": row.limit,
        }
        for row in conn.execute(sa.select(quotas).order_by(quotas.c.subject, quotas.c.subject_id))
    ]
