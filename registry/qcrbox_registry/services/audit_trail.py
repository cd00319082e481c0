"""The audit trail for administrators: search, export, check."""

from __future__ import annotations

import hmac
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from functools import partial

from qcrbox.contract.errors import NotSignedIn
from qcrbox.contract.models import iso

from qcrbox_registry.access.audit import LONGEST_ID
from qcrbox_registry.access.identity import service_token
from qcrbox_registry.access.rights import SITE, Actor, authorize
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import audit
from qcrbox_registry.store.audit import AuditRow, Search
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.paging import Page


@dataclass(frozen=True, slots=True)
class HubAct:
    """What a person did, or was refused, at the hub."""

    who: str
    address: str
    action: str
    kind: str  # person | group | site
    name: str
    allowed: bool
    details: Json


class AuditService:
    """Reads the trail; each reading is itself audited."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def require_hub(self, token: str | None) -> None:
        """Raises NotSignedIn unless this is the service token that hub and registry share."""
        settings = self._context.settings
        own = service_token(settings) if settings.auth == "hub" else ""
        if not own or token is None or not hmac.compare_digest(token.encode(), own.encode()):
            raise NotSignedIn("This route is for the hub.")

    async def record_hub_act(self, act: HubAct) -> None:
        """Append an act at the hub to the trail."""
        entry = audit.Entry(
            at=time.time(),
            who=act.who,
            address=act.address,
            action=act.action,
            kind=act.kind,
            object_id=act.name[:LONGEST_ID],
            allowed=act.allowed,
            details=act.details,
        )
        await self._context.db.write(lambda conn: audit.record(conn, [entry]))

    async def page(self, actor: Actor, search: Search, before: int | None, limit: int) -> Json:
        """Entries that match, newest first."""
        authorize(actor, "audit", SITE)

        def read(conn: Connection) -> Json:
            found = audit.page(conn, search, before=before, limit=limit + 1)
            rows, following = Page(limit).cut(found, lambda row: str(row.seq))
            return {"audit": [_shown(row) for row in rows], "next": following}

        page = await self._context.db.read(read)
        self._context.audit_soon(actor, "read audit", kind="site")
        return page

    async def export(self, actor: Actor) -> AsyncIterator[list[Json]]:
        """The whole trail, oldest first, in portions; each row has everything its hash is made of."""
        authorize(actor, "audit", SITE)
        self._context.audit_soon(actor, "export audit", kind="site")
        return self._portions()

    async def _portions(self) -> AsyncIterator[list[Json]]:
        seq = 0
        while rows := await self._context.db.read(partial(audit.after, seq=seq)):
            seq = rows[-1].seq
            yield [asdict(row) for row in rows]

    async def check(self, actor: Actor) -> Json:
        """Whether the chain of hashes holds and agrees with the signed heads."""
        authorize(actor, "audit", SITE)

        def read(conn: Connection) -> tuple[list[int], list[str]]:
            return audit.broken_links(conn), self._context.audit_heads.faults(conn)

        broken, faults = await self._context.db.read(read)
        return {"sound": not broken and not faults, "broken_at": broken, "faults": faults}


def _shown(row: AuditRow) -> Json:
    shown = asdict(row)
    del shown["who_id"]
    return {**shown, "at": iso(row.at)}
