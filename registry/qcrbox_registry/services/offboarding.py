"""Notices which groups and accounts the hub no longer knows: their data then waits for an administrator's decision."""

from __future__ import annotations

import time

import structlog
from qcrbox.contract.errors import QcError
from sqlalchemy.engine import Connection

from qcrbox_registry.access import audit
from qcrbox_registry.services.core import Core
from qcrbox_registry.store import people

# A group or account made while the hub was being asked may be missing in its answer.
YOUNG_S = 60.0
log = structlog.get_logger(__name__)


async def look(core: Core) -> list[tuple[str, int, str]]:
    """Ask the hub and note who is gone: (kind, id, name) of those newly gone.

    Without a hub, or one that does not tell, nothing is noted.
    """
    asked_at = time.time()
    try:
        known = await core.identity.known()
    except QcError as error:
        log.warning("departures_not_asked", error=error.message)
        return []
    if known is None:
        return []

    def write(conn: Connection) -> list[tuple[str, int, str]]:
        now = time.time()
        departed = people.mark_departed(conn, known.groups, known.people, now, asked_at - YOUNG_S)
        audit.record(
            conn,
            [
                audit.Entry(
                    now, "site", f"{kind} is gone", kind=kind, object_id=str(one), details={"name": name}
                )
                for kind, one, name in departed
            ],
        )
        return departed

    departed = await core.db.write(write)
    for kind, one, name in departed:
        log.info("departed", kind=kind, id=one, name=name)
    return departed
