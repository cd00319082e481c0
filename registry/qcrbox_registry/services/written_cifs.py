"""CIFs of results with the names of their author: made when they are asked for, the stored file stays unified."""

from __future__ import annotations

import asyncio
import hashlib
import time

import structlog
from qcrbox.contract.errors import QcError
from qcrbox.kept_bytes import KeptBytes

from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.contents import Content, whole
from qcrbox_registry.services.context import Context
from qcrbox_registry.store import lineage
from qcrbox_registry.store.datasets import DataFile
from qcrbox_registry.store.visibility import condition

MOST_EXAMPLES = 3
# Of the result, and of each CIF that it descends from. The new form is held in memory while it is sent.
LARGEST_BYTES = 64 * 1024 * 1024
# Of new forms in memory: a result is opened, shown in several parts and downloaded within minutes.
KEPT_BYTES = 64 * 1024 * 1024
log = structlog.get_logger(__name__)


class WrittenCifs:
    """Files as people take them away."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept = KeptBytes(KEPT_BYTES)

    async def content(self, actor: Actor, file: DataFile) -> Content:
        """The CIF of a result in the spelling of the CIFs it descends from and that the actor may read.

        Every other file, a CIF that cannot be converted, and one above `LARGEST_BYTES`, as it is stored.
        """
        stored = Content(file.filename, file.sha256, file.size, self._context.objects.get(file.sha256))
        if file.filetype != "cif" or file.size > LARGEST_BYTES:
            return stored
        visible = condition(reach(actor, "data_file"), time.time())
        origins = await self._context.db.read(
            lambda conn: lineage.origins(conn, file.id, file.filetype, visible, LARGEST_BYTES)
        )
        if origins is None:
            return stored
        try:
            like = tuple(sha256 for sha256, _ in origins[:MOST_EXAMPLES])
            made = await self._kept.get(
                (file.sha256, like),
                lambda: self._context.indexer.written(file.sha256, file.filename, like),
            )
        except (QcError, OSError) as error:
            log.warning("cif_not_respelled", data_file=file.id, error=str(error))
            return stored
        digest = await asyncio.to_thread(lambda: hashlib.sha256(made).hexdigest())
        return Content(file.filename, digest, len(made), whole(made))
