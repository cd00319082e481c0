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

from qcrbox_registry.store import events, titles
from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import calculation_inputs, calculations, datasets, new_id, people
from qcrbox_registry.store.transitions import count


@dataclass(frozen=True, slots=True)
class Calculation:
    """A row of `calculations` with the name of its owner. Times are Unix times, s."""

    id: str
    owner_id: int
    group_id: int | None
    application_id: int
    command_id: int
    application_slug: str
    application_version: str
    command_name: str
    arguments: dict[str, Any]
    interactive: bool
    name: str
    subject: str
    done: str
    verdict: str
    correlation_id: str
    batch_id: str | None
    state: str
    step: str
    attempt: int
    losses: int  # agents lost under it
    agent_id: str | None
    not_before: float | None
    submitted_at: float
    started_at: float | None
    finished_at: float | None
    output_dataset_id: str | None
    returncode: int | None
    error_msg: str
    warnings: list[str]
    remarks: list[dict[str, str]]
    timings_s: dict[str, float]
    repeat_of: str | None
    owner: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an agent's file token is compared with."""

    id: str
    attempt: int
    owner_id: int
    finished_at: float | None


@dataclass(slots=True)
class NewCalculation:
    """A calculation before it is written: checked, with complete arguments."""

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
    subject: str = ""  # what goes in, for the title
    done: str = ""  # what is done, for the title
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
                "id": calculation.id,
                "owner_id": calculation.owner_id,
                "group_id": calculation.group_id,
                "application_id": calculation.application_id,
                "command_id": calculation.command_id,
                "application_slug": calculation.application_slug,
                "application_version": calculation.application_version,
                "command_name": calculation.command_name,
                "arguments": calculation.arguments,
                "interactive": calculation.interactive,
                "name": calculation.name,
                "subject": calculation.subject,
                "done": calculation.done,
                "correlation_id": calculation.correlation_id or calculation.id,
                "batch_id": calculation.batch_id,
                "priority": calculation.priority,
                "wall_time_s": calculation.wall_time_s,
                "repeat_of": calculation.repeat_of,
                "force": calculation.force,
                "state": "submitted",
                "step": "queued",
                "submitted_at": at,
            }
            for calculation in new
        ],
    )
    inputs = [
        {"calculation_id": calculation.id, "parameter": parameter, "data_file_id": data_file_id}
        for calculation in new
        for parameter, data_file_id in calculation.inputs
    ]
    if inputs:
        conn.execute(_insert_input, inputs)
    count(conn, ((calculation, 1, 0) for calculation in new))
    first = [
        events.Event(
            kind="calculation",
            object_id=calculation.id,
            at=at,
            status=str(State.SUBMITTED),
            step=str(Step.QUEUED),
            owner_id=calculation.owner_id,
            group_id=calculation.group_id,
            payload={"command": calculation.command_name, "application": calculation.application_slug},
        )
        for calculation in new
    ]
    events.write(conn, first)
    return first


def create(conn: Connection, new: NewCalculation, now: float | None = None) -> events.Event:
    """Write calculation calculation; its first event."""
    return create_many(conn, [new], now)[0]


_records = Records(
    Calculation,
    calculations,
    {"owner": people.c.name},
    calculations.join(people, people.c.id == calculations.c.owner_id),
)

_attempts = Records(Attempt, calculations)


def get(conn: Connection, calculation_id: str) -> Calculation:
    """Raises NotFound."""
    return _records.require(conn, calculation_id, "calculation")


def by_ids(conn: Connection, ids: Sequence[str]) -> list[Calculation]:
    """Calculations in the order of `ids`; missing ones are left out."""
    found = _records.by_keys(conn, ids)
    return [found[calculation_id] for calculation_id in ids if calculation_id in found]


def first_of(conn: Connection, batch_id: str) -> Calculation | None:
    """The first calculation of a batch, which has the owner and group of all; None when there is no such batch."""
    query = _records.select.where(calculations.c.batch_id == batch_id)
    return _records.first(conn, query.order_by(calculations.c.id).limit(1))


def unfinished_of(conn: Connection, batch_id: str) -> list[str]:
    """Ids of the calculations of a batch that have not ended."""
    query = sa.select(calculations.c.id).where(
        calculations.c.batch_id == batch_id, calculations.c.finished_at.is_(None)
    )
    return list(conn.execute(query.order_by(calculations.c.id)).scalars())


def unfinished_of_person(conn: Connection, owner_id: int) -> list[str]:
    """Ids of the calculations of a person that have not ended, sessions too."""
    query = sa.select(calculations.c.id).where(
        calculations.c.owner_id == owner_id, calculations.c.finished_at.is_(None)
    )
    return list(conn.execute(query.order_by(calculations.c.id)).scalars())


def state_of(conn: Connection, calculation_id: str) -> State:
    """The present state. Raises NotFound."""
    state = conn.execute(sa.select(calculations.c.state).where(calculations.c.id == calculation_id)).scalar()
    if state is None:
        raise NotFound(f"There is no calculation {calculation_id!r}.")
    return State(state)


def attempt_of(conn: Connection, calculation_id: str) -> Attempt | None:
    """The present attempt of a calculation; None when there is no such calculation."""
    return _attempts.by_key(conn, calculation_id)


def rename(conn: Connection, calculation_id: str, name: str) -> None:
    """Give a calculation a name; an empty one brings its automatic title back. Its output dataset has the same."""
    conn.execute(sa.update(calculations).where(calculations.c.id == calculation_id).values(name=name))
    row = get(conn, calculation_id)
    if row.output_dataset_id is not None:
        title = titles.title_of(row)
        conn.execute(sa.update(datasets).where(datasets.c.id == row.output_dataset_id).values(name=title))


def has_input(conn: Connection, calculation_id: str, data_file_id: str) -> bool:
    """Whether a data file is an input of a calculation."""
    query = sa.select(calculation_inputs.c.data_file_id).where(
        calculation_inputs.c.calculation_id == calculation_id,
        calculation_inputs.c.data_file_id == data_file_id,
    )
    return conn.execute(query).first() is not None
