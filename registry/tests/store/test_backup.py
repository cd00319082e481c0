"""Backup and restore of SQL and contents together."""

from __future__ import annotations

import os
import tarfile

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox_registry.messaging import server as nats_server
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.store import audit, backup, contents, datasets, schema, tags
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.objects import ObjectStore
from qcrbox_registry.store.tables import events, metadata


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    data = tmp_path_factory.mktemp("nats")
    server = nats_server.start(nats_server.ServerPlan(data=data, power_loss_safe=False))
    yield server.url, Secrets(data).user("registry")
    server.stop()


@pytest.fixture
async def stores(nats, tmp_path):
    """Two object stores: the one that is backed up and an empty one."""
    bus = Bus(*nats)
    await bus.connect()
    made = [ObjectStore(bus, bucket=f"b{os.urandom(4).hex()}") for _ in range(2)]
    for one in made:
        await one.start()
    yield made
    await bus.close()


async def one_piece(content):
    yield content


async def get_bytes(store, sha256):
    return b"".join([chunk async for chunk in store.get(sha256)])


def everything(database):
    def read(conn):
        return {
            table.name: sorted(map(repr, conn.execute(sa.select(table)))) for table in metadata.sorted_tables
        }

    return database.read_sync(read)


@pytest.fixture
async def filled(world, stores):
    """A database with a dataset whose three files are in the first store."""
    new = []
    for size in (0, 100, 700_000):
        sha256, stored = await stores[0].put(one_piece(os.urandom(size)))
        world.write(lambda conn, s=sha256, n=stored: contents.add(conn, s, n, 1.0))
        new.append(datasets.NewFile(f"file-{size}.bin", sha256, stored))
    dataset = datasets.NewDataset(world.person["ada"], name="größe\n", group_id=world.group["crystals"])
    world.write(lambda conn: datasets.add_dataset(conn, dataset, new))
    world.write(
        lambda conn: tags.add(conn, tags.Tagged("dataset", dataset.id, world.person["ada"], 1.0), ["good"])
    )
    world.write(lambda conn: audit.record(conn, [audit.Entry(1.5, "ada", "upload", details={"x": 0.1})]))
    world.start()
    return new


@pytest.fixture
def empty(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'restored.sqlite'}")
    yield made
    made.close()


async def test_a_restore_gives_back_every_row_and_every_byte(world, stores, filled, empty, tmp_path):
    path = tmp_path / "backup.tar"
    written = await backup.write_backup(world.database, stores[0], path)
    assert (written.files, written.is_sound) == (3, True)
    restored = await backup.restore_backup(path, empty, stores[1])
    assert restored.is_sound
    assert everything(empty) == everything(world.database)
    for file in filled:
        assert await get_bytes(stores[1], file.sha256) == await get_bytes(stores[0], file.sha256)
    assert empty.read_sync(audit.broken_links) == []
    assert empty.read_sync(contents.faulty_references) == []


async def test_numbers_go_on_after_a_restore(world, stores, filled, empty, tmp_path):
    path = tmp_path / "backup.tar"
    await backup.write_backup(world.database, stores[0], path)
    await backup.restore_backup(path, empty, stores[1])
    last = world.read(lambda conn: conn.execute(sa.select(sa.func.max(events.c.seq))).scalar())
    row = {"at": 1.0, "kind": "dataset", "object_id": "x", "payload": {}}
    new = empty.write_sync(lambda conn: conn.execute(sa.insert(events).values(row)).inserted_primary_key[0])
    assert new == last + 1


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_backup_of_sqlite_is_restored_into_postgresql(request, stores, tmp_path):
    url = request.getfixturevalue("postgres_url")
    name = f"restored_{os.urandom(4).hex()}"
    admin = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    source, target = (
        Database(f"sqlite:///{tmp_path / 's.sqlite'}"),
        Database(f"{url.rpartition('/')[0]}/{name}"),
    )
    try:
        schema.migrate(source)
        source.write_sync(
            lambda conn: audit.record(conn, [audit.Entry(1.5, "ada", "upload", details={"x": 0.1})] * 3)
        )
        path = tmp_path / "backup.tar"
        await backup.write_backup(source, stores[0], path)
        await backup.restore_backup(path, target, stores[1])
        assert everything(target) == everything(source)
        target.write_sync(lambda conn: audit.record(conn, [audit.Entry(2.0, "ada", "more")]))
        assert target.read_sync(audit.broken_links) == []
    finally:
        source.close()
        target.close()


