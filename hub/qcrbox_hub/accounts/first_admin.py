"""The one-time code that makes the first administrator. Only its hash is on disk."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

LIFE_S = 24 * 3600.0


class FirstAdminCode:
    """Checks and uses up the code that `qcrbox up` printed."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self.file, self.clock = file, clock

    def is_valid(self, code: str) -> bool:
        try:
            stored = json.loads(self.file.read_text())
            digest, made_at = str(stored["sha256"]), float(stored["made_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        given = hashlib.sha256(code.encode()).hexdigest()
        return hmac.compare_digest(given, digest) and self.clock() - made_at <= LIFE_S

    def use_up(self) -> None:
        self.file.unlink(missing_ok=True)


def has_administrator(hub_database: Path) -> bool:
    """True when the hub's database knows an approved administrator. Reads only, needs no running hub."""
    if not hub_database.exists():
        return False
    try:
        with sqlite3.connect(f"file:{hub_database}?mode=ro", uri=True) as connection:
            row = connection.execute(
                "SELECT 1 FROM users JOIN users_info ON users.name = users_info.username"
                " WHERE users.admin = 1 AND users_info.is_authorized = 1 LIMIT 1"
            ).fetchone()
    except sqlite3.Error:
        return False  # a database without these tables: the hub has never been up
    return row is not None
