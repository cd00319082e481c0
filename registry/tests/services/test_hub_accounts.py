"""Accounts and groups that only the hub knows are written down before a rule names them."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.store import people


def knows(world, subject, name):
    find = people.find_person if subject == "person" else people.find_group
    try:
        return bool(world.ask(find, name))
    except NotFound:
        return False


@pytest.mark.parametrize("subject", ["person", "group"])
async def test_what_the_hub_has_can_be_named(world, context, subject):
    context.identity.has("zoe", groups=["new2027"])
    name = {"person": "zoe", "group": "new2027"}[subject]
    assert not knows(world, subject, name)
    await introduce(context, subject, name)
    await introduce(context, subject, name)
    assert knows(world, subject, name)


@pytest.mark.parametrize(
    ("subject", "name"),
    [("person", "nobody"), ("group", "nowhere"), ("group", "zoe"), ("person", "new2027"), ("person", None),
     ("person", ""), ("default-person", "zoe"), ("site", "zoe")],
)  # fmt: skip
async def test_what_the_hub_does_not_have_is_not_written(world, context, subject, name):
    context.identity.has("zoe", groups=["new2027"])
    await introduce(context, subject, name)
    assert not any(
        knows(world, kind, each)
        for kind in ("person", "group")
        for each in ("nobody", "nowhere", name or "x")
    )


@pytest.mark.parametrize("how", ["no hub", "hub is down"])
async def test_without_an_answer_of_the_hub_nothing_happens(world, context, how):
    context.identity.has("zoe")
    if how == "no hub":
        context.identity.known = None
    context.identity.is_down = how == "hub is down"
    await introduce(context, "person", "zoe")
    assert not knows(world, "person", "zoe")
    await introduce(context, "person", "ada")
    assert knows(world, "person", "ada")
