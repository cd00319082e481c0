"""Ended calculations as the hub gets them for e-mails to their owners: each once, in portions, without sessions."""

from __future__ import annotations

import pytest
from qcrbox.contract.states import State
from qcrbox_registry.services import ended as module
from qcrbox_registry.services.ended import EndedService


@pytest.fixture
def service(context):
    return EndedService(context)


@pytest.fixture
def end(world):
    def make(owner="ada", state=State.SUCCESSFUL, **more):
        made = world.start(owner, **more)
        attempt = world.run(made)
        world.change(made, State.RUNNING, attempt)
        world.change(made, state, attempt)
        return made

    return make


async def test_the_first_question_gets_a_number_and_no_calculation(service, end):
    end()
    found = await service.since(None)
    assert found["ended"] == []
    assert await service.since(found["seq"]) == {"ended": [], "seq": found["seq"]}


@pytest.mark.parametrize("state", [State.SUCCESSFUL, State.FAILED, State.CANCELLED])
async def test_an_end_is_listed_once_with_its_owner(service, end, state):
    seq = (await service.since(None))["seq"]
    made = end("bob", state, name="Twin 3")
    found = await service.since(seq)
    (listed,) = found["ended"]
    assert (listed["calculation_id"], listed["owner"], listed["status"], listed["title"]) == (
        made,
        "bob",
        state,
        "Twin 3",
    )
    assert (await service.since(found["seq"]))["ended"] == []


async def test_what_still_runs_and_sessions_are_left_out(service, end, world):
    seq = (await service.since(None))["seq"]
    world.run(world.start())
    end(interactive=True)
    assert (await service.since(seq))["ended"] == []


async def test_many_ends_come_in_portions_and_none_is_lost(service, end, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    seq = (await service.since(None))["seq"]
    made, listed = [end() for _ in range(5)], []
    for _ in range(4):
        found = await service.since(seq)
        listed += [each["calculation_id"] for each in found["ended"]]
        seq = found["seq"]
    assert listed == made
