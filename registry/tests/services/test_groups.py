"""The home group of what a person makes."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.services.groups import home_group, last_group, named_group
from qcrbox_registry.store import people


@pytest.mark.parametrize(("name", "group"), [("crystals", "crystals"), ("", None)])
def test_a_group_is_named_by_its_members(world, actor, name, group):
    assert named_group(actor("ada", groups=["crystals"]), name) == world.group.get(group)


@pytest.mark.parametrize(
    ("groups", "after"), [(["crystals"], "Your groups: crystals."), ([], "Your groups: none.")]
)
@pytest.mark.parametrize("name", ["powders", "nowhere", "crystals ", "x" * 1000])
def test_a_foreign_group_and_one_that_does_not_exist_get_the_same_refusal(actor, groups, after, name):
    with pytest.raises(UserInputError, match="You are not in a group") as refused:
        named_group(actor("ada", groups=groups), name)
    assert refused.value.next == after
    assert len(refused.value.message) < 150


def test_managing_a_group_is_not_being_in_it(actor):
    with pytest.raises(UserInputError):
        named_group(actor("ada", manages=["crystals"], admin=True), "crystals")


def test_the_group_used_last_holds_while_the_person_is_in_it(world, actor):
    world.do(people.remember_group, world.person["ada"], world.group["crystals"])
    member, left = actor("ada", groups=["crystals", "powders"]), actor("ada", groups=["powders"])
    assert world.read(lambda conn: last_group(conn, member)) == world.group["crystals"]
    for who in (left, actor("ada"), actor("bob", groups=["crystals"])):
        assert world.read(lambda conn, who=who: last_group(conn, who)) is None
    assert world.read(lambda conn: home_group(conn, member, None)) == world.group["crystals"]
    assert world.read(lambda conn: home_group(conn, member, "")) is None
    assert world.read(lambda conn: home_group(conn, member, "powders")) == world.group["powders"]
