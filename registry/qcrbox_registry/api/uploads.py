"""Uploads that survive a cut connection (in the manner of tus 1.0): begin, send pieces, ask how far, go on."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Header, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import Conflict, QcError, QuotaExceeded, StorageFull, TooLarge, UserInputError
from starlette.requests import ClientDisconnect

from qcrbox_registry.access import rights
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import (
    Body,
    Caller,
    DatasetId,
    TheCore,
    read_body,
)
from qcrbox_registry.api.forms import home_group, upload_service
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services import views
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.uploads import checked_text
from qcrbox_registry.store import datasets, shares, uploads

router = APIRouter(prefix="/api/uploads", tags=["uploads"])
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_READ = 1024 * 1024
MOST_OPEN = 100  # uploads of one person that are not complete
_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0)]


class NewUpload(Body):
    filename: str = Field(min_length=1, max_length=1000)
    size: int = Field(ge=0, le=2**53)
    sha256: str | None = None
    purpose: Literal["data_file", "dataset", "append"] = "dataset"
    dataset_id: DatasetId | None = Field(default=None, max_length=64)
    name: str = Field(default="", max_length=500)
    description: str = Field(default="", max_length=20_000)
    group: str | None = Field(default=None, max_length=255)


class _Busy:
    """Uploads that a request is writing to: a second one must wait its turn."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def __contains__(self, upload_id: str) -> bool:
        return upload_id in self._ids

    def take(self, upload_id: str) -> None:
        if upload_id in self._ids:
            raise Conflict(
                "Another request is sending to this upload.", next="Ask for the offset and go on from there."
            )
        self._ids.add(upload_id)

    def leave(self, upload_id: str) -> None:
        self._ids.discard(upload_id)


_busy = _Busy()


def _file(core: Core, upload_id: str) -> Path:
    folder = core.settings.data / "run" / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / upload_id


def _own(conn: Any, actor: Actor, upload_id: str) -> sa.Row:
    """Only whoever began an upload may see it. Raises NotFound."""
    try:
        row = uploads.get(conn, upload_id)
    except QcError:
        raise rights.missing("upload", upload_id) from None
    if row.owner_id != actor.person_id or row.purpose == "output":
        raise rights.missing("upload", upload_id)
    return row


@router.post(
    "",
    status_code=201,
    response_model=models.Success[schemas.Upload],
    openapi_extra=takes(NewUpload),
)
async def begin(request: Request, core: TheCore, actor: Caller) -> Response:
    """Begin an upload of a known size; its address is in `Location`."""
    body, _ = await read_body(request, NewUpload)
    if body.size > core.settings.largest_file_bytes:
        raise TooLarge(f"The file is larger than {core.settings.largest_file_bytes / 1024**3:g} GiB.")
    if body.sha256 is not None and not _SHA256.match(body.sha256):
        raise UserInputError("sha256 must be 64 hexadecimal digits.")
    group_id = await home_group(core, actor, body.group)
    if body.purpose == "append":
        await core.db.read(lambda conn: shares.dataset(conn, actor, "append", body.dataset_id or ""))

    def write(conn: Any) -> str:
        count, coming = uploads.open_of(conn, actor.person_id)
        if count >= MOST_OPEN:
            raise QuotaExceeded(
                f"You have {count} uploads that are not complete.",
                next="Go on with them, or give some up (DELETE).",
                quota="uploads",
                limit=MOST_OPEN,
                used=count,
            )
        # What is still on its way will need its place too.
        core.quotas.headroom(conn, actor.person_id, group_id).require(body.size + coming)
        return uploads.begin(
            conn,
            owner_id=actor.person_id,
            purpose=body.purpose,
            filename=datasets.safe_name(body.filename),
            size=body.size,
            sha256=body.sha256,
            target_id=body.dataset_id,
            group_id=group_id,
            about={"name": checked_text(body.name, "name", 500), "description": body.description},
            now=time.time(),
        )

    upload_id = await core.db.write(write)
    _file(core, upload_id).touch(mode=0o600)
    response = success({"upload_id": upload_id, "offset": 0, "size": body.size}, status=201)
    response.headers["location"] = f"{request.scope.get('root_path', '')}/api/uploads/{upload_id}"
    response.headers["upload-offset"] = "0"
    return response


@router.head("/{upload_id}")
async def how_far(core: TheCore, actor: Caller, upload_id: str) -> Response:
    """How much has arrived: `Upload-Offset` and `Upload-Length`."""
    row = await core.db.read(lambda conn: _own(conn, actor, upload_id))
    offset = row.offset if row.state != "open" else _size(_file(core, row.id))
    headers = {"upload-offset": str(offset), "upload-length": str(row.size), "cache-control": "no-store"}
    return Response(status_code=200, headers=headers)


