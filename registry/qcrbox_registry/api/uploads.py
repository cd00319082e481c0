"""Uploads that survive a cut connection (in the manner of tus 1.0): begin, send pieces, ask how far, continue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError
from starlette.requests import ClientDisconnect

from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, DatasetId, HasRoom, Present, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.resumable_uploads import Announced, checked_sha256

router = APIRouter(prefix="/api/uploads", tags=["uploads"])
_TYPES = ("application/offset+octet-stream", "application/octet-stream")
_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {_TYPES[0]: {"schema": {"type": "string", "format": "binary"}}},
    }
}
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0)]


class NewUpload(Body):
    """Body: begin an upload of `size` bytes that can be resumed."""

    filename: str = Field(min_length=1, max_length=1000)
    size: int = Field(ge=0, le=2**53)
    sha256: str | None = None
    purpose: Literal["data_file", "dataset", "append"] = "dataset"
    dataset_id: DatasetId | None = Field(default=None, max_length=64)
    name: str = Field(default="", max_length=500)
    description: str = Field(default="", max_length=20_000)
    group: str | None = Field(default=None, max_length=255)

    def announced(self) -> Announced:
        """Raises UserInputError for a faulty hash."""
        if self.sha256 is not None:
            checked_sha256(self.sha256)
        return Announced(**self.model_dump())


@router.post(
    "",
    status_code=201,
    response_model=models.Success[schemas.Upload],
    openapi_extra=takes(NewUpload),
)
async def begin(request: Request, core: TheCore, actor: Caller) -> Response:
    """Begin an upload of a known size; its address is in `Location`."""
    asked, _ = await read_body(request, NewUpload)
    upload_id = await core.resumable_uploads.begin(actor, asked.announced())
    response = success({"upload_id": upload_id, "offset": 0, "size": asked.size}, status=201)
    response.headers["location"] = f"{request.scope.get('root_path', '')}/api/uploads/{upload_id}"
    response.headers["upload-offset"] = "0"
    return response


@router.head("/{upload_id}")
async def how_far(core: TheCore, actor: Caller, upload_id: str) -> Response:
    """How much has arrived: `Upload-Offset` and `Upload-Length`."""
    upload, offset = await core.resumable_uploads.find(actor, upload_id)
    headers = {
        "upload-offset": str(offset),
        "upload-length": str(upload.size),
        "cache-control": "no-store",
    }
    return Response(status_code=200, headers=headers)


@router.get("/{upload_id}", response_model=models.Success[schemas.Upload])
async def look(core: TheCore, actor: Caller, upload_id: str) -> Response:
    """How much has arrived, and what became of it."""
    return success(await core.resumable_uploads.shown(actor, upload_id))


@router.patch(
    "/{upload_id}",
    response_model=models.Success[schemas.Stored],
    openapi_extra=_BYTES,
    dependencies=[HasRoom],
)
async def send(
    request: Request, core: TheCore, presence: Present, upload_id: str, offset: Offset
) -> Response:
    """Send bytes from `Upload-Offset` on. The piece that completes the file stores it and answers what became of it."""
    if request.headers.get("content-type", "") not in _TYPES:
        raise UserInputError(f"Send the bytes as Content-Type: {_TYPES[0]}.")
    arrived = await core.resumable_uploads.send(presence, upload_id, offset, _until_cut(request))
    if arrived.stored is None:
        return Response(status_code=204, headers={"upload-offset": str(arrived.offset)})
    response = success(arrived.stored, "The file was stored.")
    response.headers["upload-offset"] = str(arrived.size)
    return response


async def _until_cut(request: Request) -> AsyncIterator[bytes]:
    """The bytes of the body; a cut connection ends them, and the client continues from there."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        return


@router.delete("/{upload_id}", status_code=204)
async def give_up(core: TheCore, actor: Caller, upload_id: str) -> Response:
    """Forget an upload and what has arrived of it."""
    await core.resumable_uploads.cancel(actor, upload_id)
    return Response(status_code=204)
