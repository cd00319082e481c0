"""Lists show exactly what the table lets a person read."""

from __future__ import annotations

import itertools
import time

import pytest
from qcrbox_registry.access.rights import EVERY_GROUP, Actor, allows, visibility_filters, visible
from qcrbox_registry.store import calculations, datasets, paging, shares
from qcrbox_registry.store.tables import calculations as calculations_table
from qcrbox_registry.store.tables import data_files, new_id
from qcrbox_registry.store.tables import datasets as datasets_table


@pytest.fixture
def site(world):
    """Datasets and calculations of three persons in two groups or none, some shared, one an example."""
    made = {"datasets": [], "calculations": []}
    for owner, group in itertools.product(("ada", "bob", "eve"), (None, "crystals", "powders")):
        made["datasets"].append(world.dataset(owner, group=group)[0])
        made["calculations"].append(world.start(owner, group_id=world.group.get(group)))
    made["datasets"].append(world.dataset("ada", kind="example")[0])
    now = time.time()

    def share(conn):
        ada_private, bob_powders = made["datasets"][0], made["datasets"][5]
        give = {"by_id": world.person["ada"], "now": now}
        shares.give(
            conn, kind="dataset", object_id=ada_private, mode="read", person_id=world.person["eve"], **give
        )
        shares.give(
            conn,
            kind="dataset",
            object_id=bob_powders,
            mode="write",
            group_id=world.group["crystals"],
            **give,
        )
        shares.give(
            conn,
            kind="calculation",
            object_id=made["calculations"][0],
            mode="read",
            person_id=world.person["eve"],
            **give,
        )
        taken_back = shares.give(
            conn,
            kind="dataset",
            object_id=made["datasets"][3],
            mode="read",
            person_id=world.person["eve"],
            **give,
        )
        shares.revoke(conn, made["datasets"][3], taken_back, now)
        shares.give(
            conn, kind="dataset", object_id=made["datasets"][4], mode="read", person_id=world.person["eve"],
            expires_at=now - 1, **give,
        )  # fmt: skip

    world.write(share)
    return made


ACTORS = {
    "owner of some": {"name": "ada"},
    "member": {"name": "ada", "groups": ["crystals"]},
    "manager": {"name": "ada", "manages": ["powders"]},
    "data manager": {"name": "ada", "curates": ["powders"]},
    "shared with": {"name": "eve"},
    "shared with a group": {"name": "eve", "groups": ["crystals"]},
    "administrator": {"name": "eve", "admin": True},
}


@pytest.mark.parametrize("who", ACTORS)
def test_lists_hold_what_may_be_read_and_nothing_else(world, site, actor, who):
    one = actor(**ACTORS[who])

    def by_table(conn):
        readable = {
            row.id
            for row in datasets.by_ids(conn, site["datasets"])
            if allows(one, "read", shares.dataset_resource(conn, row))
        }
        runs = {
            row.id
            for row in calculations.by_ids(conn, site["calculations"])
            if allows(one, "read", shares.calculation_resource(conn, row))
        }
        rows = [row for files in datasets.files_of(conn, site["datasets"]).values() for row in files]
        resources = shares.file_resources(conn, rows)
        return readable, runs, {row.id for row in rows if allows(one, "read", resources[row.id])}

    def by_lists(conn):
        return tuple(
            set(paging.newest_ids(conn, table, visibility_filters(one, table), limit=None))
            for table in (datasets_table, calculations_table, data_files)
        )

    assert world.read(by_lists) == world.read(by_table)


@pytest.mark.parametrize("who", ACTORS)
def test_one_condition_and_the_branches_agree(world, site, actor, who):
    one = actor(**ACTORS[who])
    for table in (datasets_table, calculations_table, data_files):
        whole = world.read(
            lambda conn, t=table: set(paging.newest_ids(conn, t, [visible(one, t)], limit=None))
        )
        parts = world.read(
            lambda conn, t=table: set(paging.newest_ids(conn, t, visibility_filters(one, t), limit=None))
        )
        assert whole == parts


def test_a_manager_of_every_group_sees_all_groups_and_no_private_things(world, site):
    one = Actor(world.person["eve"], "eve", manages=frozenset({EVERY_GROUP}))
    found = world.read(
        lambda conn: paging.newest_ids(
            conn, calculations_table, visibility_filters(one, calculations_table), limit=None
        )
    )
    private = {site["calculations"][0], site["calculations"][3]}
    assert private - set(found) == {site["calculations"][3]}  # the first one is shared with eve


def test_pages_walk_through_everything_once(world, site, actor):
    one = actor("ada", groups=["crystals"])
    seen, after = [], None
    while True:
        page = world.read(
            lambda conn, after=after: paging.newest_ids(
                conn, datasets_table, visibility_filters(one, datasets_table), limit=2, after=after
            )
        )
        if not page:
            break
        seen += page
        after = page[-1]
    everything = world.read(
        lambda conn: paging.newest_ids(
            conn, datasets_table, visibility_filters(one, datasets_table), limit=None
        )
    )
    assert seen == everything
    assert seen == sorted(seen, reverse=True)


def test_an_unknown_id_and_a_hidden_one_say_the_same(world, site, actor):
    unknown, hidden = new_id(), site["datasets"][3]

    def answer(dataset_id):
        with pytest.raises(Exception) as raised:
            world.read(lambda conn: shares.dataset(conn, actor("eve"), "read", dataset_id))
        return str(raised.value).replace(dataset_id, "ID"), type(raised.value)

    assert answer(unknown) == answer(hidden)
