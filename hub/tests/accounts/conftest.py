"""Databases of accounts that tests make themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event


@pytest.fixture(scope="module", autouse=True)
def unflushed_databases() -> Iterator[None]:
    """SQLite databases opened in the test process do not wait for the disk, which takes half a second when the hub's tables are made."""

    def leave(connection: Any, _: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", leave)
    yield
    event.remove(Engine, "connect", leave)
