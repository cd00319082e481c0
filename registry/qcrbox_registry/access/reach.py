"""Which rows of a list an actor may see: the table of rights as a filter of rows."""

from __future__ import annotations

from qcrbox_registry.access.rights import EVERY_GROUP, RULES, Actor, notice
from qcrbox_registry.store.visibility import TABLES, Reach

# Rights over other people's work: a list of one's own work is made without them.
_OVER_OTHERS = frozenset({"admin", "manager", "curator"})
# Shared data is work material; calculations and sessions of others are not.
_OWN_ONLY = frozenset({"calculation", "session"})


def reach(actor: Actor, kind: str, action: str = "read", *, mine: bool = False) -> Reach | None:
    """The rows of this kind on which the actor may do this; None: all rows.

    mine: without what only the rights of administrators, managers and data managers open; of calculations and sessions
    the actor's own.
    """
    allowing = RULES[kind][action]
    if mine:
        allowing = allowing & {"owner"} if kind in _OWN_ONLY else allowing - _OVER_OTHERS
    if actor.admin and "admin" in allowing:
        notice(actor, "list" if action == "read" else "list deleted", TABLES[kind].name)
        return None
    groups: frozenset[int] = frozenset()
    for relation, ids in (
        ("member", actor.group_ids),
        ("manager", actor.manages),
        ("curator", actor.curates),
    ):
        if relation in allowing:
            groups |= ids
    return Reach(
        kind=kind,
        person_id=actor.person_id,
        home_groups=groups - {EVERY_GROUP},
        any_home_group=EVERY_GROUP in groups,
        shares_of_groups=actor.group_ids if "reader" in allowing else None,
        examples=kind in ("dataset", "data_file") and action == "read",
    )
