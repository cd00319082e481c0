"""Copies of JupyterHub's database; its URL may carry options."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from qcrbox.contract.errors import Conflict
from qcrbox_hub.accounts.first_admin import has_administrator
from qcrbox_hub.lifecycle import hub_database
from sqlalchemy import create_engine, insert, select

USERS = orm.User.__table__


def people(url: str) -> list[tuple[str, bool]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [(row.name, row.admin) for row in connection.execute(select(USERS.c.name, USERS.c.admin))]
    engine.dispose()
    return found


@pytest.fixture(params=["sqlite:///{}", "sqlite:///{}?timeout=20", "sqlite+pysqlite:///{}?timeout=20"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A hub's database with an administrator."""
    made = request.param.format(tmp_path / "hub.sqlite")
    assert not hub_database.exists(made)
    assert not has_administrator(made)
    assert list(tmp_path.iterdir()) == [], "a look makes no file"
    engine = create_engine(made)
    orm.Base.metadata.create_all(engine, tables=[USERS, UserInfo.__table__])
    with engine.begin() as connection:
        connection.execute(insert(USERS).values(name="ada", admin=True, cookie_id="x"))
    engine.dispose()
    return made


def test_a_database_and_its_administrator_are_found(url: str) -> None:
    assert hub_database.exists(url)
    assert has_administrator(url)


def test_the_copy_is_private_and_a_database_in_use_is_no_target(url: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path / 'copy.sqlite'}?timeout=5"
    hub_database.copy(url, target)
    assert people(target) == [("ada", True)]
    assert stat.S_IMODE((tmp_path / "copy.sqlite").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.sqlite", "hub.sqlite"]
    with pytest.raises(Conflict):
        hub_database.copy(url, target)
