"""Groups: the table, and the page of one group. Group managers see the groups they manage, and nothing of others."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from jupyterhub import orm
from qcrbox.contract.errors import NotAllowed, QcError, UserInputError
from tornado import web

from qcrbox_hub.accounts.membership import GROUP_ROLES, Membership
from qcrbox_hub.admin.acts import administrators_only, destructive, with_reason
from qcrbox_hub.admin.directory import Directory, GroupRow
from qcrbox_hub.admin.limits import QUOTAS, own_limits, read_limits, set_limits
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.sections import Power
from qcrbox_hub.admin.tables import Asked, Column

MOST_AT_ONCE = 500
DATA_CHOICES = {
    "wait": "Keep it for an administrator's decision",
    "owners": "Give it to its owners",
    "group": "Hand it over to another group",
    "archive": "Archive it",
    "delete": "Delete it (it stays in the trash until its time is over)",
}


def pasted_names(text: str) -> list[str]:
    """The names of a pasted list, each once, in small letters; quotes and byte order mark of a spreadsheet go."""
    names = re.split(r"[\s,;\"\ufeff]+", text.lower())
    return list(dict.fromkeys(name for name in names if name))


class GroupPage(AdminPage):
    """What both pages share: which groups the person may see."""

    path = "/groups"
    changes = "group"
    powers = frozenset({Power.ADMINISTRATOR, Power.GROUPS})

    @property
    def membership(self) -> Membership:
        """Members and roles of the groups."""
        return Membership(self.db, self.authenticator.group)

    @property
    def directory(self) -> Directory:
        """Read access to accounts and groups."""
        return Directory(self.db, self.authenticator)

    @property
    def managed(self) -> list[str] | None:
        """Names of the groups the person manages; None: an administrator, who sees every group."""
        if self.is_administrator:
            return None
        me = self.current_user.orm_user
        return [group.name for group in me.groups if self.membership.manages(me, group.name)]

    async def usage_of(self, names: list[str]) -> dict[str, dict[str, Any]] | None:
        """Use of groups by name, without those that the registry does not know; None: it does not answer."""
        try:
            rows = (await self.registry.get("/api/usage", group=names))["usage"] if names else []
        except QcError as error:
            self.log.warning("administration: no usage: %s", error.message)
            return None
        return {row["name"]: row for row in rows}


class Groups(GroupPage):
    """The table of groups."""

    columns = (
        Column("name", "Name", sortable=True),
        Column("members", "Members", sortable=True, numeric=True),
        Column("managers", "Managers"),
        Column("gib", "GiB", numeric=True),
        Column("cpu_hours", "CPU h, month", numeric=True),
        Column("running", "Running", numeric=True),
        Column("queued", "Waiting", numeric=True),
        Column("switches", "Switches"),
    )

    @web.authenticated
    async def get(self) -> None:
        """Show the groups this person may see, or send the table as CSV."""
        asked = self.asked(sort="name")
        if self.wants_csv:
            await self.send_csv("groups", self._portions(asked))
            return
        rows, total = self.directory.groups(asked, self.managed)
        await self.show_page("groups.html", asked=asked, rows=await self._with_usage(rows), total=total)

    async def _portions(self, asked: Asked) -> AsyncIterator[list[Mapping[str, Any]]]:
        for rows in self.directory.all_groups(asked, self.managed):
            yield await self._with_usage(rows)

    async def _with_usage(self, rows: list[GroupRow]) -> list[Mapping[str, Any]]:
        used = await self.usage_of([row.name for row in rows]) or {}
        return [
            {
                "name": row.name,
                "members": row.members,
                "managers": row.managers,
                "switches": row.switches,
                **{key: used.get(row.name, {}).get(key) for key in ("gib", "cpu_hours", "running", "queued")},
            }
            for row in rows
        ]

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act; only administrators have one here."""
        if not self.is_administrator:
            raise web.HTTPError(403, "Only administrators make groups.")
        await self.act()

    async def do_make(self) -> str:
        """Create a group."""
        self.membership.create(self.field("name"))
        return f"The group {self.field('name')} is made."


