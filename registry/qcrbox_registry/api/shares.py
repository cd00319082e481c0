"""Shares of datasets, data files and calculations with persons or groups."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.shares import Kind, Wanted

router = APIRouter(prefix="/api", tags=["shares"])


class NewShare(Body):
    """Body: share an object with one person or one group."""

    kind: Kind
    object_id: str = Field(min_length=1, max_length=64)
    person: str | None = Field(default=None, max_length=255)
    group: str | None = Field(default=None, max_length=255)
    mode: Literal["read", "write"] = "read"
    expires_at: datetime | None = None


@router.post(
    "/shares",
    status_code=201,
    response_model=models.Success[schemas.Shares],
    openapi_extra=takes(NewShare),
)
async def share(request: Request, core: TheCore, actor: Caller) -> Response:
    """Let a person or a group read (or, datasets and files, also add versions)."""
    asked, _ = await read_body(request, NewShare)
    wanted = Wanted(
        asked.kind, asked.object_id, asked.mode, asked.person, asked.group, _moment(asked.expires_at)
    )
    return success({"shares": [await core.shares.give(actor, wanted)]}, "Shared.", 201)


def _moment(at: datetime | None) -> float | None:
    """Unix time, s; a time without a zone is UTC."""
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@router.get("/shares", response_model=models.Success[schemas.Shares])
async def list_shares(
    core: TheCore,
    actor: Caller,
    kind: Kind | None = None,
    object_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """The shares of one object of yours, or all that you gave."""
    return success({"shares": await core.shares.listed(actor, kind, object_id)})


@router.delete("/shares/{share_id}", status_code=204)
async def unshare(core: TheCore, actor: Caller, share_id: str) -> Response:
    """Revoke a share; it ends at once, for open streams within 5 s."""
    await core.shares.revoke(actor, share_id)
    return Response(status_code=204)
