"""GET /api/applications, GET /api/commands, and what application administrators may change."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError

from qcrbox_registry.access import audit, rights
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.submission import application_resource
from qcrbox_registry.store import applications, people
from qcrbox_registry.store.applications import KnownApplication

router = APIRouter(prefix="/api", tags=["applications and commands"])


class Hold(Body):
    mode: Literal["hold", "drain"] | None = None  # None lifts it
    reason: str = Field(default="", max_length=1000)


class ChangeApplication(Body):
    restricted_to: Annotated[list[str], Field(max_length=200)] | None = (
        None  # names of groups; null: everybody
    )
    reuse: Literal["never", "same-owner", "any"] | None = None
    warm: Annotated[int, Field(ge=0, le=64)] | None = None  # agents kept ready
    most_agents: Annotated[int, Field(ge=1, le=10_000)] | None = (
        None  # null: as many as launchers have place for
    )
    approved: bool | None = None


def _visible(core: Core, actor: Actor, *, retired: bool = False) -> list[KnownApplication]:
    return [
        one
        for one in core.catalogue.all(retired=retired)
        if rights.allows(actor, "read", application_resource(one))
    ]


@router.get("/applications", response_model=models.Success[models.Applications])
async def list_applications(
    core: TheCore, actor: Caller, retired: Annotated[bool, Query()] = False
) -> Response:
    """All applications with their commands."""
    found = _visible(core, actor, retired=retired and actor.application_admin)
    return success({"applications": [one.rest for one in found]})


@router.get("/commands", response_model=models.Success[models.Commands])
async def list_commands(core: TheCore, actor: Caller) -> Response:
    """All commands of all applications."""
    return success({"commands": [c for one in _visible(core, actor) for c in one.rest["commands"]]})


@router.get("/commands/{command_id}", response_model=models.Success[models.Commands])
async def get_command(core: TheCore, actor: Caller, command_id: int) -> Response:
    """One command."""
    found = core.catalogue.command_by_id(command_id)
    if found is None or not rights.allows(actor, "read", application_resource(found[0])):
        raise rights.missing("command", command_id)
    return success({"commands": [found[1].rest]})


def _managed(core: Core, actor: Actor, application_id: int) -> KnownApplication:
    known = core.catalogue.by_id(application_id)
    if known is None:
        raise rights.missing("application", application_id)
    rights.authorize(actor, "manage", application_resource(known))
    return known


@router.patch(
    "/applications/{application_id}",
    response_model=models.Success[models.Applications],
    openapi_extra=takes(ChangeApplication),
)
async def change_application(request: Request, core: TheCore, actor: Caller, application_id: int) -> Response:
    """Who may use an application, how its agents are kept, and whether it is approved at all."""
    known = _managed(core, actor, application_id)
    body, _ = await read_body(request, ChangeApplication)
    body.require_any()
    values = {name: getattr(body, name) for name in body.model_fields_set}
    for name in ("reuse", "warm", "approved"):
        if name in values and values[name] is None:
            raise UserInputError("This cannot be null.", where=name)
    now = time.time()

    def change(conn: Any) -> None:
        # A group that nobody has come from yet is known from now on, so that its first member may come in.
        people.ensure_groups(conn, body.restricted_to or (), now)
        applications.change(conn, known.id, values, now)
        entry = audit.entry(
            actor, "change", now, kind="application", object_id=str(known.id), fields=sorted(values)
        )
        audit.record(conn, [entry])

    await core.db.write(change)
    await core.reload()
    changed = core.catalogue.by_id(known.id)
    return success({"applications": [changed.rest] if changed else []})


@router.post(
    "/applications/{application_id}/hold",
    response_model=models.Success[models.Applications],
    openapi_extra=takes(Hold),
)
async def hold_application(request: Request, core: TheCore, actor: Caller, application_id: int) -> Response:
    """Start nothing new of this application (hold), also end its warm agents (drain), or lift that."""
    known = _managed(core, actor, application_id)
    body, _ = await read_body(request, Hold)
    now = time.time()

    def change(conn: Any) -> None:
        applications.set_hold(
            conn, "application", str(known.id), body.mode, body.reason, actor.person_id, now
        )
        audit.record(
            conn,
            [audit.entry(actor, "hold", now, kind="application", object_id=str(known.id), mode=body.mode, reason=body.reason)],
        )  # fmt: skip

    await core.db.write(change)
    await core.reload()
    return success({"applications": [core.catalogue.find(known.slug, known.version).rest]})


@router.delete("/applications/{application_id}", status_code=204)
async def retire_application(core: TheCore, actor: Caller, application_id: int) -> Response:
    """Take an application out of the list. Its calculations and files stay."""
    await _retire(core, actor, application_id, time.time())
    return Response(status_code=204)


@router.post("/applications/{application_id}/restore", response_model=models.Success[models.Applications])
async def restore_application(core: TheCore, actor: Caller, application_id: int) -> Response:
    """Bring a retired application back."""
    await _retire(core, actor, application_id, None)
    known = core.catalogue.by_id(application_id)
    return success({"applications": [known.rest] if known else []})


async def _retire(core: Core, actor: Actor, application_id: int, at: float | None) -> None:
    known = _managed(core, actor, application_id)

    def change(conn: Any) -> None:
        applications.retire(conn, known.id, at)
        action = "retire" if at is not None else "bring back"
        audit.record(
            conn, [audit.entry(actor, action, time.time(), kind="application", object_id=str(known.id))]
        )

    await core.db.write(change)
    await core.reload()