async def test_a_restore_overwrites_nothing(world, stores, filled, tmp_path):
    path = tmp_path / "backup.tar"
    await backup.write_backup(world.database, stores[0], path)
    before = everything(world.database)
    with pytest.raises(Conflict, match="not empty"):
        await backup.restore_backup(path, world.database, stores[1])
    assert everything(world.database) == before


async def test_missing_contents_are_named_and_the_rest_is_saved(world, stores, filled, empty, tmp_path):
    await stores[0].delete(filled[1].sha256)
    path = tmp_path / "backup.tar"
    written = await backup.write_backup(world.database, stores[0], path)
    assert (written.missing, written.files) == ([filled[1].sha256], 2)
    restored = await backup.restore_backup(path, empty, stores[1])
    assert restored.missing == [filled[1].sha256]


@pytest.mark.attack(30)
@pytest.mark.parametrize("damage", ["cut", "flipped", "no tar", "empty"])
async def test_a_damaged_backup_is_refused_and_leaves_the_database_empty(
    world, stores, filled, empty, tmp_path, damage
):
    path = tmp_path / "backup.tar"
    await backup.write_backup(world.database, stores[0], path)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        at = content.index(b'"ada"')
        content[at : at + 5] = b'"eve"'
    else:
        content = bytearray(b"hello" * 1000 if damage == "no tar" else b"")
    path.write_bytes(content)
    with pytest.raises(UserInputError, match="backup"):
        await backup.restore_backup(path, empty, stores[1])
    assert empty.read_sync(lambda conn: schema.revision(conn)) is None


@pytest.mark.attack(30)
async def test_a_backup_is_ours_alone_and_holds_no_secret(world, stores, filled, tmp_path):
    path = tmp_path / "backup.tar"
    await backup.write_backup(world.database, stores[0], path)
    assert path.stat().st_mode & 0o077 == 0
    with tarfile.open(path) as archive:
        assert {name.split("/")[0] for name in archive.getnames()} == {"tables", "files", "manifest.json"}


@pytest.fixture
def trail(world):
    """A trail of five entries, and `by_hand(sql)` of somebody who holds the database itself and takes its guard away."""
    world.write(lambda conn: audit.record(conn, [audit.Entry(float(i), "ada", f"act {i}") for i in range(5)]))

    def by_hand(statement):
        def run(conn):
            if conn.dialect.name == "sqlite":
                conn.exec_driver_sql("DROP TRIGGER audit_no_update")
                conn.exec_driver_sql("DROP TRIGGER audit_no_delete")
            else:
                conn.exec_driver_sql("DROP TRIGGER audit_only_grows ON audit")
            conn.exec_driver_sql(statement)

        world.write(run)

    return by_hand


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET who = 'eve' WHERE seq = 3", "DELETE FROM audit WHERE seq = 2"]
)
def test_the_audit_trail_only_grows(world, trail, statement):
    with pytest.raises(Exception, match="only grows"):
        world.write(lambda conn: conn.exec_driver_sql(statement))
    assert world.read(audit.broken_links) == []


@pytest.mark.attack(30)
def test_a_changed_audit_row_shows(world, trail):
    trail("UPDATE audit SET who = 'eve' WHERE seq = 3")
    assert world.read(audit.broken_links) == [3]


@pytest.mark.attack(30)
def test_a_removed_audit_row_shows(world, trail):
    trail("DELETE FROM audit WHERE seq = 2")
    assert world.read(audit.broken_links) == [3]
