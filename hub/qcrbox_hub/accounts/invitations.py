"""Invitation links, join codes and workshop passwords: ways into an account that an administrator prepares.

A link makes one account, a code makes accounts in a group (or lets members into it), until it expires or is used up.
A workshop password opens the accounts that were begun with it, and begins one for every free name; whoever knows it can
open each of them, until the owner chooses a password of their own. Links and codes are stored as hashes only.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.membership import GROUP_ROLES, group_exists
from qcrbox_hub.accounts.passwords import hash_password, matches
from qcrbox_hub.accounts.tables import InvitationRow, SignInStateRow

DAY_S = 24 * 3600.0
MOST_DAYS = 366.0
# Each is tried at a sign-in that fails otherwise, and a try takes a quarter of a second.
MOST_WORKSHOPS = 3
MOST_USES = 2000
MOST_INVITATIONS = 5000
# No letters or digits that look alike: people copy codes from a blackboard.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_LENGTH = 12

Kind = Literal["link", "code", "workshop"]


@dataclass(frozen=True)
class Wanted:
    """An invitation to be made. `uses`: how many accounts it may make (None: any number); `secret`: of a workshop."""

    kind: Kind
    days: float = 14.0
    group: str = ""
    role: str = "member"
    name: str = ""
    uses: int | None = 1
    secret: str = ""


class Invitations:
    """Invitations in one database session of the hub. `by` is the name of who makes them."""

    def __init__(self, session: Session, by: str = "", clock: Callable[[], float] = time.time) -> None:
        self.session, self.by, self.clock = session, by, clock

    async def make(self, wanted: Wanted) -> tuple[InvitationRow, str]:
        """Store an invitation; returns it with the secret that is shown this once.

        Raises UserInputError for limits that cannot be used, NotFound for a missing group, Conflict for one too many.
        """
        self._check(wanted)
        if wanted.kind == "workshop":
            secret = wanted.secret
            hashed = (await hash_password(secret)).decode()
        else:
            secret = new_code() if wanted.kind == "code" else secrets.token_urlsafe(24)
            hashed = digest(secret)
        now = self.clock()
        row = InvitationRow(
            kind=wanted.kind,
            hashed=hashed,
            group=wanted.group,
            role=wanted.role,
            name=wanted.name,
            made_by=self.by,
            made_at=now,
            expires_at=now + wanted.days * DAY_S,
            uses_left=wanted.uses,
        )
        self.session.add(row)
        self.session.commit()
        return row, secret

    def _check(self, wanted: Wanted) -> None:
        if not 0 < wanted.days <= MOST_DAYS:
            raise UserInputError(f"An invitation holds for at most {MOST_DAYS:.0f} days.")
        if wanted.uses is not None and not 0 < wanted.uses <= MOST_USES:
            raise UserInputError(f"An invitation makes 1 to {MOST_USES} accounts.")
        if wanted.role != "member" and (wanted.role not in GROUP_ROLES or not wanted.group):
            raise UserInputError("This role cannot be given by an invitation.", where=wanted.role[:32])
        if wanted.kind != "link" and (not wanted.group or wanted.role != "member"):
            raise UserInputError(
                "A join code and a workshop password make plain members of a group.", next="Name a group."
            )
        if wanted.group and not group_exists(self.session, wanted.group):
            raise NotFound(f"There is no group {wanted.group[:60]}.")
        self.forget_expired()
        if self.session.query(InvitationRow).count() >= MOST_INVITATIONS:
            raise Conflict("There are too many open invitations.", next="Withdraw some of them.")
        if wanted.kind == "link" and wanted.name and self._is_invited(wanted.name):
            raise Conflict(
                f"There is an open invitation link for {wanted.name}.",
                next="Withdraw it to make another one.",
            )
        if wanted.kind == "workshop" and len(self.workshops()) >= MOST_WORKSHOPS:
            raise Conflict(
                f"There are {MOST_WORKSHOPS} workshop passwords already.", next="Withdraw one of them."
            )

    # ------------------------------------------------------------ looking

    def present(self) -> list[InvitationRow]:
        """Invitations that still hold, the newest first."""
        rows = self.session.query(InvitationRow).filter(InvitationRow.expires_at > self.clock())
        return [row for row in rows.order_by(InvitationRow.id.desc()) if row.uses_left != 0]

    def find(self, secret: str) -> InvitationRow | None:
        """The link or code with this secret, while it holds."""
        row = self.session.query(InvitationRow).filter(InvitationRow.hashed == digest(secret)).one_or_none()
        if row is None or row.kind == "workshop" or row.expires_at <= self.clock() or row.uses_left == 0:
            return None
        return row

    def workshops(self) -> list[InvitationRow]:
        """The workshops that have not expired."""
        return [row for row in self.present() if row.kind == "workshop"]

    def _is_invited(self, name: str) -> bool:
        """Does a link for this name hold? Two of them would be two people who expect the account."""
        rows = self.session.query(InvitationRow).filter(
            InvitationRow.kind == "link",
            InvitationRow.name == name,
            InvitationRow.expires_at > self.clock(),
            InvitationRow.uses_left != 0,
        )
        return rows.first() is not None

    # ------------------------------------------------------------ using

    def use(self, row: InvitationRow) -> None:
        """Count one use. Raises Conflict when no use is left."""
        if row.uses_left is None:
            return
        changed = (
            self.session.query(InvitationRow)
            .filter(InvitationRow.id == row.id, InvitationRow.uses_left > 0)
            .update({InvitationRow.uses_left: InvitationRow.uses_left - 1})
        )
        self.session.commit()
        if not changed:
            raise Conflict("This invitation is used up.")

    def withdraw(self, number: int) -> None:
        """End an invitation. Accounts that were made with it stay."""
        row = self.session.get(InvitationRow, number)
        if row is None:
            raise NotFound("This invitation no longer exists.", next="Load the page again.")
        self._delete(row)
        self.session.commit()

    def forget_expired(self) -> None:
        """Remove invitations that no longer hold. Accounts of an ended workshop have no password from then on."""
        over = (InvitationRow.expires_at <= self.clock()) | (InvitationRow.uses_left == 0)
        ended = self.session.query(InvitationRow).filter(over).all()
        for row in ended:
            self._delete(row)
        if ended:
            self.session.commit()

    def _delete(self, row: InvitationRow) -> None:
        # A later invitation may get the same number; it must not open accounts of this one.
        self.session.query(SignInStateRow).filter(SignInStateRow.workshop == row.id).update(
            {SignInStateRow.workshop: None}
        )
        self.session.delete(row)

    # ------------------------------------------------------------ workshops

    async def workshop_of(self, name: str, password: str, *, taken: bool) -> InvitationRow | None:
        """The workshop whose password this is, when it may open or begin the account `name`.

        taken: there is an account of that name. Every present password is tried whatever the name is, so that the
        time of the answer does not tell which names exist.
        """
        state = self.session.get(SignInStateRow, name)
        mine = state.workshop if state is not None else None
        found = None
        for row in self.workshops():
            right = await matches(password, row.hashed.encode())
            if right and (row.id == mine if taken else True):
                found = row
        return found


def new_code() -> str:
    """A join code: 12 signs in groups of four, 59 bits."""
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(signs[at : at + 4] for at in range(0, _CODE_LENGTH, 4))


def digest(secret: str) -> str:
    """What is stored of a link or code. Spaces, case and dashes of a typed code do not count."""
    plain = secret.strip()
    typed = plain.lower().replace("-", "").replace(" ", "")
    if len(typed) == _CODE_LENGTH and all(sign in _ALPHABET for sign in typed):
        plain = typed
    return hashlib.sha256(plain.encode()).hexdigest()
