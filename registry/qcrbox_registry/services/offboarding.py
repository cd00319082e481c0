"""Notes which groups and accounts the hub has deleted: their data then waits for the decision of an administrator."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import structlog
from qcrbox.contract.errors import QcError

from qcrbox_registry.services.context import Context
from qcrbox_registry.services.teaching.student_data import discard_work
from qcrbox_registry.store import calculations, events, orphaned_data, people
from qcrbox_registry.store.audit import Entry, record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.people import Departed
from qcrbox_registry.store.teaching import courses, work

# A group or account that is made while the hub answers may be missing in its answer.
YOUNG_S = 60.0
PREVIEW_ENDED = "The preview account ended."
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
    await clear_previews(context)
    return departed


async def clear_previews(context: Context) -> int:
    """End the calculations of preview accounts that are gone, then move their data to the trash; how many are done.

    An administrator can undo it as any decision about data. What still runs is waited for until the next time.
    """
    done = 0
    for subject in await context.db.read(orphaned_data.gone_previews):
        ids = await context.db.read(partial(calculations.unfinished_of_person, owner_id=subject.id))
        if ids:
            await context.scheduler.cancel(ids, reason=PREVIEW_ENDED, by="site")
            continue
        context.publish(await context.db.write(partial(_clear, subject=subject)))
        done += 1
    return done


def _clear(conn: Connection, subject: orphaned_data.Subject) -> list[events.Event]:
    now = time.time()
    for copy in work.previews_of(conn, subject.id):
        discard_work(conn, copy)
    decision = orphaned_data.Decision("delete", courses.site_account(conn, now), None, PREVIEW_ENDED)
    decided = orphaned_data.decide(conn, subject, decision, now)
    details = {"name": subject.name, "objects": decided.counts, "handover": decided.id}
    entry = Entry(now, "site", "clear preview", kind="person", object_id=str(subject.id), details=details)
    record(conn, [entry])
    return decided.events


def _entry(gone: Departed, now: float) -> Entry:
    return Entry(
        now,
        "site",
        f"{gone.kind} is gone",
        kind=gone.kind,
        object_id=str(gone.id),
        details={"name": gone.name},
    )
