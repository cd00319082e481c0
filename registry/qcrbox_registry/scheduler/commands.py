"""Makes the message of one attempt out of the calculation's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.ids import in_arguments
from qcrbox.contract.messages import Command, FileRef
from sqlalchemy.engine import Connection

from qcrbox_registry.messaging.tokens import FilesToken, sign
from qcrbox_registry.store.tables import calculation_inputs, calculations, data_files, people

_columns = (
    calculations.c.id,
    calculations.c.attempt,
    calculations.c.correlation_id,
    calculations.c.application_slug,
    calculations.c.application_version,
    calculations.c.command_name,
    calculations.c.arguments,
    calculations.c.wall_time_s,
    calculations.c.interactive,
    calculations.c.force,
    people.c.name.label("owner"),
)
# Made once: making a statement costs more than running it.
_commands = (
    sa.select(*_columns)
    .join(people, people.c.id == calculations.c.owner_id)
    .where(calculations.c.id.in_(sa.bindparam("ids", expanding=True)))
)
_inputs = (
    sa.select(
        calculation_inputs.c.calculation_id,
        data_files.c.id,
        data_files.c.filename,
        data_files.c.filetype,
        data_files.c.sha256,
        data_files.c.size,
    )
    .join(data_files, data_files.c.id == calculation_inputs.c.data_file_id)
    .where(calculation_inputs.c.calculation_id.in_(sa.bindparam("ids", expanding=True)))
)


@dataclass(frozen=True)
class CommandMaker:
    """files_base: address of the agents' file routes, `<registry>/internal/calculations`."""

    files_base: str
    signing_key: bytes
    token_life_s: float
    default_wall_time_s: float | None

    def make(self, conn: Connection, ids: Sequence[str], now: float) -> dict[str, Command]:
        """The command of the present attempt of each calculation."""
        rows: list[Any] = []
        for start in range(0, len(ids), 500):
            rows.extend(conn.execute(_commands, {"ids": ids[start : start + 500]}))
        files = _files(conn, [row.id for row in rows])
        return {row.id: self._command(row, files.get(row.id, []), now) for row in rows}

    def _command(self, row: Any, files: list[FileRef], now: float) -> Command:
        claims = FilesToken(calculation_id=row.id, attempt=row.attempt, expires=now + self.token_life_s)
        wall_time = row.wall_time_s
        if wall_time is None and not row.interactive:
            wall_time = self.default_wall_time_s
        return Command(
            calculation_id=row.id,
            attempt=row.attempt,
            correlation_id=row.correlation_id,
            application_slug=row.application_slug,
            application_version=row.application_version,
            command_name=row.command_name,
            owner=row.owner,
            # The files above have their ids as they are written now; older arguments do not.
            arguments=in_arguments(row.arguments),
            files=files,
            files_url=f"{self.files_base}/{row.id}",
            file_token=sign(self.signing_key, "files", claims),
            wall_time_s=wall_time,
            interactive=row.interactive,
            force=row.force,
        )


def _files(conn: Connection, ids: Sequence[str]) -> dict[str, list[FileRef]]:
    found: dict[str, list[FileRef]] = {}
    for start in range(0, len(ids), 500):
        for row in conn.execute(_inputs, {"ids": ids[start : start + 500]}):
            ref = FileRef(
                data_file_id=row.id,
                filename=row.filename,
                filetype=row.filetype,
                sha256=row.sha256,
                size=row.size,
            )
            found.setdefault(row.calculation_id, []).append(ref)
    return found
