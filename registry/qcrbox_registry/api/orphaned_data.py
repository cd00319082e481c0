"""Data of deleted groups and accounts: administrators list it and decide; a decision can be undone."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from qcrbox.contract import models

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.orphaned_data import Asked

router = APIRouter(prefix="/api/leftovers", tags=["site"])


class Decide(Body):
    """Body: what happens to the data of a deleted group or account."""

    subject: Literal["group", "person"]
    id: Annotated[int, Field(ge=0, lt=2**31)]
    decision: Literal["archive", "delete", "group", "owners", "person"]
    to: Annotated[str | None, Field(max_length=255)] = None  # name of the group or person that gets it
    reason: Annotated[str, Field(max_length=1000)] = ""


@router.get("", response_model=models.Success[schemas.Leftovers])
async def list_leftovers(core: TheCore, actor: Caller, fresh: bool = True) -> Response:
    """The data of deleted groups and accounts, longest deleted first.

    The hub is asked first which are deleted; with fresh=false the answer is at once and may be five minutes old.
    """
    return success({"leftovers": await core.orphaned_data.listed(actor, fresh=fresh)})


@router.post("", status_code=201, response_model=models.Success[schemas.Decided], openapi_extra=takes(Decide))
async def decide(request: Request, core: TheCore, actor: Caller) -> Response:
    """Hand over (`to` a group or person, or back to the `owners`), `delete` (into the trash) or `archive`.

    For a group: archive, delete, group, owners. For the private data of an account: archive, delete, group, person.
    """
    core.site.require(actor, "manage")
    asked, _ = await read_body(request, Decide)
    decided = await core.orphaned_data.decide(
        actor, Asked(asked.subject, asked.id, asked.decision, asked.to, asked.reason)
    )
    return success(decided, "Decided.", 201)


@router.get("/decisions", response_model=models.Success[schemas.Decisions])
async def list_decisions(core: TheCore, actor: Caller) -> Response:
    """The decisions, newest first."""
    return success({"decisions": await core.orphaned_data.decisions(actor)})


@router.post("/decisions/{decision_id}/undo", response_model=models.Success[schemas.Undone])
async def undo(core: TheCore, actor: Caller, decision_id: str) -> Response:
    """Put back the objects of a decision that were not changed since. Undoing twice is harmless."""
    return success(await core.orphaned_data.undo(actor, decision_id), "Undone.")
