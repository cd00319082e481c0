"""Accounts have numbers that are never given twice; homes follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox_hub.accounts.home_keeping import adopt_homes, keep_homes
from qcrbox_hub.accounts.numbers import Account, Accounts
from qcrbox_hub.accounts.tables import AccountRow, SignInStateRow, create_missing, must_change_password
from qcrbox_hub.walls.homes import Homes
from sqlalchemy import inspect

DAY_S = 24 * 3600


@pytest.fixture
def session() -> Iterator[Any]:
    found = orm.new_session_factory("sqlite:///:memory:")()
    create_missing(found)
    yield found
    found.close()


@pytest.fixture
def person(session: Any) -> Callable[..., Any]:
    """Makes a user of the hub, as the hub does."""
    began = datetime(2026, 1, 1)

    def make(name: str, *, hours: int = 0) -> Any:
        user = orm.User(name=name, created=began + timedelta(hours=hours))
        session.add(user)
        session.commit()
        return user

    return make


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    return Homes(tmp_path / "homes", tmp_path / "archive", keep_days=1, clock=lambda: 5 * DAY_S)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ada", "7-ada"),
        ("../../etc", "7-______etc"),
        ("a b", "7-a_b"),
        ("x" * 60, "7-" + "x" * 40),
        ("é", "7-_"),
    ],
)
def test_label_is_safe_in_file_names(name: str, label: str) -> None:
    assert Account(7, name).label == label


def test_number_stays_the_same(session: Any, person: Callable[..., Any]) -> None:
    ada = person("ada")
    assert Accounts(session).of(ada) == Accounts(session).of(ada)
    assert Accounts(session).of(ada) != Accounts(session).of(person("bob"))


@pytest.mark.attack(4)
def test_later_account_of_the_same_name_and_user_id_has_another_number(
    session: Any, person: Callable[..., Any]
) -> None:
    """SQLite gives the last user id again; the hub's own id would lead to the old home."""
    old = person("ada")
    number, user_id = Accounts(session).of(old).number, old.id
    session.delete(old)
    session.commit()
    new = person("ada", hours=1)
    assert new.id == user_id
    assert Accounts(session).of(new).number > number


@pytest.mark.attack(4)
def test_number_is_not_given_again_after_its_row_is_gone(session: Any, person: Callable[..., Any]) -> None:
    first = Accounts(session).of(person("ada")).number
    session.query(AccountRow).delete()
    session.commit()
    assert Accounts(session).of(person("bob")).number > first


def test_accounts_that_are_gone_are_named_once(session: Any, person: Callable[..., Any]) -> None:
    ada = person("ada")
    account = Accounts(session).of(ada)
    Accounts(session).of(person("bob"))
    assert Accounts(session).end_missing() == []
    session.delete(ada)
    session.commit()
    assert Accounts(session, clock=lambda: 99.0).end_missing() == [account]
    assert Accounts(session).end_missing() == []
    assert session.get(AccountRow, account.number).ended_at == 99.0


def test_home_of_a_deleted_account_goes_to_the_archive(
    session: Any, person: Callable[..., Any], homes: Homes
) -> None:
    ada = person("ada")
    label = Accounts(session).of(ada).label
    (homes.make(label) / "thesis").write_text("x")
    keep_homes(session, homes)
    assert homes.path(label).is_dir()
    session.delete(ada)
    session.commit()
    keep_homes(session, homes)
    assert not homes.path(label).exists()
    assert (homes.archive / label / "thesis").read_text() == "x"
    homes.clock = lambda: 7 * DAY_S
    keep_homes(session, homes)
    assert homes.archived() == []


def test_home_of_an_older_platform_goes_to_the_account_of_its_name(
    session: Any, person: Callable[..., Any], homes: Homes
) -> None:
    (homes.root / "ada").mkdir(parents=True)
    (homes.root / "stranger").mkdir()
    ada = person("ada")
    adopt_homes(session, homes)
    assert homes.path(Accounts(session).of(ada).label).is_dir()
    assert (homes.root / "stranger").is_dir(), "the home of a stranger stays"


def test_platform_without_homes_has_nothing_to_take_over(session: Any, homes: Homes) -> None:
    adopt_homes(session, homes)
    assert not homes.root.exists()


def test_tables_are_made_once(session: Any) -> None:
    create_missing(session)
    assert AccountRow.__tablename__ in inspect(session.bind).get_table_names()


def test_password_of_someone_else_has_to_be_changed(session: Any) -> None:
    assert not must_change_password(session, "ada")
    session.add(SignInStateRow(name="ada", must_change=True))
    session.commit()
    assert must_change_password(session, "ada")
