"""Stored retention rules, which put old outputs into the trash every day."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.retention import Amount
from qcrbox_registry.store.tables import groups, people, retention_rules

EVERY_S = 86400.0
MOST_RULES = 200


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to store. group_id None: outputs of everyone."""

    unused_days: float
    group_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A stored rule. Times: Unix, s. The amounts are those of the last run."""

    id: int
    unused_days: float
    group_id: int | None
    group: str | None
    group_gone_at: float | None
    reason: str
    by_id: int
    by: str
    at: float
    last_run_at: float | None
    datasets: int
    files: int
    bytes: int

    @property
    def due_at(self) -> float:
        """When it runs next: a day after it was stored, then every day."""
        return (self.at if self.last_run_at is None else self.last_run_at) + EVERY_S


_records = Records(
    StoredRule,
    retention_rules,
    {"group": groups.c.name, "group_gone_at": groups.c.gone_at, "by": people.c.name},
    retention_rules.join(people, people.c.id == retention_rules.c.by_id).outerjoin(
        groups, groups.c.id == retention_rules.c.group_id
    ),
)


def listed(conn: Connection) -> list[StoredRule]:
    """Every rule, oldest first."""
    return _records.all(conn, _records.select.order_by(retention_rules.c.id))


def get(conn: Connection, rule_id: int) -> StoredRule:
    """The rule with this id. Raises NotFound."""
    return _records.require(conn, rule_id, "retention rule")


def add(conn: Connection, rule: NewRule, by_id: int, now: float) -> StoredRule:
    """Store a rule. Raises Conflict when there is one of this group already, or one too many."""
    rules = listed(conn)
    if any(each.group_id == rule.group_id for each in rules):
        raise Conflict("There is a retention rule for these outputs already.", next="Remove it first.")
    if len(rules) >= MOST_RULES:
        raise Conflict(f"There are {MOST_RULES} retention rules already.")
    values = {"unused_days": rule.unused_days, "group_id": rule.group_id, "reason": rule.reason}
    statement = sa.insert(retention_rules).values(**values, by_id=by_id, at=now)
    return get(conn, conn.execute(statement.returning(retention_rules.c.id)).scalar_one())


def remove(conn: Connection, rule_id: int) -> StoredRule:
    """Delete a rule; returns it as it was. Raises NotFound."""
    rule = get(conn, rule_id)
    conn.execute(sa.delete(retention_rules).where(retention_rules.c.id == rule_id))
    return rule


def note_run(conn: Connection, rule_id: int, done: Amount, now: float) -> None:
    """Write what a run moved."""
    values = {"last_run_at": now, "datasets": done.datasets, "files": done.files, "bytes": done.bytes}
    conn.execute(sa.update(retention_rules).where(retention_rules.c.id == rule_id).values(**values))
