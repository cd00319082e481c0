"""The page of the groups: administrators see all of them, a manager those they manage."""

from __future__ import annotations

import re
from typing import Any

from jupyterhub import orm
from qcrbox.contract.errors import NotAllowed, NotFound, QcError
from tornado import web

from qcrbox_hub.accounts.membership import GROUP_ROLES, Membership
from qcrbox_hub.accounts.pages import Page

LARGEST_LIST = 500


class Groups(Page):
    """Make groups, add and remove members, give and take roles in them."""

    @property
    def membership(self) -> Membership:
        """Changes of groups on the session of this request."""
        return Membership(self.db, self.authenticator.group)

    @property
    def is_admin(self) -> bool:
        """Whether the user may change every group."""
        return "admin:groups" in self.parsed_scopes

    @property
    def me(self) -> Any:
        """The user of this request as a row of JupyterHub's database."""
        return self.current_user.orm_user

    @web.authenticated
    async def get(self) -> None:
        """Show the groups."""
        await self._show()

    async def _show(self, *, message: str = "", problem: str = "", status: int = 200) -> None:
        membership = self.membership
        seen = [
            each for each in membership.groups() if self.is_admin or membership.manages(self.me, each.name)
        ]
        if not seen and not self.is_admin:
            raise web.HTTPError(404)
        await self.show(
            "groups.html",
            status=status,
            groups=[
                {
                    "name": group.name,
                    "common": group.name == self.authenticator.group,
                    "members": [
                        {"name": person.name, "roles": membership.roles_of(person, group.name)}
                        for person in sorted(group.users, key=lambda each: each.name)
                    ],
                }
                for group in seen
            ],
            kinds=list(GROUP_ROLES),
            is_admin=self.is_admin,
            message=message,
            problem=problem,
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out the action of the form and show the groups again."""
        if not await self.confirmed():
            return
        action = getattr(self, f"_do_{self.field('action')}", None)
        try:
            if action is None:
                raise NotFound("There is no such action.")
            message = action(self.field("group"))
        except QcError as error:
            self.db.rollback()
            await self._show(problem=error.message, status=error.status)
            return
        self.log.info("%s: groups: %s", self.current_user.name, message)
        await self._show(message=message)

    def _require(self, group: str, *, admin: bool = False) -> None:
        """Not allowed and not existing give the same answer."""
        manager = not admin and orm.Group.find(self.db, group) and self.membership.manages(self.me, group)
        if not (self.is_admin or manager):
            raise NotAllowed("You may not change this group.")

    def _do_create(self, group: str) -> str:
        self._require(group, admin=True)
        self.membership.create(group)
        return f"The group {group} is there."

    def _do_add(self, group: str) -> str:
        self._require(group)
        names = [name.lower() for name in re.split(r"[\s,;]+", self.field("people")) if name]
        if not 0 < len(names) <= LARGEST_LIST:
            raise NotFound("Name at least one person.")
        self.membership.add(group, names)
        return f"Added to {group}: {', '.join(names)}."

    def _do_remove(self, group: str) -> str:
        self._require(group)
        name = self.field("name")
        if not self.is_admin and self.membership.roles_of(self.membership.person(name), group):
            raise NotAllowed(f"{name} has a role in {group}.", next="Only an administrator may remove them.")
        self.membership.remove(group, name)
        return f"Removed from {group}: {name}."

    def _do_give(self, group: str) -> str:
        self._require(group, admin=True)
        self.membership.set_role(group, self.field("name"), self.field("role"), given=True)
        return f"{self.field('name')} is {self.field('role').replace('_', ' ')} of {group} now."

    def _do_take(self, group: str) -> str:
        self._require(group, admin=True)
        self.membership.set_role(group, self.field("name"), self.field("role"), given=False)
        return f"{self.field('name')} is {self.field('role').replace('_', ' ')} of {group} no more."
