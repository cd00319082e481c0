"""Datasets and data files: upload, list, download, change, delete, bring back."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from qcrbox.contract import models
from qcrbox.contract.errors import NotFound, UserInputError
from starlette.responses import StreamingResponse

from qcrbox_registry import audit, rights, views
from qcrbox_registry.api.answers import success
from qcrbox_registry.api.asking import Caller, TheCore, ThePage, optional_object
from qcrbox_registry.api.multipart import Form
from qcrbox_registry.api.zipping import zip_stream
from qcrbox_registry.core import Core
from qcrbox_registry.rights import Actor
from qcrbox_registry.store import contents, datasets, events, paging, people, shares, tags
from qcrbox_registry.store.objects import DamagedObject
from qcrbox_registry.store.tables import data_files as files_table
from qcrbox_registry.store.tables import datasets as table
from qcrbox_registry.store.tables import people as people_table
from qcrbox_registry.storing import Stored, Storing, checked_text

router = APIRouter(prefix="/api", tags=["datasets and data files"])
_UPLOAD_DOCS = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string"},
                        "description": {"type": "string"},
                        "group": {"type": "string"},
                    },
                }
            }
        },
    }
}


def storing(request: Request) -> Storing:
    return request.app.state.storing


async def _received(request: Request) -> tuple[list[Stored], dict[str, str]]:
    """The file parts of the form, stored, and its other fields."""
    taken: list[Stored] = []
    fields: dict[str, str] = {}
    async for part in Form(request).parts():
        if part.name == "file":
            if part.filename is None:
                raise UserInputError("The part `file` has no file name.")
            taken.append(await storing(request).take(part.chunks(), part.filename))
        else:
            fields[part.name] = await part.text()
    if not taken:
        raise UserInputError(
            "The form has no part named `file`.", next='For example: curl -F "file=@structure.cif" …'
        )
    for file in taken:
        await storing(request).look(file)
    return taken, fields


async def home_group(core: Core, actor: Actor, name: str | None) -> int | None:
    """The group that is named, else the one used last; "" = none, privately. Raises UserInputError."""
    if name is None:
        if not actor.groups:
            return None
        last = await core.db.read(lambda conn: people.last_group(conn, actor.person_id))
        return last if last in actor.group_ids else None
    if name == "":
        return None
    if name not in actor.groups:
        raise UserInputError(
            f"You are not in a group {name[:100]!r}.",
            next=f"Your groups: {', '.join(sorted(actor.groups)) or 'none'}.",
        )
    return actor.groups[name]


# ---------------------------------------------------------------- datasets


@router.post(
    "/datasets", status_code=201, response_model=models.Success[models.NewDataset], openapi_extra=_UPLOAD_DOCS
)
async def create_dataset(request: Request, core: TheCore, actor: Caller) -> Response:
    """A new dataset from one file (or several parts named `file`)."""
    files, fields = await _received(request)
    dataset_id = await storing(request).new_dataset(
        actor,
        files,
        name=checked_text(fields.get("name", ""), "name", 500) or files[0].filename,
        description=checked_text(fields.get("description", ""), "description", 20_000),
        group_id=await home_group(core, actor, fields.get("group")),
    )
    return success(await _with_files(core, dataset_id), "The dataset was stored.", 201)


async def _with_files(core: Core, dataset_id: str) -> dict[str, Any]:
    def read(conn: Any) -> dict[str, Any]:
        shown = views.dataset_list(conn, [datasets.get(conn, dataset_id)])
        return {"datasets": shown, "data_files": list(shown[0]["data_files"].values())}

    return await core.db.read(read)


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
        where.append(table.c.owner_id.in_(sa.select(people_table.c.id).where(people_table.c.name == owner)))
    if tag is not None:
        where.append(table.c.id.in_(tags.having("dataset", tag)))
    if name is not None:
        where.append(table.c.name == name)
    if kind is not None:
        where.append(table.c.kind == kind)
    if q:
        where.append(sa.or_(*(c.icontains(q, autoescape=True) for c in (table.c.name, table.c.description))))

    def read(conn: Any) -> dict[str, Any]:
        branches = rights.branches(actor, table)
        if deleted and branches is not None:
            # Only who may bring it back sees what was deleted.
            branches = [
                table.c.owner_id == actor.person_id,
                table.c.group_id.in_(sorted(actor.curates) or [-1]),
            ]
        ids = paging.newest_ids(conn, table, branches, where=where, limit=page.limit + 1, after=page.after)
        ids, following = page.cut(ids, str)
        return {"datasets": views.dataset_list(conn, datasets.by_ids(conn, ids)), "next": following}

    return success(await core.db.read(read))


@router.get("/datasets/{dataset_id}", response_model=models.Success[models.Datasets])
async def get_dataset(core: TheCore, actor: Caller, dataset_id: str) -> Response:
    def read(conn: Any) -> list[dict[str, Any]]:
        return views.dataset_list(conn, [shares.dataset(conn, actor, "read", dataset_id)])

    return success({"datasets": await core.db.read(read)})


@router.post(
    "/datasets/{dataset_id}/append",
    status_code=201,
    response_model=models.Success[models.Appended],
    openapi_extra=_UPLOAD_DOCS,
)
async def append(request: Request, core: TheCore, actor: Caller, dataset_id: str) -> Response:
    """Add a file. A second file of the same name becomes `name-2`; nothing is overwritten."""
    await core.db.read(lambda conn: shares.dataset(conn, actor, "append", dataset_id))
    files, _ = await _received(request)
    ids = [await storing(request).append(actor, dataset_id, file) for file in files]
    payload = await _with_files(core, dataset_id)
    by_id = {file["qcrbox_file_id"]: file for file in payload["data_files"]}
    return success({**payload, "appended_file": by_id[ids[0]]}, "The file was added.", 201)


@router.post("/datasets/{dataset_id}/attach", status_code=201, response_model=models.Success[models.Appended])
async def attach(request: Request, core: TheCore, actor: Caller, dataset_id: str) -> Response:
    """Put a data file that has no dataset yet into this one: body `{"data_file_id": id}`."""
    asked = await optional_object(request)
    file_id = str(asked.get("data_file_id", ""))
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.dataset(conn, actor, "append", dataset_id)
        file = shares.data_file(conn, actor, "change", file_id)
        if file.dataset_id is not None:
            raise UserInputError(f"{file.filename} is in a dataset already.", where=file_id)
        datasets.attach(conn, file.id, row.id, now)
        audit.record(
            conn, [audit.entry(actor, "attach", now, kind="dataset", object_id=row.id, data_file=file.id)]
        )
        return list(events.write(conn, [_changed(row, now)]))

    core.tell(await core.db.write(write))
    payload = await _with_files(core, dataset_id)
    file = next(file for file in payload["data_files"] if file["qcrbox_file_id"] == file_id)
    return success({**payload, "appended_file": file}, "The file was attached.", 201)


@router.patch("/datasets/{dataset_id}", response_model=models.Success[models.Datasets])
async def change_dataset(request: Request, core: TheCore, actor: Caller, dataset_id: str) -> Response:
    """Change `name`, `description`, `group` (null = none) or `tags`."""
    asked = await optional_object(request)
    unknown = set(asked) - {"name", "description", "group", "tags"}
    if unknown or not asked:
        raise UserInputError(
            "What can be changed: name, description, group, tags.", where=", ".join(sorted(unknown))
        )
    values: dict[str, Any] = {}
    for field, most in (("name", 500), ("description", 20_000)):
        if field in asked:
            values[field] = checked_text(str(asked[field] or ""), field, most)
    if "group" in asked:
        values["group_id"] = await home_group(core, actor, str(asked["group"] or ""))
    new_tags = _checked_tags(asked["tags"]) if "tags" in asked else None
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.dataset(conn, actor, "change" if values else "tag", dataset_id)
        if values:
            datasets.rename(conn, row.id, now=now, **values)
        if new_tags is not None:
            tags.replace(conn, "dataset", row.id, new_tags, actor.person_id, now)
        audit.record(
            conn, [audit.entry(actor, "change", now, kind="dataset", object_id=row.id, fields=sorted(asked))]
        )
        return list(events.write(conn, [_changed(datasets.get(conn, row.id), now)]))

    core.tell(await core.db.write(write))
    return success({"datasets": (await _with_files(core, dataset_id))["datasets"]})


def _checked_tags(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 50:
        raise UserInputError("tags must be a list of at most 50 texts.")
    return [tags.checked(str(tag)) for tag in value]


def _changed(row: Any, now: float, status: str = "changed") -> events.Event:
    return events.Event("dataset", row.id, now, status=status, owner_id=row.owner_id, group_id=row.group_id)


@router.get("/datasets/{dataset_id}/download", response_class=StreamingResponse)
async def download_dataset(core: TheCore, actor: Caller, dataset_id: str) -> Response:
    """A zip of the dataset's files."""

    def read(conn: Any) -> tuple[Any, list[Any]]:
        row = shares.dataset(conn, actor, "read", dataset_id)
        return row, datasets.files_of(conn, [row.id])[row.id]

    row, files = await core.db.read(read)
    name = datasets.safe_name(row.name or row.id)
    entries = [(file.filename, file.size, core.objects.get(file.sha256)) for file in files]
    return StreamingResponse(
        zip_stream(entries, row.created_at),
        media_type="application/zip",
        headers=_as_attachment(f"{name}.zip"),
    )


