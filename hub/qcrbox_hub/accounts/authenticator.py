"""Accounts in the hub's own database, opened by an administrator.

NativeAuthenticator keeps the accounts (table, bcrypt, list of common passwords). Its pages are replaced: they
do not work with JupyterHub 6, and they approve and discard people by GET, which a link can trigger.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

import bcrypt
from jupyterhub import orm, roles
from jupyterhub.handlers import BaseHandler
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from sqlalchemy import event
from traitlets import Unicode, default

from qcrbox_hub.accounts.attempts import Attempts
from qcrbox_hub.accounts.membership import extend_server_tokens, follow_groups
from qcrbox_hub.accounts.roles import ADMINISTRATOR_ROLE, ALL

# No dots, stars or greater-than signs (they mean something in NATS subjects), nothing that looks like
# another letter, nothing that a file system could take for a path.
NAME_PATTERN = r"[a-z][a-z0-9_-]{1,30}[a-z0-9]"
# `local` is the person of a registry without sign-in; the others would be misleading.
RESERVED = frozenset({"local", "everyone", "nobody", "root", "system", "qcrbox"})
# bcrypt looks at no more than this.
LONGEST_PASSWORD_BYTES = 72
PENDING_LIMIT = 500

GUESSES_PER_NAME = Attempts(limit=10, window_s=300)
GUESSES_PER_ADDRESS = Attempts(limit=100, window_s=300)
# A class of sixty behind one address must be able to sign up in one go.
SIGN_UPS_PER_ADDRESS = Attempts(limit=200, window_s=3600)


class QCrBoxAuthenticator(NativeAuthenticator):
    """Sign-up, approval by an administrator, limits on guessing."""

    group = Unicode("everyone", help="The group that every member belongs to.").tag(config=True)
    first_admin_file = Unicode(help="Where the hash of the first administrator's code is.").tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_roles_true(self.db)
        self._dummy_hash = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt())

    @default("username_pattern")
    def _username_pattern(self) -> str:
        return NAME_PATTERN

    # ------------------------------------------------------------------ signing in

    async def authenticate(self, handler: BaseHandler, data: dict[str, str]) -> str | None:
        """The user name, or None with the reason for the person in `handler.refusal`."""
        name = self.normalize_username(data.get("username", ""))
        password = data.get("password", "")
        address = handler.request.remote_ip or ""
        wait = max(GUESSES_PER_NAME.wait_s(name), GUESSES_PER_ADDRESS.wait_s(address))
        if wait:
            handler.refusal = f"Too many attempts. Try again in {max(1, round(wait / 60))} min."
            return None
        account = self.get_user(name)
        stored = account.password if account else self._dummy_hash
        # Hashing takes a quarter of a second by design: in a thread, so that the hub goes on; and for an
        # unknown name too, so that the answer's time does not tell which names exist.
        right = await asyncio.to_thread(_matches, password, stored)
        if not account or not right:
            GUESSES_PER_NAME.count(name)
            GUESSES_PER_ADDRESS.count(address)
            handler.refusal = "User name or password is not right."
            return None
        GUESSES_PER_NAME.forget(name)
        if not account.is_authorized:
            handler.refusal = "An administrator has not approved this account yet."
            return None
        return name

    def add_user(self, user: Any) -> None:
        """The hub calls this for every account it has or gets: each belongs to the common group."""
        super().add_user(user)
        group = orm.Group.find(self.db, self.group)
        if group is not None and user not in group.users:
            group.users.append(user)
            self.db.commit()

    # ------------------------------------------------------------------ accounts

    def problem_with(self, name: str, password: str, confirmation: str) -> str:
        """Why an account cannot be made so, in a person's words; "" when it can."""
        if not re.fullmatch(NAME_PATTERN, name):
            return (
                "A user name has 3 to 32 characters: small letters, digits, - and _;"
                " it starts with a letter and ends with a letter or digit."
            )
        if name in RESERVED or self.user_exists(name):
            return f"The name {name} is taken. Choose another one."
        return self.problem_with_password(password, confirmation, name=name)

    def problem_with_password(self, password: str, confirmation: str, *, name: str = "") -> str:
        if password != confirmation:
            return "The two passwords differ."
        if len(password) < self.minimum_password_length:
            return f"A password needs at least {self.minimum_password_length} characters."
        if len(password.encode()) > LONGEST_PASSWORD_BYTES:
            return f"A password may have at most {LONGEST_PASSWORD_BYTES} bytes."
        if len(set(password)) < 4 or (name and name in password.lower()):
            return "This password is easy to guess. Choose one without your name and without repetitions."
        if self.check_common_password and self.is_password_common(password.lower()):
            return "This password is on a list of common ones. Choose another one."
        return ""

    async def new_account(self, name: str, password: str, *, approved: bool) -> UserInfo:
        hashed = await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt())
        account = UserInfo(username=name, password=hashed, is_authorized=approved)
        self.db.add(account)
        self.db.commit()
        return account

    async def set_password(self, name: str, password: str) -> None:
        hashed = await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt())
        account = self.get_user(name)
        account.password = hashed
        self.db.commit()

    async def password_is(self, name: str, password: str) -> bool:
        account = self.get_user(name)
        return account is not None and await asyncio.to_thread(_matches, password, account.password)

    def accounts(self) -> list[UserInfo]:
        return self.db.query(UserInfo).order_by(UserInfo.username).all()

    def pending(self) -> list[UserInfo]:
        return [account for account in self.accounts() if not account.is_authorized]

    # ------------------------------------------------------------------ pages

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """Only our own pages: none of NativeAuthenticator's, which act on GET."""
        from qcrbox_hub.accounts import connect_page, group_page, pages

        return [
            (r"/login", pages.SignIn),
            (r"/signup", pages.SignUp),
            (r"/first-admin", pages.FirstAdmin),
            (r"/people", pages.People),
            (r"/group-members", group_page.Groups),
            (r"/change-password", pages.ChangePassword),
            (r"/connect", connect_page.Connect),
            (r"/connect/begin", connect_page.BeginConnecting),
            (r"/connect/token", connect_page.FinishConnecting),
        ]


def _matches(password: str, stored: bytes) -> bool:
    given = password.encode()
    return len(given) <= LONGEST_PASSWORD_BYTES and bcrypt.checkpw(given, stored)


def keep_roles_true(session: Any) -> None:
    """Let every hub administrator hold our administrator's role, and every group have its roles.

    Whichever page or program made the administrator or the group: this listens to the database session. The
    hub does not allow its own `admin` role to be extended.
    """

    @event.listens_for(session, "before_flush")
    def follow(session: Any, *_: Any) -> None:
        with session.no_autoflush:
            follow_groups(session)
        people = [each for each in {*session.new, *session.dirty} if isinstance(each, orm.User)]
        if not people:
            return
        with session.no_autoflush:
            role = orm.Role.find(session, ADMINISTRATOR_ROLE)
            for person in people:
                if role is not None and person.admin and role not in person.roles:
                    person.roles.append(role)
                    extend_server_tokens(person, ALL)
                elif role is not None and not person.admin and role in person.roles:
                    person.roles.remove(role)


def give_administrator(authenticator: QCrBoxAuthenticator, user: Any, *, admin: bool) -> None:
    """Make `user` (the hub's User) an administrator, or a plain member again."""
    user.admin = admin
    roles.assign_default_roles(authenticator.db, entity=user.orm_user)
    authenticator.db.commit()
