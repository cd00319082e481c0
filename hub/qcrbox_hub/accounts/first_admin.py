"""The one-time code that makes the first administrator. Only its hash is on disk."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from qcrbox_hub.platform import sqlite

LIFE_S = 24 * 3600.0


class FirstAdminCode:
    """Checks and uses up the code that `qcrbox up` printed."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self.file, self.clock = file, clock

    def is_valid(self, code: str) -> bool:
        """Whether this is the code, not yet used and not too old."""
        try:
            stored = json.loads(self.file.read_text())
            digest, made_at = str(stored["sha256"]), float(stored["made_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        given = hashlib.sha256(code.encode()).hexdigest()
        return hmac.compare_digest(given, digest) and self.clock() - made_at <= LIFE_S

    def use_up(self) -> None:
        """Remove the code; it cannot be used again."""
        self.file.unlink(missing_ok=True)


def has_administrator(hub_database_url: str) -> bool:
    """True when the hub's database knows an administrator who may sign in. Reads only, needs no running hub."""
    file = sqlite.file_of(hub_database_url)
    if file is not None:
        if not file.exists():
            return False
        try:
            with closing(sqlite.open_to_read(file)) as connection:
                return _has_administrator(lambda query: connection.execute(query).fetchone())
        except sqlite3.Error:
            return False  # a database without these tables: the hub has never been up
    # Start-up time: `up` on SQLite starts without it.
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import ProgrammingError

    engine = create_engine(hub_database_url)
    try:
        with engine.connect() as server:
            return _has_administrator(lambda query: server.execute(text(query)).first())
    except ProgrammingError:
        return False
    finally:
        engine.dispose()


def _has_administrator(first_row: Callable[[str], object]) -> bool:
    """Locked accounts do not count; accounts of a sign-in provider have no row in users_info."""
    return (
        first_row(
            "SELECT 1 FROM users LEFT JOIN users_info ON users.name = users_info.username"
            " WHERE users.admin AND (users_info.is_authorized OR users_info.is_authorized IS NULL) LIMIT 1"
        )
        is not None
    )
