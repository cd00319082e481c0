"""The audit trail for administrators: searched, exported whole, checked; and what the hub adds to it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qcrbox.contract.errors import NotFound, NotSignedIn
from qcrbox_registry.access import audit as entries
from qcrbox_registry.services.audit_trail import AuditService, HubAct
from qcrbox_registry.store import audit
from qcrbox_registry.store.audit import Search


@pytest.fixture
def service(context):
    context.audit_heads = SimpleNamespace(faults=lambda conn: [])
    return AuditService(context)


@pytest.fixture
def root(actor):
    return actor("eve", admin=True, address="10.0.0.1")


def noted(world, actor, *actions):
    world.do(
        audit.record, [entries.entry(actor, action, 5.0, kind="dataset", object_id="d") for action in actions]
    )


async def test_a_page_is_newest_first_and_the_next_continues_it(world, service, root, actor):
    noted(world, actor("ada"), *(f"act {number}" for number in range(5)))
    first = await service.page(root, Search(), None, 2)
    second = await service.page(root, Search(), int(first["next"]), 2)
    assert [row["action"] for row in first["audit"] + second["audit"]] == ["act 4", "act 3", "act 2", "act 1"]
    assert "who_id" not in first["audit"][0]


async def test_reading_the_trail_is_in_the_trail(service, root, trail):
    await service.page(root, Search(), None, 10)
    portions = [row async for portion in await service.export(root) for row in portion]
    assert [each[:2] for each in await trail()] == [("eve", "read audit"), ("eve", "export audit")]
    assert len(portions) <= 2


async def test_an_export_is_whole_and_each_row_has_what_its_hash_is_made_of(world, service, root, actor):
    noted(world, actor("ada"), "one", "two")
    rows = [row async for portion in await service.export(root) for row in portion][:2]
    assert [row["action"] for row in rows] == ["one", "two"]
    assert {
        "seq",
        "at",
        "who",
        "action",
        "kind",
        "object_id",
        "allowed",
        "details",
        "previous",
        "hash",
    } <= set(rows[0])
    assert rows[1]["previous"] == rows[0]["hash"]


async def test_a_row_that_was_changed_breaks_the_chain(world, service, root, actor):
    noted(world, actor("ada"), "one", "two", "three")
    assert await service.check(root) == {"sound": True, "broken_at": [], "faults": []}

    def forge(conn):
        conn.exec_driver_sql("DROP TRIGGER audit_no_update")
        conn.exec_driver_sql("UPDATE audit SET who = 'bob' WHERE seq = 2")

    world.write(forge)
    found = await service.check(root)
    assert not found["sound"]
    assert 2 in found["broken_at"]


async def test_a_head_that_does_not_agree_is_reported(context, service, root):
    context.audit_heads = SimpleNamespace(faults=lambda conn: ["The head of entry 3 has another hash."])
    found = await service.check(root)
    assert (found["sound"], found["broken_at"]) == (False, [])
    assert found["faults"] == ["The head of entry 3 has another hash."]


@pytest.mark.attack(1)
@pytest.mark.parametrize("more", [{}, {"manages": ["crystals"]}, {"application_admin": True}])
async def test_only_administrators_read_it(service, actor, more):
    me = actor("ada", groups=["crystals"], **more)
    for act in (service.page(me, Search(), None, 1), service.export(me), service.check(me)):
        with pytest.raises(NotFound, match="no page"):
            await act


@pytest.mark.attack(1)
@pytest.mark.parametrize("token", [None, "", "x", "ü", "None"])
def test_without_a_hub_no_token_is_that_of_the_hub(service, token):
    with pytest.raises(NotSignedIn, match="for the hub"):
        service.require_hub(token)


async def test_an_act_at_the_hub_stands_in_the_same_chain(world, service, root, trail):
    act = HubAct("ada", "10.0.0.7", "sign in", "person", "x" * 500, False, {"reason": "wrong password"})
    await service.record_hub_act(act)
    (row,) = world.read(lambda conn: audit.after(conn, 0))
    assert (row.who, row.action, row.allowed, row.address) == ("ada", "sign in", False, "10.0.0.7")
    assert len(row.object_id) <= 200
    assert (await service.check(root))["sound"]