@router.delete("/datasets/{dataset_id}", status_code=204)
async def delete_dataset(core: TheCore, actor: Caller, dataset_id: str) -> Response:
    """Delete a dataset and its files. `POST …/restore` undoes it for a month."""
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.dataset(conn, actor, "delete", dataset_id)
        datasets.delete(conn, row.id, actor.person_id, now)
        audit.record(
            conn, [audit.entry(actor, "delete", now, kind="dataset", object_id=row.id, name=row.name)]
        )
        return list(events.write(conn, [_changed(row, now, "deleted")]))

    core.tell(await core.db.write(write))
    return Response(status_code=204)


@router.post("/datasets/{dataset_id}/restore", response_model=models.Success[models.Datasets])
async def restore_dataset(core: TheCore, actor: Caller, dataset_id: str) -> Response:
    """Bring back a deleted dataset with its files."""
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.dataset(conn, actor, "restore", dataset_id, deleted=True)
        datasets.restore(conn, row.id, now)
        audit.record(conn, [audit.entry(actor, "restore", now, kind="dataset", object_id=row.id)])
        return list(events.write(conn, [_changed(row, now, "restored")]))

    core.tell(await core.db.write(write))
    return success({"datasets": (await _with_files(core, dataset_id))["datasets"]})


# ---------------------------------------------------------------- data files


