"""The files of a calculation for its agent: inputs out, outputs in, opened by the file token of one attempt."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable

from qcrbox.contract.errors import Conflict, TooLarge
from qcrbox.contract.messages import CHECKPOINT

from qcrbox_registry.access.rights import missing
from qcrbox_registry.messaging.tokens import read_files
from qcrbox_registry.services.contents import Content, ContentService
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import calculations, datasets, kept_checkpoints, uploads
from qcrbox_registry.store.calculations import Attempt
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.uploads import NewOutput, OutputKey, Upload


class AgentFileService:
    """What an agent may read and write with a file token."""

    def __init__(self, context: Context, contents: ContentService) -> None:
        self._context, self._contents = context, contents

    async def attempt(self, calculation_id: str, token: str) -> Attempt:
        """The attempt that the token opens. Raises NotSignedIn, NotFound, and Conflict when the attempt is over."""
        claims = read_files(self._context.signing_key, token)
        if claims.calculation_id != calculation_id:
            raise missing("calculation", calculation_id)
        return await self._context.db.read(lambda conn: _lasting(conn, calculation_id, claims.attempt))

    async def read_input(self, attempt: Attempt, file_id: str, *, unified: bool) -> Content:
        """An input of the calculation. Raises NotFound for any other file."""

        def read(conn: Connection) -> datasets.DataFile:
            if not calculations.has_input(conn, attempt.id, file_id):
                raise missing("data_file", file_id)
            # An input that was deleted since is still an input.
            return datasets.get_file(conn, file_id, deleted=True)

        file = await self._context.db.read(read)
        sha256, size = await self._contents.unified(file) if unified else (file.sha256, file.size)
        return Content(file.filename, sha256, size, self._context.objects.get(sha256))

    async def read_checkpoint(self, attempt: Attempt) -> Content:
        """The newest checkpoint of the calculation, else the one that an earlier run of the same call has kept.

        Raises NotFound when there is neither.
        """
        found = await self._context.db.read(lambda conn: _checkpoint(conn, attempt.id))
        if found is None or found.sha256 is None:
            raise missing("checkpoint", attempt.id)
        return Content(found.filename, found.sha256, found.size, self._context.objects.get(found.sha256))

    async def write_output(
        self, attempt: Attempt, key: OutputKey, chunks: AsyncIterable[bytes], announced: int | None
    ) -> Json:
        """Store an output; the same output again gives the same answer. announced: its size in bytes.

        Raises TooLarge, StorageFull, Conflict for another hash.
        """
        known = await self._context.db.read(
            lambda conn: uploads.output(conn, attempt.id, attempt.attempt, key)
        )
        if known is None:
            known = await self._store(attempt, key, chunks, announced)
        return {"upload_id": known.id, "sha256": known.sha256, "size": known.size}

    async def _store(
        self, attempt: Attempt, key: OutputKey, chunks: AsyncIterable[bytes], announced: int | None
    ) -> Upload:
        if announced is not None and announced > self._context.settings.largest_file_bytes:
            raise TooLarge(f"The output {key.filename[:200]!r} is larger than this registry accepts.")
        stored = await self._contents.store(chunks, key.filename, sha256=key.sha256)
        await self._contents.index_now(stored)
        new = NewOutput(
            calculation_id=attempt.id,
            attempt=attempt.attempt,
            owner_id=attempt.owner_id,
            name=key.name,
            filename=key.filename,
            sha256=stored.sha256,
            size=stored.size,
            index=stored.index,
        )

        def write(conn: Connection) -> Upload:
            # The attempt may have ended while the bytes arrived; the next one may have stored a newer checkpoint.
            _lasting(conn, attempt.id, attempt.attempt)
            added = uploads.add_output(conn, new, time.time())
            if new.name == CHECKPOINT:
                uploads.drop_checkpoints(conn, attempt.id, but=added.id)
            return added

        upload = await self._context.db.write(write)
        if not stored.is_indexing_done:
            self._contents.index_later([stored.new_file()])
        return upload


def _checkpoint(conn: Connection, calculation_id: str) -> Upload | datasets.DataFile | None:
    own = uploads.checkpoint(conn, calculation_id)
    return own or kept_checkpoints.of_the_same_call(conn, calculation_id)


def _lasting(conn: Connection, calculation_id: str, number: int) -> Attempt:
    """This attempt of a calculation. Raises NotFound, and Conflict when it is over."""
    found = calculations.attempt_of(conn, calculation_id)
    if found is None:
        raise missing("calculation", calculation_id)
    if found.attempt != number or found.finished_at is not None:
        raise Conflict(
            f"Attempt {number} of this calculation is over.",
            why="Its files are closed to the agent of that attempt.",
        )
    return found
