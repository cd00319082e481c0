"""What the reconciler does with an agent in each state."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.agent_steps import STOP_AGAIN_S
from qcrbox_registry.scheduler.ingest import NOT_SEEN_S
from qcrbox_registry.store.holds import Hold


async def step(parts, agent, forward=0.0):
    parts.clock.forward(forward)
    await parts.steps.run(agent, parts.clock.monotonic())
    await parts.quiet()


# ------------------------------------------------------------ starting


@pytest.mark.parametrize("state", [AgentState.REQUESTED, AgentState.STARTING], ids=str)
@pytest.mark.parametrize(("after_s", "given_up"), [(300.0, False), (300.1, True)])
async def test_an_agent_that_is_not_ready_in_time_is_given_up(parts, state, after_s, given_up):
    parts.launcher()
    agent = parts.agent(state, is_being_asked_for=True)
    await step(parts, agent, after_s)
    assert (agent.state is AgentState.GONE) is given_up
    if given_up:
        row = parts.agent_row(agent.id)
        assert row.reason == "it was not ready within 300 s"
        assert parts.bus.launcher("local").verbs() == ["stop"]


async def test_the_time_for_preparing_does_not_count(parts):
    parts.launcher()
    application = parts.fleet.applications[parts.world.application_id]
    application.preparing = "The image is built."
    agent = parts.agent(AgentState.STARTING)
    await step(parts, agent, 1000.0)
    assert agent.state is AgentState.STARTING
    application.preparing = ""
    await step(parts, agent, 299.0)
    assert agent.state is AgentState.STARTING
    await step(parts, agent, 2.0)
    assert agent.state is AgentState.GONE


async def test_a_launcher_that_has_not_answered_is_asked_again(parts):
    parts.launcher()
    agent = parts.agent(AgentState.REQUESTED)
    await step(parts, agent)
    assert parts.bus.launcher("local").verbs() == ["start"]


async def test_a_launcher_is_not_asked_twice_at_a_time(parts):
    parts.launcher()
    await step(parts, parts.agent(AgentState.REQUESTED, is_being_asked_for=True))
    assert parts.bus.launchers == {}


# ------------------------------------------------------------ idle


@pytest.mark.parametrize(
    "state", [AgentState.IDLE, AgentState.BUSY, AgentState.DRAINING, AgentState.STOPPING], ids=str
)
@pytest.mark.parametrize(("silent_s", "lost"), [(15.0, False), (15.1, True)])
async def test_a_silent_agent_is_lost(parts, state, silent_s, lost):
    parts.launcher()
    agent = parts.agent(state, idle_since_mono=1e9)
    if state is AgentState.DRAINING:
        active = await parts.give(agent)
        agent.state = state
        assert active
    await step(parts, agent, silent_s)
    assert (agent.state is AgentState.GONE) is lost
    if lost:
        assert parts.agent_row(agent.id).reason == "no sign of life for 15 s"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"forward": 300.5}, "it was idle"),
        ({"yields": True}, "others wait for its place"),
        ({"hold": ("site", "", "drain")}, "update"),
        ({"hold": ("site", "", "hold")}, ""),
        ({"hold": ("launcher", "local", "drain")}, "update"),
        ({"hold": ("launcher", "other", "drain")}, ""),
        ({"retired": True}, "its application is retired"),
        ({"unknown": True}, "its application is retired"),
    ],
    ids=[
        "needed",
        "idle for long",
        "yields",
        "site drained",
        "site held",
        "launcher drained",
        "another drained",
        "retired",
        "not known",
    ],
)
async def test_an_idle_agent_stops_when_it_is_not_needed(parts, change, reason):
    parts.launcher()
    agent = parts.agent(is_yielding=change.get("yields", False))
    if "hold" in change:
        kind, object_id, mode = change["hold"]
        parts.state.holds[kind, object_id] = Hold(kind, object_id, mode, "update")
    parts.application(retired=change.get("retired", False))
    if "unknown" in change:
        parts.fleet.applications.clear()
    parts.clock.forward(change.get("forward", 0.0))
    agent.seen_mono = parts.clock.monotonic()
    await step(parts, agent)
    assert agent.reason == reason
    assert (agent.state is AgentState.GONE) is bool(reason)


@pytest.mark.parametrize(
    ("warm", "owners", "stopped"),
    [
        (1, [None], 0),
        (1, [None, None], 1),
        (1, ["ada"], 1),
        (2, [None, "ada"], 1),
        (0, [None], 1),
    ],
    ids=["kept warm", "one too many", "belongs to a person", "the person's goes", "no warm pool"],
)
async def test_fresh_agents_are_kept_warm_and_used_ones_are_not(parts, warm, owners, stopped):
    parts.launcher()
    parts.application(warm=warm)
    agents = [parts.agent(owner=owner) for owner in owners]
    parts.clock.forward(1000.0)
    for agent in agents:
        agent.seen_mono = parts.clock.monotonic()
        await step(parts, agent)
    assert sum(agent.state is AgentState.GONE for agent in agents) == stopped


async def test_an_agent_with_work_is_not_idle(parts):
    agent = parts.agent()
    await parts.give(agent)
    parts.clock.forward(1000.0)
    agent.seen_mono = parts.clock.monotonic()
    await step(parts, agent)
    assert agent.state is AgentState.BUSY


# ------------------------------------------------------------ leaving


async def test_a_draining_agent_stops_after_its_last_calculation(parts):
    parts.launcher()
    agent = parts.agent()
    active = await parts.give(agent)
    agent.state = AgentState.DRAINING
    await step(parts, agent)
    assert agent.state is AgentState.DRAINING
    parts.fleet.end(agent, active.calculation_id)
    await step(parts, agent)
    assert agent.state is AgentState.GONE
    assert agent.reason == "it has done its work"


@pytest.mark.parametrize(("after_s", "again"), [(STOP_AGAIN_S, False), (STOP_AGAIN_S + 0.1, True)])
async def test_a_stop_without_effect_is_repeated(parts, after_s, again):
    parts.launcher()
    agent = parts.agent(AgentState.STOPPING, stop_asked_mono=parts.clock.monotonic(), reason="it was idle")
    parts.clock.forward(after_s)
    agent.seen_mono = parts.clock.monotonic()
    await step(parts, agent)
    asked = parts.bus.launcher("local").asked
    assert [request.reason for _, request in asked] == (["it was idle"] if again else [])


@pytest.mark.parametrize("how", ["gone", "leaving"])
async def test_nothing_is_done_with_an_agent_that_ends(parts, how):
    agent = parts.agent(AgentState.GONE if how == "gone" else AgentState.IDLE, is_leaving=how == "leaving")
    await step(parts, agent, 1e6)
    assert (parts.bus.controls, parts.bus.launchers) == ([], {})


# ------------------------------------------------------------ calculations


@pytest.mark.parametrize("kind", ["site", "application", "launcher"])
async def test_under_a_hold_what_was_handed_out_ahead_waits_again(parts, kind):
    agent = parts.agent(owner="ada")
    first, second, third = [await parts.give(agent) for _ in range(3)]
    await parts.cancelling.cancel([third.calculation_id], "not needed")
    key = {"site": "", "application": str(parts.world.application_id), "launcher": "local"}[kind]
    parts.state.holds[kind, key] = Hold(kind, key, "hold", "update")
    await step(parts, agent)
    assert set(agent.active) == {first.calculation_id, third.calculation_id}
    assert second.calculation_id in parts.backlog


async def test_without_a_hold_nothing_is_taken_back(parts):
    agent = parts.agent(owner="ada")
    for _ in range(2):
        await parts.give(agent)
    await step(parts, agent)
    assert len(agent.active) == 2


@pytest.mark.parametrize(
    ("wall_time_s", "ran_s", "ended"),
    [(None, 1e6, False), (10.0, 40.0, False), (10.0, 40.1, True)],
    ids=["no limit", "within the grace", "past the grace"],
)
async def test_a_calculation_past_its_wall_time_and_the_grace_is_cancelled(parts, wall_time_s, ran_s, ended):
    agent = parts.agent()
    active = await parts.give(agent, started=True, wall_time_s=wall_time_s)
    parts.clock.forward(ran_s)
    agent.seen_mono = parts.clock.monotonic()
    await step(parts, agent)
    assert active.over_wall_time is ended
    if ended:
        assert active.cancel_reason == "The wall-time limit of 10 s was reached."
        assert [type(message).__name__ for _, message in parts.bus.controls] == ["Cancel"]


async def test_what_runs_is_charged_while_it_runs_and_once(parts):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    active.charged_s = 10.0
    ada = parts.world.person["ada"]
    parts.state.share.charge(ada, None, 10.0, parts.clock.monotonic())
    for _ in range(3):
        parts.clock.forward(10.0)
        agent.seen_mono = parts.clock.monotonic()
        await step(parts, agent)
    assert active.charged_s == pytest.approx(30.0)
    assert parts.state.share.use("person", ada, parts.clock.monotonic()) == pytest.approx(30.0, rel=2e-3)


async def unseen(parts, agent, active, seconds):
    """Its agent has lived, but not mentioned the calculation, for so long."""
    active.not_seen_since_mono = parts.clock.monotonic()
    parts.clock.forward(seconds)
    agent.seen_mono = parts.clock.monotonic()
    await step(parts, agent)


@pytest.mark.parametrize(
    ("seconds", "again"), [(NOT_SEEN_S, False), (20.0, False), (20.1, True)], ids=["short", "just", "long"]
)
async def test_a_command_that_a_living_agent_does_not_mention_is_delivered_again(parts, seconds, again):
    agent = parts.agent()
    active = await parts.give(agent)
    await unseen(parts, agent, active, seconds)
    assert parts.bus.rebuilt == ([agent.id] if again else [])
    assert active.sent is not again
    assert parts.state.counters.redelivered == int(again)


async def test_a_command_behind_one_that_runs_is_not_delivered_again(parts):
    agent = parts.agent(owner="ada")
    await parts.give(agent)
    behind = await parts.give(agent)
    await unseen(parts, agent, behind, 100.0)
    assert parts.bus.rebuilt == []


async def test_a_command_that_is_not_stored_yet_is_not_delivered_again(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    active.sent = False
    await unseen(parts, agent, active, 100.0)
    assert parts.bus.rebuilt == []


async def test_a_delivery_that_fails_counts_as_unsent(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    parts.bus.failing["rebuild_agent"] = Unreachable("gone")
    await unseen(parts, agent, active, 100.0)
    assert (active.sent, active.not_seen_since_mono) == (False, None)
