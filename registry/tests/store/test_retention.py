"""Unused old outputs: which outputs count as unused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import datasets, retention, shares, trash
from qcrbox_registry.store.retention import Amount, Rule
from qcrbox_registry.store.tables import calculations, data_files
from qcrbox_registry.store.tables import datasets as table

NOW, SINCE, OLD = 1000.0, 500.0, 100.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def old(world):
    """`old()`: an output that was last touched long ago; (dataset id, [file ids])."""

    def make(**more):
        dataset_id, files = world.dataset(kind=more.pop("kind", "output"), **more)
        world.write(lambda conn: touch(conn, dataset_id, OLD))
        return dataset_id, files

    return make


def touch(conn, dataset_id, at):
    conn.execute(sa.update(table).where(table.c.id == dataset_id).values(changed_at=at))
    conn.execute(sa.update(data_files).where(data_files.c.dataset_id == dataset_id).values(created_at=at))


def chosen(world, rule=None, limit=100):
    rows, moved = world.write(
        lambda conn: retention.move(conn, rule or Rule(SINCE), world.person["eve"], NOW, limit)
    )
    assert moved.datasets == len(rows)
    return [row.id for row in rows]


def used_by(world, data_file_id, submitted_at, finished_at):
    calculation_id = world.start(inputs=[("x", data_file_id)])
    values = {"submitted_at": submitted_at, "finished_at": finished_at}
    world.write(
        lambda conn: conn.execute(
            sa.update(calculations).where(calculations.c.id == calculation_id).values(values)
        )
    )


def test_an_old_output_goes_into_the_trash(world, old):
    one, (file,) = old()
    assert chosen(world) == [one]
    row = world.read(lambda conn: datasets.get(conn, one, deleted=True))
    assert row.deleted_at == NOW
    assert world.read(lambda conn: datasets.get_file(conn, file, deleted=True)).deleted_at == NOW
    assert chosen(world) == []


@pytest.mark.parametrize("kind", ["data", "example"])
def test_what_people_brought_stays(world, old, kind):
    old(kind=kind)
    assert chosen(world) == []


@pytest.mark.parametrize(("at", "goes"), [(SINCE - 0.1, True), (SINCE, False), (SINCE + 1, False)])
def test_what_was_changed_since_stays(world, old, at, goes):
    one, _ = old()
    world.write(lambda conn: conn.execute(sa.update(table).values(changed_at=at)))
    assert chosen(world) == ([one] if goes else [])


def test_what_got_a_file_since_stays_unless_the_file_is_deleted(world, old):
    one, (first, second) = old(files=("a.cif", "b.cif"))
    world.write(
        lambda conn: conn.execute(
            sa.update(data_files).where(data_files.c.id == second).values(created_at=SINCE)
        )
    )
    assert chosen(world) == []
    world.write(lambda conn: trash.delete_file(conn, second, world.person["ada"], 600.0))
    assert chosen(world) == [one]
    assert first


@pytest.mark.parametrize(
    ("submitted_at", "finished_at", "goes"),
    [(OLD, OLD + 1, True), (OLD, SINCE, False), (SINCE, SINCE + 1, False), (OLD, None, False)],
    ids=["used long ago", "ended since", "submitted since", "still waits"],
)
def test_what_a_calculation_used_since_stays(world, old, submitted_at, finished_at, goes):
    one, (file,) = old()
    used_by(world, file, submitted_at, finished_at)
    assert chosen(world) == ([one] if goes else [])


def test_the_use_of_another_dataset_does_not_count(world, old):
    one, _ = old()
    _, (file,) = world.dataset()
    used_by(world, file, NOW, None)
    assert chosen(world) == [one]


@pytest.mark.parametrize("running", [True, False])
def test_the_output_of_a_calculation_that_runs_stays(world, old, running):
    calculation_id = world.start()
    if not running:
        world.write(lambda conn: conn.execute(sa.update(calculations).values(finished_at=OLD)))
    one, _ = old(calculation_id=calculation_id)
    assert chosen(world) == ([] if running else [one])


@pytest.mark.parametrize("kind", ["dataset", "data_file", "calculation"])
@pytest.mark.parametrize("state", ["holds", "revoked", "expired", "expires later"])
def test_what_is_shared_stays_while_the_share_holds(world, old, kind, state):
    calculation_id = world.start()
    world.write(lambda conn: conn.execute(sa.update(calculations).values(finished_at=OLD)))
    one, (file,) = old(calculation_id=calculation_id)
    object_id = {"dataset": one, "data_file": file, "calculation": calculation_id}[kind]
    expires_at = {"expired": NOW - 1, "expires later": NOW + 1}.get(state)

    def share(conn):
        new = shares.NewShare(
            kind, object_id, "read", world.person["ada"], person_id=world.person["bob"], expires_at=expires_at
        )
        share_id = shares.give(conn, new, OLD)
        if state == "revoked":
            shares.revoke(conn, share_id, OLD)

    world.write(share)
    assert chosen(world) == ([] if state in ("holds", "expires later") else [one])


def test_a_rule_for_a_group_leaves_others_alone(world, old):
    mine, _ = old(group="crystals")
    old(group="powders")
    old()
    assert chosen(world, Rule(SINCE, world.group["crystals"])) == [mine]


def test_the_oldest_go_first_in_portions(world, old):
    ids = [old()[0] for _ in range(3)]
    for at, dataset_id in zip((30.0, 10.0, 20.0), ids, strict=True):
        world.write(lambda conn, at=at, dataset_id=dataset_id: touch(conn, dataset_id, at))
    assert [chosen(world, limit=2), chosen(world, limit=2)] == [[ids[1], ids[2]], [ids[0]]]


def test_what_would_go_is_counted_with_its_present_bytes(world, old):
    _, (file, _) = old(files=("a.cif", "b.cif"))
    old(files=("c.cif",))
    world.write(lambda conn: trash.delete_file(conn, file, world.person["ada"], 50.0))
    rule = Rule(SINCE)
    assert world.read(lambda conn: retention.count(conn, rule, NOW)) == Amount(2, 2, 11 + 10)
    _, moved = world.write(lambda conn: retention.move(conn, rule, world.person["eve"], NOW))
    assert moved == Amount(2, 2, 21)
    assert world.read(lambda conn: retention.count(conn, rule, NOW)) == Amount(0, 0, 0)


def test_amounts_add_up():
    assert Amount(1, 2, 3) + Amount(10, 20, 30) == Amount(11, 22, 33)
