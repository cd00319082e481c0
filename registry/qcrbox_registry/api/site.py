"""Health, readiness, metrics, the caller; quotas, holds, agents and checks for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.pages import MOST_OF_A_PAGE

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import json_response, success
from qcrbox_registry.services.applications import HoldChange
from qcrbox_registry.services.site import LimitChange
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import LimitFilter

router = APIRouter(prefix="/api", tags=["site"])
bare = APIRouter(tags=["site"])


@router.get("/healthz", response_model=models.Health)
async def health() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/readyz", response_model=schemas.Readiness)
async def ready(core: TheCore) -> Response:
    """Whether work can be done, and what is missing. 503 while something essential is."""
    is_ready, report = await core.readiness.report()
    return json_response(report, 200 if is_ready else 503)


@router.get("/me", response_model=models.Success[models.Me])
async def me(core: TheCore, actor: Caller) -> Response:
    """Who the registry takes you for, your groups, roles and quotas."""
    return success(await core.site.me(actor))


@router.get("/status", response_model=models.Success[schemas.SiteStatus])
async def status(core: TheCore, actor: Caller) -> Response:
    """Queue, agents and launchers."""
    return success(await core.site.status(actor))


@bare.get("/metrics", include_in_schema=False)
async def prometheus(core: TheCore, actor: Caller) -> Response:
    """For Prometheus. Needs the right to monitor, unless this registry has no sign-in."""
    from qcrbox_registry.services import metrics  # only this page needs the client library

    core.site.require(actor, "monitor")
    page = await metrics.page(core.context)
    return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")


# ---------------------------------------------------------------- administrators


class SetLimit(Body):
    """Body: set a quota; null returns it to the default."""

    subject: Literal["person", "group", "default-person", "default-group"]
    name: str = Field(default="", max_length=255)
    quota: Literal["gib", "running", "queued", "sessions", "cpu_hours"]
    limit: float | None = Field(
        default=None, ge=0, le=1e15, allow_inf_nan=False
    )  # None = back to the default


class SetHold(Body):
    """Body: hold or drain a launcher or the site, or lift the hold."""

    kind: Literal["launcher", "site"]
    name: str = Field(default="", max_length=63)
    mode: Literal["hold", "drain"] | None = None
    reason: str = Field(default="", max_length=1000)


async def limit_filter(
    subject: Literal["", "own", "person", "group", "default-person", "default-group"] = "",
    name: Annotated[str | None, Query(max_length=255, description="the whole name")] = None,
    quota: Literal["", "gib", "running", "queued", "sessions", "cpu_hours"] = "",
) -> LimitFilter:
    """Which limits a list is asked for."""
    return LimitFilter(subject, name, quota)


async def cut_of_limits(
    q: Annotated[str, Query(max_length=255, description="text in the name")] = "",
    sort: Annotated[str, Query(pattern="^-?(name|subject|quota|limit)$")] = "subject",
    limit: Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE)] = MOST_OF_A_PAGE,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Cut:
    """The part of the limits that is asked for."""
    return Cut(q, sort, limit, offset)


@router.get("/quotas", response_model=models.Success[schemas.Quotas])
async def list_quotas(
    core: TheCore,
    actor: Caller,
    asked: Annotated[LimitFilter, Depends(limit_filter)],
    cut: Annotated[Cut, Depends(cut_of_limits)],
) -> Response:
    """The limits that are set, by portions; subject=own: those of persons and groups, without the defaults."""
    return success(await core.site.quotas(actor, asked, cut))


@router.put("/quotas", response_model=models.Success[schemas.Quotas], openapi_extra=takes(SetLimit))
async def set_quota(request: Request, core: TheCore, actor: Caller) -> Response:
    """Set a limit of a person, a group or the defaults; answers the limits of that one."""
    core.site.require(actor, "manage")
    asked, _ = await read_body(request, SetLimit)
    change = LimitChange(asked.subject, asked.name, asked.quota, asked.limit)
    return success(await core.site.set_quota(actor, change))


@router.get("/holds", response_model=models.Success[schemas.Holds])
async def list_holds(core: TheCore, actor: Caller) -> Response:
    """Every hold of applications, launchers and the site, with the reason that people read."""
    return success({"holds": await core.site.holds(actor)})


@router.put("/holds", response_model=models.Success[schemas.Empty], openapi_extra=takes(SetHold))
async def set_hold(request: Request, core: TheCore, actor: Caller) -> Response:
    """Hold or drain a launcher or the whole site, or (mode null) lift that."""
    asked, _ = await read_body(request, SetHold)
    await core.site.hold(actor, HoldChange(asked.kind, asked.name, asked.mode, asked.reason))
    return success({})


@router.delete("/agents/{agent_id}", status_code=204)
async def stop_agent(
    core: TheCore, actor: Caller, agent_id: str, reason: Annotated[str, Query(max_length=1000)] = ""
) -> Response:
    """End an agent; its calculations get another one. The reason is shown with them."""
    await core.site.stop_agent(actor, agent_id, reason)
    return Response(status_code=204)


@router.post("/check", response_model=models.Success[schemas.SiteCheck])
async def check_site(core: TheCore, actor: Caller) -> Response:
    """The thorough check of the database file."""
    return success(await core.site.check(actor))
