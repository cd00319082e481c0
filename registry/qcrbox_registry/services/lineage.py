"""The lineage of an object, without what the person may not see."""

from __future__ import annotations

import time
from typing import Literal

from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import datasets, lineage
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.lineage import Walk
from qcrbox_registry.store.visibility import condition

Kind = Literal["data_file", "dataset", "calculation"]


class LineageService:
    """Answers where an object comes from and what was made of it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def of(self, actor: Actor, kind: Kind, object_id: str, walk: Walk) -> Json:
        """Nodes and edges around an object; hidden objects are nodes without content. Raises NotFound."""

        def read(conn: Connection) -> lineage.Graph:
            start = _start(conn, actor, kind, object_id)
            return lineage.of(conn, start, walk, _visible(actor))

        graph = await self._context.db.read(read)
        return {"nodes": graph.nodes, "edges": graph.edges, "truncated": graph.truncated}


def _start(conn: Connection, actor: Actor, kind: Kind, object_id: str) -> list[str]:
    if kind == "calculation":
        return [authorized.calculation(conn, actor, "read", object_id).id]
    if kind == "data_file":
        return [authorized.data_file(conn, actor, "read", object_id).id]
    row = authorized.dataset(conn, actor, "read", object_id)
    return [file.id for file in datasets.files_of(conn, [row.id])[row.id]]


def _visible(actor: Actor) -> lineage.Visible:
    now = time.time()
    return lineage.Visible(
        data_files=condition(reach(actor, "data_file"), now),
        calculations=condition(reach(actor, "calculation"), now),
    )
