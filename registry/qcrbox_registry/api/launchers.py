"""Launchers that join with a code."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models

from qcrbox_registry.access.identity import address_of
from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.launchers import Invited

router = APIRouter(prefix="/api/launchers", tags=["site"])


class InviteLauncher(Body):
    """Body: a join code for a launcher of this name."""

    launcher: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    minutes: Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)] = 15.0


class Join(Body):
    """Body: a join code."""

    code: Annotated[str, Field(max_length=64)]


@router.get("/passes", response_model=models.Success[schemas.LauncherPasses])
async def list_passes(core: TheCore, actor: Caller) -> Response:
    """Launchers that were let in by a join code, and codes that were not used. For application administrators."""
    return success({"passes": await core.launchers.passes(actor)})


@router.post(
    "/passes",
    status_code=201,
    response_model=models.Success[schemas.NewLauncherPass],
    openapi_extra=takes(InviteLauncher),
)
async def invite_launcher(request: Request, core: TheCore, actor: Caller) -> Response:
    """Make a join code that lets one launcher in, once, within so many minutes. For application administrators."""
    asked, _ = await read_body(request, InviteLauncher)
    made = await core.launchers.invite(actor, Invited(asked.launcher, asked.minutes))
    return success(made, "The code is shown this once.", 201)


@router.delete("/passes/{pass_id}", status_code=204)
async def revoke_pass(
    core: TheCore, actor: Caller, pass_id: str, reason: Annotated[str, Query(max_length=1000)] = ""
) -> Response:
    """Let a launcher in no more; within five minutes its connection ends. Needs a reason."""
    await core.launchers.revoke(actor, pass_id, reason)
    return Response(status_code=204)


@router.post("/join", response_model=models.Success[schemas.JoinedLauncher], openapi_extra=takes(Join))
async def join(request: Request, core: TheCore) -> Response:
    """Exchange a join code for the token with which a launcher connects to NATS. The code is the permission."""
    asked, _ = await read_body(request, Join)
    return success(await core.launchers.join(asked.code, address_of(request)))
