"""Data files: upload, list, look, change, download, verify. The bin is in `trash.py`."""

from __future__ import annotations

import hashlib
import time
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import NotFound
from starlette.responses import StreamingResponse

from qcrbox_registry.access import audit, rights
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    DataFileId,
    TheCore,
    ThePage,
    read_body,
)
from qcrbox_registry.api.downloads import StillAllowed, file_response
from qcrbox_registry.api.forms import UPLOAD_DOCS, home_group, received, upload_service
from qcrbox_registry.api.openapi import sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services import views
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.uploads import checked_text
from qcrbox_registry.store import contents, datasets, events, paging, people, shares, tags
from qcrbox_registry.store.objects import DamagedObject
from qcrbox_registry.store.tables import data_files as table

router = APIRouter(prefix="/api", tags=["datasets and data files"])


class ChangeDataFile(Body):
    filename: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    tags: Annotated[list[str], Field(max_length=50)] | None = None


@router.post(
    "/data-files",
    status_code=201,
    response_model=models.Success[models.DataFiles],
    openapi_extra=UPLOAD_DOCS,
)
async def create_data_file(request: Request, core: TheCore, actor: Caller) -> Response:
    """A data file without a dataset."""
    store = upload_service(request)
    files, fields = await received(request, await store.headroom(actor))
    group_id = await home_group(core, actor, fields.get("group"))
    ids = [await store.new_file(actor, file, group_id=group_id) for file in files]

    def read(conn: Any) -> list[dict[str, Any]]:
        rows = datasets.files_by_id(conn, ids)
        return views.data_file_list(conn, [rows[one] for one in ids])

    return success({"data_files": await core.db.read(read)}, "The file was stored.", 201)


@router.get("/data-files", response_model=models.Success[models.DataFiles])
async def list_data_files(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    owner: Annotated[str | None, Query(max_length=255)] = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
    name: Annotated[str | None, Query(max_length=500, description="file name")] = None,
    filetype: Annotated[str | None, Query(max_length=40)] = None,
    q: Annotated[str | None, Query(max_length=500, description="text in the file name")] = None,
    deleted: Annotated[bool, Query(description="what can be brought back instead")] = False,
) -> Response:
    """Data files you may see, newest first."""
    where: list[sa.ColumnElement[bool]] = (
        [table.c.deleted_at.isnot(None), table.c.purged_at.is_(None)]
        if deleted
        else [table.c.deleted_at.is_(None)]
    )
    if owner is not None:
        where.append(table.c.owner_id.in_(people.named(owner)))
    if tag is not None:
        where.append(table.c.id.in_(tags.having("data_file", tag)))
    if name is not None:
        where.append(table.c.filename == name)
    if filetype is not None:
        where.append(table.c.filetype == filetype)
    if q:
        where.append(table.c.filename.icontains(q, autoescape=True))

    def read(conn: Any) -> dict[str, Any]:
        visibility_filters = (
            rights.trash_filters(actor, table) if deleted else rights.visibility_filters(actor, table)
        )
        ids = paging.newest_ids(
            conn, table, visibility_filters, where=where, limit=page.limit + 1, after=page.after
        )
        ids, following = page.cut(ids, str)
        rows = datasets.files_by_id(conn, ids)
        return {"data_files": views.data_file_list(conn, [rows[one] for one in ids]), "next": following}

    return success(await core.db.read(read))


@router.get("/data-files/{file_id}", response_model=models.Success[models.DataFiles])
async def get_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """One data file, with what a CIF says of itself."""
    return success({"data_files": [await _shown(core, actor, file_id)]})


async def _shown(core: Core, actor: Actor, file_id: str) -> dict[str, Any]:
    def read(conn: Any) -> dict[str, Any]:
        return views.data_file_list(conn, [shares.data_file(conn, actor, "read", file_id)])[0]

    return await core.db.read(read)


@router.get(
    "/data-files/{file_id}/download",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def download_data_file(
    request: Request,
    core: TheCore,
    actor: Caller,
    file_id: DataFileId,
    form: Literal["original", "unified"] = "original",
) -> Response:
    """The file's bytes as they came, or a CIF's unified form. The hash is checked while they are sent."""
    row = await core.db.read(lambda conn: shares.data_file(conn, actor, "read", file_id))
    sha256, size = row.sha256, row.size
    if form == "unified":
        sha256, size = await upload_service(request).unified(row)
    allowed = StillAllowed(
        core, request, actor, lambda conn, now: shares.data_file(conn, now, "read", file_id)
    )
    return await file_response(core, sha256, size, row.filename, request=request, allowed=allowed)


@router.get("/data-files/{file_id}/verify", response_model=models.Success[schemas.Verified])
async def verify_data_file(core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Read the stored bytes and compare their hash."""
    row = await core.db.read(lambda conn: shares.data_file(conn, actor, "read", file_id))
    sound, found = await verified(core, row.sha256)
    return success({"data_file_id": row.id, "sha256": row.sha256, "found": found, "sound": sound})


async def verified(core: Core, sha256: str) -> tuple[bool, str | None]:
    """Whether stored contents have their hash, and the hash that was found (None: nothing is stored)."""
    digest = hashlib.sha256()
    found: str | None = None
    try:
        async for chunk in core.objects.get(sha256):
            digest.update(chunk)
        found = digest.hexdigest()
    except DamagedObject:
        found = "damaged"
    except NotFound:
        found = None
    sound = found == sha256
    await core.db.write(lambda conn: contents.mark(conn, sha256, sound=sound, now=time.time()))
    return sound, found


@router.patch(
    "/data-files/{file_id}",
    response_model=models.Success[models.DataFiles],
    openapi_extra=takes(ChangeDataFile),
)
async def change_data_file(request: Request, core: TheCore, actor: Caller, file_id: DataFileId) -> Response:
    """Change the `filename` or the `tags` of a data file. Its bytes never change."""
    asked, _ = await read_body(request, ChangeDataFile)
    asked.require_any()
    filename = datasets.safe_name(checked_text(asked.filename, "file name", 1000)) if asked.filename else None
    new_tags = None if asked.tags is None else [tags.checked(tag) for tag in asked.tags]
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.data_file(conn, actor, "change" if filename else "tag", file_id)
        if filename:
            datasets.rename_file(conn, row.id, filename)
        if new_tags is not None:
            tags.replace(conn, "data_file", row.id, new_tags, actor.person_id, now)
        entry = audit.entry(
            actor, "change", now, kind="data_file", object_id=row.id, fields=sorted(asked.model_fields_set)
        )
        audit.record(conn, [entry])
        return list(events.write(conn, [events.about("data_file", row, now, "changed")]))

    core.publish(await core.db.write(write))
    return success({"data_files": [await _shown(core, actor, file_id)]})
