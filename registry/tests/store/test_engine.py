from __future__ import annotations

import asyncio
import sqlite3

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, StorageFull, Unreachable, UserInputError
from qcrbox_registry.store import engine, schema
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.tables import groups, metadata


def add(name):
    return lambda conn: conn.execute(sa.insert(groups).values(name=name, created_at=0.0))


def names(conn):
    return sorted(conn.execute(sa.select(groups.c.name)).scalars())


async def test_many_changes_share_a_few_commits(database, monkeypatch):
    # By number alone: on a busy machine a batch also ends by its time.
    monkeypatch.setattr(engine, "LONGEST_BATCH_S", 60.0)
    before = database.commits
    await asyncio.gather(*(database.write(add(f"g{i}")) for i in range(300)))
    assert len(await database.read(names)) == 300
    assert database.commits - before < 60


async def test_a_change_that_raises_takes_nothing_with_it(database):
    def refuse(conn):
        add("half")(conn)
        raise UserInputError("no")

    answers = await asyncio.gather(
        database.write(add("a")), database.write(refuse), database.write(add("b")), return_exceptions=True
    )
    assert isinstance(answers[1], UserInputError)
    assert await database.read(names) == ["a", "b"]


async def test_a_broken_constraint_is_the_callers_error_alone(database):
    await database.write(add("a"))
    answers = await asyncio.gather(database.write(add("a")), database.write(add("b")), return_exceptions=True)
    assert isinstance(answers[0], sa.exc.IntegrityError)
    assert await database.read(names) == ["a", "b"]


async def test_items_of_one_group_are_written_by_one_call(database):
    calls = []

    def group(conn, items):
        calls.append(len(items))
        for item in items:
            add(item)(conn)
        return [item.upper() for item in items]

    def slow(conn):
        import time

        time.sleep(0.2)  # so that the others arrive while the writer is busy

    waiting = asyncio.ensure_future(database.write(slow))
    await asyncio.sleep(0.02)
    answers = await asyncio.gather(*(database.write_grouped(group, f"g{i}") for i in range(20)))
    await waiting
    assert answers == [f"G{i}" for i in range(20)]
    assert sum(calls) == 20
    assert len(calls) < 20


async def test_an_item_that_is_refused_in_a_group_refuses_no_other(database):
    def group(conn, items):
        return [Conflict("no") if item == "bad" else add(item)(conn) and item for item in items]

    answers = await asyncio.gather(
        *(database.write_grouped(group, item) for item in ("a", "bad", "b")), return_exceptions=True
    )
    assert isinstance(answers[1], Conflict)
    assert await database.read(names) == ["a", "b"]


async def test_a_group_that_raises_is_tried_again_one_by_one(database):
    def group(conn, items):
        for item in items:
            add(item)(conn)
        if "bad" in items:
            raise UserInputError("no")
        return items

    answers = await asyncio.gather(
        *(database.write_grouped(group, item) for item in ("a", "bad", "b")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [str, UserInputError, str]
    assert await database.read(names) == ["a", "b"]


async def test_a_reader_cannot_write(database):
    with pytest.raises((sa.exc.DBAPIError, Unreachable)):
        await database.read(add("a"))
    assert await database.read(names) == []


async def test_a_cancelled_caller_does_not_stop_the_writer(database):
    task = asyncio.ensure_future(database.write(add("a")))
    await asyncio.sleep(0)
    task.cancel()
    await database.write(add("b"))
    assert await database.read(names) == ["a", "b"]


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'small.sqlite'}")
    schema.migrate(database)
    database.write_sync(add("before"))

    def fill(conn):
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
        for i in range(2000):
            add(f"{i}" + "x" * 200)(conn)

    with pytest.raises(StorageFull, match="disk is full"):
        database.write_sync(fill)
    assert database.read_sync(names) == ["before"]
    database.write_sync(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1073741823"))
    database.write_sync(add("after"))
    assert database.read_sync(names) == ["after", "before"]
    database.close()


def test_sqlite_is_set_up_to_lose_nothing(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")

    def pragmas(conn):
        return {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    found = database.write_sync(pragmas)
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}


def test_the_migrations_make_exactly_the_tables_of_the_code(database):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def differences(conn):
        return compare_metadata(MigrationContext.configure(conn), metadata)

    assert database.write_sync(differences) == []


def test_the_newest_revision_is_the_head_of_the_migrations(database):
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(schema._config()).get_current_head() == schema.NEWEST


def test_migrating_twice_changes_nothing(database):
    assert schema.migrate(database) == (schema.NEWEST, schema.NEWEST)


def test_a_database_of_a_newer_version_is_refused(database):
    database.write_sync(lambda conn: conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(Conflict, match="newer version"):
        schema.migrate(database)


def test_a_damaged_file_is_found_at_the_start(tmp_path):
    path = tmp_path / "a.sqlite"
    database = Database(f"sqlite:///{path}")
    schema.migrate(database)
    for i in range(500):
        database.write_sync(add(f"group {i}" + "x" * 100))
    database.close()
    with sqlite3.connect(path) as direct:
        direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 8192):
        content[at] ^= 0xFF
    path.write_bytes(content)
    again = Database(f"sqlite:///{path}")
    assert schema.integrity_faults(again)
    again.close()
