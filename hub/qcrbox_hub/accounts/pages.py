"""The account pages. Everything that changes something is a POST with the hub's XSRF token."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.scopes import needs_scope
from qcrbox.contract.errors import QcError
from tornado import web

from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.brake import BRAKE, REQUESTS_LIMIT, SIGN_UPS_PER_ADDRESS, TooMany
from qcrbox_hub.accounts.first_admin import FirstAdminCode
from qcrbox_hub.accounts.membership import give_administrator
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.registry import HubAct, record_act
from qcrbox_hub.accounts.service import AccountService
from qcrbox_hub.accounts.tables import RequestRow, must_change_password
from qcrbox_hub.platform.addresses import Addresses
from qcrbox_hub.walls.choice import trust_everyone

if TYPE_CHECKING:
    from qcrbox_hub.accounts.authenticator import QCrBoxAuthenticator

# Fields of a form that are not repeated on the page with the password field.
_NOT_REPEATED = frozenset({"_xsrf", "confirm_password"})


class Page(BaseHandler):
    """What our pages share."""

    authenticator: QCrBoxAuthenticator

    def field(self, name: str) -> str:
        """A field of the form, stripped unless it is a password; empty if it was not sent."""
        # A password may begin or end with a space; a name may not.
        return self.get_body_argument(name, "", strip="password" not in name)

    @property
    def service(self) -> AccountService:
        """Account functions in the name of the signed-in user."""
        return self.service_for(self.current_user.name)

    def service_for(self, name: str) -> AccountService:
        """What `name` does with accounts; the caller has checked that they may."""
        return AccountService(self, name)

    async def show(self, template: str, *, status: int = 200, **values: Any) -> None:
        """Render a page that is neither cached nor shown inside a frame of another page."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        # Not shown inside another page: a click there must not decide anything.
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Content-Security-Policy", "frame-ancestors 'none'")
        values.setdefault(
            "minimum_password_length", getattr(self.authenticator, "minimum_password_length", 0)
        )
        self.finish(await self.render_template(template, **values))

    async def audit(
        self, action: str, kind: str, name: str, details: dict[str, str], *, allowed: bool = True
    ) -> str:
        """Write an act of the person who is signed in into the audit trail. kind: person, group or site.

        Returns what to tell the person when that failed, else "".
        """
        act = HubAct(
            who=self.current_user.name,
            address=client_address(self)[:64],
            action=action.replace("_", " ")[:60],
            kind=kind,
            name=name[:255],
            allowed=allowed,
            details=details,
        )
        try:
            await record_act(self.settings["qcrbox_registry_url"], self.settings["qcrbox_service_token"], act)
        except QcError as error:
            self.log.error("not in the audit trail: %s: %s", act, error.message)
            return "It could not be written into the audit trail, as the registry does not answer."
        return ""

    async def confirmed(self) -> bool:
        """Has the person proved in the last five minutes who they are? If not, this answers with a page that asks.

        The page holds the posted form again; with the right password it is posted as it was.
        """
        user = self.current_user
        if recent.holds(user, self.get_session_cookie()):
            return True
        problem = ""
        if password := self.field("confirm_password"):
            problem = await self._check_password(user.name, password)
            if not problem:
                recent.note(user, self.get_session_cookie())
                return True
        fields = [
            (name, value)
            for name in self.request.body_arguments
            if name not in _NOT_REPEATED
            for value in self.get_body_arguments(name, strip=False)
        ]
        await self.show(
            "confirm.html",
            status=403,
            fields=fields,
            problem=problem,
            address=self.request.uri,
            sign_in_again=self.authenticator.sign_in_again_url,
            asks_for_password=self.authenticator.asks_for_password,
        )
        return False

    async def _check_password(
        self, name: str, password: str, *, wrong: str = "This is not your password."
    ) -> str:
        """Why this is not the person's password, "" when it is. With the brake of sign-ins."""
        address = client_address(self)
        try:
            async with BRAKE.attempt(name, address):
                right = await self.authenticator.password_is(name, password)
        except TooMany as error:
            return str(error)
        if right:
            BRAKE.succeeded(name, address)
            return ""
        BRAKE.failed(name, address)
        return wrong