@router.post(
    "/data-files",
    status_code=201,
    response_model=models.Success[models.DataFiles],
    openapi_extra=_UPLOAD_DOCS,
)
async def create_data_file(request: Request, core: TheCore, actor: Caller) -> Response:
    """A data file without a dataset."""
    files, fields = await _received(request)
    group_id = await home_group(core, actor, fields.get("group"))
    ids = [await storing(request).new_file(actor, file, group_id=group_id) for file in files]

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
) -> Response:
    """Data files you may see, newest first."""
    where: list[sa.ColumnElement[bool]] = [files_table.c.deleted_at.is_(None)]
    if owner is not None:
        where.append(
            files_table.c.owner_id.in_(sa.select(people_table.c.id).where(people_table.c.name == owner))
        )
    if tag is not None:
        where.append(files_table.c.id.in_(tags.having("data_file", tag)))
    if name is not None:
        where.append(files_table.c.filename == name)
    if filetype is not None:
        where.append(files_table.c.filetype == filetype)
    if q:
        where.append(files_table.c.filename.icontains(q, autoescape=True))

    def read(conn: Any) -> dict[str, Any]:
        branches = rights.branches(actor, files_table)
        ids = paging.newest_ids(
            conn, files_table, branches, where=where, limit=page.limit + 1, after=page.after
        )
        ids, following = page.cut(ids, str)
        rows = datasets.files_by_id(conn, ids)
        return {"data_files": views.data_file_list(conn, [rows[one] for one in ids]), "next": following}

    return success(await core.db.read(read))


