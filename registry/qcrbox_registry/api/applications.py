"""Applications and commands: lists, and the changes of application administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success

router = APIRouter(prefix="/api", tags=["applications and commands"])


class Hold(Body):
    """Body: hold or drain an application, or lift the hold."""

    mode: Literal["hold", "drain"] | None = None  # None lifts it
    reason: str = Field(default="", max_length=1000)


class ChangeApplication(Body):
    """Body: settings of an application that an administrator may change; what is left out stays."""

    restricted_to: Annotated[list[str], Field(max_length=200)] | None = (
        None  # names of groups; null: everybody
    )
    reuse: Literal["never", "same-owner", "any"] | None = None
    warm: Annotated[int, Field(ge=0, le=64)] | None = None  # agents kept ready
    most_agents: Annotated[int, Field(ge=1, le=10_000)] | None = (
        None  # null: as many as launchers have place for
    )
    approved: bool | None = None
    licence_state: Literal["unknown", "free", "granted", "needed"] | None = None  # of this site
    licence_note: Annotated[str, Field(max_length=1000)] | None = None


@router.get("/applications", response_model=models.Success[models.Applications])
async def list_applications(
    core: TheCore, actor: Caller, retired: Annotated[bool, Query()] = False
) -> Response:
    """All applications with their commands."""
    return success({"applications": core.applications.applications(actor, retired=retired)})


@router.get("/commands", response_model=models.Success[models.Commands])
async def list_commands(core: TheCore, actor: Caller) -> Response:
    """All commands of all applications."""
    return success({"commands": core.applications.commands(actor)})


@router.get("/commands/{command_id}", response_model=models.Success[models.Commands])
async def get_command(core: TheCore, actor: Caller, command_id: int) -> Response:
    """One command."""
    return success({"commands": [core.applications.command(actor, command_id)]})


@router.patch(
    "/applications/{application_id}",
    response_model=models.Success[models.Applications],
    openapi_extra=takes(ChangeApplication),
)
async def change_application(request: Request, core: TheCore, actor: Caller, application_id: int) -> Response:
    """Who may use an application, how its agents are kept, and whether it is approved."""
    core.applications.require_manager(actor, application_id)
    asked, _ = await read_body(request, ChangeApplication)
    asked.require_any()
    values = {name: getattr(asked, name) for name in asked.model_fields_set}
    for name in ("reuse", "warm", "approved", "licence_state", "licence_note"):
        if name in values and values[name] is None:
            raise UserInputError("This cannot be null.", where=name)
    return success({"applications": await core.applications.change(actor, application_id, values)})


@router.post(
    "/applications/{application_id}/hold",
    response_model=models.Success[models.Applications],
    openapi_extra=takes(Hold),
)
async def hold_application(request: Request, core: TheCore, actor: Caller, application_id: int) -> Response:
    """Start nothing new of this application (hold), also end its warm agents (drain), or lift that."""
    core.applications.require_manager(actor, application_id)
    asked, _ = await read_body(request, Hold)
    held = await core.applications.hold(actor, application_id, asked.mode, asked.reason)
    return success({"applications": held})


@router.delete("/applications/{application_id}", status_code=204)
async def retire_application(
    core: TheCore,
    actor: Caller,
    application_id: int,
    reason: Annotated[str, Query(max_length=1100)] = "",
) -> Response:
    """Take an application out of the list. Its calculations and files stay. The reason is kept in the audit trail."""
    await core.applications.retire(actor, application_id, reason)
    return Response(status_code=204)


@router.post("/applications/{application_id}/restore", response_model=models.Success[models.Applications])
async def restore_application(core: TheCore, actor: Caller, application_id: int) -> Response:
    """Bring back a retired application."""
    return success({"applications": await core.applications.restore(actor, application_id)})


@router.get(
    "/applications/{application_id}/failed-starts", response_model=models.Success[schemas.FailedStarts]
)
async def list_failed_starts(
    core: TheCore, actor: Caller, application_id: int, most: Annotated[int, Query(ge=1, le=100)] = 10
) -> Response:
    """The newest agents that did not come up: when, where, why, and the end of their output."""
    return success({"failed_starts": await core.applications.failed_starts(actor, application_id, most)})
