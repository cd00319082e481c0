"""An account that gets another name at the hub's REST interface stays one account: what is kept by its name goes with it.

That is its password, its locks, its choice of e-mails, and who it is at a learning platform. Homes, user ids and
addresses follow the number of the account (`numbers`), the registry the time of its creation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from qcrbox.contract.previews import is_preview
from sqlalchemy import ColumnElement, Table, delete, inspect, select, update
from sqlalchemy.orm import Session

from qcrbox_hub.accounts.tables import FOLLOWS

_USERS = orm.User.__table__


def follow_names(session: Session, people: Iterable[orm.User]) -> None:
    """Before the session writes these accounts: give what is kept by name the names that they get."""
    for person in people:
        if not inspect(person).attrs.name.history.added:
            continue
        # The session itself knows the old name only where it was read before.
        old = session.execute(select(_USERS.c.name).where(_USERS.c.id == person.id)).scalar()
        new = person.name
        if old in (None, new):
            continue
        if _has_passwords(session):
            session.execute(update(UserInfo).where(UserInfo.username == old).values(username=new))
        for table, name in _kept_by_name(session):
            # What a deleted account of the new name has left.
            session.execute(delete(table).where(name == new))
            session.execute(update(table).where(name == old).values({name: new}))


def problem_of_renaming(session: Session, user: Any, new: str) -> str:
    """Why this account cannot get the name now; "" when it can. user: the hub's, with its servers."""
    if is_preview(user.name):
        return "A preview account keeps its name. Its owner can end it and begin another."
    if _has_passwords(session) and session.scalars(select(UserInfo).where(UserInfo.username == new)).first():
        return f"There is an account {new} already. Choose another name."
    if user.active:
        return "The server of this account runs. Stop it first: its address has the name in it."
    return ""


def _kept_by_name(session: Session) -> Iterator[tuple[Table, ColumnElement[str]]]:
    """Tables that this hub has, each with its column of names; those of e-mails are made where there are e-mails."""
    present = set(inspect(session.connection()).get_table_names())
    for table in orm.Base.metadata.sorted_tables:
        for column in table.columns:
            if table.name in present and FOLLOWS.items() <= column.info.items():
                yield table, column


def _has_passwords(session: Session) -> bool:
    """Without passwords of ours there is no table of them."""
    return inspect(session.connection()).has_table(UserInfo.__tablename__)
