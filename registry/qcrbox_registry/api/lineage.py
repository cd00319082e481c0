"""GET /api/lineage/{kind}/{id}."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from qcrbox.contract import models

from qcrbox_registry.api.dependencies import Caller, TheCore
from qcrbox_registry.api.responses import success
from qcrbox_registry.store import datasets, lineage, shares

router = APIRouter(prefix="/api", tags=["lineage"])


@router.get("/lineage/{kind}/{object_id}", response_model=models.Success[models.Lineage])
async def get_lineage(
    core: TheCore,
    actor: Caller,
    kind: Literal["data_file", "dataset", "calculation"],
    object_id: str,
    depth: Annotated[int, Query(ge=1, le=lineage.DEEPEST, description="calculations each way")] = 50,
    direction: Literal["both", "back", "forward"] = "both",
) -> Response:
    """What an object was made from and what was made of it. Foreign objects show only that they are there."""

    def read(conn: Any) -> lineage.Graph:
        if kind == "calculation":
            start = [shares.calculation(conn, actor, "read", object_id).id]
        elif kind == "data_file":
            start = [shares.data_file(conn, actor, "read", object_id).id]
        else:
            row = shares.dataset(conn, actor, "read", object_id)
            start = [file.id for file in datasets.files_of(conn, [row.id])[row.id]]
        return lineage.of(
            conn,
            actor,
            start,
            depth=depth,
            of_calculation=kind == "calculation",
            forward=direction != "back",
            back=direction != "forward",
        )

    graph = await core.db.read(read)
    return success({"nodes": graph.nodes, "edges": graph.edges, "truncated": graph.truncated})
