"""The site for its administrators: quotas, holds, agents, checks; and who a person is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import SITE, Actor, Resource, authorize
from qcrbox_registry.services.applications import HoldChange, put_hold
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.services.texts import needed_reason
from qcrbox_registry.store import figures, people, quotas, schema
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.holds import Hold, placed_holds
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import LimitFilter, NewLimit


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A limit to set for a person or group by name, or for the defaults; None goes back to the default."""

    subject: str  # person | group | default-person | default-group
    name: str
    quota: str
    limit: float | None


class SiteService:
    """Acts of administrators."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def me(self, actor: Actor) -> Json:
        """Name, groups, roles and quotas of the caller."""

        def read(conn: Connection) -> Json:
            last = people.last_group(conn, actor.person_id)
            names = {group_id: name for name, group_id in actor.groups.items()}
            return {
                "name": actor.name,
                "groups": sorted(actor.groups),
                "roles": actor.roles(),
                "home_group": None if last is None else names.get(last),
                "quotas": self._context.quotas.shown(conn, actor),
            }

        return await self._context.db.read(read)

    async def status(self, actor: Actor) -> Json:
        """Queue, agents, launchers and open sessions. Raises NotFound or NotAllowed."""
        authorize(actor, "monitor", SITE)
        sessions = await self._context.db.read(figures.open_sessions)
        return self._context.scheduler.status() | {"sessions": sessions}

    def require(self, actor: Actor, action: str) -> None:
        """Raises NotFound or NotAllowed unless the actor may do this with the site."""
        authorize(actor, action, SITE)

    # ------------------------------------------------------------ quotas

    async def quotas(self, actor: Actor, asked: LimitFilter, cut: Cut) -> Json:
        """A part of the limits that are set, and how many there are. Raises NotFound or NotAllowed."""
        authorize(actor, "read", SITE)
        rows, total = await self._context.db.read(lambda conn: quotas.listed(conn, asked, cut))
        return {
            "quotas": [
                {"subject": row.subject, "name": row.name, "quota": row.quota, "limit": row.limit}
                for row in rows
            ],
            "total": total,
        }

    async def set_quota(self, actor: Actor, change: LimitChange) -> Json:
        """Set a limit; the limits of this person, group or default then. Raises NotFound for an unknown one."""
        authorize(actor, "manage", SITE)
        await introduce(self._context, change.subject, change.name)
        now = time.time()

        def write(conn: Connection) -> None:
            subject_id = 0
            if change.subject == "person":
                subject_id = people.find_person(conn, change.name)
            elif change.subject == "group":
                subject_id = people.find_group(conn, change.name)
            limit = NewLimit(change.subject, subject_id, change.quota, change.limit)
            quotas.set_limit(conn, limit, actor.person_id, now)
            entry = audit.entry(
                actor,
                "set quota",
                now,
                kind=change.subject,
                object_id=change.name,
                quota=change.quota,
                limit=change.limit,
            )
            record(conn, [entry])

        await self._context.db.write(write)
        await self._context.reload()
        return await self.quotas(actor, LimitFilter(change.subject, change.name), Cut(sort="quota"))

    # ------------------------------------------------------------ holds and agents

    async def holds(self, actor: Actor) -> list[Json]:
        """Every hold, oldest first. Raises NotFound or NotAllowed."""
        authorize(actor, "monitor", SITE)
        return [
            {
                "kind": placed.hold.kind,
                "object_id": placed.hold.object_id,
                "name": self._name_of(placed.hold),
                "mode": placed.hold.mode,
                "reason": placed.hold.reason,
                "by": placed.by,
                "at": iso(placed.at),
            }
            for placed in await self._context.db.read(placed_holds)
        ]

    def _name_of(self, hold: Hold) -> str:
        known = self._context.catalogue.by_id(int(hold.object_id)) if hold.kind == "application" else None
        return f"{known.rest['name']} {known.rest['version']}" if known else hold.object_id

    async def hold(self, actor: Actor, change: HoldChange) -> None:
        """Hold or drain a launcher or the whole site, or lift that. Raises NotFound or NotAllowed."""
        authorize(actor, "manage", SITE if change.kind == "site" else Resource("launcher", change.object_id))
        if change.mode is not None:
            change = replace(change, reason=needed_reason(change.reason))
        await self._context.db.write(lambda conn: put_hold(conn, actor, change, time.time()))
        await self._context.reload()

    async def stop_agent(self, actor: Actor, agent_id: str, reason: str = "") -> None:
        """Stop an agent; its calculations get another one. Raises NotFound, ReasonNeeded."""
        authorize(actor, "manage", SITE)
        reason = needed_reason(reason)
        await self._context.scheduler.stop_agent(agent_id, f"stopped by {actor.name}: {reason}")
        self._context.audit_soon(actor, "stop agent", kind="agent", object_id=agent_id, reason=reason)

    # ------------------------------------------------------------ checks

    async def check(self, actor: Actor) -> Json:
        """The thorough check of the database file."""
        authorize(actor, "manage", SITE)
        db = self._context.db
        faults = await db.read(lambda _: schema.integrity_faults(db, thorough=True))
        return {"sound": not faults, "faults": faults}
