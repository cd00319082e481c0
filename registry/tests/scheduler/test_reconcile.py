"""The loop: one step of everything, whatever was lost in between."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.reconcile import MORE_CANCEL_TIME_S, RULES_S, SEND_AGAIN_S, STANDSTILL_S
from qcrbox_registry.store import holds
from qcrbox_registry.store.holds import Hold


async def tick(parts, forward=0.5):
    parts.clock.forward(forward)
    await parts.reconciler.tick()
    await parts.quiet()


async def test_a_tick_starts_an_agent_and_the_next_hands_out(parts):
    parts.launcher()
    parts.submit()
    await tick(parts)
    (agent,) = parts.fleet.agents.values()
    parts.launching.note_ready(agent)
    await tick(parts)
    assert [to for to, _ in parts.bus.sent] == [agent.id]


async def test_rules_are_read_again_when_they_are_old(parts):
    parts.world.write(
        lambda conn: holds.put(conn, Hold("site", "", "hold", "update"), parts.world.person["ada"], 1.0)
    )
    await tick(parts, RULES_S - 0.1)
    assert parts.state.holds == {}
    await tick(parts, 0.1)
    assert list(parts.state.holds) == [("site", "")]


async def test_a_step_that_fails_stops_no_other(parts, monkeypatch):
    broken, silent = parts.agent(), parts.agent()
    run = parts.steps.run

    async def fail(agent, mono):
        if agent is broken:
            raise RuntimeError("broken")
        await run(agent, mono)

    monkeypatch.setattr(parts.steps, "run", fail)
    silent.seen_mono -= 100.0
    await tick(parts)
    assert (broken.state, silent.state) == (AgentState.IDLE, AgentState.GONE)


# ------------------------------------------------------------ commands that were not sent


async def test_a_command_that_was_not_stored_is_sent_again(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    active.sent = False
    await tick(parts, SEND_AGAIN_S)
    assert parts.bus.sent == []
    await tick(parts, 0.1)
    assert [(to, command.attempt) for to, command in parts.bus.sent] == [(agent.id, 1)]
    assert active.sent


@pytest.mark.parametrize("why", ["disconnected", "not written", "another attempt", "stored"])
async def test_a_command_is_not_sent_again(parts, why):
    active = await parts.give(parts.agent())
    active.sent = why == "stored"
    if why == "disconnected":
        parts.bus.is_connected = False
    if why == "not written":
        active.attempt = 0
    if why == "another attempt":
        active.attempt = 7
    await tick(parts, 2.0)
    assert parts.bus.sent == []


# ------------------------------------------------------------ a cut connection


async def test_after_a_cut_agents_with_commands_on_the_way_get_them_at_once(parts):
    on_the_way, running, idle = parts.agent(), parts.agent(), parts.agent()
    await parts.give(on_the_way)
    await parts.give(running, started=True)
    parts.reconciler.connected_again()
    await tick(parts)
    assert parts.bus.rebuilt == [on_the_way.id]
    await tick(parts)
    assert parts.bus.rebuilt == [on_the_way.id]
    assert idle.state is AgentState.IDLE


async def test_a_second_cut_is_waited_out(parts):
    agent = parts.agent()
    await parts.give(agent)
    parts.reconciler.connected_again()
    parts.bus.failing["rebuild_agent"] = Unreachable("gone")
    await tick(parts)
    parts.bus.failing.clear()
    await tick(parts)
    assert parts.bus.rebuilt == [agent.id]


async def test_while_nats_is_down_nobody_is_lost(parts):
    agent = parts.agent()
    parts.bus.is_connected = False
    for _ in range(100):
        await tick(parts, 1.0)
    assert agent.state is AgentState.IDLE
    parts.bus.is_connected = True
    await tick(parts, 1.0)
    assert agent.state is AgentState.IDLE


# ------------------------------------------------------------ a standstill of the registry


@pytest.mark.parametrize(("stood_s", "lost"), [(3600.0, False), (STANDSTILL_S + 0.1, False)])
async def test_a_standstill_counts_against_no_agent(parts, stood_s, lost):
    agent = parts.agent(seen_mono=parts.clock.monotonic() - 14.0)
    await tick(parts, stood_s)
    assert (agent.state is AgentState.GONE) is lost
    assert agent.seen_mono <= parts.clock.monotonic()


async def test_silence_without_a_standstill_does_count(parts):
    agent = parts.agent()
    for _ in range(31):
        await tick(parts, 0.5)
    assert agent.state is AgentState.GONE


@pytest.mark.parametrize("why", ["standstill", "nats is down"])
async def test_an_agent_that_starts_meanwhile_keeps_its_time(parts, why):
    parts.launcher()
    parts.bus.launcher("local").answers["list"] = Unreachable("silent")
    agent = parts.agent(AgentState.STARTING)
    parts.bus.is_connected = why == "standstill"
    await tick(parts, 1000.0)
    parts.bus.is_connected = True
    await tick(parts)
    assert agent.state is AgentState.STARTING
    assert parts.fleet.applications[parts.world.application_id].start_failures == 0


async def test_a_request_without_an_answer_is_not_given_up_for_a_standstill(parts):
    parts.launcher(seen_mono=None)
    agent = parts.agent(AgentState.REQUESTED)
    await tick(parts, 1000.0)
    assert agent.state is AgentState.REQUESTED


async def test_a_cancellation_gets_more_time_after_a_standstill(parts):
    parts.launcher()
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.cancelling.cancel([active.calculation_id])
    await tick(parts, 1000.0)
    assert agent.state is AgentState.BUSY
    assert active.cancel_until_mono == parts.clock.monotonic() + MORE_CANCEL_TIME_S


async def test_the_watch_notices_a_standstill_between_ticks(parts):
    agent = parts.agent(seen_mono=parts.clock.monotonic())
    sleeps = 0

    async def sleep(seconds):
        nonlocal sleeps
        sleeps += 1
        if sleeps > 1:
            raise TimeoutError
        parts.clock.forward(60.0)

    parts.clock.sleep = sleep
    with pytest.raises(TimeoutError):
        await parts.reconciler.watch_standstill()
    assert agent.seen_mono == parts.clock.monotonic()
