"""The files of agents. The bearer is the file token of a calculation, bound to one attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from qcrbox.contract.errors import NotSignedIn

from qcrbox_registry.access.identity import bearer
from qcrbox_registry.api.dependencies import DataFileId, TheCore
from qcrbox_registry.api.downloads import file_response
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.resumable_uploads import checked_sha256
from qcrbox_registry.store.calculations import Attempt
from qcrbox_registry.store.uploads import OutputKey

router = APIRouter(prefix="/internal/calculations", tags=["agents"], include_in_schema=False)


async def attempt_of(request: Request, core: TheCore, calculation_id: str) -> Attempt:
    """The attempt that the token opens. Raises NotSignedIn, NotFound, Conflict."""
    token = bearer(request)
    if token is None:
        raise NotSignedIn("This route needs the calculation's file token.")
    return await core.agent_files.attempt(calculation_id, token)


TheAttempt = Annotated[Attempt, Depends(attempt_of)]


@router.get("/{calculation_id}/inputs/{file_id}")
async def read_input(
    core: TheCore,
    attempt: TheAttempt,
    file_id: DataFileId,
    form: Literal["original", "unified"] = "original",
) -> Response:
    """The bytes of an input of this calculation, and of no other file."""
    content = await core.agent_files.read_input(attempt, file_id, unified=form == "unified")
    return await file_response(content)


@router.get("/{calculation_id}/checkpoint")
async def read_checkpoint(core: TheCore, attempt: TheAttempt) -> Response:
    """The newest checkpoint of an earlier attempt, or of an earlier run of the same call. 404 when none kept one."""
    return await file_response(await core.agent_files.read_checkpoint(attempt))


@router.put("/{calculation_id}/outputs")
async def write_output(
    request: Request,
    core: TheCore,
    attempt: TheAttempt,
    filename: Annotated[str, Query(min_length=1, max_length=1000)],
    sha256: Annotated[str, Query(min_length=64, max_length=64)],
    name: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """Store one output. The same bytes under the same name again give the same answer."""
    length = request.headers.get("content-length", "")
    stored = await core.agent_files.write_output(
        attempt,
        OutputKey(name, filename, checked_sha256(sha256)),
        _chunks(request),
        int(length) if length.isascii() and length.isdigit() else None,
    )
    return success(stored, status=201)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk
