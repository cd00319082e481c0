"""Invitation links, join codes, workshop passwords and lists of people.

Administrators invite into every group; a group's manager makes join codes of that group.
"""

from __future__ import annotations

from typing import Any

from qcrbox.contract.errors import NotAllowed, NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.accounts import bulk
from qcrbox_hub.accounts import invitations as store
from qcrbox_hub.accounts.invitations import Wanted
from qcrbox_hub.accounts.membership import Membership
from qcrbox_hub.accounts.tables import InvitationRow
from qcrbox_hub.admin.acts import administrators_only, with_reason
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.sections import Power
from qcrbox_hub.platform.whole_numbers import whole_number

KINDS = {"link": "Link", "code": "Join code", "workshop": "Workshop password"}
MOST_SHOWN = 500
# As the audit trail names the acts.
_ACTS = {
    "code": "make a join code",
    "link": "make an invitation link",
    "workshop": "set a workshop password",
    "import": "import people",
    "withdraw": "withdraw an invitation",
}


class Invitations(AdminPage):
    """Who is invited; what an act made is shown once, in its answer."""

    path = "/invitations"
    powers = frozenset({Power.ADMINISTRATOR, Power.GROUPS})
    changes = "site"
    # What came of the lines of a list, for the audit trail.
    outcomes: tuple[bulk.Outcome, ...] = ()
    # The group of the invitation that is withdrawn, for the audit trail.
    withdrawn = ""

    @property
    def invitations(self) -> store.Invitations:
        """Invitations, made in the name of this user."""
        return store.Invitations(self.db, self.current_user.name)

    def _groups(self) -> list[str]:
        membership, me = Membership(self.db, self.authenticator.group), self.current_user.orm_user
        return [
            each.name
            for each in membership.groups()
            if self.is_administrator or membership.manages(me, each.name)
        ]

    @web.authenticated
    async def get(self) -> None:
        """Show the invitations."""
        await self._show()

    async def _show(self, **values: Any) -> None:
        groups = self._groups()
        shown: dict[str, Any] = {"done": "", "secret": "", "outcomes": [], "list": ""}
        present = [
            each for each in self.invitations.present() if self.is_administrator or each.group in groups
        ]
        await self.show_page(
            "invitations.html",
            groups=groups,
            kinds=KINDS,
            present=[_shown(each) for each in present[:MOST_SHOWN]],
            total=len(present),
            join_url=f"{self.settings['qcrbox_addresses'].hub}{self.hub.base_url}join",
            **{**shown, **values},
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out the action of the form."""
        await self.act()

    async def _audit(self, *, allowed: bool) -> str:
        """Who may come in, through whom and for how long; never a code or password."""
        names = ("days", "uses", "number", "reason")
        details = {name: self.field(name)[:1000] for name in names if self.field(name)}
        if made := [f"{each.person.name}: {each.problem or 'made'}" for each in self.outcomes]:
            details["people"] = ", ".join(made)[:4000]
        group = self.withdrawn or self.field("group")
        action = self.field("action")
        return await self.audit(
            _ACTS.get(action, action), "group" if group else "site", group, details, allowed=allowed
        )

    def _require(self, group: str) -> None:
        if not self.is_administrator and group not in self._groups():
            raise NotAllowed("You may not invite people into this group.")

    def _days(self) -> float:
        return _number(self.field("days"), "days", 14.0)

    async def do_code(self) -> None:
        """Make a join code of a group."""
        group = self.field("group")
        self._require(group)
        uses = int(_number(self.field("uses"), "number of people", 60))
        _, secret = await self.invitations.make(Wanted("code", self._days(), group, uses=uses))
        await self._show(done=f"Join code for {group}, shown this once:", secret=secret)

    @administrators_only
    async def do_link(self) -> None:
        """Make an invitation link for one person, under a name that is given or chosen at its use."""
        group, role = self.field("group"), self.field("role") or "member"
        name = self.authenticator.normalize_username(self.field("name")) if self.field("name") else ""
        if name:
            problem = self.authenticator.problem_with_name(name)
            if not problem and self.authenticator.is_taken(name):
                problem = f"The name {name} is taken."
            if problem:
                raise UserInputError(problem)
        _, secret = await self.invitations.make(Wanted("link", self._days(), group, role, name))
        await self._show(done="Invitation link, shown this once:", secret=secret)

    @administrators_only
    async def do_workshop(self) -> str:
        """Set a workshop password of a group."""
        group, password = self.field("group"), self.field("workshop_password")
        if problem := self.authenticator.problem_with_password(password, password):
            raise UserInputError(problem)
        await self.invitations.make(Wanted("workshop", self._days(), group, uses=None, secret=password))
        return f"The workshop password of {group} holds from now on."

    @administrators_only
    async def do_import(self) -> None:
        """Make accounts and links for a list of people."""
        try:
            people = bulk.parse(self.field("people"))
        except QcError as error:
            await self._audit(allowed=False)
            await self._show(problem=str(error), list=self.field("people"), status=error.status)
            raise web.Finish from None
        self.outcomes = tuple(await bulk.make_accounts(self.service, people, self._days()))
        good = sum(not each.problem for each in self.outcomes)
        done = f"{good} of {len(self.outcomes)} lines were carried out."
        await self._show(done=done, outcomes=list(self.outcomes))

    @with_reason
    async def do_withdraw(self) -> str:
        """End an invitation. Accounts that were made with it stay."""
        number = whole_number(self.field("number")) or 0
        row = self.db.get(InvitationRow, number)
        if row is None or not (self.is_administrator or row.group in self._groups()):
            raise NotFound("This invitation no longer exists.", next="Load the page again.")
        self.withdrawn = row.group
        self.invitations.withdraw(number)
        return "The invitation is withdrawn."


def _shown(row: InvitationRow) -> dict[str, Any]:
    """An open invitation, without its hash."""
    names = ("id", "kind", "name", "group", "role", "uses_left", "made_by", "made_at", "expires_at")
    return {name: getattr(row, name) for name in names}


def _number(text: str, what: str, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise UserInputError(f"The {what} must be a positive number.", where=text[:20])
    return value
