"""An account that gets another name at the hub's REST interface stays one account: its password and its locks go with it.

Homes, user ids and addresses follow the number of the account (`numbers`), the registry the time of its creation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy import delete, inspect, select, update

from qcrbox_hub.accounts.tables import SignInStateRow


def follow_names(session: Any, people: Iterable[orm.User]) -> None:
    """Before the session writes these accounts: give what is kept by name the names that they get."""
    for person in people:
        history = inspect(person).attrs.name.history
        if not (history.added and history.deleted):
            continue
        (new,), (old,) = history.added, history.deleted
        if _has_passwords(session):
            session.execute(update(UserInfo).where(UserInfo.username == old).values(username=new))
        # What a deleted account of the new name has left.
        session.execute(delete(SignInStateRow).where(SignInStateRow.name == new))
        session.execute(update(SignInStateRow).where(SignInStateRow.name == old).values(name=new))


def problem_of_renaming(session: Any, user: Any, new: str) -> str:
    """Why this account cannot get the name now; "" when it can. user: the hub's, with its servers."""
    if _has_passwords(session) and session.scalars(select(UserInfo).where(UserInfo.username == new)).first():
        return f"There is an account {new} already. Choose another name."
    if user.active:
        return "The server of this account runs. Stop it first: its address has the name in it."
    return ""


def _has_passwords(session: Any) -> bool:
    """Without passwords of ours there is no table of them."""
    return inspect(session.connection()).has_table(UserInfo.__tablename__)
