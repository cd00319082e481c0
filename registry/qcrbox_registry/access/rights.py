"""Who may do what: one table, asked on every call.

`RULES` says for every kind of object and action which relations to it allow the action. `authorize` raises
NotFound where the person may not even read the object (the same answer as for one that does not exist) and
NotAllowed where they see it but may not do this. `visible_*` are the same rules as SQL conditions for lists.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotAllowed, NotFound

from qcrbox_registry.store.tables import calculations, data_files, datasets, sessions, shares

EVERY_GROUP = 0  # in a set of group ids: the scope came without a group filter


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls, with what the hub says of them at this moment."""

    person_id: int
    name: str
    groups: dict[str, int] = field(default_factory=dict)  # name -> id
    manages: frozenset[int] = frozenset()
    curates: frozenset[int] = frozenset()  # data manager of
    teaches: frozenset[int] = frozenset()
    admin: bool = False
    application_admin: bool = False
    address: str = ""
    # What this request did by the administrator's right alone: (action, kind, id). Audited when it is answered.
    noticed: list[tuple[str, str, str]] | None = field(default=None, compare=False)

    @property
    def group_ids(self) -> frozenset[int]:
        return frozenset(self.groups.values())

    def roles(self) -> dict[str, list[str]]:
        """Role -> names of groups, or ["*"]; for people to read."""
        names = {group_id: name for name, group_id in self.groups.items()}

        def shown(ids: frozenset[int]) -> list[str]:
            return ["*"] if EVERY_GROUP in ids else sorted(names.get(one, str(one)) for one in ids)

        roles = {
            "manager": shown(self.manages),
            "data_manager": shown(self.curates),
            "lecturer": shown(self.teaches),
        }
        if self.application_admin:
            roles["application_admin"] = ["*"]
        if self.admin:
            roles["administrator"] = ["*"]
        return {role: groups for role, groups in roles.items() if groups}


@dataclass(frozen=True, slots=True)
class Grant:
    """A share of the object that holds at this moment."""

    mode: str  # read | write | view
    person_id: int | None = None
    group_id: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """What `authorize` must know of an object."""

    kind: str  # dataset | data_file | example | calculation | session | application | launcher | site
    id: str
    owner_id: int | None = None
    group_id: int | None = None
    grants: tuple[Grant, ...] = ()
    restricted_to: frozenset[int] | None = None  # of an application: groups; None = everybody
    view_only_allowed: bool = False


# relation -> who that is
#   owner, member (of the home group), manager, curator (data manager), reader, writer (shares), teacher,
#   everybody, application_admin, admin
_DATA = {
    "read": {"owner", "member", "manager", "curator", "reader", "writer", "admin"},
    "append": {"owner", "writer", "admin"},
    "change": {"owner", "admin"},  # name, description, home group
    "tag": {"owner", "writer", "admin"},
    "share": {"owner", "admin"},
    "delete": {"owner", "curator", "admin"},
    "restore": {"owner", "curator", "admin"},
}
RULES: dict[str, dict[str, set[str]]] = {
    "dataset": _DATA,
    "data_file": _DATA,
    "example": {"read": {"everybody", "admin"}},
    "calculation": {
        "read": {"owner", "member", "manager", "reader", "admin"},
        "cancel": {"owner", "manager", "admin"},
        "tag": {"owner", "admin"},
        "share": {"owner", "admin"},
        "change": set(),  # the record is never changed
        "delete": set(),
    },
    "session": {
        "read": {"owner", "manager", "admin"},  # that it exists, and its state
        "open": {"owner"},
        "view": {"owner", "viewer"},
        "end": {"owner", "manager", "admin"},
        "discard": {"owner", "admin"},
        "allow_view": {"owner"},
    },
    "application": {
        "read": {"allowed_group", "application_admin", "admin"},
        "run": {"allowed_group", "application_admin", "admin"},
        "manage": {"application_admin", "admin"},
    },
    "launcher": {"read": {"application_admin", "admin"}, "manage": {"application_admin", "admin"}},
    "site": {"read": {"admin"}, "manage": {"admin"}, "audit": {"admin"}, "monitor": {"application_admin", "admin"}},
}  # fmt: skip
_WORDS = {
    "dataset": "dataset",
    "example": "dataset",
    "data_file": "data file",
    "calculation": "calculation",
    "batch": "batch",
    "session": "interactive session",
    "application": "application",
    "launcher": "launcher",
    "site": "page",
}


def relations(actor: Actor, resource: Resource) -> set[str]:
    """How the actor stands to the object, in the words of RULES."""
    found = {"everybody"}
    if resource.owner_id is not None and resource.owner_id == actor.person_id:
        found.add("owner")
    mine = actor.group_ids
    if resource.group_id is not None:
        for relation, groups in (("member", mine), ("manager", actor.manages), ("curator", actor.curates)):
            if resource.group_id in groups or (relation != "member" and EVERY_GROUP in groups):
                found.add(relation)
    for grant in resource.grants:
        if grant.person_id == actor.person_id or (grant.group_id is not None and grant.group_id in mine):
            found.add({"read": "reader", "write": "writer", "view": "reader"}[grant.mode])
    if resource.kind == "session" and resource.view_only_allowed and "manager" in found:
        found.add("viewer")
    if resource.restricted_to is None or resource.restricted_to & mine:
        found.add("allowed_group")
    if actor.application_admin:
        found.add("application_admin")
    if actor.admin:
        found.add("admin")
    return found