class Confirm(Page):
    """Prove who you are before the hub's REST interface is asked for something that gives rights."""

    @web.authenticated
    async def get(self) -> None:
        """Show the form for the password, or that the sign-in is recent enough."""
        await self._show()

    async def _show(self, *, done: bool = False) -> None:
        await self.show(
            "confirmed.html", done=done or recent.holds(self.current_user, self.get_session_cookie())
        )

    @web.authenticated
    async def post(self) -> None:
        """Check the password and record the proof."""
        if await self.confirmed():
            await self._show(done=True)


class HostName(BaseHandler):
    """Caddy asks whether a host name may have a certificate: only those of people who exist, not any that someone tries."""

    async def get(self) -> None:
        """Answer 200 for the hub and for servers of existing people, otherwise 404."""
        addresses: Addresses = self.settings["qcrbox_addresses"]
        token = self.get_query_argument("token", "")
        host = self.get_query_argument("domain", "").lower()
        if not hmac.compare_digest(token.encode(), self.settings["qcrbox_certificate_token"].encode()):
            raise web.HTTPError(404)
        names = (row.name for row in self.db.query(orm.User.name))
        known = host == addresses.hub_host or any(addresses.person_host(name) == host for name in names)
        self.set_status(200 if known else 404)
        self.finish("")


class SignIn(LoginHandler):
    """The hub's own sign-in, with the reason of a refusal."""

    refusal = ""

    async def post(self) -> None:
        """Sign in, or show the form again with the reason."""
        data = {
            name: self.get_body_argument(name, "", strip=name == "username")
            for name in ("username", "password")
        }
        user = await self.login_user(data)
        if user is None:
            self.set_status(403)
            self.finish(await self._render(login_error=self.refusal, username=data["username"][:32]))
            return
        self._jupyterhub_user = user
        recent.note(user, self.get_session_cookie())
        if must_change_password(self.db, user.name):
            self.redirect(self.hub.base_url + "change-password")
            return
        self.redirect(self.get_next_url(user))


class SignUp(Page):
    """Anybody may ask for an account; an administrator opens it. The answer is the same for every free or taken name."""

    @property
    def closed(self) -> bool:
        """Whether this platform serves one person only."""
        return self.authenticator.one_person

    async def get(self) -> None:
        """Show the form."""
        await self._show()

    async def _show(self, **values: Any) -> None:
        values = {"account": "", "problem": "", "done": False, **values}
        await self.show(
            "signup.html",
            closed=self.closed,
            trusted=self.authenticator.trusted,
            walls_what=self.authenticator.walls_what,
            **values,
        )

    async def post(self) -> None:
        """Ask for an account, or create it where no approval is needed."""
        if self.closed:
            await self._show(status=403)
            return
        name = self.authenticator.normalize_username(self.field("username"))
        problem = self._flood() or self.authenticator.problem_with(
            name, self.field("password"), self.field("password_confirmation")
        )
        if problem:
            await self._show(status=400, account=name[:32], problem=problem)
            return
        SIGN_UPS_PER_ADDRESS.count(client_address(self))
        await self.authenticator.ask(name, self.field("password"), client_address(self))
        self.log.info("Account requested: %s", name)
        await self._show(account=name, done=True)

    def _flood(self) -> str:
        if SIGN_UPS_PER_ADDRESS.wait_s(client_address(self)):
            return "Too many accounts were asked for from this address. Try again in an hour."
        if self.db.query(RequestRow).count() >= REQUESTS_LIMIT:
            return "Too many accounts wait for approval. Ask an administrator to look at them."
        return ""


