"""The site for its administrators: limits, holds, agents; and who a person is."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, ReasonNeeded
from qcrbox_registry.services.applications import HoldChange
from qcrbox_registry.services.site import LimitChange, SiteService
from qcrbox_registry.store import people
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import LimitFilter


@pytest.fixture
def service(context, catalogue):
    return SiteService(context)


async def test_a_person_sees_their_own_roles_and_limits(world, service, actor, limit):
    limit("group", "crystals", "gib", 7)
    world.do(people.remember_group, world.person["ada"], world.group["crystals"])
    found = await service.me(actor("ada", groups=["crystals"], manages=["crystals"]))
    assert (found["name"], found["groups"], found["home_group"]) == ("ada", ["crystals"], "crystals")
    assert found["roles"] == {"manager": ["crystals"]}
    assert 7.0 in [each["limit"] for each in found["quotas"]]
    assert (await service.me(actor("ada")))["home_group"] is None, "a group that one has left is none's home"


@pytest.mark.parametrize(
    ("change", "whose"),
    [
        (LimitChange("person", "ada", "gib", 5.0), ("person", "ada")),
        (LimitChange("group", "crystals", "gib", 5.0), ("group", "crystals")),
        (LimitChange("default-person", "", "gib", 5.0), ("person", "bob")),
        (LimitChange("default-group", "", "gib", 5.0), ("group", "powders")),
    ],
    ids=["person", "group", "default of persons", "default of groups"],
)
async def test_a_limit_holds_from_its_setting_to_its_end(world, context, service, root, change, whose):
    ids = {**world.person, **world.group}
    await service.set_quota(root, change)
    assert context.quotas.of(whose[0], ids[whose[1]], "gib") == 5.0
    await service.set_quota(root, LimitChange(change.subject, change.name, "gib", None))
    assert context.quotas.of(whose[0], ids[whose[1]], "gib") is None
    assert context.scheduler.reloads == 2


async def test_a_limit_may_name_an_account_that_only_the_hub_knows(context, service, root):
    with pytest.raises(NotFound, match="no person 'zoe'"):
        await service.set_quota(root, LimitChange("person", "zoe", "running", 3))
    context.identity.has("zoe")
    found = await service.set_quota(root, LimitChange("person", "zoe", "running", 3))
    assert found["quotas"] == [{"subject": "person", "name": "zoe", "quota": "running", "limit": 3.0}]


@pytest.mark.parametrize("kind", ["site", "launcher"])
async def test_a_hold_has_a_reason_and_is_lifted_without_one(service, root, kind):
    name = "" if kind == "site" else "lab-pc"
    with pytest.raises(ReasonNeeded):
        await service.hold(root, HoldChange(kind, name, "hold", "  "))
    await service.hold(root, HoldChange(kind, name, "drain", "  new disk "))
    (found,) = await service.holds(root)
    assert (found["kind"], found["object_id"], found["mode"], found["by"]) == (kind, name, "drain", "eve")
    assert found["reason"] == "new disk"
    await service.hold(root, HoldChange(kind, name, None))
    assert await service.holds(root) == []


async def test_an_agent_is_stopped_with_who_and_why(context, service, root, trail):
    with pytest.raises(ReasonNeeded):
        await service.stop_agent(root, "agent-1", "")
    await service.stop_agent(root, "agent-1", " it hangs ")
    assert context.scheduler.stopped == [("agent-1", "stopped by eve: it hangs")]
    assert ("eve", "stop agent", "agent-1") in await trail()


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    ("more", "monitors"),
    [({}, False), ({"manages": ["crystals"]}, False), ({"application_admin": True}, True)],
    ids=["student", "manager", "application administrator"],
)
async def test_nobody_else_has_a_say(world, context, service, actor, more, monitors):
    me = actor("ada", groups=["crystals"], **more)
    for act in (
        service.quotas(me, LimitFilter(), Cut(sort="quota")),
        service.set_quota(me, LimitChange("person", "ada", "gib", 1e9)),
        service.hold(me, HoldChange("site", "", "hold", "x")),
        service.stop_agent(me, "agent-1", "x"),
        service.check(me),
    ):
        with pytest.raises((NotFound, NotAllowed)):
            await act
    if monitors:
        assert (await service.status(me))["waiting"] == 0
        assert await service.holds(me) == []
    else:
        with pytest.raises(NotFound):
            await service.status(me)
    assert context.quotas.of("person", world.person["ada"], "gib") is None
    assert context.scheduler.stopped == []


async def test_the_database_is_checked(service, root):
    assert await service.check(root) == {"sound": True, "faults": []}
