"""Datasets: upload, list, look, append, attach, change, download. The bin is in `trash.py`."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError
from starlette.responses import StreamingResponse

from qcrbox_registry.access import audit, rights
from qcrbox_registry.access.quota import QuotaHeadroom
from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    DataFileId,
    DatasetId,
    TheCore,
    ThePage,
    read_body,
)
from qcrbox_registry.api.downloads import StillAllowed, as_attachment, file_response, while_allowed
from qcrbox_registry.api.forms import UPLOAD_DOCS, home_group, named_group, received, upload_service
from qcrbox_registry.api.openapi import sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.api.zipping import zip_stream
from qcrbox_registry.services import views
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.uploads import checked_text
from qcrbox_registry.store import datasets, events, paging, people, shares, tags
from qcrbox_registry.store.tables import datasets as table

router = APIRouter(prefix="/api", tags=["datasets and data files"])
Tags = Annotated[list[str], Field(max_length=50)]


class ChangeDataset(Body):
    name: Annotated[str | None, Field(max_length=500)] = None
    description: Annotated[str | None, Field(max_length=20_000)] = None
    group: Annotated[str | None, Field(max_length=255)] = None  # null or "": none, privately
    tags: Tags | None = None


class Attach(Body):
    data_file_id: Annotated[DataFileId, Field(min_length=1, max_length=64)]


@router.post(
    "/datasets", status_code=201, response_model=models.Success[models.NewDataset], openapi_extra=UPLOAD_DOCS
)
async def create_dataset(request: Request, core: TheCore, actor: Caller) -> Response:
    """A new dataset from one file (or several parts named `file`)."""
    store = upload_service(request)
    files, fields = await received(request, await store.headroom(actor))
    dataset_id = await store.new_dataset(
        actor,
        files,
        name=checked_text(fields.get("name", ""), "name", 500) or files[0].filename,
        description=checked_text(fields.get("description", ""), "description", 20_000),
        group_id=await home_group(core, actor, fields.get("group")),
    )
    return success(await _with_files(core, dataset_id), "The dataset was stored.", 201)


async def _with_files(core: Core, dataset_id: str) -> dict[str, Any]:
    return await core.db.read(lambda conn: _described(conn, datasets.get(conn, dataset_id)))


def _described(conn: Any, row: Any) -> dict[str, Any]:
    shown = views.dataset_list(conn, [row])
    return {"datasets": shown, "data_files": list(shown[0]["data_files"].values())}


@router.get("/datasets", response_model=models.Success[models.Datasets])
async def list_datasets(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    owner: Annotated[str | None, Query(max_length=255)] = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
    name: Annotated[str | None, Query(max_length=500)] = None,
    kind: Literal["data", "output", "example"] | None = None,
    q: Annotated[str | None, Query(max_length=500, description="text in name or description")] = None,
    deleted: Annotated[bool, Query(description="what can be brought back instead")] = False,
) -> Response:
    """Datasets you may see, newest first."""
    where: list[sa.ColumnElement[bool]] = [
        table.c.deleted_at.isnot(None) if deleted else table.c.deleted_at.is_(None)
    ]
    if owner is not None:
        where.append(table.c.owner_id.in_(people.named(owner)))
    if tag is not None:
        where.append(table.c.id.in_(tags.having("dataset", tag)))
    if name is not None:
        where.append(table.c.name == name)
    if kind is not None:
        where.append(table.c.kind == kind)
    if q:
        where.append(sa.or_(*(c.icontains(q, autoescape=True) for c in (table.c.name, table.c.description))))

    def read(conn: Any) -> dict[str, Any]:
        visibility_filters = (
            rights.trash_filters(actor, table) if deleted else rights.visibility_filters(actor, table)
        )
        ids = paging.newest_ids(
            conn, table, visibility_filters, where=where, limit=page.limit + 1, after=page.after
        )
        ids, following = page.cut(ids, str)
        return {"datasets": views.dataset_list(conn, datasets.by_ids(conn, ids)), "next": following}

    return success(await core.db.read(read))


@router.get("/datasets/{dataset_id}", response_model=models.Success[models.NewDataset])
async def get_dataset(core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """One dataset with its files."""

    def read(conn: Any) -> dict[str, Any]:
        return _described(conn, shares.dataset(conn, actor, "read", dataset_id))

    return success(await core.db.read(read))


@router.post(
    "/datasets/{dataset_id}/append",
    status_code=201,
    response_model=models.Success[models.Appended],
    openapi_extra=UPLOAD_DOCS,
)
async def append(request: Request, core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Add a file. A second file of the same name becomes `name-2`; nothing is overwritten."""

    def read(conn: Any) -> QuotaHeadroom:
        row = shares.dataset(conn, actor, "append", dataset_id)
        return core.quotas.headroom(conn, row.owner_id, row.group_id)

    files, _ = await received(request, await core.db.read(read))
    ids = [await upload_service(request).append(actor, dataset_id, file) for file in files]
    payload = await _with_files(core, dataset_id)
    by_id = {file["qcrbox_file_id"]: file for file in payload["data_files"]}
    return success({**payload, "appended_file": by_id[ids[0]]}, "The file was added.", 201)


