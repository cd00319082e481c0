"""People: the table, and the page of one person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from qcrbox.contract.errors import NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.accounts.membership import GROUP_ROLES, Membership
from qcrbox_hub.admin.acts import destructive, with_reason
from qcrbox_hub.admin.directory import STATES, Directory, PersonRow
from qcrbox_hub.admin.limits import QUOTAS, own_limits, read_limits, set_limits
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.tables import Column
from qcrbox_hub.platform.whole_numbers import whole_number

DATA_CHOICES = {
    "wait": "Keep it for an administrator's decision (30 days)",
    "archive": "Archive it",
    "person": "Hand it over to a person",
    "group": "Hand it over to a group",
    "delete": "Delete it (it stays in the trash until its time is over)",
}


class People(AdminPage):
    """Everyone with an account, and those who wait for one."""

    path = "/people"
    changes = "person"
    columns = (
        Column("name", "Name", sortable=True),
        Column("state", "State"),
        Column("roles", "Roles"),
        Column("groups", "Groups"),
        Column("last_activity", "Last activity", sortable=True),
        Column("created", "Since", sortable=True),
        Column("gib", "GiB", numeric=True),
        Column("cpu_hours", "CPU h, month", numeric=True),
        Column("running", "Running", numeric=True),
    )

    @property
    def directory(self) -> Directory:
        """Read access to accounts and groups."""
        return Directory(self.db, self.authenticator)

    @web.authenticated
    async def get(self) -> None:
        """Show accounts and open requests for one, or send the accounts as CSV."""
        asked = self.asked(("state", "group"), sort="name")
        if self.wants_csv:
            await self.send_csv("people", self._portions(asked))
            return
        rows, total = self.directory.people(asked)
        await self.show_page(
            "people.html",
            asked=asked,
            rows=await self._with_usage(rows),
            total=total,
            states=list(STATES.items()),
            requests=[
                {
                    "id": each.id,
                    "name": each.name,
                    "asked_at": each.asked_at,
                    "address": each.address,
                    "taken": self.authenticator.is_taken(each.name),
                }
                for each in (self.service.requests() if self.authenticator.own_passwords else [])
            ],
            one_person=self.authenticator.one_person,
            walls_what=self.authenticator.walls_what,
            walls_stronger=self.authenticator.walls_stronger,
        )

    async def _portions(self, asked: Any) -> AsyncIterator[list[Mapping[str, Any]]]:
        for rows in self.directory.all_people(asked):
            yield await self._with_usage(rows)

    async def _with_usage(self, rows: list[PersonRow]) -> list[Mapping[str, Any]]:
        """Rows for the table; figures are missing while the registry is away."""
        used: dict[str, dict[str, Any]] = {}
        try:
            names = [row.name for row in rows]
            if names:
                answer = await self.registry.get("/api/usage", person=names)
                used = {each["name"]: each for each in answer["usage"]}
        except QcError as error:
            self.log.warning("administration: no usage: %s", error.message)
        return [
            {
                "name": row.name,
                "state": row.state,
                "server": row.server,
                "roles": row.roles,
                "groups": row.groups,
                "created": row.created,
                "last_activity": row.last_activity,
                **{key: used.get(row.name, {}).get(key) for key in ("gib", "cpu_hours", "running")},
            }
            for row in rows
        ]

    @web.authenticated
    async def post(self) -> None:
        """Carry out an act on requests, or create an account."""
        await self.act()

    async def do_approve(self) -> str:
        """Those chosen, each under its name or, where that is taken, under the one of the field `as_<request>`."""
        return self._each("Approved", lambda number: self.service.approve(number, self.field(f"as_{number}")))

    @with_reason
    async def do_refuse(self) -> str:
        """Refuse the chosen requests."""
        return self._each("Refused", self.service.refuse)

    def _each(self, done: str, act: Callable[[int], str]) -> str:
        """Carry out the act for each request that was chosen; one that is refused does not stop the others."""
        names, problems = [], []
        for number in self._numbers():
            try:
                names.append(act(number))
            except QcError as error:
                self.db.rollback()
                problems.append(error)
        if not names:
            raise problems[0]
        self.name = ", ".join(names)
        return " ".join([f"{done}: {', '.join(names)}.", *(problem.message for problem in problems)])

    async def do_make(self) -> None:
        """A new account with a start password that is shown once."""
        name = self.authenticator.normalize_username(self.field("name"))
        password = await self.service.make(name, self.field("group"))
        self.log.info("%s: administration: made the account %s", self.current_user.name, name)
        await self.show_page("new-password.html", person=name, password=password, made=True)

    def _numbers(self) -> list[int]:
        """Requests by number, or by the name that was asked for: of several of one name, the first."""
        sent = map(whole_number, self.get_body_arguments("request"))
        numbers = [number for number in sent if number is not None]
        asked = {request.name: request.id for request in reversed(self.service.requests())}
        numbers += [asked[name] for name in self.get_body_arguments("name") if name in asked]
        if not numbers:
            raise UserInputError("Choose at least one request.")
        return numbers


class Person(AdminPage):
    """One person: what they are and use, and everything that can be done with the account."""

    path = "/people"
    changes = "person"

    @property
    def membership(self) -> Membership:
        """Members and roles of the groups."""
        return Membership(self.db, self.authenticator.group)

    def _row(self, name: str) -> PersonRow:
        try:
            return Directory(self.db, self.authenticator).person(name)
        except NotFound as error:
            raise web.HTTPError(404, error.message) from None

    @web.authenticated
    async def get(self, name: str) -> None:
        """Show one person, 404 for an unknown name."""
        row = self._row(name)
        usage, limits, problem = await self._figures(name)
        lock = await self._lock(name) if row.state == "locked" else None
        held = {group: self.membership.roles_of(self.membership.person(name), group) for group in row.groups}
        await self.show_page(
            "person.html",
            row=row,
            usage=usage,
            limits=limits,
            away=problem,
            quotas=QUOTAS,
            held=held,
            lock=lock,
            kinds={kind: kind.replace("_", " ") for kind in GROUP_ROLES},
            common=self.authenticator.group,
            data_choices=DATA_CHOICES,
            is_self=name == self.current_user.name,
        )

    async def _lock(self, name: str) -> dict[str, Any] | None:
        """By whom, when and why the person was locked, as the audit trail keeps it; None when it does not."""
        try:
            found = await self.registry.get(
                "/api/audit", object_id=name, action="lock", allowed="true", limit=1
            )
        except QcError as error:
            self.log.warning("administration: no reason of a lock: %s", error.message)
            return None
        rows = found["audit"]
        return {**rows[0], "reason": rows[0]["details"].get("reason", "")} if rows else None

    async def _figures(self, name: str) -> tuple[dict[str, Any] | None, dict[str, float], str]:
        try:
            usage = (await self.registry.get("/api/usage", person=[name]))["usage"]
            own = await own_limits(self.registry, "person", name)
        except QcError as error:
            return None, {}, error.message
        return (usage[0] if usage else None), own, ""

    @web.authenticated
    async def post(self, name: str) -> None:
        """Carry out an act on this account."""
        self._row(name)
        self.name = name
        await self.act(f"{self.root}/people" if self.field("action") == "delete" else "")

    @destructive(lambda page: page.name)
    async def do_lock(self) -> str:
        """Lock the account, with a reason that the audit trail keeps."""
        await self.service.lock(self.name)
        return f"{self.name} is locked. Reason: {self.reason}"

    async def do_unlock(self) -> str:
        """Unlock the account."""
        self.service.unlock(self.name)
        return f"{self.name} is unlocked."

    @destructive(lambda page: page.name)
    async def do_new_password(self) -> None:
        """Set a new start password and show it once."""
        password = await self.service.new_password(self.name)
        self.log.info("%s: administration: new password for %s", self.current_user.name, self.name)
        await self.show_page("new-password.html", person=self.name, password=password, made=False)

    @destructive(lambda page: page.name)
    async def do_sign_out(self) -> str:
        """End every sign-in of the person, and delete their tokens where that is chosen."""
        tokens = bool(self.field("tokens"))
        await self.service.sign_out(self.name, tokens=tokens)
        return f"{self.name} is signed out everywhere{', and their tokens are gone' if tokens else ''}."

    @destructive(lambda page: page.name)
    async def do_make_administrator(self) -> str:
        """Make the person an administrator."""
        self.service.make_administrator(self.name)
        return f"{self.name} is an administrator."

    @with_reason
    async def do_make_member(self) -> str:
        """Make an administrator a plain member."""
        self.service.make_member(self.name)
        return f"{self.name} is not an administrator any more."

    async def do_give_applications(self) -> str:
        """Let the person administer applications."""
        self.service.set_application_administrator(self.name, given=True)
        return f"{self.name} administers applications."

    @with_reason
    async def do_take_applications(self) -> str:
        """Take the administration of applications from the person."""
        self.service.set_application_administrator(self.name, given=False)
        return f"{self.name} does not administer applications any more."

    async def do_add_to_group(self) -> str:
        """Add the person to a group."""
        self.membership.add(self.field("group"), [self.name])
        return f"{self.name} is in {self.field('group')}."

    @with_reason
    async def do_remove_from_group(self) -> str:
        """Take the person out of a group."""
        self.membership.remove(self.field("group"), self.name)
        return f"{self.name} is not in {self.field('group')} any more."

    async def do_give_role(self) -> str:
        """Give the person a role in a group."""
        return self._set_role(given=True)

    @with_reason
    async def do_take_role(self) -> str:
        """Take a role in a group from the person."""
        return self._set_role(given=False)

    def _set_role(self, *, given: bool) -> str:
        group, role = self.field("group"), self.field("role")
        self.membership.set_role(group, self.name, role, given=given)
        return f"{self.name} is {'now' if given else 'no longer'} {role.replace('_', ' ')} of {group}."

    async def do_limits(self) -> str:
        """Set the limits of the person."""
        return await set_limits(self.registry, "person", self.name, read_limits(self.field))

    @destructive(lambda page: page.name)
    async def do_delete(self) -> str:
        """The account goes at once; what becomes of the private data is the registry's to carry out."""
        choice, to, reason = self.field("data"), self.field("to"), self.reason
        if choice not in DATA_CHOICES:
            raise UserInputError("Choose what becomes of the data.")
        if choice in ("person", "group") and not to:
            raise UserInputError(f"Name the {choice} that gets the data.")
        await self.service.delete(self.name)
        if choice == "wait":
            return (
                f"The account {self.name} is deleted. Its private data waits for a decision. Reason: {reason}"
            )
        try:
            decided = await self._decide(choice, to, reason)
        except QcError as error:
            return f"The account {self.name} is deleted, but its data still waits for a decision: {error.message}"
        if not decided:
            # The registry notes the deletion of very young accounts a minute later.
            return (
                f"The account {self.name} is deleted. No private data of it waits for a decision; what was stored in"
                f" its first minute appears under Storage soon. Reason: {reason}"
            )
        return f"The account {self.name} is deleted, and its data: {DATA_CHOICES[choice].lower()}. Reason: {reason}"

    async def _decide(self, choice: str, to: str, reason: str) -> bool:
        """Let the registry carry out what becomes of the data; False when there is none."""
        leftovers = (await self.registry.get("/api/leftovers"))["leftovers"]
        mine = [row for row in leftovers if row["subject"] == "person" and row["name"] == self.name]
        if not mine:
            return False
        newest = max(mine, key=lambda row: str(row["gone_at"]))
        body = {"subject": "person", "id": newest["id"], "decision": choice, "reason": reason}
        await self.registry.call(
            "POST", "/api/leftovers", body | ({"to": to} if choice in ("person", "group") else {})
        )
        return True
