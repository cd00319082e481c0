"""Figures for administrators and group managers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from qcrbox.contract import models
from qcrbox.contract.pages import MOST_OF_A_PAGE

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Caller, TheCore
from qcrbox_registry.api.responses import success
from qcrbox_registry.store.figures import FileFilter, HolderFilter
from qcrbox_registry.store.paging import Cut

router = APIRouter(prefix="/api", tags=["site"])
MOST_NAMES = 500
Names = Annotated[list[str] | None, Query(max_length=MOST_NAMES)]


@router.get("/usage", response_model=models.Success[schemas.Usage])
async def usage(core: TheCore, actor: Caller, person: Names = None, group: Names = None) -> Response:
    """What persons and groups use now and this month, with their limits."""
    return success({"usage": await core.figures.usage(actor, person or (), group or ())})


@router.get("/storage", response_model=models.Success[schemas.Storage])
async def storage(
    core: TheCore, actor: Caller, most: Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE)] = 50
) -> Response:
    """What is stored: totals, the persons and groups with the most bytes, the largest files."""
    return success(await core.figures.storage(actor, most))


async def cut_of_a_table(
    q: Annotated[str, Query(max_length=255, description="text in the name")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Cut:
    """The part of a table that is asked for, in its usual order."""
    return Cut(q, limit=limit, offset=offset)


TheCut = Annotated[Cut, Depends(cut_of_a_table)]


@router.get("/storage/holders", response_model=models.Success[schemas.Holders])
async def storage_holders(
    core: TheCore,
    actor: Caller,
    cut: TheCut,
    subject: Literal["", "person", "group", "application"] = "",
    gone: Annotated[bool, Query(description="of deleted groups and accounts alone")] = False,
    sort: Annotated[str, Query(pattern="^-?(bytes|name|subject|gone_at)$")] = "-bytes",
) -> Response:
    """Persons and groups with stored bytes, by portions. For administrators."""
    return success(await core.figures.holders(actor, HolderFilter(subject, gone), replace(cut, sort=sort)))


@router.get("/storage/files", response_model=models.Success[schemas.Files])
async def storage_files(
    core: TheCore,
    actor: Caller,
    cut: TheCut,
    owner: Annotated[str, Query(max_length=255)] = "",
    group: Annotated[str, Query(max_length=255)] = "",
    sort: Annotated[str, Query(pattern="^-?(bytes|name|owner|group|created_at)$")] = "-bytes",
) -> Response:
    """Every present data file, by portions: name, size, owner and group, never contents. For administrators."""
    return success(await core.figures.files(actor, FileFilter(owner, group), replace(cut, sort=sort)))
