"""Old outputs into the trash: counted first, by hand with a reason, by stored rules once a day."""

from __future__ import annotations

import time

import pytest
from qcrbox.contract.errors import NotFound, QcError, ReasonNeeded
from qcrbox_registry.services.retention import DAY_S, Retention, RetentionService
from qcrbox_registry.store import datasets
from qcrbox_registry.store.tables import calculations, data_files
from qcrbox_registry.store.tables import datasets as table


@pytest.fixture
def service(context):
    return RetentionService(context)


@pytest.fixture
def output(world):
    """`output(40, "crystals")`: an output dataset that was made so many days ago."""

    def make(days, group=None, kind="output"):
        made = world.start(group_id=world.group.get(group))
        dataset, _ = world.dataset(kind=kind, calculation_id=made, group=group, files=("o.cif",))
        at = time.time() - days * DAY_S

        def old(conn):
            conn.execute(table.update().where(table.c.id == dataset).values(created_at=at, changed_at=at))
            conn.execute(data_files.update().where(data_files.c.dataset_id == dataset).values(created_at=at))
            conn.execute(
                calculations.update()
                .where(calculations.c.id == made)
                .values(state="successful", submitted_at=at, finished_at=at, output_dataset_id=dataset)
            )

        world.write(old)
        return dataset

    return make


def is_there(world, dataset):
    return world.ask(datasets.get, dataset, deleted=True).deleted_at is None


async def test_counting_moves_nothing_and_needs_no_reason(world, service, root, output):
    old = output(40)
    assert (await service.apply(root, Retention(30, None, True, "")))["datasets"] == 1
    assert is_there(world, old)


async def test_only_old_outputs_of_the_group_are_moved_and_each_is_in_the_trail(
    world, context, service, root, output, trail
):
    old, young = output(40, "crystals"), output(20, "crystals")
    other, data = output(40, "powders"), output(40, "crystals", kind="data")
    moved = await service.apply(root, Retention(30, "crystals", False, "the disk is full"))
    assert moved["datasets"] == 1
    assert [is_there(world, each) for each in (old, young, other, data)] == [False, True, True, True]
    assert [(each.object_id, each.status) for each in context.published] == [(old, "deleted")]
    assert [each[:2] for each in await trail()] == [("eve", "apply retention")]


async def test_moving_needs_a_reason_and_a_group_that_is_there(world, service, root, output):
    old = output(40)
    with pytest.raises(ReasonNeeded):
        await service.apply(root, Retention(30, None, False, " "))
    with pytest.raises(NotFound, match="no group 'nowhere'"):
        await service.apply(root, Retention(30, "nowhere", True, ""))
    assert is_there(world, old)


async def test_a_rule_runs_when_its_day_is_over_and_then_a_day_later(world, service, root, output):
    rule = await service.add_rule(root, 30, None, "always")
    now, old = time.time(), output(40)
    assert await service.run_due(now) == 0, "not on the day it was made: there is time to think again"
    assert await service.run_due(now + 1.01 * DAY_S) == 1
    assert not is_there(world, old)
    again = output(40)
    assert await service.run_due(now + 1.5 * DAY_S) == 0
    assert await service.run_due(now + 2.1 * DAY_S) == 1
    assert not is_there(world, again)
    (shown,) = await service.rules(root)
    assert (shown["id"], shown["last_run"]["datasets"]) == (rule["id"], 1)


async def test_a_removed_rule_moves_nothing_more(world, service, root, output):
    rule = await service.add_rule(root, 30, "crystals", "always")
    with pytest.raises(ReasonNeeded):
        await service.remove_rule(root, rule["id"], "")
    await service.remove_rule(root, rule["id"], "no more")
    output(40, "crystals")
    assert await service.run_due(time.time() + 2 * DAY_S) == 0
    with pytest.raises(NotFound):
        await service.remove_rule(root, rule["id"], "again")


async def test_what_a_rule_did_is_in_the_trail_under_its_own_name(service, root, output, trail):
    rule = await service.add_rule(root, 30, None, "always")
    output(40)
    await service.run_due(time.time() + 2 * DAY_S)
    assert ("registry", "run retention rule", str(rule["id"])) in await trail()


@pytest.mark.attack(1)
@pytest.mark.parametrize("more", [{}, {"curates": ["crystals"]}, {"application_admin": True}])
async def test_only_administrators_have_a_say(world, service, actor, output, more):
    old, me = output(40, "crystals"), actor("ada", groups=["crystals"], **more)
    for act in (
        service.apply(me, Retention(30, None, True, "")),
        service.apply(me, Retention(30, "crystals", False, "x")),
        service.rules(me),
        service.add_rule(me, 30, None, "x"),
        service.remove_rule(me, 1, "x"),
    ):
        with pytest.raises(QcError):
            await act
    assert is_there(world, old)
