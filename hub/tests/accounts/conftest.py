"""Databases of accounts that tests make themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event


@pytest.fixture(scope="module", autouse=True)
def unflushed_databases() -> Iterator[None]:
    """SQLite databases that tests open themselves wait for no disk: to make the hub's tables takes half a second else."""

    def leave(connection: Any, _: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")

    event.listen(Engine, "connect", leave)
    yield
    event.remove(Engine, "connect", leave)
