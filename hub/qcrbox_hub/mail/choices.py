"""A person's choice: the address, its confirmation by a code that is sent there, and taking it back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

from jupyterhub import orm
from qcrbox.contract.errors import UserInputError
from sqlalchemy.orm import Session

from qcrbox_hub.mail.tables import ChoiceRow, EmailRow, NewsRow

CODE_LIFE_S = 24 * 3600.0
LONGEST_ADDRESS = 254
# One address, in ASCII as every server takes it; no white space and no list, so that it is safe in a header.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])")


class Choices:
    """The choices of everyone in the hub's database."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.time) -> None:
        self.session, self.clock = session, clock

    def of(self, name: str) -> ChoiceRow | None:
        """The choice of the account that has this name now; None where there is none."""
        row, user = self.session.get(ChoiceRow, name), orm.User.find(self.session, name)
        return row if row and user and row.account_created == user.created else None

    def confirmed(self, name: str) -> ChoiceRow | None:
        """The choice, if e-mails may be sent."""
        row = self.of(name)
        return row if row and row.confirmed else None

    def ask(self, name: str, address: str) -> str:
        """Note the address and return the code that must come back from it. Raises UserInputError for no address."""
        # "=?" begins an encoded word: see `header_text` in qcrbox_hub.mail.sending.
        if len(address) > LONGEST_ADDRESS or "=?" in address or not _ADDRESS.fullmatch(address):
            raise UserInputError("This is not an e-mail address.", next="Give one like name@example.org.")
        self.forget(name)
        code = secrets.token_urlsafe(9)
        user = orm.User.find(self.session, name)
        assert user is not None
        self.session.add(
            ChoiceRow(
                name=name,
                account_created=user.created,
                address=address,
                code=_hashed(code),
                code_until=self.clock() + CODE_LIFE_S,
            )
        )
        self.session.commit()
        return code

    def confirm(self, name: str, code: str) -> None:
        """The code came back: e-mails may be sent. Raises UserInputError for a wrong or old code."""
        row = self.of(name)
        right = row is not None and row.code and hmac.compare_digest(row.code, _hashed(code.strip()))
        if row is None or not right or self.clock() > row.code_until:
            raise UserInputError("This code is wrong or too old.", next="Let a new one be sent.")
        row.confirmed, row.code, row.problem = True, "", ""
        self.session.commit()

    def stop(self, name: str, problem: str) -> None:
        """No more e-mails, because the server refuses the address; the person reads why."""
        row = self.session.get(ChoiceRow, name)
        if row is not None:
            row.confirmed, row.problem = False, problem[:300]
        self._drop_emails(name)
        self.session.commit()

    def forget(self, name: str) -> None:
        """Take the choice back: address, news and waiting e-mails are deleted."""
        row = self.session.get(ChoiceRow, name)
        if row is not None:
            self.session.delete(row)
        self._drop_emails(name)
        self.session.commit()

    def forget_deleted(self) -> None:
        """Delete the addresses of accounts that are no longer there."""
        for (name,) in self.session.query(ChoiceRow.name).all():
            if self.of(name) is None:
                self.forget(name)

    def _drop_emails(self, name: str) -> None:
        for table in (NewsRow, EmailRow):
            self.session.query(table).filter(table.name == name).delete()


def _hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
