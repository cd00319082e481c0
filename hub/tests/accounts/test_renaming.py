"""What is kept by name follows an account to its new name."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from qcrbox_hub.accounts.renaming import follow_names, problem_of_renaming
from qcrbox_hub.accounts.tables import SignInStateRow
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.orm import Session


@pytest.fixture
def session() -> Iterator[Any]:
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as made:
        event.listen(made, "before_flush", lambda session, *_: follow_names(session, session.dirty))
        yield made


def rename(session: Any, old: str, new: str) -> None:
    session.scalars(select(orm.User).where(orm.User.name == old)).one().name = new
    session.commit()


def test_a_locked_account_stays_locked_and_takes_nothing_of_another(session: Any) -> None:
    session.add_all(
        [
            orm.User(name="cyd"),
            UserInfo(username="cyd", password=b"of cyd", is_authorized=False),
            SignInStateRow(name="cyd", locked=True),
            SignInStateRow(name="eva", must_change=True),  # left by an account that was deleted
        ]
    )
    session.commit()
    rename(session, "cyd", "eva")
    session.expire_all()
    (account,) = session.scalars(select(UserInfo))
    assert (account.username, account.password, account.is_authorized) == ("eva", b"of cyd", False)
    (state,) = session.scalars(select(SignInStateRow))
    assert (state.name, state.locked, state.must_change) == ("eva", True, False)


def test_a_name_with_a_password_and_a_server_that_runs_are_refused(session: Any) -> None:
    session.add(UserInfo(username="eva", password=b"x"))
    session.commit()
    assert "already" in problem_of_renaming(session, SimpleNamespace(active=False), "eva")
    assert "Stop it first" in problem_of_renaming(session, SimpleNamespace(active=True), "dan")
    assert problem_of_renaming(session, SimpleNamespace(active=False), "dan") == ""


def test_accounts_without_passwords_of_ours_are_followed_too(session: Any) -> None:
    session.execute(text(f"DROP TABLE {UserInfo.__tablename__}"))
    session.add_all([orm.User(name="cyd"), SignInStateRow(name="cyd", locked=True)])
    session.commit()
    rename(session, "cyd", "eva")
    assert [each.name for each in session.scalars(select(SignInStateRow))] == ["eva"]
