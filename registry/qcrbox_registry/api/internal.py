"""The agents' file routes. The bearer is a calculation's file token, bound to one attempt."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from qcrbox.contract.errors import Conflict, NotSignedIn, TooLarge, UserInputError
from qcrbox.contract.messages import CHECKPOINT

from qcrbox_registry.access import rights
from qcrbox_registry.access.identity import bearer
from qcrbox_registry.api.dependencies import DataFileId, TheCore
from qcrbox_registry.api.downloads import file_response
from qcrbox_registry.api.forms import upload_service
from qcrbox_registry.api.responses import success
from qcrbox_registry.messaging.tokens import read_files
from qcrbox_registry.services.core import Core
from qcrbox_registry.store import datasets, uploads
from qcrbox_registry.store.tables import calculation_inputs, calculations

router = APIRouter(prefix="/internal/calculations", tags=["agents"], include_in_schema=False)
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


async def _attempt(request: Request, core: Core, calculation_id: str) -> sa.Row:
    """The calculation, when the token opens its present attempt. Raises NotSignedIn, NotFound, Conflict."""
    token = bearer(request)
    if token is None:
        raise NotSignedIn("This route needs the calculation's file token.")
    claims = read_files(core.signing_key, token)
    if claims.calculation_id != calculation_id:
        raise rights.missing("calculation", calculation_id)
    query = sa.select(
        calculations.c.id, calculations.c.attempt, calculations.c.owner_id, calculations.c.finished_at
    ).where(calculations.c.id == calculation_id)
    row = await core.db.read(lambda conn: conn.execute(query).first())
    if row is None:
        raise rights.missing("calculation", calculation_id)
    if row.attempt != claims.attempt or row.finished_at is not None:
        raise Conflict(
            f"Attempt {claims.attempt} of this calculation is over.", why="Its files are closed to it."
        )
    return row


@router.get("/{calculation_id}/inputs/{file_id}")
async def read_input(
    request: Request,
    core: TheCore,
    calculation_id: str,
    file_id: DataFileId,
    form: Literal["original", "unified"] = "original",
) -> Response:
    """The bytes of an input of this calculation, and of no other file."""
    row = await _attempt(request, core, calculation_id)

    def read(conn: Any) -> sa.Row:
        mine = conn.execute(
            sa.select(calculation_inputs.c.data_file_id).where(
                calculation_inputs.c.calculation_id == row.id, calculation_inputs.c.data_file_id == file_id
            )
        ).first()
        if mine is None:
            raise rights.missing("data_file", file_id)
        # Deleted since the start: the calculation still gets what it was started with.
        return datasets.get_file(conn, file_id, deleted=True)

    file = await core.db.read(read)
    sha256, size = file.sha256, file.size
    if form == "unified":
        sha256, size = await upload_service(request).unified(file)
    return await file_response(core, sha256, size, file.filename)


@router.get("/{calculation_id}/checkpoint")
async def read_checkpoint(request: Request, core: TheCore, calculation_id: str) -> Response:
    """What an earlier attempt of this calculation had reached. 404 when none stored a checkpoint."""
    row = await _attempt(request, core, calculation_id)
    kept = await core.db.read(lambda conn: uploads.checkpoint(conn, row.id))
    if kept is None:
        raise rights.missing("checkpoint", calculation_id)
    return await file_response(core, kept.sha256, kept.size, kept.filename)


@router.put("/{calculation_id}/outputs")
async def write_output(
    request: Request,
    core: TheCore,
    calculation_id: str,
    filename: Annotated[str, Query(min_length=1, max_length=1000)],
    sha256: Annotated[str, Query(min_length=64, max_length=64)],
    name: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """Store one output. The same bytes under the same name again give the same answer."""
    if not _SHA256.match(sha256):
        raise UserInputError("sha256 must be 64 hexadecimal digits.")
    row = await _attempt(request, core, calculation_id)
    known = await core.db.read(lambda conn: uploads.output(conn, row.id, row.attempt, name, filename, sha256))
    if known is None:
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > core.settings.largest_file_bytes:
            raise TooLarge(f"The output {filename[:200]!r} is larger than this registry takes.")
        store = upload_service(request)
        stored = await store.store(_chunks(request), filename, sha256=sha256)
        await store.look(stored)

        def write(conn: Any) -> sa.Row:
            added = uploads.add_output(
                conn,
                calculation_id=row.id,
                attempt=row.attempt,
                owner_id=row.owner_id,
                name=name,
                filename=filename,
                sha256=stored.sha256,
                size=stored.size,
                index=stored.index,
                now=time.time(),
            )
            if name == CHECKPOINT:
                uploads.drop_checkpoints(conn, row.id, but=added.id)
            return added

        known = await core.db.write(write)
    return success({"upload_id": known.id, "sha256": known.sha256, "size": known.size}, status=201)


async def _chunks(request: Request) -> Any:
    async for chunk in request.stream():
        if chunk:
            yield chunk
