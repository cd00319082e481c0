"""The account pages. Everything that changes something is a POST with the hub's XSRF token."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.orm import new_token
from jupyterhub.scopes import needs_scope
from tornado import web

from qcrbox_hub.accounts.authenticator import (
    PENDING_LIMIT,
    SIGN_UPS_PER_ADDRESS,
    QCrBoxAuthenticator,
    give_administrator,
)
from qcrbox_hub.accounts.first_admin import FirstAdminCode
from qcrbox_hub.accounts.membership import extend_server_tokens
from qcrbox_hub.accounts.roles import APPLICATIONS_ROLE


class Page(BaseHandler):
    """What our pages share."""

    authenticator: QCrBoxAuthenticator

    def field(self, name: str) -> str:
        # A password may begin or end with a space; a name may not.
        return self.get_body_argument(name, "", strip="password" not in name)

    async def show(self, template: str, *, status: int = 200, **values: Any) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        values["minimum_password_length"] = self.authenticator.minimum_password_length
        self.finish(await self.render_template(template, **values))


class SignIn(LoginHandler):
    """The hub's own sign-in, with the reason of a refusal."""

    refusal = ""

    async def post(self) -> None:
        data = {
            name: self.get_body_argument(name, "", strip=name == "username")
            for name in ("username", "password")
        }
        user = await self.login_user(data)
        if user:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        self.set_status(403)
        self.finish(await self._render(login_error=self.refusal, username=data["username"][:32]))


class SignUp(Page):
    """Anybody may ask for an account; an administrator opens it."""

    async def get(self) -> None:
        await self.show("signup.html", account="", problem="")

    async def post(self) -> None:
        name = self.authenticator.normalize_username(self.field("username"))
        problem = self._flood() or self.authenticator.problem_with(
            name, self.field("password"), self.field("password_confirmation")
        )
        if problem:
            await self.show("signup.html", status=400, account=name[:32], problem=problem)
            return
        SIGN_UPS_PER_ADDRESS.count(self.request.remote_ip or "")
        await self.authenticator.new_account(name, self.field("password"), approved=False)
        self.log.info("Account %s asks for approval", name)
        await self.show("signup.html", account=name, problem="", done=True)

    def _flood(self) -> str:
        if SIGN_UPS_PER_ADDRESS.wait_s(self.request.remote_ip or ""):
            return "Too many accounts were asked for from this address. Try again in an hour."
        if len(self.authenticator.pending()) >= PENDING_LIMIT:
            return "Too many accounts wait for approval. Ask an administrator to look at them."
        return ""


class FirstAdmin(Page):
    """Makes the first administrator with the code that `qcrbox up` printed."""

    @property
    def code(self) -> FirstAdminCode:
        return FirstAdminCode(Path(self.authenticator.first_admin_file))

    async def get(self) -> None:
        code = self.get_query_argument("code", "")
        await self._form(code)

    async def _form(self, code: str, *, name: str = "", problem: str = "", status: int = 200) -> None:
        valid = self.code.is_valid(code)
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
        code = self.field("code")
        if not self.code.is_valid(code):
            await self._form(code)
            return
        name = self.authenticator.normalize_username(self.field("username"))
        password = self.field("password")
        problem = self.authenticator.problem_with(name, password, self.field("password_confirmation"))
        if problem:
            await self._form(code, name=name[:32], problem=problem, status=400)
            return
        # Used up before the account is made: two posts at the same time must not make two administrators.
        self.code.use_up()
        await self.authenticator.new_account(name, password, approved=True)
        user = self.user_from_username(name)
        self.authenticator.add_user(user.orm_user)
        give_administrator(self.authenticator, user, admin=True)
        self.log.info("First administrator is %s", name)
        self.set_login_cookie(user)
        self.redirect(self.hub.base_url + "people")


class ChangePassword(Page):
    """One's own password."""

    @web.authenticated
    async def get(self) -> None:
        await self.show("change-password.html", problem="", done=False)

    @web.authenticated
    async def post(self) -> None:
        name = self.current_user.name
        password = self.field("password")
        problem = self.authenticator.problem_with_password(
            password, self.field("password_confirmation"), name=name
        )
        if not problem and not await self.authenticator.password_is(name, self.field("old_password")):
            problem = "The present password is not right."
        if problem:
            await self.show("change-password.html", status=400, problem=problem, done=False)
            return
        await self.authenticator.set_password(name, password)
        await self.show("change-password.html", problem="", done=True)


