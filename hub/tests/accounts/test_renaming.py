"""What is kept by name follows an account to its new name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from qcrbox_hub.accounts.lti_launches import LtiCourse, subjects
from qcrbox_hub.accounts.renaming import follow_names, problem_of_renaming
from qcrbox_hub.accounts.tables import LtiPersonRow, LtiScoreRow, RequestRow, SignInStateRow
from qcrbox_hub.mail.choices import Choices
from qcrbox_hub.mail.tables import ChoiceRow, EmailRow, NewsRow
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
    assert "already" in problem_of_renaming(session, SimpleNamespace(name="cyd", active=False), "eva")
    assert "Stop it first" in problem_of_renaming(session, SimpleNamespace(name="cyd", active=True), "dan")
    assert problem_of_renaming(session, SimpleNamespace(name="cyd", active=False), "dan") == ""
    preview = SimpleNamespace(name="0preview-abcdefghijklmnop", active=False)
    assert "keeps its name" in problem_of_renaming(session, preview, "dan")


def test_accounts_without_passwords_of_ours_are_followed_too(session: Any) -> None:
    session.execute(text(f"DROP TABLE {UserInfo.__tablename__}"))
    session.add_all([orm.User(name="cyd"), SignInStateRow(name="cyd", locked=True)])
    session.commit()
    rename(session, "cyd", "eva")
    assert [each.name for each in session.scalars(select(SignInStateRow))] == ["eva"]


MAIL = (ChoiceRow, NewsRow, EmailRow)


def test_marks_and_e_mails_go_on_to_the_same_person(session: Any) -> None:
    made = datetime(2026, 11, 29)
    course = {"client_id": "moodle", "context": "42"}
    session.add_all(
        [
            orm.User(name="cyd", created=made),
            ChoiceRow(name="cyd", account_created=made, address="cyd@example.org", confirmed=True),
            ChoiceRow(name="eva", account_created=datetime(2020, 1, 1), address="old@example.org"),
            NewsRow(name="cyd", subject="refine", text="ended"),
            EmailRow(name="cyd", address="cyd@example.org", subject="refine", text="ended", next_at=1.0),
            LtiPersonRow(**course, name="cyd", subject="of cyd", at=2.0),
            LtiPersonRow(**course, name="eva", subject="of a deleted account", at=1.0),
            LtiScoreRow(**course, exercise="1", name="cyd", points=3.0),
            RequestRow(name="cyd", password=b"of someone else", asked_at=1.0),
        ]
    )
    session.commit()
    rename(session, "cyd", "eva")
    session.expire_all()
    assert Choices(session).confirmed("eva").address == "cyd@example.org"
    assert [each.name for row in MAIL for each in session.scalars(select(row))] == ["eva"] * 3
    assert subjects(session, [LtiCourse("moodle", "42", "", "")])["eva"][1] == "of cyd"
    assert [(each.name, each.points) for each in session.scalars(select(LtiScoreRow))] == [("eva", 3.0)]
    # It waits for the name, not for the account that had it.
    assert [each.name for each in session.scalars(select(RequestRow))] == ["cyd"]


def test_an_account_whose_old_name_is_not_in_memory_is_followed(session: Any) -> None:
    person = orm.User(name="cyd")
    session.add_all([person, UserInfo(username="cyd", password=b"of cyd")])
    session.commit()  # which forgets what is in memory
    person.name = "eva"
    session.commit()
    assert [each.username for each in session.scalars(select(UserInfo))] == ["eva"]


def test_a_hub_without_e_mails_follows_too(session: Any) -> None:
    for row in MAIL:
        session.execute(text(f"DROP TABLE {row.__tablename__}"))
    session.add_all([orm.User(name="cyd"), SignInStateRow(name="cyd", locked=True)])
    session.commit()
    rename(session, "cyd", "eva")
    assert [each.name for each in session.scalars(select(SignInStateRow))] == ["eva"]
