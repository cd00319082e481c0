"""Health, readiness, metrics, who am I; and what administrators see and set."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from pydantic_core import to_json
from qcrbox.contract import models
from qcrbox.contract.models import iso
from starlette.responses import StreamingResponse

from qcrbox_registry.access import audit, quota, rights
from qcrbox_registry.access.rights import Resource
from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, ThePage, number, read_body, who
from qcrbox_registry.api.openapi import sends, takes
from qcrbox_registry.api.responses import json_response, success
from qcrbox_registry.services.core import Core
from qcrbox_registry.store import applications, people, schema
from qcrbox_registry.store import events as events_store

router = APIRouter(prefix="/api", tags=["site"])
bare = APIRouter(tags=["site"])
SITE = Resource("site", "registry")
LEAST_FREE = 200 * 1024 * 1024  # bytes: below it neither the database nor NATS can be sure of its next write


@router.get("/healthz", response_model=models.Health)
async def health() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/readyz", response_model=schemas.Readiness)
async def ready(core: TheCore) -> Response:
    """Whether work can be done, and what is missing. 503 while something essential is."""
    parts = await _parts(core)
    faults = {name: said for name, said in parts.items() if said}
    body = {
        "status": "ready" if not faults else "not ready",
        "missing": faults,
        "notes": {name: said for name, said in core.missing.items() if name not in faults},
        "uptime_s": round(time.time() - core.started_at, 1),
    }
    return json_response(body, 200 if not faults else 503)


async def _parts(core: Core) -> dict[str, str]:
    parts = {
        "database": core.missing.get("database", ""),
        "nats": "",
        "scheduler": "",
        "launcher": "",
        "disk": "",
    }
    try:
        await core.db.read(events_store.newest)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is the answer
        parts["database"] = str(error)[:300]
    free = shutil.disk_usage(core.settings.data).free
    if free < LEAST_FREE:
        parts["disk"] = f"Only {free / 1024**2:.0f} MiB are free on the disk of the data folder."
    if core.bus is not None and not core.bus.is_connected:
        parts["nats"] = "The message system (NATS) is not connected."
    if not getattr(core.scheduler, "is_ready", True):
        parts["scheduler"] = "The scheduler has not finished its recovery."
    launchers = core.scheduler.status().get("launchers", ())
    if (core.settings.launcher or launchers) and not any(one.get("answers") for one in launchers):
        names = ", ".join(str(one["launcher"]) for one in launchers)
        parts["launcher"] = (
            f"No launcher answers{f' ({names})' if names else ''}, so no application can be started."
        )
    return parts


@router.get("/me", response_model=models.Success[models.Me])
async def me(core: TheCore, actor: Caller) -> Response:
    """Who the registry takes you for, your groups, roles and quotas."""

    def read(conn: Any) -> dict[str, Any]:
        last = people.last_group(conn, actor.person_id)
        names = {group_id: name for name, group_id in actor.groups.items()}
        return {
            "name": actor.name,
            "groups": sorted(actor.groups),
            "roles": actor.roles(),
            "home_group": None if last is None else names.get(last),
            "quotas": core.quotas.shown(conn, actor),
        }

    return success(await core.db.read(read))


@router.get("/status", response_model=models.Success[schemas.SiteStatus])
async def status(core: TheCore, actor: Caller) -> Response:
    """Queue, agents and launchers."""
    rights.authorize(actor, "monitor", SITE)
    return success(core.scheduler.status())


@bare.get("/metrics", include_in_schema=False)
async def prometheus(core: TheCore, request: Request) -> Response:
    """For Prometheus. Needs the right to monitor, unless nobody is asked here anyway."""
    from qcrbox_registry.services import metrics  # the client library is needed by this page only

    rights.authorize(await who(request), "monitor", SITE)
    return Response(await metrics.page(core), media_type="text/plain; version=0.0.4; charset=utf-8")


# ---------------------------------------------------------------- administrators


class SetLimit(Body):
    subject: Literal["person", "group", "default-person", "default-group"]
    name: str = Field(default="", max_length=255)
    quota: Literal["gib", "running", "queued", "sessions", "cpu_hours"]
    limit: float | None = Field(
        default=None, ge=0, le=1e15, allow_inf_nan=False
    )  # None = back to the default


class SetHold(Body):
    kind: Literal["launcher", "site"]
    name: str = Field(default="", max_length=63)
    mode: Literal["hold", "drain"] | None = None
    reason: str = Field(default="", max_length=1000)


@router.get("/quotas", response_model=models.Success[schemas.Quotas])
async def list_quotas(core: TheCore, actor: Caller) -> Response:
    """Every limit that is set."""
    rights.authorize(actor, "read", SITE)
    return success({"quotas": await core.db.read(quota.listed)})


@router.put("/quotas", response_model=models.Success[schemas.Quotas], openapi_extra=takes(SetLimit))
async def set_quota(request: Request, core: TheCore, actor: Caller) -> Response:
    """Set a limit of a person, a group or the defaults."""
    rights.authorize(actor, "manage", SITE)
    body, _ = await read_body(request, SetLimit)
    now = time.time()

    def write(conn: Any) -> None:
        subject_id = 0
        if body.subject == "person":
            subject_id = people.find_person(conn, body.name).id
        elif body.subject == "group":
            subject_id = people.find_group(conn, body.name).id
        quota.set_limit(conn, body.subject, subject_id, body.quota, body.limit, actor.person_id, now)
        audit.record(
            conn,
            [audit.entry(actor, "set quota", now, kind=body.subject, object_id=body.name, quota=body.quota, limit=body.limit)],
        )  # fmt: skip

    await core.db.write(write)
    await core.reload()
    return success({"quotas": await core.db.read(quota.listed)})


@router.put("/holds", response_model=models.Success[schemas.Empty], openapi_extra=takes(SetHold))
async def set_hold(request: Request, core: TheCore, actor: Caller) -> Response:
    """Hold or drain a launcher or the whole site, or (mode null) lift that."""
    body, _ = await read_body(request, SetHold)
    rights.authorize(actor, "manage", SITE if body.kind == "site" else Resource("launcher", body.name))
    now = time.time()

    def write(conn: Any) -> None:
        applications.set_hold(conn, body.kind, body.name, body.mode, body.reason, actor.person_id, now)
        audit.record(
            conn,
            [audit.entry(actor, "hold", now, kind=body.kind, object_id=body.name, mode=body.mode, reason=body.reason)],
        )  # fmt: skip

    await core.db.write(write)
    await core.reload()
    return success({})


@router.delete("/agents/{agent_id}", status_code=204)
async def stop_agent(core: TheCore, actor: Caller, agent_id: str) -> Response:
    """End an agent; what it runs is given to another."""
    rights.authorize(actor, "manage", SITE)
    await core.scheduler.stop_agent(agent_id, f"stopped by {actor.name}")
    core.audit_soon(actor, "stop agent", kind="agent", object_id=agent_id)
    return Response(status_code=204)


@router.get("/audit", response_model=models.Success[schemas.AuditPage])
async def read_audit(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    name: Annotated[str | None, Query(alias="who", max_length=255)] = None,
    action: Annotated[str | None, Query(max_length=60)] = None,
    object_id: Annotated[str | None, Query(max_length=64)] = None,
    allowed: bool | None = None,
) -> Response:
    """The audit trail, newest first; reading it is audited."""
    rights.authorize(actor, "audit", SITE)
    equal = {"who": name, "action": action, "object_id": object_id, "allowed": allowed}
    given = {name: value for name, value in equal.items() if value is not None}
    after = number(page.after)

    def read(conn: Any) -> dict[str, Any]:
        rows, following = page.cut(
            audit.page(conn, after=after, limit=page.limit + 1, **given), lambda r: str(r.seq)
        )
        return {"audit": [_audit_row(row) for row in rows], "next": following}

    payload = await core.db.read(read)
    core.audit_soon(actor, "read audit", kind="site")
    return success(payload)


def _audit_row(row: Any) -> dict[str, Any]:
    names = ("seq", "who", "address", "action", "kind", "object_id", "allowed", "details", "previous", "hash")
    return {**{name: getattr(row, name) for name in names}, "at": iso(row.at)}


@router.get("/audit/export", response_class=StreamingResponse, responses=sends("application/x-ndjson"))
async def export_audit(core: TheCore, actor: Caller) -> Response:
    """The whole trail, oldest first, one JSON object a line with everything its hash is made of."""
    rights.authorize(actor, "audit", SITE)
    core.audit_soon(actor, "export audit", kind="site")
    return StreamingResponse(
        _audit_lines(core),
        media_type="application/x-ndjson",
        headers={"content-disposition": 'attachment; filename="qcrbox-audit.ndjson"'},
    )


async def _audit_lines(core: Core) -> AsyncIterator[bytes]:
    seq = 0
    while rows := await core.db.read(partial(audit.after, seq=seq)):
        seq = rows[-1].seq
        yield b"".join(to_json(dict(row._mapping)) + b"\n" for row in rows)


@router.get("/audit/check", response_model=models.Success[schemas.AuditCheck])
async def check_audit(core: TheCore, actor: Caller) -> Response:
    """Whether the chain of the audit trail holds."""
    rights.authorize(actor, "audit", SITE)
    broken = await core.db.read(audit.broken_links)
    return success({"sound": not broken, "broken_at": broken})


@router.post("/check", response_model=models.Success[schemas.SiteCheck])
async def check_site(core: TheCore, actor: Caller) -> Response:
    """The thorough check of the database file."""
    rights.authorize(actor, "manage", SITE)
    faults = await core.db.read(lambda _: schema.integrity_faults(core.db, thorough=True))
    return success({"sound": not faults, "faults": faults})
