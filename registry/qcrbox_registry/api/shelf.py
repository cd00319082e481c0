"""The shelf of a course: files that its members read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from qcrbox.contract import models

from qcrbox_registry.api import teaching_bodies as bodies
from qcrbox_registry.api import teaching_schemas as schemas
from qcrbox_registry.api.dependencies import Caller, HasRoom, TheCore, read_body
from qcrbox_registry.api.downloads import file_response
from qcrbox_registry.api.openapi import sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.store.teaching.items import NewItem

router = APIRouter(prefix="/api", tags=["teaching"])


@router.get("/courses/{course_id}/shelf", response_model=models.Success[schemas.Shelf])
async def list_shelf(core: TheCore, actor: Caller, course_id: str) -> Response:
    """The shelf of a course; students see what is open to them."""
    return success({"items": await core.shelf.listed(actor, course_id)})


@router.post(
    "/courses/{course_id}/shelf",
    status_code=201,
    response_model=models.Success[schemas.ShelfItem],
    openapi_extra=takes(bodies.NewShelfItem),
    dependencies=[HasRoom],
)
async def add_to_shelf(request: Request, core: TheCore, actor: Caller, course_id: str) -> Response:
    """Put a copy of a file of yours on the shelf."""
    asked, _ = await read_body(request, bodies.NewShelfItem)
    new = NewItem(
        asked.title,
        asked.data_file_id,
        asked.for_lecturers,
        bodies.moment(asked.opens_at),
        bodies.moment(asked.closes_at),
    )
    return success(await core.shelf.add(actor, course_id, new), "The item is on the shelf.", 201)


@router.delete("/courses/{course_id}/shelf/{item_id}", status_code=204)
async def remove_from_shelf(core: TheCore, actor: Caller, course_id: str, item_id: str) -> Response:
    """Take an item from the shelf."""
    await core.shelf.remove(actor, course_id, item_id)
    return Response(status_code=204)


@router.get(
    "/courses/{course_id}/shelf/{item_id}/content",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def shelf_content(
    request: Request, core: TheCore, actor: Caller, course_id: str, item_id: str
) -> Response:
    """The file of an item."""
    return await file_response(await core.shelf.content(actor, course_id, item_id), request)
