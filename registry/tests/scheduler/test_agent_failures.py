"""What happens to the calculations of an agent that ends."""

from __future__ import annotations

import pytest
from qcrbox.contract.messages import Log
from qcrbox_registry.messaging.bus import Arrived
from qcrbox_registry.scheduler.agent_failures import AGAIN_AFTER_S
from qcrbox_registry.scheduler.agent_state import AgentState


async def lose(parts, agent, reason="it was killed", **more):
    await parts.failures.handle(agent, reason, **more)
    await parts.quiet()


async def test_an_agent_without_work_is_only_written_off(parts):
    agent = parts.agent()
    await lose(parts, agent, exit_code=0)
    row = parts.agent_row(agent.id)
    assert (row.state, row.reason, row.exit_code) == ("gone", "it was killed", 0)
    assert row.gone_at == parts.clock.time()
    assert parts.bus.removed == [agent.id]
    assert parts.state.counters.lost_agents == 0


async def test_a_lost_calculation_waits_a_moment_and_is_tried_again(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await lose(parts, agent)
    row = parts.row(active.calculation_id)
    assert (row.state, row.agent_id, row.losses, row.attempt) == ("submitted", None, 1, 2)
    assert row.not_before == parts.clock.time() + AGAIN_AFTER_S
    assert parts.hub.events[-1].payload == {"reason": "the agent was lost: it was killed"}
    assert parts.state.counters.lost_agents == 1


@pytest.mark.parametrize(("losses", "pause_s"), [(0, 1.0), (1, 2.0)])
async def test_the_pause_doubles_with_each_loss(parts, losses, pause_s):
    for number in range(losses + 1):
        agent = parts.agent()
        if number == 0:
            active = await parts.give(agent, started=True)
        else:
            parts.clock.forward(100.0)
            await parts.dispatcher.round()
            agent, active = parts.fleet.find(active.calculation_id)
            active.started_mono = parts.clock.monotonic()
        await lose(parts, agent)
    assert parts.row(active.calculation_id).not_before == pytest.approx(parts.clock.time() + pause_s)


async def test_the_third_loss_is_the_last_and_its_text_says_all(make_parts):
    parts = make_parts(most_losses=1)
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    line = Log(
        calculation_id=active.calculation_id,
        attempt=active.attempt,
        stream="stderr",
        offset=0,
        text="out of cheese\n",
    )
    await parts.ingest.take([Arrived(agent.id, line)])
    await lose(parts, agent, "it ran out of memory", exit_code=137, memory=True)
    row = parts.row(active.calculation_id)
    assert row.state == "failed"
    assert row.error_msg.splitlines() == [
        "The agent was lost 1 times while it ran this calculation; the last time: it ran out of memory.",
        "It needs more memory than its application is given.",
        "Last lines of stderr:",
        "out of cheese",
    ]
    assert active.calculation_id not in parts.backlog


async def test_only_the_calculation_that_ran_is_blamed(make_parts):
    parts = make_parts(most_losses=1)
    agent = parts.agent(owner="ada")
    ran = await parts.give(agent, started=True)
    waited = await parts.give(agent)
    await lose(parts, agent)
    assert parts.row(ran.calculation_id).state == "failed"
    row = parts.row(waited.calculation_id)
    assert (row.state, row.losses, row.not_before) == ("submitted", 0, None)


async def test_without_a_start_the_first_one_is_blamed(parts):
    agent = parts.agent(owner="ada")
    first, second = await parts.give(agent), await parts.give(agent)
    await lose(parts, agent)
    assert [parts.row(each.calculation_id).losses for each in (first, second)] == [1, 0]


async def test_a_cancelled_calculation_does_not_come_back(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.cancelling.cancel([active.calculation_id], reason="wrong file")
    await lose(parts, agent)
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("cancelled", "wrong file")


async def test_what_was_over_its_wall_time_has_failed(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True, wall_time_s=5.0)
    await parts.cancelling.over_wall_time(agent, active)
    await lose(parts, agent)
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("failed", "The wall-time limit of 5 s was reached.")


async def test_a_session_that_was_open_fails_and_one_that_was_not_waits_again(parts):
    one, two = parts.agent(), parts.agent()
    opened = await parts.give(one, interactive=True, started=True)
    waiting = await parts.give(two, interactive=True)
    await lose(parts, one, "exit code 1")
    await lose(parts, two)
    row = parts.row(opened.calculation_id)
    assert (row.state, row.error_msg) == ("failed", "The program of the session has ended: exit code 1.")
    assert parts.row(waiting.calculation_id).state == "submitted"


async def test_a_calculation_that_has_ended_since_is_left_alone(parts):
    from qcrbox.contract.states import State

    agent = parts.agent(owner="ada")
    ended, other = await parts.give(agent, started=True), await parts.give(agent)
    parts.world.change(ended.calculation_id, State.SUCCESSFUL, ended.attempt)
    await lose(parts, agent)
    assert parts.row(ended.calculation_id).state == "successful"
    assert parts.row(other.calculation_id).state == "submitted"


async def test_an_agent_ends_once(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await lose(parts, agent, "first")
    await lose(parts, agent, "second")
    assert parts.agent_row(agent.id).reason == "first"
    assert parts.row(active.calculation_id).losses == 1


async def test_an_end_that_cannot_be_written_is_tried_again(parts, monkeypatch):
    agent = parts.agent()
    active = await parts.give(agent, started=True)

    async def full(fn):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(parts.state.db, "write", full)
        with pytest.raises(OSError, match="disk full"):
            await parts.failures.handle(agent, "killed")
    assert (agent.is_leaving, agent.state, list(agent.active)) == (
        False,
        AgentState.BUSY,
        [active.calculation_id],
    )
    await lose(parts, agent, "killed")
    assert parts.row(active.calculation_id).state == "submitted"


async def test_the_time_until_the_loss_is_charged_and_the_estimate_is_not(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    ada = parts.world.person["ada"]
    parts.clock.forward(20.0)
    await lose(parts, agent)
    assert parts.state.share.use("person", ada, parts.clock.monotonic()) == pytest.approx(20.0)
    assert parts.state.used_s == {("person", ada): pytest.approx(20.0)}
    assert parts.state.runtimes.expected(active.command_id) is None