@router.get("/{upload_id}", response_model=models.Success[schemas.Upload])
async def look(core: TheCore, actor: Caller, upload_id: str) -> Response:
    """How much has arrived, and what became of it."""
    row = await core.db.read(lambda conn: _own(conn, actor, upload_id))
    offset = row.offset if row.state != "open" else _size(_file(core, row.id))
    payload = {"upload_id": row.id, "offset": offset, "size": row.size, "state": row.state}
    return success({**payload, **((row.result or {}).get("stored") or {})})


@router.patch("/{upload_id}", response_model=models.Success[schemas.Stored], openapi_extra=_BYTES)
async def send(request: Request, core: TheCore, actor: Caller, upload_id: str, offset: Offset) -> Response:
    """Send bytes from `Upload-Offset` on. The piece that completes the file stores it and answers what became of it."""
    row = await core.db.read(lambda conn: _own(conn, actor, upload_id))
    if row.state != "open":
        return await look(core, actor, upload_id)
    if request.headers.get("content-type", "") not in (
        "application/offset+octet-stream",
        "application/octet-stream",
    ):
        raise UserInputError("Send the bytes as Content-Type: application/offset+octet-stream.")
    _busy.take(row.id)
    try:
        reached = await _write(request, _file(core, row.id), offset, row.size)
        if reached < row.size:
            await core.db.write(lambda conn: uploads.advance(conn, row.id, reached, time.time()))
            return Response(status_code=204, headers={"upload-offset": str(reached)})
        stored = await _complete(request, core, actor, row)
    finally:
        _busy.leave(row.id)
    response = success(stored, "The file was stored.")
    response.headers["upload-offset"] = str(row.size)
    return response


async def _write(request: Request, path: Path, offset: int, size: int) -> int:
    there = _size(path)
    if offset != there:
        raise Conflict(f"The upload has {there} bytes, not {offset}.", next="Go on from there.", offset=there)
    reached = there
    try:
        with path.open("ab") as file:
            try:
                async for chunk in request.stream():
                    reached += len(chunk)
                    if reached > size:
                        raise TooLarge(f"More bytes arrive than the {size} that were announced.")
                    await asyncio.to_thread(file.write, chunk)
            except ClientDisconnect:
                pass  # what has arrived stays; the client goes on from there
            finally:
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise StorageFull("The registry's disk is full.", why=str(error.strerror)) from error
    return min(reached, _size(path))


async def _complete(request: Request, core: Core, actor: Actor, row: sa.Row) -> dict[str, Any]:
    store = upload_service(request)
    path = _file(core, row.id)
    try:
        stored = await store.store(_chunks(path), row.filename, sha256=row.sha256)
    except Conflict:
        # Wrong bytes can never become the right ones: the upload starts anew.
        path.write_bytes(b"")
        raise
    await store.look(stored)
    about = (row.result or {}).get("about") or {}
    if row.purpose == "data_file":
        made = {"data_file_id": await store.new_file(actor, stored, group_id=row.group_id)}
    elif row.purpose == "append":
        made = {"dataset_id": row.target_id, "data_file_id": await store.append(actor, row.target_id, stored)}
    else:
        dataset_id = await store.new_dataset(
            actor,
            [stored],
            name=about.get("name") or stored.filename,
            description=about.get("description", ""),
            group_id=row.group_id,
        )
        made = {"dataset_id": dataset_id}
    await core.db.write(lambda conn: uploads.finish(conn, row.id, {"stored": made}, time.time()))
    path.unlink(missing_ok=True)
    return {**made, **await _shown(core, actor, made)}


async def _shown(core: Core, actor: Actor, made: dict[str, Any]) -> dict[str, Any]:
    def read(conn: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        if "dataset_id" in made:
            shown["datasets"] = views.dataset_list(
                conn, [shares.dataset(conn, actor, "read", made["dataset_id"])]
            )
            shown["data_files"] = list(shown["datasets"][0]["data_files"].values())
        else:
            rows = [shares.data_file(conn, actor, "read", made["data_file_id"])]
            shown["data_files"] = views.data_file_list(conn, rows)
        return shown

    return await core.db.read(read)


@router.delete("/{upload_id}", status_code=204)
async def give_up(core: TheCore, actor: Caller, upload_id: str) -> Response:
    """Forget an upload and what has arrived of it."""
    row = await core.db.read(lambda conn: _own(conn, actor, upload_id))
    if row.id in _busy:
        raise Conflict("Another request is sending to this upload.")
    await core.db.write(lambda conn: uploads.drop(conn, row.id))
    _file(core, row.id).unlink(missing_ok=True)
    return Response(status_code=204)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _READ):
            yield chunk
