"""What administrators do with accounts, as functions: pages, the admin service and the command line call these.

They check neither rights nor passwords; the caller does (`pages.Page.confirmed`). Each raises an error of
`qcrbox.contract.errors` with words for the person, and returns after the change is stored.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

from jupyterhub import orm
from jupyterhub.orm import new_token
from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox.contract.previews import is_preview

from qcrbox_hub.accounts.membership import (
    SERVER_TOKEN_NOTE,
    Membership,
    give_administrator,
    give_or_take,
)
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.roles import APPLICATIONS_ROLE
from qcrbox_hub.accounts.tables import RequestRow

# The hub's own name as an OAuth client: tokens that a person made on the token page, not those of sign-ins.
_MADE_BY_HAND = "jupyterhub"


class HubAccess(Protocol):
    """What the service needs of the hub; every handler of the hub has it."""

    db: Any
    authenticator: Any
    users: Any

    def find_user(self, name: str) -> Any:
        """The hub's object for a user who has been seen by it, otherwise None."""

    def user_from_username(self, name: str) -> Any:
        """The hub's object for a user; created if it is missing."""

    async def stop_single_user(self, user: Any, server_name: str = "") -> Any:
        """Stop a server of the user and wait for its end."""


class AccountService:
    """Accounts of one hub. `by` is the name of the acting administrator, who cannot take away their own rights."""

    def __init__(self, hub: HubAccess, by: str, clock: Callable[[], float] = time.time) -> None:
        self.hub, self.by, self.clock = hub, by, clock
        self.session, self.authenticator = hub.db, hub.authenticator

    # ------------------------------------------------------------ asking for an account

    def requests(self) -> list[RequestRow]:
        """Requests for accounts, oldest first."""
        return self.session.query(RequestRow).order_by(RequestRow.asked_at).all()

    def approve(self, request_id: int, name: str = "") -> str:
        """Make the account that was asked for, under its name or another one. Returns the name."""
        request = self._request(request_id)
        name = self.authenticator.normalize_username(name or request.name)
        if problem := self.authenticator.problem_with_name(name):
            raise UserInputError(problem)
        if self.authenticator.is_taken(name):
            raise Conflict(
                f"The name {name} is taken.", next="Approve the request under another name, or refuse it."
            )
        self.authenticator.store_account(name, request.password, approved=True)
        self.session.delete(request)
        self.session.commit()
        self.enter(name)
        return name

    async def make(self, name: str, group: str = "") -> str:
        """Make an account with a password that is shown once and has to be changed. Returns the password."""
        if not self.authenticator.own_passwords:
            raise UserInputError("Accounts come from the sign-in provider.")
        if problem := self.authenticator.problem_with_name(name):
            raise UserInputError(problem)
        if self.authenticator.user_exists(name):
            raise Conflict(f"The name {name} is taken.")
        if group:
            Membership(self.session, self.authenticator.group).group(group)  # raises NotFound
        password = secrets.token_urlsafe(12)
        await self.authenticator.new_account(name, password, approved=True)
        self.authenticator.set_password_state(name, must_change=True)
        self.enter(name, group)
        return password

    def refuse(self, request_id: int) -> str:
        """Delete a request; returns the name. Raises NotFound."""
        request = self._request(request_id)
        self.session.delete(request)
        self.session.commit()
        return str(request.name)

    def _request(self, request_id: int) -> RequestRow:
        request = self.session.get(RequestRow, request_id)
        if request is None:
            raise NotFound("This request no longer exists.", next="Load the page again.")
        return request

    # ------------------------------------------------------------ accounts

    def enter(self, name: str, group: str = "", role: str = "") -> Any:
        """Let an account be a member from now on: the hub's user, the common group, and one group more."""
        user = self.hub.user_from_username(name)
        self.authenticator.add_user(user.orm_user)
        if group:
            membership = Membership(self.session, self.authenticator.group)
            membership.add(group, [name])
            if role and role != "member":
                membership.set_role(group, name, role, given=True)
        self.session.commit()
        return user

    async def lock(self, name: str) -> None:
        """No sign-in any more; what is open ends: server, tokens, sign-ins. The account's data stay."""
        if name == self.by:
            raise UserInputError("You cannot lock yourself.")
        self.authenticator.set_approved(name, approved=False)
        user = self.hub.find_user(name)
        if user is None:
            return
        if user.admin:
            give_administrator(self.session, user, admin=False)
        self._end_sign_ins(user, tokens=True, servers=True)
        await self._stop_server(user)

    def unlock(self, name: str) -> None:
        """Let a locked account sign in again."""
        self.authenticator.set_approved(name, approved=True)
        self.enter(name)

    async def sign_out(self, name: str, *, tokens: bool) -> None:
        """End every sign-in of a person, their Jupyter server, and by choice their tokens."""
        user = self._user(name)
        self._end_sign_ins(user, tokens=tokens, servers=True)
        await self._stop_server(user)

    async def new_password(self, name: str) -> str:
        """A password for someone who has forgotten theirs, to be changed at the next sign-in. Ends their sign-ins."""
        if not self.authenticator.own_passwords:
            raise UserInputError("Passwords are kept by the sign-in provider.")
        _require_person(name)
        if self.authenticator.get_user(name) is None:
            raise UserInputError(
                f"{name} has no password yet.", next="Make the account under People; that gives it one."
            )
        password = secrets.token_urlsafe(12)
        await self.authenticator.set_password(name, password, must_change=True)
        user = self.hub.find_user(name)
        if user is not None:
            self._end_sign_ins(user, tokens=False, servers=False)
        return password

    def password_changed(self, user: Any, *, tokens: bool) -> None:
        """After a person changed their own password: end all sign-ins; the page signs this browser in again."""
        self._end_sign_ins(user, tokens=tokens, servers=False)

    async def delete(self, name: str) -> None:
        """Delete an account for good. Its home goes to the archive, its data wait in the registry for a decision."""
        if name == self.by:
            raise UserInputError("You cannot delete yourself.", next="Ask another administrator.")
        user = self._user(name)
        await self._stop_server(user)
        if any(spawner.active for spawner in user.spawners.values()):
            raise Conflict(f"The server of {name} is still stopping.", next="Try again in a minute.")
        self._end_sign_ins(user, tokens=True, servers=True)
        self.authenticator.delete_user(user)
        await user.delete_spawners()
        self.hub.users.delete(user)

    def make_administrator(self, name: str) -> None:
        """Make an account an administrator; raises UserInputError if it is locked."""
        _require_person(name)
        if not self.authenticator.is_approved(name):
            raise UserInputError(f"{name} is locked.", next="Unlock the account first.")
        give_administrator(self.session, self.hub.user_from_username(name), admin=True)

    def make_member(self, name: str) -> None:
        """Take the administrator's rights away; raises UserInputError for one's own account."""
        if name == self.by:
            raise UserInputError("You cannot take your own administrator's right away.")
        give_administrator(self.session, self._user(name), admin=False)

    def set_application_administrator(self, name: str, *, given: bool) -> None:
        """Give or take the right to administer applications."""
        _require_person(name)
        role, person = orm.Role.find(self.session, APPLICATIONS_ROLE), self._user(name).orm_user
        give_or_take(person, role, given=given)
        self.session.commit()

    # ------------------------------------------------------------ inside

    def _user(self, name: str) -> Any:
        user = self.hub.find_user(name)
        if user is None:
            raise NotFound(f"There is no member called {name[:60]}.")
        return user

    def _end_sign_ins(self, user: Any, *, tokens: bool, servers: bool) -> None:
        """servers: also the token of the running Jupyter server, which is about to be stopped."""
        for token in list(user.api_tokens):
            of_server = (token.note or "").startswith(SERVER_TOKEN_NOTE)
            by_hand = token.client_id == _MADE_BY_HAND and not of_server
            if (of_server and not servers) or (by_hand and not tokens):
                continue
            self.session.delete(token)
        # Cookies of the hub hold this id.
        user.cookie_id = new_token()
        self.session.commit()
        recent.forget(user)

    async def _stop_server(self, user: Any) -> None:
        for name, spawner in list(user.spawners.items()):
            if spawner.active:
                await self.hub.stop_single_user(user, name)


def _require_person(name: str) -> None:
    """Raises UserInputError for a preview account: it has no password, and no rights but those of a student."""
    if is_preview(name):
        raise UserInputError(
            f"{name} is a preview account.", next="Its owner ends it, or you delete it like any account."
        )
