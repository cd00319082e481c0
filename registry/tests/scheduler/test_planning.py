"""How many agents are started, where, and whose place is freed."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.store.holds import Hold


async def plan(parts):
    await parts.dispatcher.round()
    await parts.planner.plan()
    await parts.quiet()


def asked(parts, name="local"):
    """How many agents a launcher was asked for."""
    return parts.bus.launcher(name).verbs().count("start")


def runtime(parts, seconds):
    for _ in range(5):
        parts.state.runtimes.add(parts.world.command_id, seconds)


async def test_work_without_an_agent_starts_one(parts):
    parts.launcher()
    parts.submit()
    await plan(parts)
    ((verb, request),) = parts.bus.launcher("local").asked
    assert (verb, request.application_slug, request.application_version) == ("start", "practice", "1")
    (agent,) = parts.fleet.agents.values()
    assert (agent.id, agent.state) == (request.agent, AgentState.STARTING)
    assert parts.bus.added == [agent.id]
    assert parts.agent_row(agent.id).state == "requested"


async def test_no_work_starts_no_agent(parts):
    parts.launcher()
    await plan(parts)
    assert parts.fleet.agents == {}


async def test_the_same_work_does_not_start_a_second_agent_while_one_is_coming(parts):
    parts.launcher(capacity=9)
    parts.submit()
    await plan(parts)
    await plan(parts)
    assert asked(parts) == 1


@pytest.mark.parametrize(
    ("reuse", "seconds"), [("never", None), ("same-owner", None), ("any", 60.0), ("any", 0.5)]
)
async def test_no_second_agent_starts_for_work_that_one_which_has_just_come_up_will_take(
    parts, reuse, seconds
):
    """The planner is called by the reconciler too: between an agent's first sign of life and the next round."""
    parts.application(reuse=reuse)
    parts.launcher(capacity=9)
    if seconds is not None:
        runtime(parts, seconds)
    coming = parts.agent(AgentState.STARTING)
    parts.submit()
    await parts.dispatcher.round()
    parts.fleet.change_state(coming, AgentState.IDLE, parts.clock.monotonic())
    await parts.planner.plan()
    await parts.quiet()
    assert asked(parts) == 0
    assert await parts.dispatcher.round() == 1


async def test_an_agent_that_has_just_come_up_serves_one_of_two_people(parts):
    parts.launcher(capacity=9)
    coming = parts.agent(AgentState.STARTING)
    for owner in ("ada", "bob"):
        parts.submit(owner)
    await parts.dispatcher.round()
    parts.fleet.change_state(coming, AgentState.IDLE, parts.clock.monotonic())
    await parts.planner.plan()
    await parts.quiet()
    assert asked(parts) == 1


@pytest.mark.parametrize(
    ("waiting", "seconds", "started"),
    [
        (1, None, 1),
        (3, None, 3),  # 30 s of unknown work are worth 15 agents, but not more than there are calculations
        (9, 0.1, 1),
        (40, 0.1, 2),
        (100, 0.1, 5),
        (5, 60.0, 5),
        (30, 60.0, 16),
    ],
    ids=["one", "unknown", "little", "4 s", "10 s", "long", "up to the most"],
)
async def test_as_many_agents_start_as_the_work_is_worth(parts, waiting, seconds, started):
    parts.application(reuse="any")
    parts.launcher(capacity=50)
    if seconds is not None:
        runtime(parts, seconds)
    parts.submit(count=waiting)
    await plan(parts)
    assert asked(parts) == started


async def test_each_person_gets_an_agent_where_agents_are_not_shared(parts):
    parts.launcher(capacity=9)
    runtime(parts, 0.01)
    for owner in ("ada", "bob", "eve"):
        parts.submit(owner)
    await plan(parts)
    assert asked(parts) == 3


async def test_two_who_plan_at_the_same_time_start_what_is_wanted_once(parts):
    """Those who hand out and those who reconcile: each of them plans."""
    parts.application(warm=3)
    parts.launcher(capacity=9)
    await asyncio.gather(parts.planner.plan(), parts.planner.plan())
    await parts.quiet()
    assert asked(parts) == 3


async def test_short_work_waits_for_the_agents_there_are(parts):
    parts.application(reuse="any")
    parts.launcher(capacity=9)
    runtime(parts, 0.5)
    active = await parts.give(parts.agent())
    active.estimate_s = 0.5
    parts.submit()
    await plan(parts)
    assert asked(parts) == 0


@pytest.mark.parametrize(("most", "started"), [(1, 1), (2, 2), (None, 4)])
async def test_an_application_has_no_more_agents_than_it_may(make_parts, most, started):
    parts = make_parts(most_agents_per_application=4)
    parts.application(reuse="any", most_agents=most)
    parts.launcher(capacity=9)
    runtime(parts, 60.0)
    parts.submit(count=9)
    await plan(parts)
    assert asked(parts) == started


