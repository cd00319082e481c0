"""The trash: deleted by who may, restored with what went with it, emptied by administrators."""

from __future__ import annotations

import time

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, ReasonNeeded
from qcrbox_registry.services.trash import TrashService
from qcrbox_registry.store import datasets, shares, trash

DAY = 86400.0


@pytest.fixture
def service(context):
    return TrashService(context)


async def test_a_dataset_comes_back_with_the_files_that_went_with_it(world, context, service, actor):
    dataset, (first, second) = world.dataset(files=("a.cif", "b.cif"))
    ada = actor("ada")
    await service.delete_data_file(ada, first)
    await service.delete_dataset(ada, dataset)
    found = await service.restore_dataset(ada, dataset)
    assert [file["qcrbox_file_id"] for file in found["data_files"].values()] == [second], (
        "the first went before"
    )
    assert (await service.restore_data_file(ada, first))["qcrbox_dataset_id"] == dataset
    assert [each.status for each in context.published] == ["deleted", "deleted", "restored", "restored"]


async def test_restoring_what_is_there_changes_nothing(context, service, actor, world):
    dataset, _ = world.dataset()
    found = await service.restore_dataset(actor("ada"), dataset)
    assert (found["qcrbox_dataset_id"], context.published) == (dataset, [])


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    ("who", "more", "refusal"),
    [
        ("ada", {"groups": ["crystals"]}, None),
        ("bob", {"curates": ["crystals"]}, None),
        ("bob", {"admin": True}, None),
        ("bob", {"groups": ["crystals"]}, NotAllowed),
        ("bob", {"manages": ["crystals"]}, NotAllowed),
        ("bob", {"curates": ["powders"]}, NotFound),
        ("eve", {}, NotFound),
    ],
    ids=["owner", "data manager", "administrator", "member", "manager", "of another group", "stranger"],
)
async def test_who_deletes_and_restores(world, service, actor, who, more, refusal):
    dataset, _ = world.dataset(group="crystals")
    me = actor(who, **more)
    if refusal is None:
        await service.delete_dataset(me, dataset)
        assert await service.restore_dataset(me, dataset)
        return
    with pytest.raises(refusal):
        await service.delete_dataset(me, dataset)
    world.do(trash.delete_dataset, dataset, world.person["ada"], 5.0)
    with pytest.raises(refusal):
        await service.restore_dataset(me, dataset)
    assert world.ask(datasets.get, dataset, deleted=True).deleted_at == 5.0


async def test_who_may_write_may_not_delete(world, service, actor):
    dataset, (file,) = world.dataset()
    world.do(
        shares.give,
        shares.NewShare("dataset", dataset, "write", world.person["ada"], world.person["bob"]),
        1.0,
    )
    with pytest.raises(NotAllowed):
        await service.delete_dataset(actor("bob"), dataset)
    with pytest.raises(NotAllowed):
        await service.delete_data_file(actor("bob"), file)


async def test_an_example_is_nobodys_to_delete(world, service, actor):
    dataset, _ = world.dataset(kind="example")
    for who in (actor("ada"), actor("bob", admin=True)):
        with pytest.raises(NotAllowed):
            await service.delete_dataset(who, dataset)


async def test_emptying_counts_first_and_needs_a_reason(world, service, actor, trail):
    root = actor("eve", admin=True)
    old, (old_file,) = world.dataset(files=("a.cif",))
    new, _ = world.dataset(files=("b.cif",))
    for dataset, days in ((old, 40), (new, 1)):
        world.do(trash.delete_dataset, dataset, world.person["ada"], time.time() - days * DAY)
    assert await service.empty(root, 30, "", dry_run=True) == {"number": 1, "bytes": 10}
    with pytest.raises(ReasonNeeded):
        await service.empty(root, 30, " ", dry_run=False)
    assert world.ask(datasets.get_file, old_file, deleted=True).purged_at is None
    assert await service.empty(root, 30, "the disk is full", dry_run=False) == {"number": 1, "bytes": 10}
    assert world.ask(datasets.get_file, old_file, deleted=True).purged_at is not None
    with pytest.raises(NotFound):
        await service.restore_dataset(actor("ada"), old)
    assert await service.restore_dataset(actor("ada"), new)
    assert ("eve", "empty trash", "") in await trail()


@pytest.mark.parametrize("more", [{}, {"curates": ["crystals"]}, {"application_admin": True}])
async def test_only_administrators_empty_it(service, actor, more):
    with pytest.raises(NotFound, match="no page"):
        await service.empty(actor("ada", **more), 0, "x", dry_run=True)
