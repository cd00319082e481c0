"""The page where invitations are used. They are made in the administration."""

from __future__ import annotations

from qcrbox.contract.errors import NotAllowed, QcError, UserInputError

from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.brake import Attempts
from qcrbox_hub.accounts.invitations import Invitations
from qcrbox_hub.accounts.membership import Membership
from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.tables import InvitationRow

# A class behind one address mistypes codes too; 59 bits are not guessed at this speed.
WRONG_CODES_PER_ADDRESS = Attempts(limit=60, window_s=600)


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
        group = row.group
        membership = Membership(self.db, self.authenticator.group)
        # Looked at before the code is used: who is in the group already, or may not enter it, takes no place of others.
        if membership.person(self.current_user.name) in membership.group(group).users:
            await self._show(code, None, done=group)
            return
        self.invitations.use(row)
        membership.add(group, [self.current_user.name])
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


_GONE = "This invitation does not hold: it has expired, is used up, was withdrawn, or was mistyped."
