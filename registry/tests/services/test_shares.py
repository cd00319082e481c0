"""Shares: who gives what to whom, for how long, and who hears of it."""

from __future__ import annotations

import time

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, UserInputError
from qcrbox_registry.services import authorized
from qcrbox_registry.services.shares import ShareService, Wanted
from qcrbox_registry.store import people, shares, trash

FIND = {
    "dataset": authorized.dataset,
    "data_file": authorized.data_file,
    "calculation": authorized.calculation,
}


@pytest.fixture
def service(context):
    return ShareService(context)


@pytest.fixture
def object_of(world):
    """An object of ada of each kind."""

    def make(kind):
        if kind == "calculation":
            return world.start()
        dataset, (file,) = world.dataset()
        return dataset if kind == "dataset" else file

    return make


def wanted(kind, object_id, person="bob", group=None, mode="read", expires_at=None):
    return Wanted(kind, object_id, mode, person, group, expires_at)


@pytest.mark.parametrize("kind", FIND)
@pytest.mark.parametrize("to", ["person", "group"])
async def test_a_share_opens_the_object_and_its_end_closes_it(
    world, context, service, ada, actor, object_of, kind, to
):
    shared = object_of(kind)
    receiver = {"person": "bob"} if to == "person" else {"person": None, "group": "crystals"}
    bob = actor("bob", groups=["crystals"])

    def reads(conn):
        return FIND[kind](conn, bob, "read", shared).id

    with pytest.raises(NotFound):
        world.read(reads)
    given = await service.give(ada, wanted(kind, shared, **receiver))
    assert world.read(reads) == shared
    assert (given["by"], given["mode"], given["kind"]) == ("ada", "read", kind)
    await service.revoke(ada, given["id"])
    with pytest.raises(NotFound):
        world.read(reads)
    told = [(each.status, each.payload["to"]) for each in context.published if each.kind == "share"]
    ids = {"person_id": world.person["bob"] if to == "person" else None,
           "group_id": world.group["crystals"] if to == "group" else None}  # fmt: skip
    assert told == [("shared", ids), ("unshared", ids)]


async def test_a_share_ends_with_its_time(world, service, ada, actor, object_of):
    shared = object_of("dataset")
    given = await service.give(ada, wanted("dataset", shared, expires_at=time.time() + 3600))
    assert given["expires_at"] is not None
    world.write(lambda conn: conn.exec_driver_sql("UPDATE shares SET expires_at = 5.0"))
    with pytest.raises(NotFound):
        world.read(lambda conn: authorized.dataset(conn, actor("bob"), "read", shared))
    assert await service.listed(ada, "dataset", shared) == []


async def test_sharing_again_replaces_the_mode(service, ada, object_of):
    shared = object_of("dataset")
    for mode in ("write", "read"):
        await service.give(ada, wanted("dataset", shared, mode=mode))
    (found,) = await service.listed(ada, "dataset", shared)
    assert found["mode"] == "read"


@pytest.mark.parametrize(
    ("kind", "more", "refusal", "words"),
    [
        ("dataset", {"person": None}, UserInputError, "either person or group"),
        ("dataset", {"group": "crystals"}, UserInputError, "either person or group"),
        ("calculation", {"mode": "write"}, UserInputError, "for reading only"),
        ("dataset", {"person": None, "group": "powders"}, NotFound, "no group 'powders' that you are in"),
        ("dataset", {"person": "zoe"}, NotFound, "no person 'zoe'"),
        ("dataset", {"expires_at": 5.0}, UserInputError, "lies in the past"),
    ],
    ids=["nobody", "both", "calculation for writing", "foreign group", "no person", "past"],
)
async def test_wrong_shares_are_refused(service, ada, object_of, kind, more, refusal, words):
    shared = object_of(kind)
    with pytest.raises(refusal, match=words):
        await service.give(ada, wanted(kind, shared, **more))
    assert await service.listed(ada, kind, shared) == []


@pytest.mark.attack(1)
@pytest.mark.parametrize("mode", [None, "read", "write"])
async def test_nobody_passes_on_what_was_shared_with_them(world, service, ada, actor, object_of, mode):
    shared = object_of("dataset")
    if mode:
        await service.give(ada, wanted("dataset", shared, mode=mode))
    refusal = NotAllowed if mode else NotFound
    with pytest.raises(refusal):
        await service.give(actor("bob"), wanted("dataset", shared, person="eve"))
    with pytest.raises(refusal):
        await service.listed(actor("bob"), "dataset", shared)


@pytest.mark.attack(1)
async def test_a_guessed_share_is_neither_seen_nor_ended(world, service, ada, actor, object_of):
    given = await service.give(ada, wanted("dataset", object_of("dataset")))
    for share_id, who in ((given["id"], "eve"), ("none", "ada")):
        with pytest.raises(NotFound, match=f"no share '{share_id}'"):
            await service.revoke(actor(who), share_id)
    with pytest.raises(NotAllowed):
        await service.revoke(actor("bob"), given["id"])
    assert world.ask(shares.get, given["id"])


async def test_a_share_with_an_account_that_is_gone_is_ended_all_the_same(world, service, ada, object_of):
    given = await service.give(ada, wanted("dataset", object_of("dataset")))
    here = {name: name for name in world.person if name != "bob"}
    world.do(people.mark_departed, people.HubAccounts(frozenset(world.group), here, 1e12), 5.0)
    await service.revoke(ada, given["id"])
    with pytest.raises(NotFound):
        await service.revoke(ada, given["id"])


async def test_all_shares_that_one_gave_are_listed(service, ada, actor, object_of):
    first = await service.give(ada, wanted("dataset", object_of("dataset")))
    second = await service.give(ada, wanted("calculation", object_of("calculation"), person="eve"))
    assert [each["id"] for each in await service.listed(ada, None, None)] == [first["id"], second["id"]]
    assert await service.listed(actor("bob"), None, None) == []
    with pytest.raises(UserInputError, match="object_id needs kind"):
        await service.listed(ada, None, "x")


async def test_what_is_in_the_trash_is_not_shared(world, service, ada, object_of):
    shared = object_of("dataset")
    world.do(trash.delete_dataset, shared, world.person["ada"], 5.0)
    with pytest.raises(NotFound, match="no dataset"):
        await service.give(ada, wanted("dataset", shared))
