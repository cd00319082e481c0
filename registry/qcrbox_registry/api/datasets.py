"""Datasets: upload, list, read, append, attach, change, download. Deleting is in `trash`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from starlette.responses import StreamingResponse

from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    CommonFilters,
    DataFileId,
    DatasetId,
    Deleted,
    HasRoom,
    Mine,
    Present,
    TheCore,
    ThePage,
    read_body,
)
from qcrbox_registry.api.downloads import as_attachment, file_response, while_allowed
from qcrbox_registry.api.multipart import Form
from qcrbox_registry.api.openapi import UPLOAD_DOCS, sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.api.streams import Streamed
from qcrbox_registry.api.zipping import zip_stream
from qcrbox_registry.services.datasets import DatasetChange
from qcrbox_registry.store.lists import DatasetFilter

router = APIRouter(prefix="/api", tags=["datasets and data files"])
Tags = Annotated[list[str], Field(max_length=50)]


class ChangeDataset(Body):
    """Body: new name, description, group or tags of a dataset; what is left out stays."""

    name: Annotated[str | None, Field(max_length=500)] = None
    description: Annotated[str | None, Field(max_length=20_000)] = None
    group: Annotated[str | None, Field(max_length=255)] = None  # null or "": none, privately
    tags: Tags | None = None

    def change(self) -> DatasetChange:
        """A field that was sent as null is emptied; one that was not sent stays."""
        sent = self.model_fields_set
        return DatasetChange(
            name=(self.name or "") if "name" in sent else None,
            description=(self.description or "") if "description" in sent else None,
            group=(self.group or "") if "group" in sent else None,
            tags=(self.tags or []) if "tags" in sent else None,
        )


class Attach(Body):
    """Body: an existing data file to add to a dataset."""

    data_file_id: Annotated[DataFileId, Field(min_length=1, max_length=64)]


@router.post(
    "/datasets",
    status_code=201,
    response_model=models.Success[models.NewDataset],
    openapi_extra=UPLOAD_DOCS,
    dependencies=[HasRoom],
)
async def create_dataset(request: Request, core: TheCore, presence: Present) -> Response:
    """A new dataset from one file (or several parts named `file`)."""
    created = await core.uploads.create_dataset(presence, Form(request).parts())
    return success(created, "The dataset was stored.", 201)


async def dataset_filter(
    common: CommonFilters, deleted: Deleted = False, kind: Literal["data", "output", "example"] | None = None
) -> DatasetFilter:
    """Which datasets a list is asked for."""
    return DatasetFilter(common, kind, deleted)


@router.get("/datasets", response_model=models.Success[models.Datasets])
async def list_datasets(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    asked: Annotated[DatasetFilter, Depends(dataset_filter)],
    mine: Mine = False,
) -> Response:
    """Datasets you may see, newest first."""
    return success(await core.datasets.page(actor, asked, page, mine=mine))


@router.get("/datasets/{dataset_id}", response_model=models.Success[models.NewDataset])
async def get_dataset(core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """One dataset with its files."""
    return success(await core.datasets.get(actor, dataset_id))


@router.post(
    "/datasets/{dataset_id}/append",
    status_code=201,
    response_model=models.Success[models.Appended],
    openapi_extra=UPLOAD_DOCS,
    dependencies=[HasRoom],
)
async def append(request: Request, core: TheCore, presence: Present, dataset_id: DatasetId) -> Response:
    """Add a file. A second file of the same name becomes `name-2`; nothing is overwritten."""
    appended = await core.uploads.append(presence, dataset_id, Form(request).parts())
    return success(appended, "The file was added.", 201)


@router.post(
    "/datasets/{dataset_id}/attach",
    status_code=201,
    response_model=models.Success[models.Appended],
    openapi_extra=takes(Attach),
)
async def attach(request: Request, core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Put a data file that has no dataset yet into this one: body `{"data_file_id": id}`."""
    asked, _ = await read_body(request, Attach)
    attached = await core.datasets.attach(actor, dataset_id, asked.data_file_id)
    return success(attached, "The file was attached.", 201)


@router.patch(
    "/datasets/{dataset_id}",
    response_model=models.Success[models.Datasets],
    openapi_extra=takes(ChangeDataset),
)
async def change_dataset(request: Request, core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Change `name`, `description`, `group` (null = none) or `tags`."""
    asked, _ = await read_body(request, ChangeDataset)
    asked.require_any()
    return success({"datasets": [await core.datasets.change(actor, dataset_id, asked.change())]})


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a dataset is sent."""

    format: Literal["zip"] | None
    named: bool
    form: Literal["original", "written"]


async def delivery(
    wanted: Annotated[
        Literal["zip"] | None, Query(alias="format", description="a zip, also of a single file")
    ] = None,
    named: Annotated[bool, Query(description="name the zip as the dataset is named")] = False,
    form: Annotated[
        Literal["original", "written"],
        Query(description="written: CIFs of results with the names of their author"),
    ] = "original",
) -> Delivery:
    """How a dataset is asked for."""
    return Delivery(wanted, named, form)


@router.get(
    "/datasets/{dataset_id}/download",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream", "application/zip"),
)
async def download_dataset(
    request: Request,
    core: TheCore,
    presence: Present,
    dataset_id: DatasetId,
    asked: Annotated[Delivery, Depends(delivery)],
) -> Response:
    """The bytes of the dataset's one file; several files as a zip."""
    found = await core.datasets.contents(presence.actor, dataset_id, written=asked.form == "written")

    def while_readable(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        return while_allowed(
            chunks, presence, lambda actor: core.datasets.require_readable(actor, dataset_id)
        )

    if asked.format is None and len(found.files) == 1:
        return await file_response(found.files[0], request, while_readable)
    entries = [(file.filename, file.size, file.chunks) for file in found.files]
    return Streamed(
        while_readable(zip_stream(entries, found.created_at)),
        media_type="application/zip",
        headers=as_attachment(f"{found.filename if asked.named else dataset_id}.zip"),
    )
