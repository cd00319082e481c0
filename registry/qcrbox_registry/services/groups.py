"""Choosing the home group of what a person makes."""

from __future__ import annotations

from qcrbox.contract.errors import UserInputError

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.store import people
from qcrbox_registry.store.engine import Connection


def named_group(actor: Actor, name: str) -> int | None:
    """The id of a group of the actor; None for an empty name. Raises UserInputError."""
    if name == "":
        return None
    if name not in actor.groups:
        raise UserInputError(
            f"You are not in a group {name[:100]!r}.",
            next=f"Your groups: {', '.join(sorted(actor.groups)) or 'none'}.",
        )
    return actor.groups[name]


def last_group(conn: Connection, actor: Actor) -> int | None:
    """The home group the actor used last, while they are in it."""
    if not actor.groups:
        return None
    last = people.last_group(conn, actor.person_id)
    return last if last in actor.group_ids else None


def home_group(conn: Connection, actor: Actor, name: str | None) -> int | None:
    """The group of this name; None: the group used last; "": no group, privately. Raises UserInputError."""
    return last_group(conn, actor) if name is None else named_group(actor, name)
