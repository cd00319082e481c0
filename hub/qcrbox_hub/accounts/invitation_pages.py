"""Pages of invitations: where they are made, and where they are used."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.errors import NotAllowed, NotFound, QcError, UserInputError
from tornado import web

from qcrbox_hub.accounts import bulk
from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.brake import Attempts
from qcrbox_hub.accounts.invitations import Invitations, Wanted
from qcrbox_hub.accounts.membership import Membership
from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.tables import InvitationRow

# A class behind one address mistypes codes too; 59 bits are not guessed at this speed.
WRONG_CODES_PER_ADDRESS = Attempts(limit=60, window_s=600)


class Invite(Page):
    """Invitation links, join codes, workshop passwords and lists of people.

    Administrators for every group; a group's manager makes join codes of that group.
    """

    # The group of an invitation that is being withdrawn, for the audit trail.
    _withdrawn = ""

    @property
    def is_admin(self) -> bool:
        """Whether the user may invite into any group."""
        return "admin:users" in self.parsed_scopes

    @property
    def invitations(self) -> Invitations:
        """Invitations, made in the name of this user."""
        return Invitations(self.db, self.current_user.name)

    def _groups(self) -> list[str]:
        membership, me = Membership(self.db, self.authenticator.group), self.current_user.orm_user
        return [
            each.name for each in membership.groups() if self.is_admin or membership.manages(me, each.name)
        ]

    @web.authenticated
    async def get(self) -> None:
        """Show the invitations."""
        await self._show()

    async def _show(self, *, status: int = 200, **values: Any) -> None:
        groups = self._groups()
        if not groups and not self.is_admin:
            raise web.HTTPError(404)
        shown: dict[str, Any] = {"message": "", "problem": "", "secret": "", "outcomes": [], "list": ""}
        await self.show(
            "invitations.html",
            status=status,
            groups=groups,
            is_admin=self.is_admin,
            present=[each for each in self.invitations.present() if self.is_admin or each.group in groups],
            join_url=f"{self.settings['qcrbox_addresses'].hub}{self.hub.base_url}join",
            **{**shown, **values},
        )

    @web.authenticated
    async def post(self) -> None:
        """Carry out the action of the form; 404 for users who may not invite."""
        if not self._groups() and not self.is_admin:
            raise web.HTTPError(404)
        if not await self.confirmed():
            return
        action = getattr(self, f"_do_{self.field('action')}", None)
        try:
            if action is None:
                raise NotFound("There is no such action.")
            values = await action()
        except QcError as error:
            self.db.rollback()
            if action is not None:
                await self._audit({}, allowed=False)
            await self._show(problem=str(error), status=error.status, list=self.field("people"))
            return
        self.log.info("%s: invitations: %s", self.current_user.name, self.field("action"))
        unwritten = await self._audit(values)
        await self._show(**{**values, "problem": unwritten})

    async def _audit(self, values: dict[str, Any], *, allowed: bool = True) -> str:
        """Who may come in, through whom and for how long; never a code or password."""
        details = {name: self.field(name)[:100] for name in ("days", "uses", "number") if self.field(name)}
        if made := [f"{each.person.name}: {each.problem or 'made'}" for each in values.get("outcomes", [])]:
            details["people"] = ", ".join(made)[:4000]
        group = self._withdrawn or self.field("group")
        act = _ACTS[self.field("action")]
        return await self.audit(act, "group" if group else "site", group, details, allowed=allowed)

    def _require(self, group: str, *, admin: bool = False) -> None:
        if not self.is_admin and (admin or group not in self._groups()):
            raise NotAllowed("You may not invite people into this group.")

    def _days(self) -> float:
        return _number(self.field("days"), "days", 14.0)

    async def _do_code(self) -> dict[str, Any]:
        group = self.field("group")
        self._require(group)
        uses = int(_number(self.field("uses"), "number of people", 60))
        _, secret = await self.invitations.make(Wanted("code", self._days(), group, uses=uses))
        return {"message": f"Join code for {group}, shown this once:", "secret": secret}

    async def _do_workshop(self) -> dict[str, Any]:
        group, password = self.field("group"), self.field("workshop_password")
        self._require(group, admin=True)
        if problem := self.authenticator.problem_with_password(password, password):
            raise UserInputError(problem)
        await self.invitations.make(Wanted("workshop", self._days(), group, uses=None, secret=password))
        return {"message": f"The workshop password of {group} holds from now on."}

    async def _do_import(self) -> dict[str, Any]:
        self._require("", admin=True)
        outcomes = await bulk.make_accounts(self.service, bulk.parse(self.field("people")), self._days())
        good = sum(not each.problem for each in outcomes)
        return {"message": f"{good} of {len(outcomes)} lines were carried out.", "outcomes": outcomes}

    async def _do_withdraw(self) -> dict[str, Any]:
        number = int(self.field("number")) if self.field("number").isdigit() else 0
        row = self.db.get(InvitationRow, number)
        self._withdrawn = row.group if row is not None else ""
        self._require(self._withdrawn)
        self.invitations.withdraw(number)
        return {"message": "Withdrawn."}


class Join(Page):
    """Uses a link or code: makes an account, or lets a member into the group."""

    @property
    def invitations(self) -> Invitations:
        """Invitations on the session of this request."""
        return Invitations(self.db)

    async def get(self) -> None:
        """Show the form for the code of the link, or for typing a code."""
        code = self.get_query_argument("code", "")[:100]
        row = self._find(code) if code else None
        await self._show(code, row, "" if row or not code else _GONE)

    def _find(self, code: str) -> InvitationRow | None:
        """The invitation with this code; every wrong one counts for the address."""
        if WRONG_CODES_PER_ADDRESS.wait_s(client_address(self)):
            return None
        row = self.invitations.find(code)
        if row is None:
            WRONG_CODES_PER_ADDRESS.count(client_address(self))
        return row

    async def _show(
        self,
        code: str,
        row: InvitationRow | None,
        problem: str = "",
        *,
        name: str = "",
        done: str = "",
        status: int = 200,
    ) -> None:
        # The code must not travel to another site in a Referer header.
        self.set_header("Referrer-Policy", "same-origin")
        await self.show(
            "join.html",
            status=status,
            code=code if row else "",
            group=row.group if row else "",
            fixed_name=row.name if row else "",
            account=name,
            me=self.current_user.name if self.current_user else "",
            own_passwords=self.authenticator.own_passwords,
            closed=self.authenticator.one_person,
            problem=problem,
            done=done,
        )

    async def post(self) -> None:
        """Use the code: create an account, or add the user to the group."""
        code = self.field("code")[:100]
        row = self._find(code)
        if row is None:
            await self._show("", None, _GONE, status=404)
            return
        try:
            if self.current_user is not None:
                await self._enter_group(code, row)
            else:
                await self._make_account(code, row)
        except QcError as error:
            self.db.rollback()
            await self._show(code, row, error.message, name=self.field("username")[:32], status=error.status)

    async def _enter_group(self, code: str, row: InvitationRow) -> None:
        if row.kind != "code":
            raise UserInputError(
                "This link makes a new account, and you are signed in.",
                next="Sign out first, then open it again.",
            )
        self.invitations.use(row)
        group = row.group
        Membership(self.db, self.authenticator.group).add(group, [self.current_user.name])
        self.log.info("%s joins %s by a code", self.current_user.name, group)
        await self._show(code, None, done=group)

    async def _make_account(self, code: str, row: InvitationRow) -> None:
        if self.authenticator.one_person or not self.authenticator.own_passwords:
            raise NotAllowed("Sign-up is closed on this platform.", next="Sign in, then open the link again.")
        name = row.name or self.authenticator.normalize_username(self.field("username"))
        password = self.field("password")
        problem = self.authenticator.problem_with(name, password, self.field("password_confirmation"))
        if not problem and self.authenticator.is_taken(name):
            problem = f"The name {name} is taken. Choose another one."
        if problem:
            raise UserInputError(problem)
        group, role = row.group, row.role
        # Used up before the account is made: two posts at the same time must not make two accounts.
        self.invitations.use(row)
        await self.authenticator.new_account(name, password, approved=True)
        user = self.service_for(name).enter(name, group, role)
        self.log.info("%s has an account by an invitation into %s", name, group or "no group")
        self.set_login_cookie(user)
        recent.note(user, self.get_session_cookie())
        self.redirect(self.hub.base_url + "home")


_ACTS = {
    "code": "make a join code",
    "workshop": "set a workshop password",
    "import": "import people",
    "withdraw": "withdraw an invitation",
}
_GONE = "This invitation does not hold: it has expired, is used up, was withdrawn, or was mistyped."


def _number(text: str, what: str, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise UserInputError(f"The {what} must be a positive number.", where=text[:20])
    return value
