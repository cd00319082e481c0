"""JupyterHub's database waits for the disk as rarely as it may."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from jupyterhub import dbutil, orm
from qcrbox_hub.jupyterhub.database import keep_write_ahead_log, name_the_file_that_is_copied
from qcrbox_hub.platform import sqlite
from sqlalchemy import create_engine, text


def test_connections_of_the_hub_find_the_log_and_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.sqlite'}"
    keep_write_ahead_log(url)
    with create_engine(url).connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2}


def test_the_file_alone_is_whole_before_the_hub_starts(tmp_path: Path) -> None:
    """The last hub was killed: what it committed is in its log only."""
    file = tmp_path / "hub.sqlite"
    keep_write_ahead_log(f"sqlite:///{file}")
    killed = sqlite3.connect(file)
    killed.execute("CREATE TABLE users (name TEXT)")
    killed.execute("INSERT INTO users VALUES ('ada')")
    killed.commit()
    keep_write_ahead_log(f"sqlite:///{file}")
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(file.read_bytes())
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT name FROM users").fetchall() == [("ada",)]
    killed.close()


@pytest.mark.parametrize("url", ["sqlite:///{}/damaged", "postgresql+psycopg://nowhere.example/hub"])
def test_what_is_no_database_of_sqlite_is_left_as_it_is(tmp_path: Path, url: str) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"not a database" * 100)
    keep_write_ahead_log(url.format(tmp_path))
    assert damaged.read_bytes() == b"not a database" * 100
    assert list(tmp_path.iterdir()) == [damaged]


def test_options_of_a_url_do_not_belong_to_the_name_of_the_file(tmp_path: Path) -> None:
    keep_write_ahead_log(f"sqlite:///{tmp_path}/hub.sqlite?timeout=20")
    assert [file.name for file in tmp_path.iterdir()] == ["hub.sqlite"]
    with closing(sqlite3.connect(tmp_path / "hub.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("name", "options"),
    [("hub.sqlite", ""), ("hub.sqlite", "?timeout=20"), ("hub 100%25?.sqlite", "?timeout=20")],
)
def test_the_file_is_copied_before_an_upgrade_whatever_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: str
) -> None:
    """JupyterHub's own upgrade, from the revision before its last one."""
    monkeypatch.setattr(dbutil, "backup_db_file", dbutil.backup_db_file)
    name_the_file_that_is_copied()
    url = sqlite.url_of(tmp_path / name) + options
    made = orm.new_session_factory(url)
    made.kw["bind"].dispose()
    with closing(sqlite3.connect(tmp_path / name)) as database:
        database.execute("UPDATE alembic_version SET version_num = '4621fec11365'")
        database.commit()
    monkeypatch.setattr(dbutil, "upgrade", lambda url: None)
    dbutil.upgrade_if_needed(url, log=logging.getLogger("test"))
    copy = next(file for file in tmp_path.iterdir() if file.name.startswith(f"{name}."))
    with closing(sqlite.open_to_read(copy)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("4621fec11365",)]