@router.get("/data-files/{file_id}", response_model=models.Success[models.DataFiles])
async def get_data_file(core: TheCore, actor: Caller, file_id: str) -> Response:
    def read(conn: Any) -> list[dict[str, Any]]:
        return views.data_file_list(conn, [shares.data_file(conn, actor, "read", file_id)])

    return success({"data_files": await core.db.read(read)})


@router.get("/data-files/{file_id}/download", response_class=StreamingResponse)
async def download_data_file(
    request: Request,
    core: TheCore,
    actor: Caller,
    file_id: str,
    form: Literal["original", "unified"] = "original",
) -> Response:
    """The file's bytes as they came, or a CIF's unified form. The hash is checked while they are sent."""
    row = await core.db.read(lambda conn: shares.data_file(conn, actor, "read", file_id))
    sha256, size = row.sha256, row.size
    if form == "unified":
        sha256, size = await storing(request).unified(row)
    return await file_response(core, sha256, size, row.filename)


async def file_response(core: Core, sha256: str, size: int, filename: str) -> Response:
    content = core.objects.get(sha256)
    # The first chunk before the answer begins: missing contents are a 404, not a broken 200.
    first = await anext(content, b"")
    return StreamingResponse(
        _rejoined(first, content),
        media_type="application/octet-stream",
        headers={
            **_as_attachment(filename),
            "content-length": str(size),
            "etag": f'"{sha256}"',
            "cache-control": "private, no-cache",
        },
    )


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _as_attachment(filename: str) -> dict[str, str]:
    """Never shown in our own origin: a stored HTML or SVG file must not run there."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    return {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename)}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }


@router.get("/data-files/{file_id}/verify")
async def verify_data_file(core: TheCore, actor: Caller, file_id: str) -> Response:
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


@router.patch("/data-files/{file_id}", response_model=models.Success[models.DataFiles])
async def change_data_file(request: Request, core: TheCore, actor: Caller, file_id: str) -> Response:
    """Change the `filename` or the `tags` of a data file. Its bytes never change."""
    asked = await optional_object(request)
    if not asked or set(asked) - {"filename", "tags"}:
        raise UserInputError("What can be changed: filename, tags.")
    new_tags = _checked_tags(asked["tags"]) if "tags" in asked else None
    filename = (
        datasets.safe_name(checked_text(str(asked["filename"]), "file name", 1000))
        if "filename" in asked
        else None
    )
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.data_file(conn, actor, "change" if filename else "tag", file_id)
        if filename:
            datasets.rename_file(conn, row.id, filename)
        if new_tags is not None:
            tags.replace(conn, "data_file", row.id, new_tags, actor.person_id, now)
        audit.record(
            conn,
            [audit.entry(actor, "change", now, kind="data_file", object_id=row.id, fields=sorted(asked))],
        )
        return list(events.write(conn, [_file_event(row, now, "changed")]))

    core.tell(await core.db.write(write))
    return await get_data_file(core, actor, file_id)


def _file_event(row: Any, now: float, status: str) -> events.Event:
    return events.Event("data_file", row.id, now, status=status, owner_id=row.owner_id, group_id=row.group_id)


@router.delete("/data-files/{file_id}", status_code=204)
async def delete_data_file(core: TheCore, actor: Caller, file_id: str) -> Response:
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.data_file(conn, actor, "delete", file_id)
        datasets.delete_file(conn, row.id, now)
        audit.record(
            conn, [audit.entry(actor, "delete", now, kind="data_file", object_id=row.id, name=row.filename)]
        )
        return list(events.write(conn, [_file_event(row, now, "deleted")]))

    core.tell(await core.db.write(write))
    return Response(status_code=204)


@router.post("/data-files/{file_id}/restore", response_model=models.Success[models.DataFiles])
async def restore_data_file(core: TheCore, actor: Caller, file_id: str) -> Response:
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = shares.data_file(conn, actor, "restore", file_id, deleted=True)
        datasets.restore_file(conn, row.id)
        audit.record(conn, [audit.entry(actor, "restore", now, kind="data_file", object_id=row.id)])
        return list(events.write(conn, [_file_event(row, now, "restored")]))

    core.tell(await core.db.write(write))
    return await get_data_file(core, actor, file_id)
