"""Data of deleted groups and accounts: administrators list it, decide about it, undo a decision."""

from __future__ import annotations

import time
from dataclasses import dataclass

from qcrbox.contract.errors import UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import SITE, Actor, authorize
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.services.offboarding import mark_departed
from qcrbox_registry.services.texts import needed_reason
from qcrbox_registry.store import orphaned_data, people
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.orphaned_data import Decided, Decision, DecisionRow, Orphaned, Undone


@dataclass(frozen=True, slots=True)
class Asked:
    """A requested decision. `to`: the name of the group or person that gets the data."""

    subject: str  # group | person
    subject_id: int
    decision: str
    to: str | None
    reason: str


class OrphanedDataService:
    """Lists, decides, undoes."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, actor: Actor, *, fresh: bool = True) -> list[Json]:
        """The data of deleted groups and accounts. `fresh`: ask the hub first which are deleted; housekeeping asks every
        few minutes anyway."""
        authorize(actor, "read", SITE)
        if fresh:
            await mark_departed(self._context)
        return [_shown(orphaned) for orphaned in await self._context.db.read(orphaned_data.listed)]

    async def decide(self, actor: Actor, asked: Asked) -> Json:
        """Carry out a decision. Raises NotFound, UserInputError."""
        authorize(actor, "manage", SITE)
        if (asked.to is not None) != (asked.decision in ("group", "person")):
            raise UserInputError("`to` is needed for the decisions group and person, and for no other.")
        reason = needed_reason(asked.reason)
        await introduce(self._context, asked.decision, asked.to)
        now = time.time()

        def write(conn: Connection) -> Decided:
            subject = orphaned_data.find_subject(conn, asked.subject, asked.subject_id)
            decision = Decision(asked.decision, actor.person_id, _receiver(conn, asked), reason)
            decided = orphaned_data.decide(conn, subject, decision, now)
            entry = audit.entry(
                actor,
                "decide leftovers",
                now,
                kind=subject.kind,
                object_id=str(subject.id),
                name=subject.name,
                decision=asked.decision,
                to=asked.to,
                reason=reason,
                handover=decided.id,
                objects=decided.counts,
            )
            record(conn, [entry])
            return decided

        decided = await self._context.db.write(write)
        self._context.publish(decided.events)
        return {"decision_id": decided.id, "objects": decided.counts}

    async def decisions(self, actor: Actor) -> list[Json]:
        """The decisions, newest first."""
        authorize(actor, "read", SITE)
        return [_decision(row) for row in await self._context.db.read(orphaned_data.decisions)]

    async def undo(self, actor: Actor, decision_id: str) -> Json:
        """Put back the objects that were not changed since. A second undo does nothing. Raises NotFound."""
        authorize(actor, "manage", SITE)
        now = time.time()

        def write(conn: Connection) -> Undone:
            undone = orphaned_data.undo(conn, decision_id, now)
            row = undone.decision
            if row.undone_at is None:
                entry = audit.entry(
                    actor,
                    "undo leftovers",
                    now,
                    kind=row.subject,
                    object_id=str(row.subject_id),
                    handover=row.id,
                    objects=undone.count,
                )
                record(conn, [entry])
            return undone

        undone = await self._context.db.write(write)
        self._context.publish(undone.events)
        return {"decision_id": decision_id, "objects": undone.count}


def _receiver(conn: Connection, asked: Asked) -> int | None:
    if asked.to is None:
        return None
    find = people.find_group if asked.decision == "group" else people.find_person
    return find(conn, asked.to)


def _shown(orphaned: Orphaned) -> Json:
    subject = orphaned.subject
    held_until = subject.gone_at + orphaned_data.HELD_S if subject.kind == "person" else None
    return {
        "subject": subject.kind,
        "id": subject.id,
        "name": subject.name,
        "gone_at": iso(subject.gone_at),
        "held_until": iso(held_until),
        **orphaned.counts,
        "decision": orphaned.decision,
    }


def _decision(row: DecisionRow) -> Json:
    return {
        "decision_id": row.id,
        "at": iso(row.at),
        "by": row.by,
        "subject": row.subject,
        "id": row.subject_id,
        "decision": row.decision,
        "reason": row.reason,
        "undone_at": iso(row.undone_at),
    }
