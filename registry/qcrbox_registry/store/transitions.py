"""The only place where a calculation's state changes.

A `Ledger` reads the calculations concerned once, applies the changes one after the other in memory by the
table `contract.states.NEXT` and the fencing attempt, and writes rows, counters and events together. Thousands
of changes then cost a handful of statements. `change_states` does both.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotFound, QcError
from qcrbox.contract.states import FINAL, State, Step, may_become
from sqlalchemy.engine import Connection

from qcrbox_registry.store import events
from qcrbox_registry.store.engine import upsert_for
from qcrbox_registry.store.tables import calculations, loads

_MUTABLE = (
    "state",
    "step",
    "attempt",
    "losses",
    "agent_id",
    "not_before",
    "assigned_at",
    "started_at",
    "finished_at",
    "cancel_requested_at",
    "cancel_reason",
    "output_dataset_id",
    "returncode",
    "error_msg",
    "warnings",
    "remarks",
    "timings_s",
    "peak_rss_bytes",
    "dead_letter",
)
# What a change may set beside state and step.
RESULT_FIELDS = frozenset(
    {
        "output_dataset_id",
        "returncode",
        "error_msg",
        "warnings",
        "remarks",
        "timings_s",
        "peak_rss_bytes",
        "dead_letter",
        "not_before",
    }
)
_IDENTITY = ("id", "owner_id", "group_id", "application_id", "command_id", "interactive", "correlation_id")
_columns = [calculations.c[name] for name in (*_IDENTITY, *_MUTABLE)]
# Made once: making a statement costs more than running it.
_select = sa.select(*_columns).where(calculations.c.id.in_(sa.bindparam("ids", expanding=True)))
_select_locked = _select.with_for_update()
_update = (
    sa.update(calculations)
    .where(calculations.c.id == sa.bindparam("_id"))
    .values({name: sa.bindparam(name) for name in _MUTABLE})
)
_FIRST_STEP = {State.SUBMITTED: Step.QUEUED, State.RUNNING: Step.STARTING, State.UNKNOWN: Step.QUEUED}


class StaleAttempt(Conflict):
    """The message belongs to an attempt that is over. Nothing was changed."""

    kind = "stale_attempt"


class StateRefused(Conflict):
    """The table of states does not allow this change. Nothing was changed."""

    kind = "state_refused"


@dataclass(slots=True)
class Change:
    """One wished change. `new` None keeps the state and sets the step only.

    `attempt` fences: a number that is not the calculation's current attempt is refused; None (a person's
    wish, a sweep) is not fenced. `fields` are columns from RESULT_FIELDS; `extra` goes into the event.
    """

    calculation_id: str
    new: State | None = None
    attempt: int | None = None
    step: Step | None = None
    at: float | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


class Entry:
    """A calculation while a ledger holds it: the columns of its row as attributes."""

    __slots__ = ("_before", "changed", *_IDENTITY, *_MUTABLE)
    id: str
    owner_id: int
    group_id: int | None
    application_id: int
    command_id: int
    interactive: bool
    correlation_id: str
    state: str
    step: str
    attempt: int
    losses: int
    agent_id: str | None
    not_before: float | None
    assigned_at: float | None
    started_at: float | None
    finished_at: float | None
    cancel_requested_at: float | None
    cancel_reason: str

    def __init__(self, row: sa.Row[Any]) -> None:
        for name, value in row._mapping.items():
            setattr(self, name, value)
        self.changed = False
        self._before = self.load()

    def load(self) -> tuple[int, int]:
        """(queued, running) as the counters see it."""
        if self.finished_at is not None:
            return (0, 0)
        return (0, 1) if self.agent_id is not None else (1, 0)

    def load_change(self) -> tuple[int, int]:
        """Change of (queued, running) since the row was read."""
        after = self.load()
        return after[0] - self._before[0], after[1] - self._before[1]

    def row(self) -> dict[str, Any]:
        """The columns to write back, with the id as `_id`."""
        values = {name: getattr(self, name) for name in _MUTABLE}
        values["_id"] = self.id
        return values


class Ledger:
    """The calculations that a batch of changes concerns.

    Apply with `change`, `assign`, `release`, `ask_cancel`; then `close()` writes and returns the events, which the caller
    publishes after the commit.
    """

    def __init__(self, conn: Connection, ids: Iterable[str], now: float | None = None) -> None:
        self.conn = conn
        self.now = time.time() if now is None else now
        self.entries: dict[str, Entry] = {}
        self.events: list[events.Event] = []
        wanted = list(dict.fromkeys(ids))
        query = _select if conn.dialect.name == "sqlite" else _select_locked
        for start in range(0, len(wanted), 500):
            for row in conn.execute(query, {"ids": wanted[start : start + 500]}):
                self.entries[row.id] = Entry(row)

    def entry(self, calculation_id: str, attempt: int | None = None) -> Entry:
        """Raises NotFound, or StaleAttempt when the fence does not match."""
        entry = self.entries.get(calculation_id)
        if entry is None:
            raise NotFound(f"There is no calculation {calculation_id!r}.")
        if attempt is not None and attempt != entry.attempt:
            raise StaleAttempt(
                f"Attempt {attempt} of calculation {calculation_id} is over.",
                why=f"Attempt {entry.attempt} has taken its place.",
                calculation=calculation_id,
                attempt=entry.attempt,
            )
        return entry

    def change(self, change: Change) -> events.Event | None:
        """Apply one change; None when it changes nothing. Raises as `entry`, and StateRefused."""
        entry = self.entry(change.calculation_id, change.attempt)
        old = State(entry.state)
        new = old if change.new is None else change.new
        step = change.step or (Step.DONE if new in FINAL else _FIRST_STEP[new])
        if change.new is None and (old in FINAL or entry.step == Step.CANCELLING):
            return None  # steps after the end or a cancellation do not count
        if new == State.RUNNING and entry.step == Step.CANCELLING:
            step = Step.CANCELLING  # what the agent still reports does not take the cancellation back
        if new == old:
            if old in FINAL or entry.step == step:
                return None
        elif not may_become(old, new):
            raise StateRefused(
                f"Calculation {entry.id} is {old} and cannot become {new}.",
                calculation=entry.id,
                state=str(old),
            )
        at = self.now if change.at is None else change.at
        for name, value in change.fields.items():
            if name not in RESULT_FIELDS:
                raise ValueError(f"{name} is not a result of a calculation")
            setattr(entry, name, value)
        self._move(entry, old, new, step, at)
        return self._note(entry, at, change.extra)

    def _move(self, entry: Entry, old: State, new: State, step: Step, at: float) -> None:
        entry.state, entry.step = str(new), str(step)
        if new == State.RUNNING and entry.started_at is None:
            entry.started_at = at
        elif new in FINAL and old not in FINAL:
            entry.finished_at = at
        elif new == State.SUBMITTED and old != State.SUBMITTED:
            self._back_into_queue(entry)

    @staticmethod
    def _back_into_queue(entry: Entry) -> None:
        entry.attempt += 1  # messages of the old attempt are refused from here on
        entry.losses += 1
        entry.agent_id = entry.assigned_at = entry.started_at = None

    def assign(self, calculation_id: str, agent_id: str) -> int | None:
        """Hand a waiting calculation to an agent: the new attempt, or None when it waits no longer."""
        entry = self.entries.get(calculation_id)
        if entry is None or entry.state != State.SUBMITTED or entry.agent_id is not None:
            return None
        entry.attempt += 1
        entry.agent_id, entry.assigned_at, entry.not_before = agent_id, self.now, None
        entry.changed = True
        return entry.attempt

    def release(
        self,
        calculation_id: str,
        attempt: int,
        *,
        lost: bool,
        not_before: float | None = None,
        reason: str = "",
    ) -> events.Event | None:
        """Take a calculation from its agent, back into the queue under a higher attempt.

        `lost` counts against the three attempts. Raises as `entry`, and StateRefused for one that has ended.
        """
        entry = self.entry(calculation_id, attempt)
        old = State(entry.state)
        if old in FINAL:
            raise StateRefused(
                f"Calculation {calculation_id} is {old}.", calculation=calculation_id, state=str(old)
            )
        losses = entry.losses
        self._back_into_queue(entry)
        entry.losses = losses + 1 if lost else losses
        entry.not_before = not_before
        entry.state, entry.step = str(State.SUBMITTED), str(Step.QUEUED)
        return self._note(entry, self.now, {"reason": reason} if reason else {})

    def ask_cancel(self, calculation_id: str, reason: str = "", by: str = "") -> events.Event | None:
        """A waiting calculation is cancelled at once; one with an agent becomes `cancelling`.

        None when it had ended or was already being cancelled.
        """
        entry = self.entry(calculation_id)
        if State(entry.state) in FINAL:
            return None
        extra = {key: value for key, value in (("reason", reason), ("by", by)) if value}
        if entry.agent_id is None:
            entry.cancel_requested_at, entry.cancel_reason = self.now, reason
            return self.change(
                Change(calculation_id, State.CANCELLED, extra=extra, fields={"error_msg": reason})
            )
        if entry.cancel_requested_at is not None:
            return None
        entry.cancel_requested_at, entry.cancel_reason = self.now, reason
        entry.step = str(Step.CANCELLING)
        return self._note(entry, self.now, extra)

    def _note(self, entry: Entry, at: float, extra: dict[str, Any]) -> events.Event:
        entry.changed = True
        payload = dict(extra)
        if State(entry.state) in FINAL:
            for name in ("output_dataset_id", "error_msg", "returncode", "warnings"):
                if getattr(entry, name) not in (None, "", []):
                    payload[name] = getattr(entry, name)
        event = events.Event(
            kind="calculation",
            object_id=entry.id,
            at=at,
            status=entry.state,
            step=entry.step,
            attempt=entry.attempt,
            owner_id=entry.owner_id,
            group_id=entry.group_id,
            payload=payload,
        )
        self.events.append(event)
        return event

    def close(self) -> list[events.Event]:
        """Write rows, counters and events. The events carry their sequence numbers."""
        changed = [entry for entry in self.entries.values() if entry.changed]
        if changed:
            self.conn.execute(_update, [entry.row() for entry in changed])
            count(self.conn, ((entry, *entry.load_change()) for entry in changed))
        events.write(self.conn, self.events)
        return self.events


def count(conn: Connection, deltas: Iterable[tuple[Any, int, int]]) -> None:
    """Add (queued, running) to the counters of each calculation's person and home group."""
    sums: dict[tuple[str, int, int], list[int]] = {}
    for entry, queued, running in deltas:
        if not queued and not running:
            continue
        subjects = [("person", entry.owner_id)]
        if entry.group_id is not None:
            subjects.append(("group", entry.group_id))
        for subject, subject_id in subjects:
            total = sums.setdefault((subject, subject_id, entry.application_id), [0, 0])
            total[0] += queued
            total[1] += running
    rows = [
        {"subject": key[0], "subject_id": key[1], "application_id": key[2], "queued": q, "running": r}
        for key, (q, r) in sorted(sums.items())
    ]
    if not rows:
        return
    conn.execute(_add_to_loads(conn.dialect.name), rows)


@functools.cache
def _add_to_loads(dialect: str) -> Any:
    """Built once: making the statement costs more than running it."""
    statement = upsert_for(dialect, loads)
    return statement.on_conflict_do_update(
        index_elements=["subject", "subject_id", "application_id"],
        set_={
            "queued": loads.c.queued + statement.excluded.queued,
            "running": loads.c.running + statement.excluded.running,
        },
    )


def change_states(
    conn: Connection, changes: Sequence[Change], now: float | None = None
) -> tuple[list[events.Event], list[QcError | None]]:
    """Apply a batch in order. One refused change stops no other; its place in the second list says why."""
    ledger = Ledger(conn, (change.calculation_id for change in changes), now)
    refused: list[QcError | None] = []
    for change in changes:
        try:
            ledger.change(change)
            refused.append(None)
        except (NotFound, Conflict) as error:
            refused.append(error)
    return ledger.close(), refused
