"""Routes that the hub calls, with the service token that only hub and registry have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from qcrbox_registry.access.identity import bearer
from qcrbox_registry.api.dependencies import Body, TheCore, read_body
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.audit_trail import HubAct

router = APIRouter(prefix="/internal/hub", tags=["hub"], include_in_schema=False)


class Act(Body):
    """Body: an act in the hub for the audit trail."""

    who: Annotated[str, Field(min_length=1, max_length=255)]
    address: Annotated[str, Field(max_length=64)] = ""
    action: Annotated[str, Field(min_length=1, max_length=60)]
    kind: Literal["person", "group", "site", "application"]
    name: Annotated[str, Field(max_length=255)] = ""
    allowed: bool = True
    details: dict[str, Any] = Field(default_factory=dict)


@router.post("/audit", status_code=204)
async def record_act(request: Request, core: TheCore) -> Response:
    """Write what a person did, or was refused, at the hub into the audit trail."""
    core.audit.require_hub(bearer(request))
    asked, _ = await read_body(request, Act)
    await core.audit.record_hub_act(HubAct(**asked.model_dump()))
    return Response(status_code=204)


@router.get("/ended")
async def ended(
    request: Request, core: TheCore, after: Annotated[int | None, Query(ge=0, lt=2**63)] = None
) -> Response:
    """Calculations of everyone that ended after an event, for e-mails to their owners."""
    core.audit.require_hub(bearer(request))
    return success(await core.ended.since(after))


@router.get("/courses")
async def active_courses(request: Request, core: TheCore) -> Response:
    """Groups whose course is not archived: preview accounts of others end."""
    core.audit.require_hub(bearer(request))
    return success({"groups": await core.courses.active_groups()})
