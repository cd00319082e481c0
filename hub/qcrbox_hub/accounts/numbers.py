"""A number for each account that is never given twice: what a later account of the same name does not inherit.

The hub's own user id is no such number: SQLite gives the last one again after a deletion. Homes, user ids and
addresses of servers follow this number.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jupyterhub import orm
from sqlalchemy import select
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.tables import AccountRow


@dataclass(frozen=True)
class Account:
    """`label` names folders: unique by its number, readable by its name."""

    number: int
    name: str

    @property
    def label(self) -> str:
        """Number and name, with only characters that are safe in file names."""
        return f"{self.number}-{re.sub(r'[^A-Za-z0-9_-]', '_', self.name)[:40]}"


class Accounts:
    """The accounts of one hub."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.time) -> None:
        self.session, self.clock = session, clock

    def of(self, user: Any) -> Account:
        """The account of a user of the hub (its ORM object); made at the first question."""
        created = user.created or datetime(1970, 1, 1)
        row = self._row(user.id, created)
        if row is None:
            row = AccountRow(user_id=user.id, user_created=created, name=user.name)
            self.session.add(row)
            self.session.commit()
        return Account(row.number, row.name)

    def _row(self, user_id: int, created: datetime) -> AccountRow | None:
        query = select(AccountRow).where(
            AccountRow.user_id == user_id, AccountRow.user_created == created, AccountRow.ended_at.is_(None)
        )
        return self.session.scalars(query).first()

    def end_missing(self) -> list[Account]:
        """Mark accounts whose user is gone, by whichever door it went, and return them."""
        living = {(user.id, user.created) for user in self.session.query(orm.User)}
        gone = [
            row
            for row in self.session.scalars(select(AccountRow).where(AccountRow.ended_at.is_(None)))
            if (row.user_id, row.user_created) not in living
        ]
        for row in gone:
            row.ended_at = self.clock()
        if gone:
            self.session.commit()
        return [Account(row.number, row.name) for row in gone]
