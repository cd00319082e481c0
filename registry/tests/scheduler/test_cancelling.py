"""Cancelling: at once, through the agent, and against an agent that does not obey."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox.contract.messages import Cancel, StepChanged
from qcrbox.contract.states import Step
from qcrbox_registry.messaging.bus import Arrived
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.cancelling import REPEAT_S


async def test_what_waits_is_cancelled_at_once_with_who_and_why(parts):
    (one,) = parts.submit()
    assert await parts.cancelling.cancel([one], "wrong file", "bob") == {one: "cancelled"}
    row = parts.row(one)
    assert (row.state, row.error_msg) == ("cancelled", "wrong file")
    assert one not in parts.backlog
    assert parts.hub.events[-1].payload == {"reason": "wrong file", "by": "bob", "error_msg": "wrong file"}
    assert parts.bus.controls == []


async def test_what_pauses_after_a_loss_is_cancelled_at_once(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.failures.handle(agent, "killed")
    await parts.cancelling.cancel([active.calculation_id])
    parts.clock.forward(100.0)
    parts.agent()
    assert await parts.dispatcher.round() == 0
    assert parts.row(active.calculation_id).state == "cancelled"


async def test_what_is_with_an_agent_is_asked_to_end(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    assert await parts.cancelling.cancel([active.calculation_id], "too slow") == {
        active.calculation_id: "cancelling"
    }
    ((to, message),) = parts.bus.controls
    assert (to, type(message)) == (agent.id, Cancel)
    assert (message.attempt, message.reason, message.grace_s) == (1, "too slow", 5.0)


@pytest.mark.parametrize("reported", [Step.RUNNING, Step.FINALISING, Step.UPLOADING], ids=str)
async def test_a_cancellation_stays_one_whatever_the_agent_still_reports(parts, reported):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.cancelling.cancel([active.calculation_id], "too slow")
    late = StepChanged(calculation_id=active.calculation_id, attempt=1, step=reported)
    await parts.ingest.take([Arrived(agent.id, late)])
    assert parts.row(active.calculation_id).step == "cancelling"
    assert await parts.cancelling.cancel([active.calculation_id]) == {active.calculation_id: "cancelling"}


async def test_a_start_that_crosses_the_cancellation_is_noted_and_takes_nothing_back(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    await parts.cancelling.cancel([active.calculation_id], "too slow")
    start = StepChanged(calculation_id=active.calculation_id, attempt=1, step=Step.STARTING, at=5.0)
    await parts.ingest.take([Arrived(agent.id, start)])
    row = parts.row(active.calculation_id)
    assert (row.state, row.step, row.started_at) == ("running", "cancelling", 5.0)


async def test_many_are_cancelled_together_and_each_is_answered(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    waiting = parts.submit(count=2)
    (ended,) = parts.submit()
    await parts.cancelling.cancel([ended])
    answer = await parts.cancelling.cancel([*waiting, active.calculation_id, ended, waiting[0]])
    assert answer == {
        waiting[0]: "cancelled",
        waiting[1]: "cancelled",
        active.calculation_id: "cancelling",
        ended: "cancelled",
    }


async def test_an_unknown_one_among_them_changes_nothing(parts):
    (one,) = parts.submit()
    with pytest.raises(NotFound, match="There is no calculation 'nothing'"):
        await parts.cancelling.cancel([one, "nothing"])
    assert parts.row(one).state == "submitted"
    assert one in parts.backlog


async def test_a_second_cancellation_does_not_extend_the_patience(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    await parts.cancelling.cancel([active.calculation_id], "first")
    until = active.cancel_until_mono
    parts.clock.forward(5.0)
    await parts.cancelling.cancel([active.calculation_id], "second")
    assert (active.cancel_until_mono, active.cancel_reason) == (until, "first")


async def test_a_cancellation_is_repeated_until_the_agent_obeys(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    await parts.cancelling.cancel([active.calculation_id])
    for _ in range(4):
        parts.clock.forward(REPEAT_S / 2)
        await parts.cancelling.look_after(agent, active)
    assert len(parts.bus.controls) == 3


async def test_an_agent_that_does_not_obey_is_ended_and_the_calculation_is_cancelled(parts):
    parts.launcher()
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.cancelling.cancel([active.calculation_id], "too slow")
    parts.clock.forward(parts.settings.cancel_grace_s + parts.settings.cancel_patience_s)
    await parts.cancelling.look_after(agent, active)
    await parts.quiet()
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("cancelled", "too slow")
    assert agent.state is AgentState.GONE
    assert parts.agent_row(agent.id).reason == "it did not end a cancelled calculation"
    assert parts.bus.launcher("local").verbs() == ["stop"]


async def test_one_that_ended_in_the_last_moment_keeps_its_result(parts):
    from qcrbox.contract.states import State

    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.cancelling.cancel([active.calculation_id])
    parts.world.change(active.calculation_id, State.SUCCESSFUL, 1)
    parts.clock.forward(100.0)
    await parts.cancelling.look_after(agent, active)
    assert parts.row(active.calculation_id).state == "successful"


async def test_over_the_wall_time_it_fails_even_when_the_agent_is_ended(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True, wall_time_s=60.0)
    await parts.cancelling.over_wall_time(agent, active)
    parts.clock.forward(100.0)
    await parts.cancelling.look_after(agent, active)
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("failed", "The wall-time limit of 60 s was reached.")


async def test_the_time_that_a_disobedient_calculation_ran_is_charged(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    parts.clock.forward(3600.0)
    await parts.cancelling.cancel([active.calculation_id])
    parts.clock.forward(100.0)
    await parts.cancelling.look_after(agent, active)
    ada = parts.world.person["ada"]
    assert parts.state.share.use("person", ada, parts.clock.monotonic()) == pytest.approx(3700.0)
    assert parts.state.used_s[("person", ada)] == pytest.approx(3700.0)
