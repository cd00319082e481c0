"""Accounts with passwords in the hub's own database, opened by an administrator.

NativeAuthenticator keeps the accounts (table, bcrypt, list of common passwords). Its pages are replaced: they
do not work with JupyterHub 6, and they approve and discard people by GET, which a link can trigger.
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import bcrypt
from jupyterhub import orm
from jupyterhub.handlers import BaseHandler
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from traitlets import default

from qcrbox_hub.accounts import pages
from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.brake import BRAKE, TooMany
from qcrbox_hub.accounts.invitations import Invitations
from qcrbox_hub.accounts.members import Members
from qcrbox_hub.accounts.membership import Membership
from qcrbox_hub.accounts.names import NAME_PATTERN, RESERVED
from qcrbox_hub.accounts.passwords import LONGEST_PASSWORD_BYTES, hash_password, matches
from qcrbox_hub.accounts.tables import RequestRow, SignInStateRow

WRONG = "User name or password is not right."


class QCrBoxAuthenticator(Members, NativeAuthenticator):
    """Sign-up, approval by an administrator, a brake on guessing."""

    own_passwords = True
    asks_for_password = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dummy_hash = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt())

    @default("username_pattern")
    def _username_pattern(self) -> str:
        return NAME_PATTERN

    # ------------------------------------------------------------------ signing in

    async def authenticate(self, handler: BaseHandler, data: dict[str, str]) -> str | None:
        """The user name, or None with the reason for the person in `handler.refusal`."""
        name = self.normalize_username(data.get("username", ""))[:255]
        password = data.get("password", "")
        address = client_address(handler)
        try:
            async with BRAKE.attempt(name, address):
                outcome = await self._check(handler, name, password)
        except TooMany as error:
            handler.refusal = str(error)
            return None
        if outcome == WRONG:
            BRAKE.failed(name, address)
        else:
            BRAKE.succeeded(name, address)
        handler.refusal = outcome
        return None if outcome else name

    async def _check(self, handler: BaseHandler, name: str, password: str) -> str:
        """Why this sign-in is refused, "" when it is not."""
        account = self.get_user(name)
        right = await self._is_right(name, account, password)
        if account is None and await self._begin_in_workshop(handler, name, password):
            return ""
        if account and right:
            if not account.is_authorized:
                return (
                    "An administrator has locked this account; your data are kept. Ask an administrator why."
                )
            if not self.may_enter(name):
                return (
                    "There are no walls between people on this platform, so administrators alone may sign in."
                )
            return ""
        if await self._is_waiting(name, password):
            return "An administrator has not approved this account yet."
        return WRONG

    async def _is_right(self, name: str, account: UserInfo | None, password: str) -> bool:
        """Is this the password of the account, or of its workshop?"""
        stored = account.password if account else self._dummy_hash
        # Hashing takes a quarter of a second by design; for an unknown name too, so that the response time does not
        # reveal which names exist.
        if await matches(password, stored):
            return account is not None
        if account is None:
            return False
        return await Invitations(self.db).workshop_of(name, password, taken=True) is not None

    async def _begin_in_workshop(self, handler: BaseHandler, name: str, password: str) -> bool:
        """Make the account of a free name with a workshop's password."""
        row = await Invitations(self.db).workshop_of(name, password, taken=False)
        if row is None or self.one_person or self.problem_with_name(name) or self.is_taken(name):
            return False
        # A random password; that of the workshop opens the account while the workshop lasts.
        await self.new_account(name, secrets.token_urlsafe(24), approved=True)
        self.set_password_state(name, workshop=row.id)
        handler.user_from_username(name)
        Membership(self.db, self.group).add(row.group, [name])
        return True

    async def _is_waiting(self, name: str, password: str) -> bool:
        """Does someone who asked for an account sign in? They get to know what they know already."""
        requests = self.db.query(RequestRow).filter(RequestRow.name == name).limit(3).all()
        for request in requests:
            if await matches(password, request.password):
                return True
        return False

    # ------------------------------------------------------------------ accounts

    def problem_with_name(self, name: str) -> str:
        """Why an account cannot have this name, whoever has it now; "" when it can."""
        if not re.fullmatch(NAME_PATTERN, name):
            return (
                "A user name has 3 to 32 characters: small letters, digits, - and _;"
                " it starts with a letter and ends with a letter or digit."
            )
        if name in RESERVED:
            return f"The name {name} is reserved. Choose another one."
        return ""

    def is_taken(self, name: str) -> bool:
        """Does an account have this name, with a password of ours or without?"""
        return (
            self.user_exists(name)
            or self.db.query(orm.User.id).filter(orm.User.name == name).first() is not None
        )

    def problem_with(self, name: str, password: str, confirmation: str) -> str:
        """Why an account cannot be asked for so. Says nothing about which names exist."""
        return self.problem_with_name(name) or self.problem_with_password(password, confirmation, name=name)

    def problem_with_password(self, password: str, confirmation: str, *, name: str = "") -> str:
        """Why a new password is refused, as a sentence; an empty text if it is good."""
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

    async def ask(self, name: str, password: str, address: str) -> None:
        """Store a request for an account."""
        hashed = await hash_password(password)
        self.db.add(RequestRow(name=name, password=hashed, address=address, asked_at=time.time()))
        self.db.commit()

    async def new_account(self, name: str, password: str, *, approved: bool) -> UserInfo:
        """Create an account; it can sign in at once if `approved`."""
        return self.store_account(name, await hash_password(password), approved=approved)

    def store_account(self, name: str, hashed: bytes, *, approved: bool) -> UserInfo:
        """Create an account from a password that is hashed already."""
        account = UserInfo(username=name, password=hashed, is_authorized=approved)
        self.db.add(account)
        self.db.commit()
        return account

    async def set_password(self, name: str, password: str, *, must_change: bool = False) -> None:
        """Set a password; with `must_change` the person has to choose another at the next sign-in."""
        hashed = await hash_password(password)
        self.get_user(name).password = hashed
        self.set_password_state(name, must_change=must_change)

    def set_password_state(
        self, name: str, *, must_change: bool = False, workshop: int | None = None
    ) -> None:
        """Record whether the password must be changed, and the workshop whose password the account uses."""
        row = self.db.get(SignInStateRow, name)
        if row is None and not must_change and workshop is None:
            self.db.commit()
            return
        if row is None:
            row = SignInStateRow(name=name)
            self.db.add(row)
        row.must_change, row.workshop = must_change, workshop
        self.db.commit()

    async def password_is(self, name: str, password: str) -> bool:
        """Whether the password is that of the account or of its workshop."""
        return await self._is_right(name, self.get_user(name), password)

    def accounts(self) -> list[UserInfo]:
        """All accounts, by name."""
        return self.db.query(UserInfo).order_by(UserInfo.username).all()

    def is_approved(self, name: str) -> bool:
        """Whether the account exists and is not locked."""
        account = self.get_user(name)
        return account is not None and bool(account.is_authorized)

    def set_approved(self, name: str, *, approved: bool) -> None:
        """Approve or lock an account; an unknown name is ignored."""
        account = self.get_user(name)
        if account is not None:
            account.is_authorized = approved
            self.db.commit()

    def locked(self) -> list[str]:
        """Names of the accounts that are locked or wait for approval."""
        locked = self.db.query(UserInfo.username).filter(UserInfo.is_authorized.is_(False))
        return [row.username for row in locked]

    def check_blocked_users(self, username: str, auth_model: Any = None) -> bool:
        """Whether the account may sign in, by NativeAuthenticator's rules alone."""
        return bool(NativeAuthenticator.check_blocked_users(self, username, auth_model))

    def delete_user(self, user: Any) -> None:
        """The hub deletes an account: nothing of its password may open a later one of the same name."""
        super().delete_user(user)
        row = self.db.get(SignInStateRow, user.name)
        if row is not None:
            self.db.delete(row)
        self.db.commit()

    # ------------------------------------------------------------------ pages

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """Only our own pages: none of NativeAuthenticator's, which act on GET."""
        return [
            (r"/login", pages.SignIn),
            (r"/signup", pages.SignUp),
            (r"/change-password", pages.ChangePassword),
            *self.page_handlers(),
        ]
