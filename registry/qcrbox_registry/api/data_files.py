"""Data files: upload, list, read, change, download, verify. Deleting is in `trash`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from starlette.responses import StreamingResponse

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    CommonFilters,
    DataFileId,
    Deleted,
    HasRoom,
    Present,
    TheCore,
    ThePage,
    read_body,
)
from qcrbox_registry.api.downloads import file_response, while_allowed
from qcrbox_registry.api.multipart import Form
from qcrbox_registry.api.openapi import UPLOAD_DOCS, sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.data_files import DataFileChange, FileForm
from qcrbox_registry.store.lists import DataFileFilter

# Inside <img> nothing of an SVG runs; opened by its address it must not either.
PICTURE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, no-cache",
}

router = APIRouter(prefix="/api", tags=["datasets and data files"])


class ChangeDataFile(Body):
    """Body: new name or tags of a data file; what is left out stays."""

    filename: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    tags: Annotated[list[str], Field(max_length=50)] | None = None


@router.post(
    "/data-files",
    status_code=201,
    response_model=models.Success[models.DataFiles],
    openapi_extra=UPLOAD_DOCS,
    dependencies=[HasRoom],
)
async def create_data_file(request: Request, core: TheCore, presence: Present) -> Response:
    """A data file without a dataset."""
    files = await core.uploads.create_data_files(presence, Form(request).parts())
    return success({"data_files": files}, "The file was stored.", 201)


@router.get("/data-files", response_model=models.Success[models.DataFiles])
async def list_data_files(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    common: CommonFilters,
    filetype: Annotated[str | None, Query(max_length=40)] = None,
    deleted: Deleted = False,
) -> Response:
    """Data files you may see, newest first."""
    asked = DataFileFilter(common, filetype, deleted)
    return success(await core.data_files.page(actor, asked, page))


@router.get("/data-files/{file_id}", response_model=models.Success[models.DataFiles])
async def get_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """One data file, with the index of a CIF."""
    return success({"data_files": [await core.data_files.get(actor, file_id)]})


@router.get(
    "/data-files/{file_id}/download",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def download_data_file(
    request: Request,
    core: TheCore,
    presence: Present,
    file_id: DataFileId,
    form: FileForm = "original",
) -> Response:
    """The file's bytes as they came, a CIF's unified form, or a result's CIF with the names of its author (`written`)."""
    content = await core.data_files.content(presence.actor, file_id, form)
    return await file_response(
        content,
        request,
        lambda chunks: while_allowed(
            chunks, presence, lambda actor: core.data_files.require_readable(actor, file_id)
        ),
    )


@router.get("/data-files/{file_id}/picture", response_class=Response, responses=sends("image/svg+xml"))
async def data_file_picture(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """The structure of a CIF as a still picture with displacement ellipsoids: SVG that runs nothing."""
    drawn = await core.data_files.picture(actor, file_id)
    return Response(drawn, media_type="image/svg+xml", headers=PICTURE_HEADERS)


@router.get("/data-files/{file_id}/verify", response_model=models.Success[schemas.Verified])
async def verify_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Read the stored bytes and compare their hash."""
    return success(await core.data_files.verify(actor, file_id))


@router.patch(
    "/data-files/{file_id}",
    response_model=models.Success[models.DataFiles],
    openapi_extra=takes(ChangeDataFile),
)
async def change_data_file(request: Request, core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Change the `filename` or the `tags` of a data file. Its bytes never change."""
    asked, _ = await read_body(request, ChangeDataFile)
    asked.require_any()
    changed = await core.data_files.change(actor, file_id, DataFileChange(asked.filename, asked.tags))
    return success({"data_files": [changed]})
