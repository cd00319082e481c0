"""How JupyterHub's own database is kept."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from contextlib import closing

from jupyterhub import dbutil

from qcrbox_hub.platform import sqlite


def keep_write_ahead_log(url: str) -> None:
    """Give an SQLite database a write-ahead log; it stays with the file. Other databases are left as they are.

    JupyterHub commits in its event loop, about twenty times for each server that starts. With SQLite's usual
    journal a commit waits for the disk several times, and every page of the hub with it; with this log it waits
    once. Nothing that was committed is lost when the machine loses power: `synchronous` stays FULL.
    """
    file = sqlite.file_of(url)
    if file is None:
        return
    # A file that is no database is reported by JupyterHub, which opens it next.
    with (
        contextlib.suppress(sqlite3.DatabaseError),
        closing(sqlite3.connect(file, timeout=10.0)) as database,
    ):
        database.execute("PRAGMA journal_mode = WAL")
        # JupyterHub copies the file alone before it upgrades its tables.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def name_the_file_that_is_copied() -> None:
    """Let JupyterHub copy an SQLite file before it upgrades its tables, whatever the URL.

    It takes all that follows `:///` for the name, also options (`?timeout=20`) and what is escaped (`%25`). There is no
    such file, and the hub would not start after an update.
    """
    copy = dbutil.backup_db_file

    def copy_file(name: str, log: logging.Logger | None = None) -> None:
        copy(str(sqlite.file_of(f"sqlite:///{name}") or name), log)

    dbutil.backup_db_file = copy_file
