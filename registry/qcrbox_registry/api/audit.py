"""The audit trail for administrators: search, export, check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic_core import to_json
from qcrbox.contract import models
from starlette.responses import StreamingResponse

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Caller, TheCore, ThePage, number
from qcrbox_registry.api.openapi import sends
from qcrbox_registry.api.responses import success
from qcrbox_registry.api.streams import Streamed
from qcrbox_registry.store.audit import Search

router = APIRouter(prefix="/api/audit", tags=["site"])


async def audit_search(
    name: Annotated[str | None, Query(alias="who", max_length=255)] = None,
    action: Annotated[str | None, Query(max_length=60)] = None,
    object_id: Annotated[str | None, Query(max_length=64)] = None,
    allowed: bool | None = None,
) -> Search:
    """Which entries of the trail are asked for."""
    return Search(name, action, object_id, allowed)


@router.get("", response_model=models.Success[schemas.AuditPage])
async def read_audit(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    search: Annotated[Search, Depends(audit_search)],
) -> Response:
    """The audit trail, newest first; reading it is audited."""
    return success(await core.audit.page(actor, search, number(page.after), page.limit))


@router.get("/export", response_class=StreamingResponse, responses=sends("application/x-ndjson"))
async def export_audit(core: TheCore, actor: Caller) -> Response:
    """The whole trail, oldest first, one JSON object a line with everything its hash is made of."""
    return Streamed(
        _lines(await core.audit.export(actor)),
        media_type="application/x-ndjson",
        headers={"content-disposition": 'attachment; filename="qcrbox-audit.ndjson"'},
    )


async def _lines(portions: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[bytes]:
    async for rows in portions:
        yield b"".join(to_json(row) + b"\n" for row in rows)


@router.get("/check", response_model=models.Success[schemas.AuditCheck])
async def check_audit(core: TheCore, actor: Caller) -> Response:
    """Whether the chain of the audit trail holds."""
    return success(await core.audit.check(actor))
