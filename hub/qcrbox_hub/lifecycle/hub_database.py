"""Copies of JupyterHub's database, between SQLite and PostgreSQL in any direction."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import nativeauthenticator.orm  # noqa: F401 - its table belongs to the copy
from jupyterhub import orm
from qcrbox.contract.errors import Conflict, Unreachable
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import OperationalError

import qcrbox_hub.accounts.tables  # noqa: F401 - our tables too
from qcrbox_hub.platform import sqlite

# A restored platform must not honour what was given out before: tokens, sign-ins, servers that ran.
FORGOTTEN_TABLES = ("api_tokens", "oauth_codes", "api_token_role_map", "servers")
_VERSION = "alembic_version"
_BATCH = 1000


def exists(url: str) -> bool:
    """Does a hub's database with a table of users answer there? Raises Unreachable."""
    file = sqlite.file_of(url)
    if file is not None and not file.is_file():
        return False
    engine = create_engine(url)
    try:
        return inspect(engine).has_table("users")
    except OperationalError as error:
        raise Unreachable(
            "The hub's database does not answer.", why=str(error.orig).strip(), part="database"
        ) from error
    finally:
        engine.dispose()


def copy(source: str, target: str) -> None:
    """A consistent copy, also of a database in use. The target has to be empty: raises Conflict."""
    if exists(target):
        raise Conflict("The hub's database is not empty.", next="Name an empty database in platform.toml.")
    old_file, new_file = sqlite.file_of(source), sqlite.file_of(target)
    if new_file is not None:
        # Readable by its owner only, from the first moment.
        os.close(os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if old_file is not None and new_file is not None:
        with (
            closing(sqlite.open_to_read(old_file)) as old,
            closing(sqlite3.connect(new_file)) as new,
        ):
            old.backup(new)
        return
    old_engine, new_engine = create_engine(source), create_engine(target)
    try:
        _copy_rows(old_engine, new_engine)
    finally:
        old_engine.dispose()
        new_engine.dispose()


def _copy_rows(source: Engine, target: Engine) -> None:
    present = set(inspect(source).get_table_names())
    orm.Base.metadata.create_all(target)
    with (
        source.connect().execution_options(isolation_level=_snapshot(source)) as old,
        target.begin() as new,
    ):
        for table in orm.Base.metadata.sorted_tables:
            if table.name not in present:
                continue
            result = old.execute(select(table))
            while rows := result.fetchmany(_BATCH):
                new.execute(table.insert(), [dict(row._mapping) for row in rows])
        _copy_version(old, new, present)
        _set_sequences(new)


def _snapshot(engine: Engine) -> str:
    return "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"


def _copy_version(old: Connection, new: Connection, present: set[str]) -> None:
    """Alembic's own table, by which JupyterHub knows the schema."""
    if _VERSION not in present:
        return
    new.execute(text(f"CREATE TABLE IF NOT EXISTS {_VERSION} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    new.execute(text(f"DELETE FROM {_VERSION}"))
    for row in old.execute(text(f"SELECT version_num FROM {_VERSION}")):
        new.execute(text(f"INSERT INTO {_VERSION} VALUES (:number)"), {"number": row[0]})


def _set_sequences(connection: Connection) -> None:
    """PostgreSQL counts on from its own number, not from the rows that are there."""
    if connection.dialect.name != "postgresql":
        return
    for table in orm.Base.metadata.sorted_tables:
        key = table.autoincrement_column
        if key is None:
            continue
        last = connection.execute(select(func.max(key))).scalar()
        if last:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"),
                {"table": f'"{table.name}"', "column": key.name, "last": last},
            )


def forget_what_was_given_out(url: str) -> None:
    """In a restored database: no token, no sign-in, no server of before."""
    engine = create_engine(url)
    try:
        present = set(inspect(engine).get_table_names())
        with engine.begin() as connection:
            connection.execute(text("UPDATE spawners SET server_id = NULL, state = NULL"))
            for table in FORGOTTEN_TABLES:
                if table in present:
                    connection.execute(text(f"DELETE FROM {table}"))
            for (user,) in connection.execute(text("SELECT id FROM users")).fetchall():
                # Cookies are bound to this id, so old ones are no longer valid.
                connection.execute(
                    text("UPDATE users SET cookie_id = :new WHERE id = :user"),
                    {"new": orm.new_token(), "user": user},
                )
    finally:
        engine.dispose()
