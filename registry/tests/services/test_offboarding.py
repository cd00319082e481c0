"""Deleted groups and accounts are noted once; what a preview account leaves is cleared by itself."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.services.offboarding import mark_departed
from qcrbox_registry.store import people
from qcrbox_registry.store.people import HubAccounts


def gone(world, name):
    query = "SELECT count(*) FROM people WHERE name = :name AND gone_at IS NOT NULL"
    return bool(world.ask(lambda conn: conn.execute(sa.text(query), {"name": name}).scalar()))


@pytest.fixture
def hub(context):
    """The hub as the registry last knew it."""

    def has(*names, groups=("crystals", "powders"), asked_at=1e12):
        context.identity.known = HubAccounts(frozenset(groups), {name: name for name in names}, asked_at)

    return has


async def test_who_is_deleted_is_noted_once_and_in_the_trail(world, context, hub, trail):
    hub("ada", "bob")
    first = await mark_departed(context)
    assert [(each.kind, each.name) for each in first] == [("person", "eve")]
    assert await mark_departed(context) == []
    assert [each[:2] for each in await trail()] == [("site", "person is gone")]
    assert gone(world, "eve")
    assert not gone(world, "ada")


async def test_a_deleted_group_is_noted(context, hub):
    hub("ada", "bob", "eve", groups=("crystals",))
    ((kind, name),) = [(each.kind, each.name) for each in await mark_departed(context)]
    assert kind == "group"
    assert name.startswith("powders (deleted "), "a new group may have the old name"


@pytest.mark.parametrize("how", ["no hub", "down"])
async def test_a_hub_that_gives_no_answer_deletes_nobody(world, context, how):
    context.identity.is_down = how == "down"
    assert await mark_departed(context) == []
    assert not gone(world, "eve")


async def test_an_account_that_was_made_while_the_hub_answered_is_left_alone(world, context, hub):
    hub("ada", "bob", asked_at=0.0)
    assert await mark_departed(context) == []
    assert not gone(world, "eve")


async def test_who_comes_back_is_not_gone_any_more(world, context, hub):
    hub("ada", "bob")
    await mark_departed(context)
    world.do(people.ensure_person, "eve", "eve", 5.0)
    assert not gone(world, "eve")
