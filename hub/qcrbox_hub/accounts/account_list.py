"""Accounts, groups and members for the registry, at once: JupyterHub's own lists take seconds with thousands of people."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import isoformat
from sqlalchemy import select
from tornado import web

from qcrbox_hub.accounts.membership import GROUP_ROLES

# Rows of one query. Between two portions other requests are served.
PORTION = 1000


class AccountList(APIHandler):
    """`GET /hub/api/qcrbox/accounts`: `{"groups": [name], "people": {name: time of creation}}`.

    For tokens that may list every account and every group: the registry's. A cookie does not open it.
    """

    _accept_cookie_auth = False
    _accept_token_auth = True

    async def get(self) -> None:
        """Answer groups and people as JSON, 404 without the scopes to list both."""
        if not {"list:users", "list:groups", "read:users"} <= set(self.expanded_scopes):
            raise web.HTTPError(404)
        groups = [row.name async for row in self._rows(orm.Group, orm.Group.name)]
        people = {
            row.name: isoformat(row.created)
            async for row in self._rows(orm.User, orm.User.name, orm.User.created)
        }
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"groups": groups, "people": people}))

    async def _rows(self, table: Any, *columns: Any) -> Any:
        """Rows of a table by its key, in portions that do not hold the hub."""
        last = -1
        while True:
            query = select(table.id, *columns).where(table.id > last).order_by(table.id).limit(PORTION)
            rows = self.db.execute(query).all()
            for row in rows:
                yield row
            if len(rows) < PORTION:
                return
            last = rows[-1].id
            await asyncio.sleep(0)


class MemberList(APIHandler):
    """`GET /hub/api/qcrbox/groups/<name>/members`: `{"members": [{"name", "roles", "created", "last_activity"}]}`.

    roles are those for this group; created is the time by which the registry knows a renamed account; last_activity is null
    for a person who has never signed in. For tokens that may list every account and every group: the registry's. A cookie does not
    open it.
    """

    _accept_cookie_auth = False
    _accept_token_auth = True

    async def get(self, name: str) -> None:
        if not {"list:users", "list:groups", "read:users"} <= set(self.expanded_scopes):
            raise web.HTTPError(404)
        group = orm.Group.find(self.db, name)
        if group is None:
            raise web.HTTPError(404)
        kinds = {f"{prefix}-{name}": kind for kind, prefix in GROUP_ROLES.items()}
        members = [
            {
                "name": user.name,
                "roles": sorted(kinds[role.name] for role in user.roles if role.name in kinds),
                "created": isoformat(user.created),
                "last_activity": isoformat(user.last_activity),
            }
            for user in group.users
        ]
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"members": members}))
