"""The schema's version: brings a database of any released version to the present one."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from qcrbox.contract.errors import Conflict

from qcrbox_registry.store.engine import DamagedDatabase, Database


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """The revision this version of the registry works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the migrations folder is empty"
    return head


def revision(connection: sa.Connection) -> str | None:
    """The revision of a database; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, to: str = "head") -> tuple[str | None, str]:
    """Upgrade in one transaction; (revision before, revision after). Raises Conflict for a newer database."""

    def run(connection: sa.Connection) -> tuple[str | None, str]:
        before = revision(connection)
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if before is not None and before not in known:
            raise Conflict(
                f"The database has schema {before}, which this version does not know.",
                why="It was last used by a newer version of QCrBox.",
                next="Install that version again, or restore a backup made before the upgrade.",
            )
        if before != newest_revision() or to != "head":
            command.upgrade(_config(connection), to)
        after = revision(connection)
        assert after is not None
        return before, after

    return database.write_sync(run, timeout_s=None)


def integrity_faults(database: Database, *, thorough: bool = False) -> list[str]:
    """What SQLite finds wrong with its own file; an empty list when it is sound.

    The quick check reads every page; the thorough one compares indexes with tables as well.
    PostgreSQL checks itself, so there nothing is reported.
    """
    if not database.is_sqlite:
        return []

    def run(connection: sa.Connection) -> list[str]:
        pragma = "integrity_check" if thorough else "quick_check"
        found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {pragma}(20)")]
        faults = [] if found == ["ok"] else found
        for table, rowid, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            faults.append(f"row {rowid} of {table} points to a missing row of {parent}")
        return faults

    try:
        return database.read_sync(run)
    except DamagedDatabase as error:
        return [error.message]