def allows(actor: Actor, action: str, resource: Resource) -> bool:
    """True when the table allows this action. An action the table does not know is nobody's."""
    return bool(RULES[resource.kind].get(action, set()) & relations(actor, resource))


def notice(actor: Actor, action: str, kind: str, object_id: str = "") -> None:
    """Remember that only the administrator's right allowed this."""
    if actor.admin and actor.noticed is not None and len(actor.noticed) < 100:
        actor.noticed.append((action, kind, object_id))


def missing(kind: str, object_id: object) -> NotFound:
    """The one answer for what is not there and for what is hidden."""
    return NotFound(f"There is no {_WORDS.get(kind, kind)} {str(object_id)[:200]!r}.")


def authorize(actor: Actor, action: str, resource: Resource) -> None:
    """Raises NotFound when the actor may not see the object, NotAllowed when they see it but may not do this."""
    rules, held = RULES[resource.kind], relations(actor, resource)
    allowing = rules.get(action, set()) & held
    if allowing:
        if allowing == {"admin"} and resource.owner_id is not None:
            notice(actor, action, resource.kind, resource.id)
        return
    if not rules["read"] & held:
        raise missing(resource.kind, resource.id)
    who = sorted(rules.get(action, set()) - {"admin"})
    raise NotAllowed(
        f"You may see this {_WORDS[resource.kind]} but not {action.replace('_', ' ')} it.",
        why=f"That is for: {', '.join(who).replace('_', ' ')}."
        if who
        else "Nobody may: the record stays as it is.",
        action=action,
    )


# ---------------------------------------------------------------- the same rules for lists


def visibility_filters(
    actor: Actor, table: sa.Table, now: float | None = None
) -> list[sa.ColumnElement[bool]] | None:
    """Conditions that together give what the actor may read in `table`; None = everything.

    Each condition alone is answered by an index in the order of ids, so a page is the newest of all branches'
    newest (see `store.paging`), and its cost does not grow with other people's rows.
    """
    if actor.admin:
        notice(actor, "list", table.name)
        return None
    found: list[sa.ColumnElement[bool]] = [table.c.owner_id == actor.person_id]
    seeing = actor.group_ids if table is not sessions else frozenset()
    seeing |= actor.manages
    if table in (datasets, data_files):
        seeing |= actor.curates
        kind = sa.literal("example")
        if table is datasets:
            found.append(datasets.c.kind == kind)
    if EVERY_GROUP in seeing:
        found.append(table.c.group_id.isnot(None))
    else:
        found += [table.c.group_id == group_id for group_id in sorted(seeing)]
    shared = _shared_with(actor, table, time.time() if now is None else now)
    if shared is not None:
        found.append(shared)
    return found


def trash_filters(actor: Actor, table: sa.Table) -> list[sa.ColumnElement[bool]] | None:
    """The same for what was deleted: only who may bring it back sees it."""
    if actor.admin:
        notice(actor, "list deleted", table.name)
        return None
    own = table.c.owner_id == actor.person_id
    if EVERY_GROUP in actor.curates:
        return [own, table.c.group_id.isnot(None)]
    return [own, *(table.c.group_id == group_id for group_id in sorted(actor.curates))]


def _shared_with(actor: Actor, table: sa.Table, now: float) -> sa.ColumnElement[bool] | None:
    kinds = {datasets: "dataset", data_files: "data_file", calculations: "calculation"}
    if table not in kinds:
        return None
    holds = sa.and_(
        shares.c.revoked_at.is_(None),
        sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > now),
        sa.or_(shares.c.person_id == actor.person_id, shares.c.group_id.in_(sorted(actor.group_ids) or [-1])),
    )
    own = table.c.id.in_(sa.select(shares.c.object_id).where(holds, shares.c.kind == kinds[table]))
    if table is not data_files:
        return own
    through = data_files.c.dataset_id.in_(
        sa.union(
            sa.select(shares.c.object_id).where(holds, shares.c.kind == "dataset"),
            sa.select(datasets.c.id).where(datasets.c.kind == "example"),
        )
    )
    return sa.or_(own, through)


def visible(actor: Actor, table: sa.Table) -> sa.ColumnElement[bool]:
    """One condition: what the actor may read in `table`."""
    parts = visibility_filters(actor, table)
    return sa.true() if parts is None else sa.or_(*parts)


def sees_event(actor: Actor, event: Any, shared: frozenset[str] = frozenset()) -> bool:
    """True when an event may be told to the actor. `shared`: ids of objects shared with them."""
    if actor.admin or event.owner_id is None or event.owner_id == actor.person_id:
        return True
    if event.group_id is not None:
        groups = actor.group_ids | actor.manages if event.kind != "session" else actor.manages
        if event.kind in ("dataset", "data_file"):
            groups |= actor.curates
        if event.group_id in groups or EVERY_GROUP in groups:
            return True
    return event.object_id in shared
