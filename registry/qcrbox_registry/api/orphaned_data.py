"""Data of groups and accounts that are gone: administrators see it and decide; a decision can be taken back."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit, rights
from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.api.site import SITE
from qcrbox_registry.services import offboarding
from qcrbox_registry.store import events, orphaned_data, people

router = APIRouter(prefix="/api/leftovers", tags=["site"])


class Decide(Body):
    subject: Literal["group", "person"]
    id: Annotated[int, Field(ge=0, lt=2**31)]
    decision: Literal["archive", "delete", "group", "owners", "person"]
    to: Annotated[str | None, Field(max_length=255)] = None  # name of the group or person that gets it
    reason: Annotated[str, Field(max_length=1000)] = ""


@router.get("", response_model=models.Success[schemas.Leftovers])
async def list_leftovers(core: TheCore, actor: Caller) -> Response:
    """What groups and accounts that are gone have left, those gone longest first. The hub is asked first who is gone."""
    rights.authorize(actor, "read", SITE)
    await offboarding.look(core)
    return success({"leftovers": [_shown(one) for one in await core.db.read(orphaned_data.listed)]})


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    about: orphaned_data.Subject = found.pop("about")
    held = about.gone_at + orphaned_data.HELD_S if about.kind == "person" else None
    return {
        "subject": about.kind,
        "id": about.id,
        "name": about.name,
        "gone_at": iso(about.gone_at),
        "held_until": iso(held),
        **found,
    }


@router.post("", status_code=201, response_model=models.Success[schemas.Decided], openapi_extra=takes(Decide))
async def decide(request: Request, core: TheCore, actor: Caller) -> Response:
    """Hand over (`to` a group or person, or back to the `owners`), `delete` (into the bin) or `archive`.

    For a group: archive, delete, group, owners. For the private data of an account: archive, delete, group, person.
    """
    rights.authorize(actor, "manage", SITE)
    asked, _ = await read_body(request, Decide)
    if (asked.to is not None) != (asked.decision in ("group", "person")):
        raise UserInputError("`to` is needed for the decisions group and person, and for no other.")
    now = time.time()

    def write(conn: Any) -> tuple[str, dict[str, int], list[events.Event]]:
        one = orphaned_data.subject(conn, asked.subject, asked.id)
        wish = orphaned_data.Wish(asked.decision, actor.person_id, reason=asked.reason)
        if asked.to is not None:
            find = people.find_group if asked.decision == "group" else people.find_person
            wish.to_id = find(conn, asked.to).id
        handover_id, counts, told = orphaned_data.decide(conn, one, wish, now)
        entry = audit.entry(
            actor, "decide leftovers", now, kind=one.kind, object_id=str(one.id), name=one.name,
            decision=asked.decision, to=asked.to, reason=asked.reason, handover=handover_id, objects=counts,
        )  # fmt: skip
        audit.record(conn, [entry])
        return handover_id, counts, told

    handover_id, counts, told = await core.db.write(write)
    core.publish(told)
    return success({"decision_id": handover_id, "objects": counts}, "Decided.", 201)


@router.get("/decisions", response_model=models.Success[schemas.Decisions])
async def list_decisions(core: TheCore, actor: Caller) -> Response:
    """What was decided, newest first."""
    rights.authorize(actor, "read", SITE)
    rows = await core.db.read(orphaned_data.decisions)
    return success({"decisions": [_decision(row) for row in rows]})


def _decision(row: Any) -> dict[str, Any]:
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


@router.post("/decisions/{decision_id}/undo", response_model=models.Success[schemas.Undone])
async def undo(core: TheCore, actor: Caller, decision_id: str) -> Response:
    """Put back what a decision changed, as far as nobody has changed it since. Undoing twice is harmless."""
    rights.authorize(actor, "manage", SITE)
    now = time.time()

    def write(conn: Any) -> tuple[int, list[events.Event]]:
        row, count, told = orphaned_data.undo(conn, decision_id, now)
        if row.undone_at is None:
            entry = audit.entry(
                actor, "undo leftovers", now, kind=row.subject, object_id=str(row.subject_id),
                handover=row.id, objects=count,
            )  # fmt: skip
            audit.record(conn, [entry])
        return count, told

    count, told = await core.db.write(write)
    core.publish(told)
    return success({"decision_id": decision_id, "objects": count}, "Undone.")