class FirstAdmin(Page):
    """Makes the first administrator with the code that `qcrbox up` printed."""

    @property
    def code(self) -> FirstAdminCode:
        """The one-time code of this platform."""
        return FirstAdminCode(Path(self.authenticator.first_admin_file))

    async def get(self) -> None:
        """Show the form if the code of the link is valid."""
        code = self.get_query_argument("code", "")
        await self._form(code)

    async def _form(self, code: str, *, name: str = "", problem: str = "", status: int = 200) -> None:
        valid = self.code.is_valid(code) and self.authenticator.own_passwords
        # The code must not travel to another site in a Referer header.
        self.set_header("Referrer-Policy", "same-origin")
        await self.show(
            "first-admin.html",
            status=status if valid else 404,
            valid=valid,
            code=code,
            account=name,
            problem=problem,
        )

    async def post(self) -> None:
        """Create the administrator's account and use up the code."""
        code = self.field("code")
        if not self.code.is_valid(code) or not self.authenticator.own_passwords:
            await self._form(code)
            return
        name = self.authenticator.normalize_username(self.field("username"))
        password = self.field("password")
        problem = self.authenticator.problem_with(name, password, self.field("password_confirmation"))
        if not problem and self.authenticator.user_exists(name):
            problem = f"The name {name} is taken. Choose another one."
        if problem:
            await self._form(code, name=name[:32], problem=problem, status=400)
            return
        # Used up before the account is made: two posts at the same time must not make two administrators.
        self.code.use_up()
        await self.authenticator.new_account(name, password, approved=True)
        user = self.user_from_username(name)
        self.authenticator.add_user(user.orm_user)
        give_administrator(self.db, user, admin=True)
        self.log.info("First administrator is %s", name)
        self.set_login_cookie(user)
        recent.note(user, self.get_session_cookie())
        self.redirect(f"{self.hub.base_url}administration/people")


class ChangePassword(Page):
    """One's own password. A new one ends every other sign-in, and by choice every token."""

    @web.authenticated
    async def get(self) -> None:
        """Show the form."""
        await self._show()

    async def _show(self, *, problem: str = "", done: bool = False, status: int = 200) -> None:
        forced = must_change_password(self.db, self.current_user.name)
        await self.show("change-password.html", status=status, problem=problem, done=done, forced=forced)

    @web.authenticated
    async def post(self) -> None:
        """Check the present password and set the new one."""
        user = self.current_user
        password = self.field("password")
        problem = await self._check_password(
            user.name, self.field("old_password"), wrong="The present password is not right."
        )
        problem = problem or self.authenticator.problem_with_password(
            password, self.field("password_confirmation"), name=user.name
        )
        if not problem and password == self.field("old_password"):
            problem = "The new password is the present one."
        if problem:
            await self._show(problem=problem, status=400)
            return
        await self.authenticator.set_password(user.name, password)
        self.service.password_changed(user, tokens=bool(self.field("tokens")))
        # This browser stays signed in; every other one has to sign in again.
        self.set_hub_cookie(user)
        recent.note(user, self.get_session_cookie())
        await self._show(done=True)


class Moved(BaseHandler):
    """An address of an older page: leads to the page of the administration that took its place."""

    def initialize(self, to: str) -> None:
        """to: the page's new path below the hub."""
        self.to = to

    def get(self) -> None:
        """Redirect to the page."""
        self.redirect(f"{self.hub.base_url}{self.to}")


class Trust(Page):
    """Where a machine has no walls: an administrator says that everyone here is trusted, and opens sign-up by that."""

    @web.authenticated
    @needs_scope("admin:users")
    async def get(self) -> None:
        """Show what it means to trust everyone."""
        await self._show()

    async def _show(self, *, done: bool = False, problem: str = "", status: int = 200) -> None:
        await self.show(
            "trust.html",
            status=status,
            one_person=self.authenticator.one_person,
            walls_stronger=self.authenticator.walls_stronger,
            done=done,
            problem=problem,
        )

    @web.authenticated
    @needs_scope("admin:users")
    async def post(self) -> None:
        """Record that everyone is trusted, once the sentence has been typed."""
        if not await self.confirmed():
            return
        if self.field("words").lower() != "everyone is trusted":
            await self.audit("trust everyone", "site", "", {}, allowed=False)
            await self._show(problem='Type "everyone is trusted".', status=400)
            return
        trust_everyone(Path(self.authenticator.data), self.current_user.name)
        self.log.warning("%s says that everyone on this platform is trusted", self.current_user.name)
        self.authenticator.one_person, self.authenticator.trusted = False, True
        unwritten = await self.audit("trust everyone", "site", "", {})
        await self._show(done=True, problem=unwritten)
