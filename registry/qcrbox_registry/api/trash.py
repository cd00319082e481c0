"""The trash: delete datasets and data files, and restore them."""

from __future__ import annotations

from fastapi import APIRouter, Response
from qcrbox.contract import models

from qcrbox_registry.api.dependencies import Caller, DataFileId, DatasetId, TheCore
from qcrbox_registry.api.responses import success

router = APIRouter(prefix="/api", tags=["datasets and data files"])


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
