"""Figures for administrators and group managers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from qcrbox.contract import models

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Caller, TheCore
from qcrbox_registry.api.responses import success

router = APIRouter(prefix="/api", tags=["site"])
MOST_NAMES = 500
Names = Annotated[list[str] | None, Query(max_length=MOST_NAMES)]


@router.get("/usage", response_model=models.Success[schemas.Usage])
async def usage(core: TheCore, actor: Caller, person: Names = None, group: Names = None) -> Response:
    """What persons and groups use now and this month, with their limits."""
    return success({"usage": await core.figures.usage(actor, person or (), group or ())})


@router.get("/storage", response_model=models.Success[schemas.Storage])
async def storage(core: TheCore, actor: Caller, most: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
    """What is stored: totals, the persons and groups with the most bytes, the largest files."""
    return success(await core.figures.storage(actor, most))
