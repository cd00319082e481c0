"""Homes follow their accounts: those of an older platform are taken over, those of deleted accounts go to the archive."""

from __future__ import annotations

import logging

from jupyterhub import orm
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.numbers import Accounts
from qcrbox_hub.walls.homes import Homes

log = logging.getLogger("jupyterhub.qcrbox")
CHECK_EVERY_S = 60.0


def adopt_homes(session: Session, homes: Homes) -> None:
    """Before homes had numbers they were named after people. Those of people who have an account now stay theirs."""
    if not homes.root.is_dir():
        return
    accounts = Accounts(session)
    for user in session.query(orm.User):
        if (homes.root / user.name).is_dir() and homes.adopt(user.name, accounts.of(user).label):
            log.info("the home of %s is named after the account now", user.name)


def keep_homes(session: Session, homes: Homes) -> None:
    """Archive homes of accounts that are gone, by whichever door, and delete archived ones whose time is over."""
    for account in Accounts(session).end_missing():
        if homes.retire(account.label):
            log.info("the home of the deleted account %s is archived", account.label)
    for label in homes.remove_expired():
        log.info("the archived home %s has expired and is deleted", label)
