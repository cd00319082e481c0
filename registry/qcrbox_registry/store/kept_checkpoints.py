"""Checkpoints in the results of calculations that did not succeed: the same call goes on from there."""

from __future__ import annotations

import sqlalchemy as sa
from qcrbox.contract.messages import CHECKPOINT
from qcrbox.contract.states import FINAL, State
from sqlalchemy.engine import Connection

from qcrbox_registry.store import calculations as records
from qcrbox_registry.store.datasets import DataFile, get_file
from qcrbox_registry.store.tables import calculation_outputs, calculations, data_files

# Ended calls of the command that are looked through, newest first.
_MOST = 100


def of_the_same_call(conn: Connection, calculation_id: str) -> DataFile | None:
    """The checkpoint that the newest earlier calculation with the same owner, command and arguments has kept.

    None when there is none, it was deleted, or such a calculation has succeeded since: then nothing is left to continue.
    Raises NotFound for an unknown calculation.
    """
    new = records.get(conn, calculation_id)
    earlier = sa.select(calculations.c.id, calculations.c.state, calculations.c.arguments).where(
        calculations.c.owner_id == new.owner_id,
        calculations.c.command_id == new.command_id,
        calculations.c.id < new.id,
        calculations.c.state.in_([str(state) for state in FINAL]),
    )
    for row in conn.execute(earlier.order_by(calculations.c.id.desc()).limit(_MOST)):
        if row.arguments != new.arguments:
            continue
        if row.state == State.SUCCESSFUL:
            return None
        if found := _kept_by(conn, row.id):
            return found
    return None


def _kept_by(conn: Connection, calculation_id: str) -> DataFile | None:
    kept = (
        sa.select(data_files.c.id)
        .join(calculation_outputs, calculation_outputs.c.data_file_id == data_files.c.id)
        .where(
            calculation_outputs.c.calculation_id == calculation_id,
            calculation_outputs.c.name == CHECKPOINT,
            data_files.c.deleted_at.is_(None),
        )
    )
    file_id = conn.execute(kept.limit(1)).scalar()
    return None if file_id is None else get_file(conn, file_id)
