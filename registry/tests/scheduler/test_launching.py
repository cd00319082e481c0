"""Starting and stopping agents, and what their launchers report."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.messages import AgentReady, Drain, LauncherAnswer, LauncherReady, RunningAgent
from qcrbox_registry.messaging.tokens import read_enrolment
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.launching import LONGEST_BACKOFF_S, _readable
from qcrbox_registry.store import launchers


def why(parts):
    return parts.state.waits.get(parts.world.application_id)


async def requested(parts, answer=None):
    """An agent that a launcher was asked for, after the answer."""
    launcher = parts.launcher()
    if answer is not None:
        parts.bus.launcher("local").answers["start"] = answer
    await parts.launching.request(parts.fleet.applications[parts.world.application_id], launcher)
    (agent,) = parts.fleet.agents.values()
    await parts.quiet()
    return agent


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("olex2", "olex2"),
        ("Crystal_Explorer", "crystal-explorer"),
        ("a.b c", "a-b-c"),
        ("__x__", "x"),
        ("ångström", "ngstr-m"),
        ("分子", "agent"),
        ("", "agent"),
        ("x" * 90, "x" * 40),
    ],
)
def test_the_slug_is_readable_in_the_id_of_an_agent_and_safe_as_a_subject(slug, name):
    assert _readable(slug) == name


async def test_the_enrolment_names_the_agent_its_application_and_its_launcher(parts):
    agent = await requested(parts)
    ((_, request),) = parts.bus.launcher("local").asked
    claims = read_enrolment(b"k" * 32, request.enrolment_token, parts.clock.time())
    assert (claims.agent, claims.application_slug, claims.launcher) == (agent.id, "practice", "local")
    assert claims.expires == parts.clock.time() + parts.settings.token_life_s


async def test_limits_of_the_application_reach_the_launcher(parts):
    parts.application(limits={"cpus": 4, "memory_bytes": 10**9})
    await requested(parts)
    ((_, request),) = parts.bus.launcher("local").asked
    assert (request.limits.cpus, request.limits.memory_bytes, request.limits.pids) == (4.0, 10**9, None)


async def test_an_accepted_request_is_an_agent_that_starts(parts):
    agent = await requested(parts, LauncherAnswer(ok=True, free=5))
    assert agent.state is AgentState.STARTING
    assert parts.fleet.launchers["local"].free == 5
    assert parts.state.counters.started_agents == 1
    assert not agent.is_being_asked_for


async def test_an_agent_that_reports_itself_before_its_launcher_answers_stays_ready(parts):
    launcher = parts.launcher()
    application = parts.fleet.applications[parts.world.application_id]
    await parts.launching.request(application, launcher)
    (agent,) = parts.fleet.agents.values()
    parts.launching.note_ready(agent)
    await parts.quiet()
    assert agent.state is AgentState.IDLE


async def test_no_capacity_is_no_failed_start(parts):
    (one,) = parts.submit()
    agent = await requested(parts, LauncherAnswer(ok=False, error="full", free=0))
    application = parts.fleet.applications[parts.world.application_id]
    assert (agent.state, application.start_failures) == (AgentState.GONE, 0)
    assert parts.agent_row(agent.id).reason == "its launcher had no capacity for it"
    assert one in parts.backlog


async def test_a_refusal_is_a_failed_start_with_its_reason(parts):
    agent = await requested(parts, LauncherAnswer(ok=False, error="not approved", free=2))
    assert agent.state is AgentState.GONE
    assert why(parts) == "Its last start failed: not approved"
    assert parts.state.counters.failed_starts == 1


async def test_a_refusal_without_a_reason_has_one(parts):
    await requested(parts, LauncherAnswer(ok=False, free=2))
    assert why(parts) == "Its last start failed: the launcher refused"


async def test_a_launcher_that_does_not_answer_is_asked_nothing_until_it_answers_a_list(parts):
    agent = await requested(parts, Unreachable("no answer within 30 s"))
    launcher = parts.fleet.launchers["local"]
    assert (agent.state, launcher.seen_mono) == (AgentState.GONE, None)
    assert parts.fleet.applications[parts.world.application_id].start_failures == 0
    parts.launching.note_answer("local", LauncherAnswer(ok=True, free=2))
    assert (launcher.seen_mono, launcher.free) == (parts.clock.monotonic(), 2)


async def test_a_request_that_cannot_be_written_is_not_made(parts, monkeypatch):
    launcher = parts.launcher(capacity=3, free=2)

    async def full(fn):
        raise OSError("disk full")

    monkeypatch.setattr(parts.state.db, "write", full)
    with pytest.raises(OSError, match="disk full"):
        await parts.launching.request(parts.fleet.applications[parts.world.application_id], launcher)
    assert (parts.fleet.agents, launcher.free) == ({}, 3)
    assert parts.bus.launcher("local").asked == []


# ------------------------------------------------------------ failed starts


async def test_pauses_between_failed_starts_double_up_to_a_minute(parts):
    application = parts.fleet.applications[parts.world.application_id]
    pauses = []
    for _ in range(8):
        await parts.launching.start_failed(parts.agent(AgentState.STARTING), "no")
        pauses.append(application.next_start_mono - parts.clock.monotonic())
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_BACKOFF_S, LONGEST_BACKOFF_S]


async def test_after_several_failures_what_waits_longest_fails_with_the_reason(parts):
    parts.submit("bob")
    parts.clock.forward(-10)
    (oldest,) = parts.submit("ada")
    parts.clock.forward(20)
    for _ in range(parts.settings.start_failures):
        await parts.launching.start_failed(parts.agent(AgentState.STARTING), "no such file: xtb")
    row = parts.row(oldest)
    assert row.state == "failed"
    assert row.error_msg == "practice 1 could not be started (3 times): no such file: xtb"
    assert len(parts.backlog) == 1
    assert parts.hub.of(oldest) == [("failed", "done")]


async def test_the_same_failure_reported_twice_counts_once(parts):
    agent = parts.agent(AgentState.STARTING)
    application = parts.fleet.applications[parts.world.application_id]
    await asyncio.gather(
        parts.launching.start_failed(agent, "exit code 1"), parts.launching.start_failed(agent, "not listed")
    )
    await parts.launching.start_failed(agent, "late")
    assert (application.start_failures, parts.state.counters.failed_starts) == (1, 1)
    assert application.start_error == "exit code 1"


async def test_a_failure_that_cannot_be_written_leaves_the_calculation_waiting(parts, monkeypatch):
    (one,) = parts.submit()
    application = parts.fleet.applications[parts.world.application_id]
    application.start_failures = 2
    writes = parts.state.db.write
    count = 0

    async def second_fails(fn):
        nonlocal count
        count += 1
        if count == 2:
            raise OSError("disk full")
        return await writes(fn)

    monkeypatch.setattr(parts.state.db, "write", second_fails)
    with pytest.raises(OSError, match="disk full"):
        await parts.launching.start_failed(parts.agent(AgentState.STARTING), "no")
    assert one in parts.backlog
    assert parts.backlog.place(one)[1] == 0
    assert parts.row(one).state == "submitted"


async def test_nothing_fails_while_another_agent_of_the_application_works(parts):
    (one,) = parts.submit()
    parts.agent(owner="bob")
    for _ in range(5):
        await parts.launching.start_failed(parts.agent(AgentState.STARTING), "no")
    assert parts.row(one).state == "submitted"
    assert one in parts.backlog


async def test_failures_without_anything_that_waits_fail_nothing(parts):
    for _ in range(5):
        await parts.launching.start_failed(parts.agent(AgentState.STARTING), "no")
    assert parts.hub.events == []


async def test_an_agent_of_an_application_that_is_gone_fails_alone(parts):
    agent = parts.agent(AgentState.STARTING)
    parts.fleet.applications.clear()
    await parts.launching.start_failed(agent, "no")
    assert agent.state is AgentState.GONE
    assert parts.state.waits == {}


async def test_an_agent_that_comes_up_ends_the_row_of_failures(parts):
    application = parts.fleet.applications[parts.world.application_id]
    await parts.launching.start_failed(parts.agent(AgentState.STARTING), "no")
    parts.launching.note_ready(parts.agent(AgentState.STARTING))
    assert (application.start_failures, application.start_error, why(parts)) == (0, "", None)


# ------------------------------------------------------------ asking again


@pytest.mark.parametrize(
    ("launcher", "waited_s", "asked", "state"),
    [
        ("answers", 0.0, True, AgentState.STARTING),
        ("answers", 99.0, True, AgentState.STARTING),
        ("silent", 10.0, False, AgentState.REQUESTED),
        ("silent", 31.0, False, AgentState.GONE),
        ("unknown", 31.0, False, AgentState.GONE),
    ],
)
async def test_a_request_without_an_answer_is_repeated_while_its_launcher_answers(
    parts, launcher, waited_s, asked, state
):
    if launcher != "unknown":
        parts.launcher(seen_mono=None if launcher == "silent" else parts.clock.monotonic())
    agent = parts.agent(AgentState.REQUESTED)
    await parts.launching.ask_again(agent, waited_s)
    await parts.quiet()
    assert ("start" in parts.bus.launcher("local").verbs()) is asked
    assert agent.state is state


# ------------------------------------------------------------ stopping


async def test_a_stopped_agent_is_drained_and_its_process_ended(parts):
    parts.launcher()
    agent = parts.agent()
    await parts.launching.stop(agent, "it was idle", grace_s=3.0)
    ((to, message),) = parts.bus.controls
    assert (to, type(message), message.reason) == (agent.id, Drain, "it was idle")
    await parts.quiet()
    ((verb, request),) = parts.bus.launcher("local").asked
    assert (verb, request.agent, request.grace_s, request.reason) == ("stop", agent.id, 3.0, "it was idle")
    assert agent.state is AgentState.GONE
    assert agent.id not in parts.fleet.agents
    assert parts.agent_row(agent.id).state == "gone"


async def test_an_agent_that_its_launcher_still_lists_is_not_gone(parts):
    parts.launcher()
    agent = parts.agent()
    alive = RunningAgent(agent=agent.id, application_slug="practice", application_version="1")
    parts.bus.launcher("local").answers["stop"] = LauncherAnswer(ok=True, agents=[alive], free=0)
    await parts.launching.stop(agent, "it was idle")
    await parts.quiet()
    assert agent.state is AgentState.STOPPING


async def test_a_dead_entry_in_the_answer_is_no_life(parts):
    parts.launcher()
    agent = parts.agent()
    dead = RunningAgent(agent=agent.id, application_slug="practice", application_version="1", alive=False)
    parts.bus.launcher("local").answers["stop"] = LauncherAnswer(ok=True, agents=[dead], free=1)
    await parts.launching.stop(agent, "it was idle")
    await parts.quiet()
    assert agent.state is AgentState.GONE


@pytest.mark.parametrize("answer", [Unreachable("silent"), LauncherAnswer(ok=False, error="no")], ids=str)
async def test_a_stop_that_is_not_confirmed_leaves_the_agent_stopping(parts, answer):
    parts.launcher()
    agent = parts.agent()
    parts.bus.launcher("local").answers["stop"] = answer
    await parts.launching.stop(agent, "it was idle")
    await parts.quiet()
    assert agent.state is AgentState.STOPPING


async def test_an_agent_of_a_launcher_that_is_not_known_is_only_asked_itself(parts):
    agent = parts.agent(launcher="gone")
    await parts.launching.stop(agent, "it was idle")
    await parts.quiet()
    assert parts.bus.launchers == {}
    assert agent.state is AgentState.STOPPING


@pytest.mark.parametrize(
    ("reuse", "yields", "stops"),
    [("never", False, True), ("same-owner", False, False), ("same-owner", True, True), ("any", True, True)],
)
async def test_an_agent_stops_after_its_run_when_it_must_not_be_used_again(parts, reuse, yields, stops):
    parts.launcher()
    parts.application(reuse=reuse)
    agent = parts.agent(is_yielding=yields)
    parts.launching.after_run(agent)
    assert (agent.state is AgentState.DRAINING) is stops
    await parts.quiet()
    assert ("stop" in parts.bus.launcher("local").verbs()) is stops


async def test_an_agent_with_more_work_does_not_stop_after_its_run(parts):
    parts.application(reuse="any")
    agent = parts.agent(is_yielding=True)
    await parts.give(agent)
    parts.launching.after_run(agent)
    assert agent.state is AgentState.BUSY


async def test_a_killed_agent_gives_its_work_back(parts):
    parts.launcher()
    agent = parts.agent()
    active = await parts.give(agent)
    await parts.launching.kill(agent, "no sign of life for 15 s")
    await parts.quiet()
    assert agent.state is AgentState.GONE
    assert active.calculation_id in parts.backlog
    ((_, request),) = parts.bus.launcher("local").asked
    assert request.grace_s == 1.0


# ------------------------------------------------------------ reports


def ready(agent_id, **more):
    return AgentReady(
        agent=agent_id, application_slug="practice", application_version="1", launcher="local", **more
    )


async def test_what_an_agent_reports_of_itself_is_kept(parts):
    agent = parts.agent(AgentState.STARTING)
    parts.clock.forward(3.0)
    await parts.launching.agent_ready(agent, ready(agent.id, host="node7", pid=4711, qcrbox_version="1.2"))
    row = parts.agent_row(agent.id)
    assert (agent.state, agent.seen_mono, agent.was_heard) == (AgentState.IDLE, parts.clock.monotonic(), True)
    assert (row.state, row.host, row.pid, row.qcrbox_version) == ("idle", "node7", 4711, "1.2")
    assert row.ready_at == parts.clock.time()


async def test_an_agent_that_reconnects_keeps_the_time_it_first_was_ready(parts):
    agent = parts.agent(AgentState.STARTING)
    await parts.launching.agent_ready(agent, ready(agent.id))
    first = parts.clock.time()
    parts.clock.forward(60.0)
    await parts.launching.agent_ready(agent, ready(agent.id, pid=0))
    row = parts.agent_row(agent.id)
    assert (row.ready_at, row.last_seen_at, row.pid) == (first, parts.clock.time(), None)


async def test_an_agent_that_got_work_before_it_was_ready_is_busy(parts):
    agent = parts.agent(AgentState.STARTING)
    await parts.give(agent)
    parts.launching.note_ready(agent)
    assert agent.state is AgentState.BUSY


@pytest.mark.parametrize(("capacity", "free", "then"), [(2, 0, 1), (2, 1, 2), (2, 2, 2), (0, 0, 0)])
def test_an_ended_process_frees_a_place_up_to_the_capacity(parts, capacity, free, then):
    launcher = parts.launcher(capacity=capacity, free=free)
    parts.launching.note_free_place("local")
    parts.launching.note_free_place("unknown")
    assert launcher.free == then


def test_a_refused_answer_says_nothing_about_free_places(parts):
    launcher = parts.launcher(free=1)
    parts.launching.note_answer("local", LauncherAnswer(ok=False, error="broken", free=9))
    parts.launching.note_answer("unknown", LauncherAnswer(ok=True, free=9))
    assert launcher.free == 1


def announced(**more):
    values = {
        "applications": [{"slug": "practice", "version": "1"}],
        "capacity": 4,
        "manager": "docker",
        **more,
    }
    return LauncherReady(launcher="local", **values)


async def test_a_launcher_that_reports_is_known_and_written(parts):
    await parts.launching.launcher_ready(announced(host="node1", running=["a", "b", "c"]))
    launcher = parts.fleet.launchers["local"]
    assert (launcher.manager, launcher.host, launcher.capacity, launcher.free) == ("docker", "node1", 4, 1)
    assert launcher.applications == {("practice", "1")}
    (row,) = parts.world.read(launchers.everyone)
    assert (row.name, row.free, row.applications) == ("local", 1, [{"slug": "practice", "version": "1"}])


async def test_a_launcher_that_runs_more_than_it_may_has_no_free_place(parts):
    await parts.launching.launcher_ready(announced(capacity=1, running=["a", "b"]))
    assert parts.fleet.launchers["local"].free == 0


async def test_what_a_launcher_prepares_is_the_reason_to_wait_until_it_is_done(parts):
    application = parts.fleet.applications[parts.world.application_id]
    text = {"slug": "practice", "version": "1", "text": "The image is built."}
    await parts.launching.launcher_ready(announced(preparing=[text]))
    assert application.preparing == "The image is built."
    await parts.launching.launcher_ready(announced())
    assert application.preparing == ""


async def test_a_change_of_what_is_installed_is_an_event_of_the_application(parts):
    missing = {"slug": "practice", "version": "1", "command": "", "text": "xtb is not installed"}
    await parts.launching.launcher_ready(announced(missing=[missing]))
    await parts.launching.launcher_ready(announced(missing=[missing]))
    assert parts.fleet.missing("practice", "1") == {"": "xtb is not installed"}
    await parts.launching.launcher_ready(announced())
    assert parts.fleet.missing("practice", "1") == {}
    changes = [event for event in parts.hub.events if event.kind == "application"]
    assert [event.status for event in changes] == ["availability", "availability"]
    assert {event.object_id for event in changes} == {str(parts.world.application_id)}


async def test_incomplete_entries_of_a_launcher_break_nothing(parts):
    await parts.launching.launcher_ready(
        announced(applications=[{}, {"slug": "x"}], missing=[{}], preparing=[{"text": "?"}])
    )
    assert parts.fleet.launchers["local"].applications == {("", ""), ("x", "")}
