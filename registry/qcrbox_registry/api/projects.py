"""Projects: each structure with its history."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.pages import MOST_OF_A_PAGE

from qcrbox_registry.api.dependencies import Body, Caller, Mine, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.projects import Annotate, ProjectQuery

router = APIRouter(prefix="/api", tags=["projects"])
# Of `next`: a time and the id of a project, which may hold the name of a person.
LONGEST_PLACE = 500


class ChangeAnnotation(Body):
    """Body: note, pin or project of a node; what is left out stays."""

    note: Annotated[str | None, Field(max_length=20_000)] = None
    pinned: bool | None = None
    project: Annotated[str | None, Field(max_length=400)] = None  # of a dataset; "": its own place


async def project_query(
    text: Annotated[
        str, Query(max_length=500, description="words of title, file, formula, command or note; or a cell")
    ] = "",
    holds: Annotated[str, Query(max_length=64, description="id of a dataset or calculation in it")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE)] = 200,
    after: Annotated[str, Query(max_length=LONGEST_PLACE, description="`next` of the page before")] = "",
    mine: Mine = False,
) -> ProjectQuery:
    """Which projects are asked for."""
    return ProjectQuery(text, holds, limit, after, mine)


@router.get("/projects", response_model=models.Success[models.Projects])
async def list_projects(
    core: TheCore, actor: Caller, asked: Annotated[ProjectQuery, Depends(project_query)]
) -> Response:
    """Projects you may see: pinned ones first, then the one that changed last. With a text, the nodes that fit it."""
    return success(await core.projects.page(actor, asked))


@router.get("/projects/{project_id}", response_model=models.Success[models.ProjectTree])
async def get_project(
    core: TheCore, actor: Caller, project_id: Annotated[str, Path(max_length=400)], mine: Mine = False
) -> Response:
    """A project with its nodes, each after the one it was made from."""
    return success(await core.projects.get(actor, project_id, mine=mine))


@router.patch(
    "/annotations/{kind}/{object_id}",
    response_model=models.Success[models.Annotation],
    openapi_extra=takes(ChangeAnnotation),
)
async def annotate(
    request: Request, core: TheCore, actor: Caller, kind: Literal["dataset", "calculation"], object_id: str
) -> Response:
    """Set the note or the pin of a node, or move a dataset to another project."""
    asked, _ = await read_body(request, ChangeAnnotation)
    asked.require_any()
    return success(await core.projects.annotate(actor, kind, object_id, Annotate(**asked.model_dump())))
