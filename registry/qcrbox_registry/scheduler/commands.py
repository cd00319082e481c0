"""Makes the message of an attempt from the rows of its calculation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcrbox.contract.ids import in_arguments
from qcrbox.contract.messages import Command, FileRef

from qcrbox_registry.messaging.tokens import FilesToken, sign
from qcrbox_registry.store import work_queue
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.work_queue import AttemptRow, InputRow


@dataclass(frozen=True)
class CommandMaker:
    """files_base: address of the file routes for agents, `<registry>/internal/calculations`."""

    files_base: str
    signing_key: bytes
    token_life_s: float
    default_wall_time_s: float | None

    def make(self, conn: Connection, ids: Sequence[str], now: float) -> dict[str, Command]:
        """The command of the present attempt of each calculation. now: Unix time, s."""
        attempts = work_queue.attempts(conn, ids)
        inputs = work_queue.inputs(conn, [attempt.id for attempt in attempts])
        return {attempt.id: self._command(attempt, inputs.get(attempt.id, ()), now) for attempt in attempts}

    def _command(self, row: AttemptRow, inputs: Sequence[InputRow], now: float) -> Command:
        claims = FilesToken(calculation_id=row.id, attempt=row.attempt, expires=now + self.token_life_s)
        wall_time_s = row.wall_time_s
        if wall_time_s is None and not row.interactive:
            wall_time_s = self.default_wall_time_s
        return Command(
            calculation_id=row.id,
            attempt=row.attempt,
            correlation_id=row.correlation_id,
            application_slug=row.application_slug,
            application_version=row.application_version,
            command_name=row.command_name,
            owner=row.owner,
            # The ids of files as they are written now; older arguments have another form.
            arguments=in_arguments(row.arguments),
            files=[_file(file) for file in inputs],
            files_url=f"{self.files_base}/{row.id}",
            file_token=sign(self.signing_key, "files", claims),
            wall_time_s=wall_time_s,
            interactive=row.interactive,
            force=row.force,
        )


def _file(row: InputRow) -> FileRef:
    return FileRef(
        data_file_id=row.data_file_id,
        filename=row.filename,
        filetype=row.filetype,
        sha256=row.sha256,
        size=row.size,
    )
