"""Calculations as the scheduler needs them: those that wait, those with agents, and what an attempt is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records, parts
from qcrbox_registry.store.tables import calculation_inputs, calculations, data_files, people


class Waiting(NamedTuple):
    """A waiting calculation. `not_before`: Unix time, s, after a lost attempt."""

    id: str
    application_id: int
    owner_id: int
    group_id: int | None
    command_id: int
    priority: int
    submitted_at: float
    not_before: float | None = None


_waiting = sa.select(*(calculations.c[name] for name in Waiting._fields)).where(
    calculations.c.state == "submitted", calculations.c.agent_id.is_(None)
)


def waiting(conn: Connection, ids: Sequence[str]) -> list[Waiting]:
    """Those of `ids` that wait."""
    found: list[Waiting] = []
    for part in parts(ids):
        found.extend(Waiting(*row) for row in conn.execute(_waiting.where(calculations.c.id.in_(part))))
    return found


def set_priority(conn: Connection, calculation_id: str, priority: int) -> None:
    """Write the priority of a calculation that waits; of another one nothing is written."""
    conn.execute(
        sa.update(calculations)
        .where(
            calculations.c.id == calculation_id,
            calculations.c.state == "submitted",
            calculations.c.agent_id.is_(None),
        )
        .values(priority=priority)
    )


def all_waiting(conn: Connection) -> list[Waiting]:
    """Everything that waits."""
    # A million rows at start: the driver's own tuples hold the same values for these plain columns.
    return [Waiting._make(row) for row in conn.execute(_waiting).cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class ActiveRow:
    """A calculation that is with an agent. Times are Unix times, s."""

    id: str
    attempt: int
    agent_id: str
    owner_id: int
    group_id: int | None
    command_id: int
    interactive: bool
    wall_time_s: float | None
    state: str
    started_at: float | None
    cancel_requested_at: float | None
    cancel_reason: str


_active = Records(ActiveRow, calculations)


def with_agents(conn: Connection) -> list[ActiveRow]:
    """Every calculation that is with an agent."""
    query = _active.select.where(calculations.c.agent_id.isnot(None), calculations.c.finished_at.is_(None))
    return _active.all(conn, query)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """What the message of an attempt is made of."""

    id: str
    attempt: int
    correlation_id: str
    application_slug: str
    application_version: str
    command_name: str
    arguments: dict[str, Any]
    wall_time_s: float | None
    interactive: bool
    force: bool
    owner: str


@dataclass(frozen=True, slots=True)
class InputRow:
    """An input file of a calculation."""

    calculation_id: str
    data_file_id: str
    filename: str
    filetype: str
    sha256: str
    size: int


_attempts = Records(
    AttemptRow,
    calculations,
    {"owner": people.c.name},
    calculations.join(people, people.c.id == calculations.c.owner_id),
)
_inputs = Records(
    InputRow,
    calculation_inputs,
    {name: data_files.c[name] for name in ("filename", "filetype", "sha256", "size")},
    calculation_inputs.join(data_files, data_files.c.id == calculation_inputs.c.data_file_id),
)
# Made once: making a statement costs more than running it.
_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_attempts_of = _attempts.select.where(calculations.c.id.in_(_ids))
_inputs_of = _inputs.select.where(calculation_inputs.c.calculation_id.in_(_ids))


def attempts(conn: Connection, ids: Sequence[str]) -> list[AttemptRow]:
    """The present attempt of each calculation."""
    return [
        AttemptRow(*row) for part in parts(ids) for row in conn.execute(_attempts_of, {"ids": list(part)})
    ]


def inputs(conn: Connection, ids: Sequence[str]) -> dict[str, list[InputRow]]:
    """The input files of each calculation that has some."""
    found: dict[str, list[InputRow]] = {}
    for part in parts(ids):
        for row in conn.execute(_inputs_of, {"ids": list(part)}):
            found.setdefault(row.calculation_id, []).append(InputRow(*row))
    return found
