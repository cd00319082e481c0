"""Accounts and groups that the hub has and the registry has not met yet."""

from __future__ import annotations

import time

from qcrbox.contract.errors import Unreachable

from qcrbox_registry.services.context import Context
from qcrbox_registry.store import people
from qcrbox_registry.store.engine import Connection


async def introduce(context: Context, subject: str, name: str | None) -> None:
    """Write down an account (`person`) or `group` of the hub, so that limits and rules can name it before its first request.

    Only for administrators: the answer tells which accounts there are. Nothing happens without a hub, or for a name that it
    does not have. A new account of an old name is another person, also before the old one is noted as gone.
    """
    if not name or subject not in ("person", "group"):
        return
    try:
        hub = await context.identity.accounts()
    except Unreachable:
        # Who is known here can be found without the hub; for others the search says that there is nobody.
        return
    if hub is None:
        return

    def write(conn: Connection) -> None:
        now = time.time()
        if subject == "group" and name in hub.groups:
            people.ensure_groups(conn, [name], now)
        if subject == "person" and name in hub.people:
            people.follow_renames(conn, hub)  # else a renamed account would be written down a second time
            people.introduce_person(conn, name, hub.people[name], now)

    await context.db.write(write)
