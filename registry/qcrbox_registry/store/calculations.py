"""Calculations: create, read, list. Their state changes in `transitions` only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.states import State, Step
from sqlalchemy.engine import Connection

from qcrbox_registry.store import events
from qcrbox_registry.store.tables import calculation_inputs, calculations, new_id, people
from qcrbox_registry.store.transitions import (
    Change,
    Ledger,
    StaleAttempt,
    StateRefused,
    change_state,
    change_states,
    count,
)

__all__ = [
    "Change",
    "Ledger",
    "NewCalculation",
    "StaleAttempt",
    "StateRefused",
    "by_ids",
    "change_state",
    "change_states",
    "create",
    "create_many",
    "first_of",
    "get",
    "inputs_of",
    "page",
    "waiting_or_running_of",
]


@dataclass(slots=True)
class NewCalculation:
    """What `create` needs: everything is already checked, arguments are complete."""

    owner_id: int
    application_id: int
    command_id: int
    application_slug: str
    application_version: str
    command_name: str
    arguments: dict[str, Any]
    inputs: list[tuple[str, str]] = field(default_factory=list)  # (parameter, data file id)
    group_id: int | None = None
    interactive: bool = False
    name: str = ""
    correlation_id: str = ""
    batch_id: str | None = None
    priority: int = 0
    wall_time_s: float | None = None
    repeat_of: str | None = None
    force: bool = False
    id: str = field(default_factory=new_id)


_insert = sa.insert(calculations)
_insert_input = sa.insert(calculation_inputs)


def create_many(
    conn: Connection, new: Sequence[NewCalculation], now: float | None = None
) -> list[events.Event]:
    """Write calculations in state `submitted` and their first events, in order. Returns the events."""
    at = time.time() if now is None else now
    conn.execute(
        _insert,
        [
            {
                "id": one.id,
                "owner_id": one.owner_id,
                "group_id": one.group_id,
                "application_id": one.application_id,
                "command_id": one.command_id,
                "application_slug": one.application_slug,
                "application_version": one.application_version,
                "command_name": one.command_name,
                "arguments": one.arguments,
                "interactive": one.interactive,
                "name": one.name,
                "correlation_id": one.correlation_id or one.id,
                "batch_id": one.batch_id,
                "priority": one.priority,
                "wall_time_s": one.wall_time_s,
                "repeat_of": one.repeat_of,
                "force": one.force,
                "state": "submitted",
                "step": "queued",
                "submitted_at": at,
            }
            for one in new
        ],
    )
    inputs = [
        {"calculation_id": one.id, "parameter": parameter, "data_file_id": data_file_id}
        for one in new
        for parameter, data_file_id in one.inputs
    ]
    if inputs:
        conn.execute(_insert_input, inputs)
    count(conn, ((one, 1, 0) for one in new))
    first = [
        events.Event(
            kind="calculation",
            object_id=one.id,
            at=at,
            status=str(State.SUBMITTED),
            step=str(Step.QUEUED),
            owner_id=one.owner_id,
            group_id=one.group_id,
            payload={"command": one.command_name, "application": one.application_slug},
        )
        for one in new
    ]
    events.write(conn, first)
    return first


def create(conn: Connection, new: NewCalculation, now: float | None = None) -> events.Event:
    """Write one calculation; its first event."""
    return create_many(conn, [new], now)[0]


_select = sa.select(calculations, people.c.name.label("owner")).join(
    people, people.c.id == calculations.c.owner_id
)


def get(conn: Connection, calculation_id: str) -> sa.Row:
    """The row of a calculation with the name of its `owner`. Raises NotFound."""
    row = conn.execute(_select.where(calculations.c.id == calculation_id)).first()
    if row is None:
        raise NotFound(f"There is no calculation {calculation_id!r}.")
    return row


def by_ids(conn: Connection, ids: Sequence[str]) -> list[sa.Row]:
    """Rows in the order of `ids`; ids that are not there are left out."""
    found: dict[str, sa.Row] = {}
    for start in range(0, len(ids), 500):
        for row in conn.execute(_select.where(calculations.c.id.in_(ids[start : start + 500]))):
            found[row.id] = row
    return [found[one] for one in ids if one in found]


def first_of(conn: Connection, batch_id: str) -> sa.Row | None:
    """One calculation of a batch, which tells whose it is; None when there is no such batch."""
    query = _select.where(calculations.c.batch_id == batch_id).order_by(calculations.c.id).limit(1)
    return conn.execute(query).first()


def waiting_or_running_of(conn: Connection, batch_id: str) -> list[str]:
    """Ids of a batch's calculations that have not ended."""
    query = sa.select(calculations.c.id).where(
        calculations.c.batch_id == batch_id, calculations.c.finished_at.is_(None)
    )
    return list(conn.execute(query.order_by(calculations.c.id)).scalars())


def page(
    conn: Connection,
    *,
    where: Sequence[sa.ColumnElement[bool]] = (),
    limit: int | None = 100,
    after: str | None = None,
) -> list[sa.Row]:
    """Newest first, after (that is, older than) the id `after`. Cost does not grow with the table."""
    query = _select.where(*where).order_by(calculations.c.id.desc())
    if after is not None:
        query = query.where(calculations.c.id < after)
    if limit is not None:
        query = query.limit(limit)
    return list(conn.execute(query))


def inputs_of(conn: Connection, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """(parameter, data file id) of each calculation."""
    found: dict[str, list[tuple[str, str]]] = {one: [] for one in ids}
    for start in range(0, len(ids), 500):
        query = sa.select(calculation_inputs).where(
            calculation_inputs.c.calculation_id.in_(ids[start : start + 500])
        )
        for row in conn.execute(query):
            found[row.calculation_id].append((row.parameter, row.data_file_id))
    return found