async def test_agents_that_leave_do_not_count_against_the_most(parts):
    parts.application(most_agents=1)
    parts.launcher(capacity=9)
    parts.agent(AgentState.STOPPING)
    parts.submit()
    await plan(parts)
    assert asked(parts) == 1


# ------------------------------------------------------------ warm agents


@pytest.mark.parametrize(
    ("warm", "idle", "owned", "coming", "started"),
    [(2, 0, 0, 0, 2), (2, 1, 0, 0, 1), (2, 1, 0, 1, 0), (2, 2, 0, 0, 0), (1, 0, 3, 0, 1), (0, 0, 0, 0, 0)],
)
async def test_as_many_fresh_agents_are_kept_as_are_wanted(parts, warm, idle, owned, coming, started):
    parts.application(warm=warm)
    parts.launcher(capacity=9)
    for _ in range(idle):
        parts.agent()
    for _ in range(owned):
        parts.agent(owner="ada")
    for _ in range(coming):
        parts.agent(AgentState.STARTING)
    await plan(parts)
    assert asked(parts) == started


@pytest.mark.parametrize("why", ["retired", "hold", "backoff"])
async def test_nothing_is_started_for_an_application_that_must_not_run(parts, why):
    application = parts.application(warm=1, retired=why == "retired")
    parts.launcher()
    if why == "hold":
        key = str(application.id)
        parts.state.holds["application", key] = Hold("application", key, "hold", "broken")
    if why == "backoff":
        application.next_start_mono = parts.clock.monotonic() + 1.0
    parts.submit()
    await plan(parts)
    assert asked(parts) == 0
    if why == "backoff":
        parts.clock.forward(1.0)
        await plan(parts)
        assert asked(parts) == 1


# ------------------------------------------------------------ where


async def test_the_launcher_with_most_room_is_asked(parts):
    parts.launcher("small", capacity=2)
    parts.launcher("large", capacity=8)
    parts.submit()
    await plan(parts)
    assert (asked(parts, "small"), asked(parts, "large")) == (0, 1)


async def test_agents_are_spread_over_the_launchers(parts):
    parts.application(reuse="any")
    runtime(parts, 60.0)
    parts.launcher("a", capacity=2)
    parts.launcher("b", capacity=2)
    parts.submit(count=3)
    await plan(parts)
    assert sorted((asked(parts, "a"), asked(parts, "b"))) == [1, 2]


async def test_a_launcher_where_something_is_missing_is_asked_last(parts):
    parts.launcher("lacks", capacity=9, missing={("practice", "1"): {"": "not installed"}})
    parts.launcher("has", capacity=2)
    parts.submit()
    await plan(parts)
    assert (asked(parts, "lacks"), asked(parts, "has")) == (0, 1)


async def test_a_launcher_where_a_command_is_missing_is_asked_when_there_is_no_other(parts):
    parts.launcher("lacks", missing={("practice", "1"): {"opt": "not installed"}})
    parts.submit()
    await plan(parts)
    assert asked(parts, "lacks") == 1


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"offers": ()}, "No launcher offers practice 1 at present."),
        ({"free": 0}, "All places for agents are taken."),
        ({"seen_mono": None}, "The launcher that offers practice 1 does not answer or is on hold."),
        ({"seen_mono": 4_969.0}, "The launcher that offers practice 1 does not answer or is on hold."),
    ],
    ids=["not offered", "full", "never heard", "silent"],
)
async def test_the_reason_why_no_agent_starts_is_shown(parts, more, text):
    parts.launcher(**more)
    (one,) = parts.submit()
    await plan(parts)
    assert asked(parts) == 0
    assert parts.state.waits[parts.world.application_id] == text
    assert one in parts.backlog


async def test_a_launcher_on_hold_starts_nothing(parts):
    parts.launcher()
    parts.state.holds["launcher", "local"] = Hold("launcher", "local", "hold", "repair")
    parts.submit()
    await plan(parts)
    assert asked(parts) == 0
    assert "on hold" in parts.state.waits[parts.world.application_id]


async def test_a_launcher_that_answered_just_in_time_is_asked(parts):
    parts.launcher(seen_mono=parts.clock.monotonic() - parts.settings.launcher_lost_after_s + 0.1)
    parts.submit()
    await plan(parts)
    assert asked(parts) == 1


# ------------------------------------------------------------ room for others


async def test_an_idle_agent_of_another_person_is_stopped_for_those_who_wait(parts):
    parts.launcher(free=0)
    idle = parts.agent(owner="bob", runs=1)
    parts.submit("ada")
    await plan(parts)
    assert idle.reason == "its place is needed for others"
    assert parts.bus.launcher("local").verbs() == ["stop"]


async def test_the_idle_agent_that_belongs_to_a_person_for_longest_is_stopped_first(parts):
    parts.launcher(free=0)
    other = parts.application().id + 1
    fresh = parts.agent(application_id=other, idle_since_mono=1.0)
    newer = parts.agent(owner="bob", runs=1, idle_since_mono=9.0)
    oldest = parts.agent(owner="eve", runs=1, idle_since_mono=5.0)
    parts.submit("ada")
    await plan(parts)
    assert oldest.reason
    assert (newer.reason, fresh.reason) == ("", "")


