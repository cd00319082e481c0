"""Calculations: list, read, wait, stop, log, tag."""

from __future__ import annotations

import time
from dataclasses import dataclass

from qcrbox.contract import models
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox.contract.states import FINAL, State

from qcrbox_registry.access import audit
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import SITE, Actor, allows, authorize, missing
from qcrbox_registry.services import authorized, views
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import LONGEST_NAME, checked_text, needed_reason
from qcrbox_registry.services.waiting import wait_for_end
from qcrbox_registry.store import calculations, datasets, events, lists, logs, tags, titles, work_queue
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.work_queue import Waiting


@dataclass(frozen=True, slots=True)
class LogPart:
    """Which part of a log is asked for. `attempt` None: the present one; `start`, `most`: bytes of the stream."""

    stream: str  # stdout | stderr | both
    attempt: int | None
    start: int
    most: int


@dataclass(frozen=True, slots=True)
class CalculationChange:
    """What of a calculation can be changed; None leaves it. `title`: "" brings the automatic one back."""

    title: str | None = None
    tags: list[str] | None = None


class CalculationService:
    """Calculations that a person may see or stop."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def page(
        self, actor: Actor, asked: lists.CalculationFilter, page: Page, *, mine: bool = False
    ) -> Json:
        """Calculations the actor may read, newest first; `mine`: their own."""
        within = reach(actor, "calculation", mine=mine)

        def read(conn: Connection) -> Json:
            found = lists.calculations_page(conn, within, asked, page, time.time())
            rows = calculations.by_ids(conn, found.ids)
            queue = self._queue_of(rows)
            return {"calculations": views.calculation_list(conn, rows, queue), "next": found.next}

        return await self._context.db.read(read)

    def _queue_of(self, rows: list[calculations.Calculation]) -> dict[str, Json]:
        waiting = [row.id for row in rows if row.state == State.SUBMITTED]
        return self._context.scheduler.queue_info(waiting) if waiting else {}

    async def get(self, actor: Actor, calculation_id: str) -> Json:
        """A calculation with its history and output. Raises NotFound."""

        def read(conn: Connection) -> Json:
            row = authorized.calculation(conn, actor, "read", calculation_id)
            return views.one_calculation(conn, row, self._queue_of([row]))

        return await self._context.db.read(read)

    async def get_after(self, presence: Presence, calculation_id: str, wait_s: float) -> Json:
        """As `get`, at its end or after `wait_s` seconds."""
        row = await self._context.db.read(
            lambda conn: authorized.calculation(conn, presence.actor, "read", calculation_id)
        )
        if wait_s and State(row.state) not in FINAL:
            await wait_for_end(self._context, calculation_id, wait_s)
        return await self.get(await presence.now(), calculation_id)

    async def stop(self, actor: Actor, calculation_id: str, reason: str) -> Json:
        """Cancel a calculation: at once while it waits, through its agent while it runs. Raises NotFound, NotAllowed.

        Raises ReasonNeeded for a calculation of someone else: its owner reads the reason.
        """
        row = await self._context.db.read(
            lambda conn: authorized.calculation(conn, actor, "cancel", calculation_id)
        )
        reason = reason if row.owner_id == actor.person_id else needed_reason(reason)
        await self._cancel(actor, [calculation_id], reason)
        self._context.audit_soon(actor, "cancel", kind="calculation", object_id=calculation_id, reason=reason)
        return await self.get(actor, calculation_id)

    async def set_priority(self, actor: Actor, calculation_id: str, priority: int, reason: str) -> Json:
        """Move a waiting calculation in the queue. Raises NotFound; Conflict for one that does not wait."""
        authorize(actor, "manage", SITE)

        def write(conn: Connection) -> Waiting:
            authorized.calculation(conn, actor, "read", calculation_id)
            work_queue.set_priority(conn, calculation_id, priority)
            found = work_queue.waiting(conn, [calculation_id])
            if not found:
                raise Conflict(
                    "This calculation is no longer queued.", next="Its priority cannot be changed."
                )
            entry = audit.entry(
                actor,
                "set priority",
                time.time(),
                kind="calculation",
                object_id=calculation_id,
                priority=priority,
                reason=reason,
            )
            record(conn, [entry])
            return found[0]

        self._context.scheduler.requeue(await self._context.db.write(write))
        return await self.get(actor, calculation_id)

    async def stop_many(
        self, actor: Actor, ids: list[str] | None, batch_id: str | None, reason: str
    ) -> list[Json]:
        """Cancel calculations by id, or those of a batch; ended ones are skipped. All are allowed, or none is stopped.

        Raises ReasonNeeded when one of them is someone else's.
        """
        if (ids is None) == (batch_id is None):
            raise UserInputError("Give either calculation_ids (a list of at most 10,000) or batch_id.")

        def allowed(conn: Connection) -> tuple[list[str], bool]:
            if batch_id is not None:
                found = _stoppable_batch(conn, actor, batch_id)
            else:
                found = _stoppable(conn, actor, ids or [])
            owners = {row.owner_id for row in calculations.by_ids(conn, found)}
            return found, owners <= {actor.person_id}

        chosen, are_own = await self._context.db.read(allowed)
        reason = reason if are_own else needed_reason(reason)
        await self._cancel(actor, chosen, reason)
        self._context.audit_soon(
            actor,
            "cancel",
            kind="calculation",
            object_id=chosen[0] if chosen else "",
            calculations=len(chosen),
            reason=reason,
        )
        rows = await self._context.db.read(lambda conn: calculations.by_ids(conn, chosen))
        return [{"calculation_id": row.id, "status": row.state, "step": row.step} for row in rows]

    async def _cancel(self, actor: Actor, ids: list[str], reason: str) -> None:
        words = reason or f"Stopped by {actor.name}."
        await self._context.scheduler.cancel(ids, reason=words, by=actor.name)

    async def log(self, actor: Actor, calculation_id: str, part: LogPart) -> Json:
        """The output of the program. Raises NotFound."""

        def read(conn: Connection) -> Json:
            row = authorized.calculation(conn, actor, "read", calculation_id)
            attempt = row.attempt if part.attempt is None else part.attempt
            if part.stream == "both":
                return _merged_log(conn, row.id, attempt)
            text, end = logs.read(conn, row.id, attempt, part.stream, start=part.start, most=part.most)
            return {
                "attempt": attempt,
                "stream": part.stream,
                "start": part.start,
                "next": end,
                "text": text,
            }

        return await self._context.db.read(read)

    async def change(self, actor: Actor, calculation_id: str, asked: CalculationChange) -> Json:
        """Set title or tags; nothing else of the record is ever changed. Raises NotFound, NotAllowed, UserInputError."""
        if asked.title is None and asked.tags is None:
            raise UserInputError("Give title or tags: nothing else of a calculation can be changed.")
        title = None if asked.title is None else checked_text(asked.title, "title", LONGEST_NAME)
        new_tags = None if asked.tags is None else [tags.checked(tag) for tag in asked.tags]
        now = time.time()

        def change(conn: Connection) -> list[events.Event]:
            changed: list[events.Event] = []
            row = authorized.calculation(conn, actor, "read", calculation_id)
            if new_tags is not None:
                authorized.calculation(conn, actor, "tag", calculation_id)
                tags.replace(conn, tags.Tagged("calculation", row.id, actor.person_id, now), new_tags)
                entry = audit.entry(actor, "tag", now, kind="calculation", object_id=row.id, tags=new_tags)
                record(conn, [entry])
            if title is not None:
                authorized.calculation(conn, actor, "rename", calculation_id)
                calculations.rename(conn, row.id, title)
                entry = audit.entry(actor, "rename", now, kind="calculation", object_id=row.id, title=title)
                record(conn, [entry])
                changed = renamed_events(conn, row.id, now)
            return list(events.write(conn, changed))

        self._context.publish(await self._context.db.write(change))
        return await self.get(actor, calculation_id)


def renamed_events(conn: Connection, calculation_id: str, now: float) -> list[events.Event]:
    """Events, not yet written, that tell the new title of a calculation and of its output dataset."""
    row = calculations.get(conn, calculation_id)
    found = [events.about("title", row, now, row.state, title=titles.title_of(row))]
    if row.output_dataset_id:
        # A result in the trash gets the new title too, but no event.
        output = datasets.get(conn, row.output_dataset_id, deleted=True)
        if output.deleted_at is None:
            found.append(events.about("dataset", output, now, "changed"))
    return found


def _merged_log(conn: Connection, calculation_id: str, attempt: int) -> Json:
    chunks = logs.merged(conn, calculation_id, attempt)
    return {
        "attempt": attempt,
        "chunks": [
            {"stream": chunk.stream, "at": models.iso(chunk.at), "text": chunk.text} for chunk in chunks
        ],
        "text": "".join(chunk.text for chunk in chunks),
    }


def _stoppable(conn: Connection, actor: Actor, ids: list[str]) -> list[str]:
    """The ids, each once. Raises NotFound, NotAllowed when one of them may not be cancelled."""
    rows = {row.id: row for row in calculations.by_ids(conn, list(dict.fromkeys(ids)))}
    for calculation_id in ids:
        if calculation_id not in rows:
            raise missing("calculation", calculation_id)
    authorized.calculations(conn, actor, "cancel", list(rows.values()))
    return list(rows)


def _stoppable_batch(conn: Connection, actor: Actor, batch_id: str) -> list[str]:
    """Ids of the calculations of a batch that have not ended."""
    first = calculations.first_of(conn, batch_id)
    if first is None:
        raise missing("batch", batch_id)
    (resource,) = authorized.calculation_resources(conn, [first])
    if not allows(actor, "read", resource):
        raise missing("batch", batch_id)
    authorize(actor, "cancel", resource)
    return _stoppable(conn, actor, calculations.unfinished_of(conn, batch_id))
