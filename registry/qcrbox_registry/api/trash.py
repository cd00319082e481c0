"""The trash: delete datasets and data files, and restore them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, DataFileId, DatasetId, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.retention import Retention

router = APIRouter(prefix="/api", tags=["datasets and data files"])


class EmptyTrash(Body):
    """Body: delete what has been in the trash for longer than the given days."""

    older_than_days: Annotated[float, Field(ge=0, le=36500, allow_inf_nan=False)]
    dry_run: bool = True
    reason: Annotated[str, Field(max_length=1000)] = ""


class ApplyRetention(Body):
    unused_days: Annotated[float, Field(ge=1, le=36500, allow_inf_nan=False)]
    group: Annotated[str | None, Field(max_length=255)] = None  # of this home group; without: of everyone
    dry_run: bool = True
    reason: Annotated[str, Field(max_length=1000)] = ""


@router.post(
    "/retention", response_model=models.Success[schemas.Retained], openapi_extra=takes(ApplyRetention)
)
async def apply_retention(request: Request, core: TheCore, actor: Caller) -> Response:
    """Put outputs that were not used for so many days into the trash; with dry_run (the default) only count them.

    Used is what was made, changed or given to a calculation since, or is read by one that has not ended. What is
    shared with someone stays. Owners can restore it from the trash. For administrators.
    """
    core.site.require(actor, "manage")
    asked, _ = await read_body(request, ApplyRetention)
    return success(await core.retention.apply(actor, Retention(**asked.model_dump())))


class NewRetentionRule(Body):
    """Body: a retention rule that runs every day."""

    unused_days: Annotated[float, Field(ge=7, le=36500, allow_inf_nan=False)]
    group: Annotated[str | None, Field(max_length=255)] = None  # of this home group; without: of everyone
    reason: Annotated[str, Field(max_length=1000)] = ""


@router.get("/retention/rules", response_model=models.Success[schemas.RetentionRules])
async def list_retention_rules(core: TheCore, actor: Caller) -> Response:
    """The retention rules that run every day, each with its last run. For administrators."""
    return success({"rules": await core.retention.rules(actor)})


@router.post(
    "/retention/rules",
    status_code=201,
    response_model=models.Success[schemas.RetentionRules],
    openapi_extra=takes(NewRetentionRule),
)
async def add_retention_rule(request: Request, core: TheCore, actor: Caller) -> Response:
    """Put outputs that were not used for so many days into the trash every day, from tomorrow on.

    Data of deleted groups and accounts stay for a decision. What each run moved is in the audit trail. Needs a reason.
    For administrators.
    """
    core.site.require(actor, "manage")
    asked, _ = await read_body(request, NewRetentionRule)
    rule = await core.retention.add_rule(actor, asked.unused_days, asked.group, asked.reason)
    return success({"rules": [rule]}, "The rule is stored.", 201)


@router.delete("/retention/rules/{rule_id}", status_code=204)
async def remove_retention_rule(
    core: TheCore, actor: Caller, rule_id: int, reason: Annotated[str, Query(max_length=1000)] = ""
) -> Response:
    """End a retention rule. What it moved stays in the trash. Needs a reason. For administrators."""
    await core.retention.remove_rule(actor, rule_id, reason)
    return Response(status_code=204)


@router.post("/trash/empty", response_model=models.Success[schemas.Amount], openapi_extra=takes(EmptyTrash))
async def empty_trash(request: Request, core: TheCore, actor: Caller) -> Response:
    """Remove for good what was deleted that long ago; with dry_run (the default) only count it. For administrators."""
    core.site.require(actor, "manage")
    asked, _ = await read_body(request, EmptyTrash)
    return success(await core.trash.empty(actor, asked.older_than_days, asked.reason, dry_run=asked.dry_run))


@router.delete("/datasets/{dataset_id}", status_code=204)
async def delete_dataset(core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Delete a dataset and its files. `POST …/restore` undoes it for a month."""
    await core.trash.delete_dataset(actor, dataset_id)
    return Response(status_code=204)


@router.delete("/data-files/{file_id}", status_code=204)
async def delete_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Delete a data file. `POST …/restore` undoes it for a month."""
    await core.trash.delete_data_file(actor, file_id)
    return Response(status_code=204)


@router.post("/datasets/{dataset_id}/restore", response_model=models.Success[models.Datasets])
async def restore_dataset(core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Restore a deleted dataset with the files that were deleted with it."""
    return success({"datasets": [await core.trash.restore_dataset(actor, dataset_id)]})


@router.post("/data-files/{file_id}/restore", response_model=models.Success[models.DataFiles])
async def restore_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Restore a deleted data file; into its dataset, when that is still there."""
    return success({"data_files": [await core.trash.restore_data_file(actor, file_id)]})
