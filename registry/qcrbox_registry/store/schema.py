"""The schema's version: brings a database of any released version to the present one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict

from qcrbox_registry.store.engine import DamagedDatabase, Database

# The head of the migrations (a test compares). Alembic itself is imported only when there is something to migrate.
NEWEST = "0009"


def _config(connection: sa.Connection | None = None) -> Any:
    # Start-up time: see `NEWEST`.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def revision(connection: sa.Connection) -> str | None:
    """The revision of a database; None when it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def migrate(database: Database, to: str = "head") -> tuple[str | None, str]:
    """Upgrade in one transaction; (revision before, revision after). Raises Conflict for a newer database."""

    def run(connection: sa.Connection) -> tuple[str | None, str]:
        before = revision(connection)
        if before == NEWEST and to == "head":
            return before, before
        _upgrade(connection, before, to)
        after = revision(connection)
        assert after is not None
        return before, after

    return database.write_sync(run, timeout_s=None)


def _upgrade(connection: sa.Connection, before: str | None, to: str) -> None:
    # Start-up time: see `NEWEST`.
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if before is not None and before not in known:
        raise Conflict(
            f"The database has schema {before}, which this version does not know.",
            why="It was last used by a newer version of QCrBox.",
            next="Install that version again, or restore a backup made before the upgrade.",
        )
    command.upgrade(_config(connection), to)


def integrity_faults(database: Database, *, thorough: bool = False) -> list[str]:
    """What SQLite finds wrong with its own file; an empty list when it is sound.

    The quick check reads every page; the thorough one compares indexes with tables and follows every reference.
    PostgreSQL checks itself, so there nothing is reported.
    """
    if not database.is_sqlite:
        return []

    def run(connection: sa.Connection) -> list[str]:
        pragma = "integrity_check" if thorough else "quick_check"
        found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {pragma}(20)")]
        faults = [] if found == ["ok"] else found
        references = connection.exec_driver_sql("PRAGMA foreign_key_check") if thorough else ()
        for table, rowid, parent, _ in references:
            faults.append(f"row {rowid} of {table} points to a missing row of {parent}")
        return faults

    try:
        return database.read_sync(run)
    except DamagedDatabase as error:
        return [error.message]
