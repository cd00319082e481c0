"""Notes which groups and accounts the hub has deleted: their data then waits for the decision of an administrator."""

from __future__ import annotations

import time
from dataclasses import replace

import structlog
from qcrbox.contract.errors import QcError

from qcrbox_registry.services.context import Context
from qcrbox_registry.store import people
from qcrbox_registry.store.audit import Entry, record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.people import Departed

# A group or account that is made while the hub answers may be missing in its answer.
YOUNG_S = 60.0
log = structlog.get_logger(__name__)


async def mark_departed(context: Context) -> list[Departed]:
    """Ask the hub and note which groups and accounts are deleted; those newly noted. Renamed accounts are followed.

    Without a hub, or with one that does not answer or may not list them, nothing is noted.
    """
    try:
        accounts = await context.identity.accounts()
    except QcError as error:
        log.warning("departures_not_asked", error=error.message)
        return []
    if accounts is None:
        return []
    old_enough = replace(accounts, asked_at=accounts.asked_at - YOUNG_S)

    def write(conn: Connection) -> list[Departed]:
        now = time.time()
        people.follow_renames(conn, accounts)
        departed = people.mark_departed(conn, old_enough, now)
        record(conn, [_entry(gone, now) for gone in departed])
        return departed

    departed = await context.db.write(write)
    for gone in departed:
        log.info("departed", kind=gone.kind, id=gone.id, name=gone.name)
    return departed


def _entry(gone: Departed, now: float) -> Entry:
    return Entry(
        now,
        "site",
        f"{gone.kind} is gone",
        kind=gone.kind,
        object_id=str(gone.id),
        details={"name": gone.name},
    )
