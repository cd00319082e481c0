"""Lists show exactly what the table lets a person read."""

from __future__ import annotations

import itertools
import time

import pytest
import sqlalchemy as sa
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import EVERY_GROUP, Actor, allows
from qcrbox_registry.services import authorized
from qcrbox_registry.store import calculations, datasets, shares
from qcrbox_registry.store.paging import Page, Rows, page_of
from qcrbox_registry.store.tables import new_id
from qcrbox_registry.store.visibility import TABLES, condition

KINDS = ("dataset", "calculation", "data_file")


def listed(conn, actor, kind, page=None):
    return page_of(conn, Rows(TABLES[kind], reach(actor, kind), time.time()), (), page or Page())


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
        eve = {"person_id": world.person["eve"]}
        crystals = {"group_id": world.group["crystals"]}

        def give(kind, object_id, mode="read", **whom):
            new = shares.NewShare(kind, object_id, mode, world.person["ada"], **whom)
            return shares.give(conn, new, now)

        give("dataset", ada_private, **eve)
        give("dataset", bob_powders, "write", **crystals)
        give("calculation", made["calculations"][0], **eve)
        revoked = give("dataset", made["datasets"][3], **eve)
        shares.revoke(conn, revoked, now)
        give("dataset", made["datasets"][4], expires_at=now - 1, **eve)

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
            if allows(one, "read", authorized.dataset_resource(conn, row))
        }
        runs = {
            row.id
            for row in calculations.by_ids(conn, site["calculations"])
            if allows(one, "read", authorized.calculation_resources(conn, [row])[0])
        }
        rows = [row for files in datasets.files_of(conn, site["datasets"]).values() for row in files]
        resources = authorized.file_resources(conn, rows)
        return readable, runs, {row.id for row in rows if allows(one, "read", resources[row.id])}

    def by_lists(conn):
        return tuple(set(listed(conn, one, kind).ids) for kind in KINDS)

    assert world.read(by_lists) == world.read(by_table)


@pytest.mark.parametrize("who", ACTORS)
def test_the_single_condition_agrees_with_the_separate_ones(world, site, actor, who):
    one = actor(**ACTORS[who])

    def whole(conn, kind):
        table = TABLES[kind]
        query = sa.select(table.c.id).where(condition(reach(one, kind), time.time()))
        return set(conn.execute(query).scalars())

    def separate(conn, kind):
        return set(listed(conn, one, kind).ids)

    def found(how):
        return world.read(lambda conn: {kind: how(conn, kind) for kind in KINDS})

    assert found(whole) == found(separate)


def test_a_manager_of_every_group_sees_all_groups_and_no_private_things(world, site):
    one = Actor(world.person["eve"], "eve", manages=frozenset({EVERY_GROUP}))
    found = world.read(lambda conn: listed(conn, one, "calculation")).ids
    private = {site["calculations"][0], site["calculations"][3]}
    assert private - set(found) == {site["calculations"][3]}  # the first one is shared with eve


def test_pages_walk_through_everything_once(world, site, actor):
    one = actor("ada", groups=["crystals"])
    seen, after = [], None
    while True:
        page = world.read(lambda conn, after=after: listed(conn, one, "dataset", Page(2, after)))
        seen += page.ids
        after = page.next
        if after is None:
            break
    assert seen == world.read(lambda conn: listed(conn, one, "dataset")).ids
    assert seen == sorted(seen, reverse=True)


def test_an_unknown_id_and_a_hidden_one_say_the_same(world, site, actor):
    unknown, hidden = new_id(), site["datasets"][3]

    def answer(dataset_id):
        with pytest.raises(Exception) as raised:
            world.read(lambda conn: authorized.dataset(conn, actor("eve"), "read", dataset_id))
        return str(raised.value).replace(dataset_id, "ID"), type(raised.value)

    assert answer(unknown) == answer(hidden)


@pytest.mark.parametrize("who", ["administrator", "manager", "data manager"])
def test_a_list_of_ones_own_work_needs_no_right_over_others(world, site, actor, who):
    one = actor(**ACTORS[who])

    def owners(conn, kind):
        rows = Rows(TABLES[kind], reach(one, kind, mine=True), time.time())
        found = page_of(conn, rows, (), Page()).ids
        return {row.owner for row in OF_KIND[kind](conn, found)}, found

    name = ACTORS[who]["name"]
    assert world.read(lambda conn: owners(conn, "calculation"))[0] == {name}
    data = world.read(lambda conn: owners(conn, "dataset"))[1]
    bob_private = site["datasets"][3]
    assert site["datasets"][-1] in data  # the example
    assert bob_private not in data


OF_KIND = {"dataset": datasets.by_ids, "calculation": calculations.by_ids}