@router.post(
    "/datasets/{dataset_id}/attach",
    status_code=201,
    response_model=models.Success[models.Appended],
    openapi_extra=takes(Attach),
)
async def attach(request: Request, core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Put a data file that has no dataset yet into this one: body `{"data_file_id": id}`."""
    asked, _ = await read_body(request, Attach)
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.dataset(conn, actor, "append", dataset_id)
        file = shares.data_file(conn, actor, "change", asked.data_file_id)
        if file.dataset_id is not None:
            raise UserInputError(f"{file.filename} is in a dataset already.", where=file.id)
        if (file.owner_id, file.group_id) != (row.owner_id, row.group_id):
            core.quotas.headroom(conn, row.owner_id, row.group_id).require(file.size)
        datasets.attach(conn, file.id, row.id, now)
        entry = audit.entry(actor, "attach", now, kind="dataset", object_id=row.id, data_file=file.id)
        audit.record(conn, [entry])
        return list(events.write(conn, [events.about("dataset", row, now, "changed")]))

    core.publish(await core.db.write(write))
    payload = await _with_files(core, dataset_id)
    file = next(file for file in payload["data_files"] if file["qcrbox_file_id"] == asked.data_file_id)
    return success({**payload, "appended_file": file}, "The file was attached.", 201)


@router.patch(
    "/datasets/{dataset_id}",
    response_model=models.Success[models.Datasets],
    openapi_extra=takes(ChangeDataset),
)
async def change_dataset(request: Request, core: TheCore, actor: Caller, dataset_id: DatasetId) -> Response:
    """Change `name`, `description`, `group` (null = none) or `tags`."""
    asked, _ = await read_body(request, ChangeDataset)
    asked.require_any()
    values: dict[str, Any] = {}
    for field, most in (("name", 500), ("description", 20_000)):
        if field in asked.model_fields_set:
            values[field] = checked_text(getattr(asked, field) or "", field, most)
    if "group" in asked.model_fields_set:
        values["group_id"] = named_group(actor, asked.group or "")
    new_tags = [tags.checked(tag) for tag in asked.tags or ()]
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.dataset(conn, actor, "change" if values else "tag", dataset_id)
        if values:
            datasets.rename(conn, row.id, now=now, **values)
        if "tags" in asked.model_fields_set:
            tags.replace(conn, "dataset", row.id, new_tags, actor.person_id, now)
        entry = audit.entry(
            actor, "change", now, kind="dataset", object_id=row.id, fields=sorted(asked.model_fields_set)
        )
        audit.record(conn, [entry])
        changed = events.about("dataset", datasets.get(conn, row.id), now, "changed")
        return list(events.write(conn, [changed]))

    core.publish(await core.db.write(write))
    return success({"datasets": (await _with_files(core, dataset_id))["datasets"]})


@router.get(
    "/datasets/{dataset_id}/download",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream", "application/zip"),
)
async def download_dataset(
    request: Request,
    core: TheCore,
    actor: Caller,
    dataset_id: DatasetId,
    wanted: Annotated[
        Literal["zip"] | None, Query(alias="format", description="a zip, also of a single file")
    ] = None,
    named: Annotated[bool, Query(description="call the zip as the dataset is called")] = False,
) -> Response:
    """The bytes of the dataset's one file; several files as a zip."""

    def read(conn: Any) -> tuple[Any, list[Any]]:
        row = shares.dataset(conn, actor, "read", dataset_id)
        return row, datasets.files_of(conn, [row.id])[row.id]

    row, files = await core.db.read(read)
    allowed = StillAllowed(
        core, request, actor, lambda conn, now: shares.dataset(conn, now, "read", dataset_id)
    )
    if wanted is None and len(files) == 1:
        only = files[0]
        return await file_response(
            core, only.sha256, only.size, only.filename, request=request, allowed=allowed
        )
    entries = [(file.filename, file.size, core.objects.get(file.sha256)) for file in files]
    name = datasets.safe_name(row.name or row.id) if named else row.id
    return StreamingResponse(
        while_allowed(zip_stream(entries, row.created_at), allowed),
        media_type="application/zip",
        headers=as_attachment(f"{name}.zip"),
    )
