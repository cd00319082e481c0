"""The lineage of datasets, data files and calculations."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from qcrbox.contract import models

from qcrbox_registry.api.dependencies import Caller, TheCore
from qcrbox_registry.api.responses import success
from qcrbox_registry.store.lineage import DEEPEST, Walk

router = APIRouter(prefix="/api", tags=["lineage"])


@router.get("/lineage/{kind}/{object_id}", response_model=models.Success[models.Lineage])
async def get_lineage(
    core: TheCore,
    actor: Caller,
    kind: Literal["data_file", "dataset", "calculation"],
    object_id: str,
    depth: Annotated[int, Query(ge=1, le=DEEPEST, description="calculations each way")] = 50,
    direction: Literal["both", "back", "forward"] = "both",
) -> Response:
    """Ancestors and descendants of an object. Objects that you may not see are nodes without content."""
    walk = Walk(depth, kind == "calculation", forward=direction != "back", back=direction != "forward")
    return success(await core.lineage.of(actor, kind, object_id, walk))
