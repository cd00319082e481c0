"""URLs of SQLite are read as SQLAlchemy reads them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from qcrbox_hub.platform import sqlite
from sqlalchemy import create_engine, text

FILES = [
    "sqlite:///{}/hub.sqlite",
    "sqlite:///{}/hub.sqlite?timeout=20",
    "sqlite+pysqlite:///{}/hub.sqlite?timeout=20&check_same_thread=false",
    "sqlite:///file:{}/hub.sqlite?mode=rwc&uri=true",
    "sqlite:///file://{}/hub.sqlite?uri=1&timeout=20",
    "sqlite:///{}/a%20hub.sqlite?timeout=20",
    "sqlite:///hub.sqlite?timeout=20",
]


@pytest.mark.parametrize("pattern", FILES)
def test_the_file_is_the_one_that_sqlalchemy_opens(
    tmp_path: Path, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = pattern.format(tmp_path)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (name TEXT)"))
    engine.dispose()
    file = sqlite.file_of(url)
    assert file is not None
    assert [file.resolve()] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?cache=shared&uri=true",
        "sqlite:///file:name?mode=memory&uri=true",
        "postgresql+psycopg://hub@db.example/hub?connect_timeout=3",
    ],
)
def test_no_file_where_the_database_is_in_memory_or_elsewhere(url: str) -> None:
    assert sqlite.file_of(url) is None
    assert sqlite.is_sqlite(url) == url.startswith("sqlite")


@pytest.mark.parametrize("name", ["hub.sqlite", "a 100% b?c#d.sqlite", "a%20b.sqlite"])
def test_any_name_of_a_file_makes_a_url_and_can_be_read(tmp_path: Path, name: str) -> None:
    url = sqlite.url_of(tmp_path / name)
    assert sqlite.file_of(url) == tmp_path / name
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (name TEXT)"))
    engine.dispose()
    assert os.listdir(tmp_path) == [name]
    with closing(sqlite.open_to_read(tmp_path / name)) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DROP TABLE users")


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        sqlite.open_to_read(tmp_path / "absent.sqlite")
    assert list(tmp_path.iterdir()) == []