class People(Page):
    """Approve, refuse, lock, and make administrators."""

    @web.authenticated
    @needs_scope("admin:users")
    async def get(self) -> None:
        await self._list()

    async def _list(self, *, message: str = "", new_password: str = "", status: int = 200) -> None:
        known = {user.name: user.admin for user in self.db.query(orm.User)}
        accounts = self.authenticator.accounts()
        role = orm.Role.find(self.db, APPLICATIONS_ROLE)
        application_admins = {user.name for user in role.users} if role else set()
        closed = [each.username for each in accounts if not each.is_authorized]
        await self.show(
            "people.html",
            status=status,
            # An account that was open before has a user in the hub: it is locked, not new.
            pending=[name for name in closed if name not in known],
            locked=[name for name in closed if name in known],
            members=[
                {
                    "name": each.username,
                    "admin": known.get(each.username, False),
                    "applications": each.username in application_admins,
                }
                for each in accounts
                if each.is_authorized
            ],
            me=self.current_user.name,
            message=message,
            new_password=new_password,
        )

    @web.authenticated
    @needs_scope("admin:users")
    async def post(self) -> None:
        names = [name for name in self.get_body_arguments("name") if self.authenticator.get_user(name)]
        action = getattr(self, f"_do_{self.field('action')}", None)
        if action is None or not names:
            await self._list(message="Choose at least one person.", status=400)
            return
        self.log.info("%s: %s %s", self.current_user.name, self.field("action"), ", ".join(names))
        await action(names)

    async def _do_approve(self, names: list[str]) -> None:
        for name in names:
            self.authenticator.get_user(name).is_authorized = True
            self.authenticator.add_user(self.user_from_username(name).orm_user)
        self.db.commit()
        await self._list(message=f"Approved: {', '.join(names)}.")

    async def _do_refuse(self, names: list[str]) -> None:
        """Only those who wait: an account that was open is locked, never dropped by this page."""
        waiting = [name for name in names if orm.User.find(self.db, name) is None]
        for name in waiting:
            self.db.delete(self.authenticator.get_user(name))
        self.db.commit()
        await self._list(message=f"Refused: {', '.join(waiting)}." if waiting else "Nobody was refused.")

    async def _do_lock(self, names: list[str]) -> None:
        """No sign-in any more; what is open ends: server, tokens, cookies."""
        others = [name for name in names if name != self.current_user.name]
        for name in others:
            self.authenticator.get_user(name).is_authorized = False
            user = self.find_user(name)
            if user is None:
                continue
            for token in list(user.api_tokens):
                self.db.delete(token)
            user.cookie_id = new_token()
            if user.admin:
                give_administrator(self.authenticator, user, admin=False)
        self.db.commit()
        for name in others:
            user = self.find_user(name)
            if user is not None and user.running:
                await self.stop_single_user(user, "")
        await self._list(message=f"Locked: {', '.join(others)}." if others else "You cannot lock yourself.")

    async def _do_make_admin(self, names: list[str]) -> None:
        for name in names:
            if self.authenticator.get_user(name).is_authorized:
                give_administrator(self.authenticator, self.user_from_username(name), admin=True)
        await self._list(message=f"Administrators now: {', '.join(names)}.")

    async def _do_make_member(self, names: list[str]) -> None:
        others = [name for name in names if name != self.current_user.name]
        for name in others:
            give_administrator(self.authenticator, self.user_from_username(name), admin=False)
        await self._list(
            message=f"Members now: {', '.join(others)}." if others else "You cannot demote yourself."
        )

    async def _do_give_applications(self, names: list[str]) -> None:
        role = orm.Role.find(self.db, APPLICATIONS_ROLE)
        for name in names:
            person = orm.User.find(self.db, name)
            if person is not None and role not in person.roles:
                person.roles.append(role)
                extend_server_tokens(person, role.scopes)
        self.db.commit()
        await self._list(message=f"Application administrators now: {', '.join(names)}.")

    async def _do_take_applications(self, names: list[str]) -> None:
        role = orm.Role.find(self.db, APPLICATIONS_ROLE)
        for name in names:
            person = orm.User.find(self.db, name)
            if person is not None and role in person.roles:
                person.roles.remove(role)
        self.db.commit()
        await self._list(message=f"No more application administrators: {', '.join(names)}.")

    async def _do_new_password(self, names: list[str]) -> None:
        """For a person who has forgotten theirs: shown once, to be changed after signing in."""
        password = secrets.token_urlsafe(12)
        await self.authenticator.set_password(names[0], password)
        await self._list(message=f"New password for {names[0]}, shown this once:", new_password=password)