async def test_one_place_is_freed_at_a_time(parts):
    parts.launcher(free=0)
    agents = [parts.agent(owner="bob", runs=1) for _ in range(3)]
    parts.submit("ada")
    await plan(parts)
    await plan(parts)
    assert sum(bool(agent.reason) for agent in agents) == 1


async def test_an_idle_agent_on_a_launcher_that_cannot_run_the_application_stays(parts):
    parts.launcher("ours", free=0)
    parts.launcher("other", offers=(("xtb", "6"),))
    idle = parts.agent(launcher="other", owner="bob", runs=1)
    parts.submit("ada")
    await plan(parts)
    assert idle.state is AgentState.IDLE


async def test_no_agent_is_stopped_while_another_one_can_take_the_work(parts):
    """One has become free since the last round: what waits goes there in the next."""
    parts.launcher(free=0)
    other = parts.agent(owner="bob", runs=1)
    busy = parts.agent(owner="ada", runs=1)
    active = await parts.give(busy, "ada")
    parts.submit("ada")
    await parts.dispatcher.round()
    parts.state.settle(busy, active, succeeded=True, ran_s=1.0)
    await parts.planner.plan()
    assert (other.state, busy.state) == (AgentState.IDLE, AgentState.IDLE)
    assert await parts.dispatcher.round() == 1


async def test_an_agent_that_has_had_its_one_run_makes_room_for_the_next(parts):
    parts.application(reuse="never")
    parts.launcher(capacity=1, free=0)
    used = parts.agent(owner="ada", runs=1)
    parts.submit("ada")
    await plan(parts)
    assert used.reason == "its place is needed for others"


@pytest.mark.parametrize(
    ("slice_over", "used", "yields"),
    [(True, 100.0, True), (False, 100.0, False), (True, 0.0, False)],
    ids=["its owner used more", "its slice is not over", "its owner used less"],
)
async def test_a_busy_agent_yields_when_its_slice_is_over_and_its_owner_used_more(
    parts, slice_over, used, yields
):
    parts.launcher(free=0)
    agent = parts.agent(owner="bob", runs=1)
    await parts.give(agent, "bob")
    parts.state.share.charge(parts.world.person["bob"], None, used, parts.clock.monotonic())
    parts.state.share.charge(parts.world.person["ada"], None, 1.0, parts.clock.monotonic())
    agent.owned_since_mono = parts.clock.monotonic() - (2.0 if slice_over else 0.5)
    parts.submit("ada")
    await plan(parts)
    assert agent.is_yielding is yields


async def test_an_agent_that_yields_makes_no_other_yield(parts):
    parts.launcher(free=0)
    agents = [parts.agent(owner="bob", runs=1) for _ in range(2)]
    for agent in agents:
        await parts.give(agent, "bob")
        agent.owned_since_mono = 0.0
    parts.state.share.charge(parts.world.person["bob"], None, 100.0, parts.clock.monotonic())
    parts.submit("ada")
    await plan(parts)
    await plan(parts)
    assert [agent.is_yielding for agent in agents].count(True) == 1


async def test_an_idle_agent_is_stopped_although_a_busy_one_yields(parts):
    """The busy one may take hours."""
    parts.launcher(free=0)
    yielding, idle = (parts.agent(owner="bob", runs=1) for _ in range(2))
    await parts.give(yielding, "bob")
    yielding.is_yielding = True
    parts.submit("ada")
    await plan(parts)
    assert idle.reason == "its place is needed for others"


async def test_a_shared_agent_does_not_yield_to_those_it_serves_in_turn(parts):
    parts.application(reuse="any")
    parts.launcher(free=0)
    agent = parts.agent(owner="bob", runs=1)
    await parts.give(agent, "bob")
    agent.owned_since_mono = 0.0
    parts.state.share.charge(parts.world.person["bob"], None, 100.0, parts.clock.monotonic())
    parts.submit("ada")
    await plan(parts)
    assert not agent.is_yielding


async def test_a_persons_own_agent_does_not_yield_to_the_same_person(parts):
    parts.launcher(free=0)
    agent = parts.agent(owner="ada", runs=1)
    await parts.give(agent, "ada")
    agent.owned_since_mono = 0.0
    parts.state.share.charge(parts.world.person["ada"], None, 100.0, parts.clock.monotonic())
    parts.submit("ada")
    await plan(parts)
    assert not agent.is_yielding


async def test_a_warm_pool_frees_no_place(parts):
    parts.application(warm=3)
    parts.launcher(free=0)
    idle = parts.agent(owner="bob", runs=1)
    await plan(parts)
    assert idle.state is AgentState.IDLE
    assert parts.state.waits[parts.world.application_id] == "All places for agents are taken."
