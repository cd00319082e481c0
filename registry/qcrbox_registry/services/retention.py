"""Old outputs into the trash: once by hand, and every day by stored rules."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace

import structlog
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import SITE, Actor, authorize
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.services.texts import needed_reason
from qcrbox_registry.store import events, people, retention, retention_rules
from qcrbox_registry.store.audit import Entry, record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.retention_rules import NewRule, StoredRule

DAY_S = 86400.0
# Who the audit trail names for what a stored rule does.
REGISTRY = "registry"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """Which outputs go: not used for so many days, of one group or (None) of everyone."""

    unused_days: float
    group: str | None
    dry_run: bool
    reason: str


class RetentionService:
    """Moves outputs into the trash. Their owners can bring them back until the trash lets go of them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    # ------------------------------------------------------------ by hand

    async def apply(self, actor: Actor, asked: Retention) -> Json:
        """Move outputs that were not used for so long, or only count them. Raises NotFound, ReasonNeeded."""
        authorize(actor, "manage", SITE)
        await introduce(self._context, "group", asked.group)
        now = time.time()

        def read(conn: Connection) -> tuple[retention.Rule, retention.Amount]:
            group_id = people.find_group(conn, asked.group) if asked.group else None
            rule = retention.Rule(now - asked.unused_days * DAY_S, group_id)
            return rule, retention.count(conn, rule, now)

        rule, amount = await self._context.db.read(read)
        if asked.dry_run:
            return asdict(amount)
        reason = needed_reason(asked.reason)
        entry = audit.entry(
            actor,
            "apply retention",
            now,
            kind="site",
            unused_days=asked.unused_days,
            group=asked.group,
            reason=reason,
        )
        return asdict(await self._move(rule, entry, actor.person_id))

    async def _move(self, rule: retention.Rule, entry: Entry, by_id: int) -> retention.Amount:
        """Move everything in portions. With each portion a copy of `entry`: what was done is in the trail although a
        later portion may fail."""
        now, done = entry.at, retention.Amount(0, 0, 0)

        def write(conn: Connection) -> tuple[retention.Amount, list[events.Event]]:
            rows, moved = retention.move(conn, rule, by_id, now)
            if not rows:
                return moved, []
            details = {**entry.details, "ids": [row.id for row in rows], **asdict(moved)}
            record(conn, [_with(entry, details)])
            deleted = [events.about("dataset", row, now, "deleted") for row in rows]
            return moved, list(events.write(conn, deleted))

        while True:
            moved, changes = await self._context.db.write(write)
            if not moved.datasets:
                return done
            self._context.publish(changes)
            done = done + moved

    # ------------------------------------------------------------ stored rules

    async def rules(self, actor: Actor) -> list[Json]:
        """The stored rules. Raises NotFound or NotAllowed."""
        authorize(actor, "read", SITE)
        return [_shown(rule) for rule in await self._context.db.read(retention_rules.listed)]

    async def add_rule(self, actor: Actor, unused_days: float, group: str | None, reason: str) -> Json:
        """Store a rule; it runs a day later for the first time. Raises NotFound, Conflict, ReasonNeeded."""
        authorize(actor, "manage", SITE)
        reason, now = needed_reason(reason), time.time()
        await introduce(self._context, "group", group)

        def write(conn: Connection) -> StoredRule:
            group_id = people.find_group(conn, group) if group else None
            rule = retention_rules.add(conn, NewRule(unused_days, group_id, reason), actor.person_id, now)
            record(conn, [_about(actor, "add retention rule", rule, now, reason)])
            return rule

        return _shown(await self._context.db.write(write))

    async def remove_rule(self, actor: Actor, rule_id: int, reason: str) -> None:
        """Delete a rule. What it moved stays where it is. Raises NotFound, ReasonNeeded."""
        authorize(actor, "manage", SITE)
        reason, now = needed_reason(reason), time.time()

        def write(conn: Connection) -> None:
            rule = retention_rules.remove(conn, rule_id)
            record(conn, [_about(actor, "remove retention rule", rule, now, reason)])

        await self._context.db.write(write)

    async def run_due(self, now: float) -> int:
        """Run the rules whose day is over (as of `now`, Unix time, s); the number of outputs that were moved.

        A rule of a group that is deleted moves nothing: its data wait for a decision.
        """
        moved = 0
        for stored in await self._context.db.read(retention_rules.listed):
            if stored.due_at <= now:
                moved += await self._run(stored, now)
        return moved

    async def _run(self, stored: StoredRule, now: float) -> int:
        rule = retention.Rule(now - stored.unused_days * DAY_S, stored.group_id)
        details = {
            "unused_days": stored.unused_days,
            "group": stored.group,
            "reason": stored.reason,
            "rule_of": stored.by,
        }
        entry = Entry(
            now, REGISTRY, "run retention rule", kind="site", object_id=str(stored.id), details=details
        )
        done = await self._move(rule, entry, stored.by_id)
        await self._context.db.write(lambda conn: retention_rules.note_run(conn, stored.id, done, now))
        if done.datasets:
            log.info("retention_rule_ran", rule=stored.id, **asdict(done))
        return done.datasets


def _with(entry: Entry, details: Json) -> Entry:
    return replace(entry, details=details)


def _about(actor: Actor, action: str, rule: StoredRule, now: float, reason: str) -> Entry:
    return audit.entry(
        actor,
        action,
        now,
        kind="site",
        object_id=str(rule.id),
        unused_days=rule.unused_days,
        group=rule.group,
        reason=reason,
    )


def _shown(rule: StoredRule) -> Json:
    return {
        "id": rule.id,
        "unused_days": rule.unused_days,
        "group": rule.group,
        "reason": rule.reason,
        "by": rule.by,
        "at": iso(rule.at),
        "due_at": iso(rule.due_at),
        "last_run_at": iso(rule.last_run_at),
        "last_run": {"datasets": rule.datasets, "files": rule.files, "bytes": rule.bytes},
    }
