"""Quotas of persons and groups: the stricter limit holds, and the message says which and who can raise it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qcrbox.contract.errors import QuotaExceeded

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import quotas
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.quotas import GIB, used

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
    """A limit that holds for a person, their own or that of a group."""

    quota: str
    limit: float
    subject: str  # person | group
    subject_id: int

    def require(self, now: float, more: float) -> None:
        """Raises QuotaExceeded when `more` in addition to `now` would exceed the limit."""
        if now + more <= self.limit:
            return
        whose = "your" if self.subject == "person" else "your group's"
        raise QuotaExceeded(
            f"This would exceed {whose} limit of {self.limit:g} {_WORDS[self.quota]}.",
            why=f"{now:.6g} are used and {more:.6g} more are asked for.",
            next=f"{_ADVICE[self.quota]}; or an administrator can raise {'it' if self.subject == 'person' else 'the limit of the group'}.",
            quota=self.quota,
            limit=self.limit,
            used=now,
            who_can_raise="administrator",
        )


@dataclass(frozen=True, slots=True)
class QuotaHeadroom:
    """How much may still be stored: the storage limits, each with its present use in GiB. Checked while bytes arrive."""

    limits: tuple[tuple[Limit, float], ...] = ()

    def require(self, size: int) -> None:
        """Raises QuotaExceeded when this many more bytes would exceed a limit."""
        for limit, now in self.limits:
            limit.require(now, size / GIB)

    def without(self, size: int) -> QuotaHeadroom:
        """The headroom that is left after this many bytes."""
        return QuotaHeadroom(tuple((limit, now + size / GIB) for limit, now in self.limits))


def defaults(settings: Settings) -> dict[str, float]:
    """Limits from the settings for persons without a limit of their own; a missing quota is unlimited."""
    given = {
        "gib": settings.gib_limit,
        "running": settings.running_limit,
        "queued": settings.queued_limit,
        "sessions": settings.sessions_limit,
        "cpu_hours": settings.cpu_hours_limit,
    }
    return {quota: float(limit) for quota, limit in given.items() if limit is not None}


class Quotas:
    """All limits in memory. `load` again after a change."""

    def __init__(self, site: dict[str, float]) -> None:
        self._site = site
        self._set: dict[tuple[str, int, str], float] = {}

    def load(self, conn: Connection) -> None:
        """Read the limits that are set."""
        self._set = quotas.limits(conn)

    def of(self, subject: str, subject_id: int, quota: str) -> float | None:
        """The limit of a person or group; None: unlimited."""
        if subject == "person":
            default = self._set.get(("default-person", 0, quota), self._site.get(quota))
        else:
            default = self._set.get(("default-group", 0, quota))
        return self._set.get((subject, subject_id, quota), default)

    def limits(self, person_id: int, group_id: int | None, quota: str) -> list[Limit]:
        """The limits of this person (and of this home group), the stricter first."""
        own = self.of("person", person_id, quota)
        found = [] if own is None else [Limit(quota, own, "person", person_id)]
        if group_id is not None:
            of_group = self.of("group", group_id, quota)
            if of_group is not None:
                found.append(Limit(quota, of_group, "group", group_id))
        return sorted(found, key=lambda limit: limit.limit)

    def require(
        self, conn: Connection, person_id: int, group_id: int | None, quota: str, more: float
    ) -> None:
        """Raises QuotaExceeded when `more` of it would exceed a limit. Call it in the transaction of the change."""
        for limit in self.limits(person_id, group_id, quota):
            limit.require(used(conn, limit.subject, limit.subject_id, quota), more)

    def require_move(
        self, conn: Connection, before: tuple[int, int | None], after: tuple[int, int | None], size: int
    ) -> None:
        """Raises QuotaExceeded when bytes that are stored already would exceed a limit at their new place.

        before, after: person and home group. Where the bytes count already, they need no more room.
        """
        for limit in self.limits(*after, "gib"):
            place = {"person": before[0], "group": before[1]}
            if limit.subject_id != place[limit.subject]:
                limit.require(used(conn, limit.subject, limit.subject_id, "gib"), size / GIB)

    def headroom(self, conn: Connection, person_id: int, group_id: int | None) -> QuotaHeadroom:
        """How much this person (in this home group) may still store."""
        limits = self.limits(person_id, group_id, "gib")
        return QuotaHeadroom(
            tuple((limit, used(conn, limit.subject, limit.subject_id, "gib")) for limit in limits)
        )

    def shown(self, conn: Connection, actor: Actor) -> list[dict[str, Any]]:
        """The limits of the actor and their groups, with the present use, as GET /api/me answers."""
        rows = []
        subjects: list[tuple[str, int, str]] = [("person", actor.person_id, actor.name)]
        subjects += [("group", group_id, name) for name, group_id in sorted(actor.groups.items())]
        for quota in QUOTAS:
            for subject, subject_id, name in subjects:
                limit = self.of(subject, subject_id, quota)
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