class Group(GroupPage):
    """One group."""

    columns = (
        Column("name", "Name", sortable=True),
        Column("roles", "Roles in the group"),
        Column("last_activity", "Last activity", sortable=True),
    )

    def _found(self, name: str) -> Any:
        """Not there and not theirs give the same answer."""
        group, managed = orm.Group.find(self.db, name), self.managed
        if group is None or (managed is not None and name not in managed):
            raise web.HTTPError(404)
        return group

    @web.authenticated
    async def get(self, name: str) -> None:
        """Show the group and its members, 404 for those who do not manage it."""
        group = self._found(name)
        asked = self.asked(sort="name")
        rows, total = self.directory.people(replace(asked, filters={"group": name}))
        usage = await self.usage_of([name])
        await self.show_page(
            "group.html",
            group=name,
            asked=asked,
            rows=[
                {
                    "name": row.name,
                    "last_activity": row.last_activity,
                    "state": row.state,
                    "held": [
                        kind for kind in GROUP_ROLES if f"{kind.replace('_', ' ')} of {name}" in row.roles
                    ],
                }
                for row in rows
            ],
            total=total,
            usage=(usage or {}).get(name),
            no_usage=self.words_of_usage(usage, name),
            limits=await self._limits(name),
            quotas=QUOTAS,
            kinds={kind: kind.replace("_", " ") for kind in GROUP_ROLES},
            common=name == self.authenticator.group,
            properties=dict(group.properties or {}),
            images=self.settings["qcrbox_images"],
            data_choices=DATA_CHOICES,
        )

    @staticmethod
    def words_of_usage(usage: dict[str, dict[str, Any]] | None, name: str) -> str:
        """Why there are no figures of the group; "" where there are some. usage: as of `usage_of`."""
        if usage is None:
            return "The registry does not answer. Load this page again in a minute."
        if name not in usage:
            return (
                "The registry does not know this group yet: no member has used it since the group was made."
            )
        return ""

    def _held(self, person: str, group: str) -> list[str]:
        return self.membership.roles_of(self.membership.person(person), group)

    async def _limits(self, name: str) -> dict[str, float]:
        if not self.is_administrator:
            return {}
        try:
            return await own_limits(self.registry, "group", name)
        except QcError:
            return {}

    @web.authenticated
    async def post(self, name: str) -> None:
        """Carry out an act on this group."""
        self._found(name)
        self.name = name
        await self.act(f"{self.root}/groups" if self.field("action") == "delete" else "")

    async def do_add(self) -> str:
        """Add people by name, separated by spaces, commas or semicolons."""
        names = pasted_names(self.field("people"))
        if not 0 < len(names) <= MOST_AT_ONCE:
            raise UserInputError(f"Name one to {MOST_AT_ONCE} people.")
        self.membership.add(self.name, names)
        return f"Added to {self.name}: {', '.join(names)}."

    @with_reason
    async def do_remove(self) -> str:
        """Take a person out; who has a role in the group only as an administrator."""
        person = self.field("person")
        if not self.is_administrator and self._held(person, self.name):
            raise NotAllowed(
                f"{person} has a role in {self.name}.", next="Only an administrator may remove them."
            )
        self.membership.remove(self.name, person)
        return f"{person} is not in {self.name} any more."

    @administrators_only
    async def do_give_role(self) -> str:
        """Give a member a role in the group."""
        return self._set_role(given=True)

    @administrators_only
    @with_reason
    async def do_take_role(self) -> str:
        """Take a role in the group from a member."""
        return self._set_role(given=False)

    def _set_role(self, *, given: bool) -> str:
        person, role = self.field("person"), self.field("role")
        self.membership.set_role(self.name, person, role, given=given)
        return f"{person} is {'now' if given else 'no longer'} {role.replace('_', ' ')} of {self.name}."

    @administrators_only
    async def do_limits(self) -> str:
        """Set the limits of the group."""
        return await set_limits(self.registry, "group", self.name, read_limits(self.field))

    @administrators_only
    async def do_switches(self) -> str:
        """Network and image of the members' servers; they hold from the next start of a server."""
        image = self.field("image")
        if image and image not in self.settings["qcrbox_images"]:
            raise UserInputError(f"{image[:100]} is none of the images in the settings.")
        self.membership.set_switches(self.name, internet=bool(self.field("internet")), image=image)
        return f"Servers of {self.name} use this from their next start on."

    @administrators_only
    @destructive(lambda page: page.name)
    async def do_delete(self) -> str:
        """Delete the group, whose name must be typed, and decide about its data."""
        choice, to, reason = self.field("data"), self.field("to"), self.reason
        if choice not in DATA_CHOICES:
            raise UserInputError("Choose what becomes of the data.")
        if choice == "group" and (not to or to == self.name):
            raise UserInputError("Name the other group that gets the data.")
        self.membership.delete(self.name)
        if choice == "wait":
            return f"The group {self.name} is deleted. Its data waits for a decision. Reason: {reason}"
        try:
            leftovers = (await self.registry.get("/api/leftovers"))["leftovers"]
            # The registry adds the day and a number to the name of a deleted group.
            mine = [
                row
                for row in leftovers
                if row["subject"] == "group" and row["name"].startswith(f"{self.name} (deleted ")
            ]
            if not mine:
                return (
                    f"The group {self.name} is deleted. No data of it waits for a decision. Reason: {reason}"
                )
            newest = max(mine, key=lambda row: str(row["gone_at"]))
            body = {"subject": "group", "id": newest["id"], "decision": choice, "reason": reason}
            await self.registry.call(
                "POST", "/api/leftovers", body | ({"to": to} if choice == "group" else {})
            )
        except QcError as error:
            return (
                f"The group {self.name} is deleted, but its data still waits for a decision: {error.message}"
            )
        return f"The group {self.name} is deleted, and its data: {DATA_CHOICES[choice].lower()}. Reason: {reason}"
