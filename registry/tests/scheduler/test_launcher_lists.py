"""The list of a launcher against the agents that are known."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.messages import LauncherAnswer, RunningAgent
from qcrbox_registry.scheduler.agent_state import AgentState


def listed(agent_id, **more):
    return RunningAgent(agent=agent_id, application_slug="practice", application_version="1", **more)


async def compare(parts, *entries, ok=True):
    parts.bus.launcher("local").answers["list"] = LauncherAnswer(ok=ok, agents=list(entries), free=3)
    parts.lists.ask_due(parts.clock.monotonic())
    await parts.quiet()


@pytest.fixture
def launcher(parts):
    return parts.launcher()


async def test_a_list_is_asked_for_when_the_last_one_is_old(parts, launcher):
    await compare(parts)
    parts.clock.forward(9.9)
    await compare(parts)
    assert parts.bus.launcher("local").verbs() == ["list"]
    parts.clock.forward(0.1)
    await compare(parts)
    assert parts.bus.launcher("local").verbs() == ["list", "list"]


async def test_one_list_is_awaited_at_a_time(parts, launcher):
    parts.lists.ask_due(parts.clock.monotonic())
    parts.lists.ask_due(parts.clock.monotonic() + 100.0)
    await parts.quiet()
    assert parts.bus.launcher("local").verbs() == ["list"]


async def test_an_answer_says_that_the_launcher_lives_and_what_is_free(parts, launcher):
    launcher.seen_mono = None
    await compare(parts)
    assert (launcher.seen_mono, launcher.free) == (parts.clock.monotonic(), 3)


@pytest.mark.parametrize("how", ["silent", "refused"])
async def test_without_an_answer_nothing_is_concluded(parts, launcher, how):
    agent = parts.agent(was_heard=False)
    seen = launcher.seen_mono = launcher.seen_mono - 5.0
    if how == "refused":
        await compare(parts, ok=False)
    else:
        parts.bus.launcher("local").answers["list"] = Unreachable("silent")
        parts.lists.ask_due(parts.clock.monotonic())
        await parts.quiet()
    assert (agent.state, launcher.seen_mono) == (AgentState.IDLE, seen)
    parts.clock.forward(20.0)
    await compare(parts, listed(agent.id))
    assert launcher.seen_mono == parts.clock.monotonic()


@pytest.mark.parametrize("whose", ["nobody", "another launcher"])
async def test_a_process_without_an_owner_is_stopped(parts, launcher, whose):
    agent_id = "stray-1"
    if whose == "another launcher":
        agent_id = parts.agent(launcher="elsewhere").id
    await compare(parts, listed(agent_id))
    stops = [request for verb, request in parts.bus.launcher("local").asked if verb == "stop"]
    assert [request.agent for request in stops] == [agent_id]


async def test_a_dead_process_without_an_owner_is_not_stopped_again(parts, launcher):
    await compare(parts, listed("stray-1", alive=False))
    assert parts.bus.launcher("local").verbs() == ["list"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, "its process has ended"),
        ({"exit_code": 0}, "its process has ended"),
        ({"exit_code": 3}, "its process has ended (exit code 3)"),
        ({"exit_code": -9}, "its process has ended (exit code -9)"),
        ({"oom_killed": True, "exit_code": 137}, "it ran out of memory (exit code 137)"),
    ],
    ids=["unknown", "0", "3", "killed", "memory"],
)
async def test_an_ended_process_ends_its_agent_with_the_reason(parts, launcher, entry, reason):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await compare(parts, listed(agent.id, alive=False, **entry))
    assert parts.agent_row(agent.id).reason == reason
    assert active.calculation_id in parts.backlog


async def test_an_ended_process_of_an_agent_that_comes_is_a_failed_start(parts, launcher):
    agent = parts.agent(AgentState.STARTING)
    await compare(parts, listed(agent.id, alive=False, exit_code=2))
    application = parts.fleet.applications[parts.world.application_id]
    assert (agent.state, application.start_failures) == (AgentState.GONE, 1)
    assert application.start_error == "its process has ended (exit code 2)"


async def test_an_agent_that_is_alive_beside_an_older_dead_entry_stays(parts, launcher):
    agent = parts.agent()
    await compare(parts, listed(agent.id, alive=False), listed(agent.id))
    assert agent.state is AgentState.IDLE


@pytest.mark.parametrize(
    ("was_heard", "silent_s", "ended"),
    [(False, 0.0, True), (True, 7.5, False), (True, 7.6, True)],
    ids=["never heard", "heard just now", "silent for half the limit"],
)
async def test_an_agent_that_is_not_listed_is_lost_when_it_is_silent_too(
    parts, launcher, was_heard, silent_s, ended
):
    agent = parts.agent(was_heard=was_heard, seen_mono=parts.clock.monotonic() - silent_s)
    await compare(parts)
    assert (agent.state is AgentState.GONE) is ended


@pytest.mark.parametrize("state", [AgentState.REQUESTED, AgentState.GONE], ids=str)
async def test_an_agent_that_was_not_started_yet_need_not_be_listed(parts, launcher, state):
    agent = parts.agent(state)
    await compare(parts)
    assert agent.state is state


async def test_an_agent_that_was_requested_after_the_question_need_not_be_in_the_answer(parts, launcher):
    parts.lists.ask_due(parts.clock.monotonic())
    agent = parts.agent(AgentState.STARTING)
    parts.bus.launcher("local").answers["list"] = LauncherAnswer(ok=True)
    expected = {each.id for each in parts.lists._agents_of(launcher)} - {agent.id}
    await parts.lists._compare(launcher, LauncherAnswer(ok=True), expected)
    assert agent.state is AgentState.STARTING
    await parts.quiet()


async def test_an_error_in_one_comparison_does_not_stop_the_next(parts, launcher):
    parts.bus.launcher("local").answers["list"] = RuntimeError("broken")
    parts.lists.ask_due(parts.clock.monotonic())
    await parts.quiet()
    parts.clock.forward(20.0)
    await compare(parts)
    assert parts.bus.launcher("local").verbs() == ["list", "list"]
