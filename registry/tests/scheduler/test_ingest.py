"""Events of agents and launchers: what counts, what is refused, what is remembered."""

from __future__ import annotations

import pytest
from qcrbox.contract.messages import (
    AgentGone,
    AgentReady,
    Cancel,
    Drain,
    Finished,
    Heartbeat,
    LauncherReady,
    Log,
    Progress,
    SessionState,
    StepChanged,
)
from qcrbox.contract.states import State, Step
from qcrbox_registry.messaging.bus import Arrived
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.ingest import LONGEST_TEXT, MOST_STEPS


async def take(parts, agent, *events):
    source = agent if isinstance(agent, str) else agent.id
    await parts.ingest.take([Arrived(source, event) for event in events])
    await parts.quiet()


def step(active, name=Step.RUNNING, **more):
    return StepChanged(calculation_id=active.calculation_id, attempt=active.attempt, step=name, **more)


def end(active, status=State.SUCCESSFUL, **more):
    return Finished(calculation_id=active.calculation_id, attempt=active.attempt, status=status, **more)


def session(active, name, **more):
    return SessionState(calculation_id=active.calculation_id, attempt=active.attempt, state=name, **more)


@pytest.fixture
async def agent(parts):
    return parts.agent()


@pytest.fixture
async def active(parts, agent):
    return await parts.give(agent)


# ------------------------------------------------------------ a life


async def test_the_first_step_starts_it_and_the_end_ends_it(parts, agent, active):
    await take(parts, agent, step(active, Step.STARTING, at=100.0))
    assert parts.row(active.calculation_id).state == "running"
    assert active.started_mono == parts.clock.monotonic()
    parts.clock.forward(10.0)
    await take(parts, agent, end(active, at=107.5))
    row = parts.row(active.calculation_id)
    assert (row.state, row.started_at) == ("successful", 100.0)
    assert (agent.state, agent.active) == (AgentState.IDLE, {})
    assert parts.hub.of(active.calculation_id) == [("running", "starting"), ("successful", "done")]
    assert parts.state.counters.finished == 1


async def test_start_and_end_in_one_batch_are_written_together(parts, agent, active):
    await take(
        parts, agent, step(active, at=100.0), step(active, Step.UPLOADING, at=101.0), end(active, at=102.0)
    )
    row = parts.row(active.calculation_id)
    assert (row.state, row.started_at) == ("successful", 100.0)
    assert [status for status, _ in parts.hub.of(active.calculation_id)][-1] == "successful"


async def test_an_end_reported_twice_counts_once(parts, agent, active):
    await take(parts, agent, end(active), end(active))
    await take(parts, agent, end(active))
    assert parts.state.counters.finished == 1
    assert parts.state.counters.refused_events == 1
    assert [status for status, _ in parts.hub.of(active.calculation_id)].count("successful") == 1


@pytest.mark.parametrize(
    ("at", "started_at", "total", "ran_s"),
    [
        (160.0, 100.0, None, 60.0),
        (90.0, 100.0, None, 5.0),
        (0.0, 100.0, None, 5.0),
        (0.0, 0.0, 2.5, 2.5),
        (160.0, 100.0, 2.5, 60.0),
    ],
    ids=[
        "by the agent's clock",
        "its clock was set back",
        "no time",
        "by its own timing",
        "start and end first",
    ],
)
async def test_how_long_the_slot_was_used(parts, agent, active, at, started_at, total, ran_s):
    await take(parts, agent, step(active, at=started_at))
    parts.clock.forward(5.0)
    timings = {} if total is None else {"total": total}
    await take(parts, agent, end(active, at=at, timings_s=timings))
    assert parts.state.used_s[("person", active.owner_id)] == pytest.approx(ran_s)


async def test_processors_that_the_application_declares_count(parts, agent, active):
    parts.application(limits={"cpus": 4.0})
    await take(parts, agent, step(active, at=100.0))
    await take(parts, agent, end(active, at=110.0))
    assert parts.state.used_s[("person", active.owner_id)] == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("status", "interactive", "known"),
    [(State.SUCCESSFUL, False, True), (State.FAILED, False, False), (State.SUCCESSFUL, True, False)],
    ids=["success", "failure", "session"],
)
async def test_only_successful_calculations_teach_the_expected_runtime(
    parts, agent, status, interactive, known
):
    active = await parts.give(agent, interactive=interactive)
    await take(parts, agent, step(active, at=100.0))
    await take(parts, agent, end(active, status, at=110.0))
    assert (parts.state.runtimes.expected(active.command_id) is not None) is known


# ------------------------------------------------------------ refused


@pytest.mark.parametrize("kind", ["step", "end", "log", "progress", "session"])
@pytest.mark.parametrize("fault", ["another agent", "an older attempt", "a newer attempt", "unknown"])
async def test_events_of_another_agent_or_attempt_change_nothing(parts, agent, active, kind, fault):
    source = parts.agent() if fault == "another agent" else agent
    attempt = active.attempt + {"an older attempt": -1, "a newer attempt": 1}.get(fault, 0)
    common = {
        "calculation_id": "nothing" if fault == "unknown" else active.calculation_id,
        "attempt": attempt,
    }
    event = {
        "step": StepChanged(**common, step=Step.RUNNING),
        "end": Finished(**common, status=State.SUCCESSFUL),
        "log": Log(**common, stream="stdout", offset=0, text="x"),
        "progress": Progress(**common, fraction=0.5),
        "session": SessionState(**common, state="open"),
    }[kind]
    await take(parts, source, event)
    assert parts.state.counters.refused_events == 1
    assert parts.row(active.calculation_id).state == "submitted"
    assert parts.hub.events == []


async def test_steps_without_end_are_refused_and_the_end_is_not(parts, agent, active):
    names = [Step.RUNNING, Step.UPLOADING] * MOST_STEPS
    await take(parts, agent, *[step(active, name) for name in names])
    assert parts.state.counters.refused_events == MOST_STEPS
    await take(parts, agent, end(active))
    assert parts.row(active.calculation_id).state == "successful"


async def test_the_count_of_steps_begins_anew_with_each_attempt(parts, agent, active):
    await take(parts, agent, *[step(active) for _ in range(MOST_STEPS)])
    await take(parts, agent, end(active))
    other = await parts.give(agent)
    await take(parts, agent, step(other))
    assert parts.state.counters.refused_events == 0


async def test_a_long_text_of_a_step_is_cut(parts, agent, active):
    await take(parts, agent, step(active, text="x" * 10 * LONGEST_TEXT))
    assert parts.hub.events[-1].payload == {"text": "x" * LONGEST_TEXT}


async def test_one_refused_event_does_not_stop_its_batch(parts, agent, active):
    foreign = StepChanged(calculation_id="nothing", attempt=1, step=Step.RUNNING)
    await take(parts, agent, foreign, step(active))
    assert parts.row(active.calculation_id).state == "running"


# ------------------------------------------------------------ cancelled and timed out


@pytest.mark.parametrize("name", [Step.CANCELLING, Step.DONE], ids=str)
async def test_an_agent_that_ends_a_calculation_by_itself_shows_it(parts, agent, active, name):
    await take(parts, agent, step(active), step(active, name))
    row = parts.row(active.calculation_id)
    assert (row.state, row.step) == ("running", "cancelling")


@pytest.mark.parametrize(
    ("error_msg", "text"), [("", "not needed"), ("killed after 5 s", "killed after 5 s")]
)
async def test_a_cancelled_end_has_the_reason_of_the_person_unless_the_agent_has_one(
    parts, agent, active, error_msg, text
):
    await parts.cancelling.cancel([active.calculation_id], "not needed")
    await take(parts, agent, end(active, State.CANCELLED, error_msg=error_msg))
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("cancelled", text)


async def test_an_end_over_the_wall_time_is_a_failure(parts, agent):
    active = await parts.give(agent, started=True, wall_time_s=5.0)
    await parts.cancelling.over_wall_time(agent, active)
    await take(parts, agent, end(active, State.CANCELLED))
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("failed", "The wall-time limit of 5 s was reached.")


async def test_a_result_that_crosses_the_cancellation_counts(parts, agent, active):
    await take(parts, agent, step(active))
    await parts.cancelling.cancel([active.calculation_id], "not needed")
    await take(parts, agent, end(active))
    assert parts.row(active.calculation_id).state == "successful"


# ------------------------------------------------------------ sessions


@pytest.mark.parametrize(
    ("name", "state", "shown"),
    [
        ("starting", "running", "starting"),
        ("open", "running", "open"),
        ("finalising", "running", "finalising"),
        ("program_ended", "submitted", "queued"),
    ],
)
async def test_the_state_of_a_session_is_a_step(parts, agent, name, state, shown):
    active = await parts.give(agent, interactive=True)
    await take(parts, agent, session(active, name))
    row = parts.row(active.calculation_id)
    assert (row.state, row.step) == (state, shown)


# ------------------------------------------------------------ logs and progress


async def test_log_and_progress_reach_the_subscribers(parts, agent, active):
    log = Log(
        calculation_id=active.calculation_id,
        attempt=active.attempt,
        stream="stdout",
        offset=0,
        text="cycle 1\n",
    )
    progress = Progress(
        calculation_id=active.calculation_id, attempt=active.attempt, fraction=0.5, metrics={"R1": 0.04}
    )
    await take(parts, agent, log, progress)
    assert len(parts.hub.events) == 2


# ------------------------------------------------------------ agents


def ready(agent, **more):
    return AgentReady(
        agent=agent, application_slug="practice", application_version="1", launcher="local", **more
    )


async def test_an_agent_that_is_not_known_is_sent_away(parts):
    parts.launcher()
    await take(parts, "stray", ready("stray"))
    assert [type(message) for _, message in parts.bus.controls] == [Drain]
    assert parts.bus.launcher("local").verbs() == ["stop"]


async def test_an_agent_cannot_report_for_another(parts, agent):
    coming = parts.agent(AgentState.STARTING)
    await take(parts, agent, ready(coming.id), Heartbeat(agent=coming.id))
    assert coming.state is AgentState.STARTING
    assert not coming.was_heard


async def test_an_agent_that_works_on_what_it_does_not_have_any_more_is_called_back(parts, agent, active):
    await take(parts, agent, ready(agent.id, busy_with=active.calculation_id, attempt=0))
    ((_, message),) = parts.bus.controls
    assert (type(message), message.attempt, message.reason) == (Cancel, 0, "this attempt is over")


async def test_an_agent_that_works_on_what_it_has_is_left_alone(parts, agent, active):
    await take(parts, agent, ready(agent.id, busy_with=active.calculation_id, attempt=active.attempt))
    assert parts.bus.controls == []
    assert active.started_mono is not None


async def test_a_heartbeat_is_a_sign_of_life_and_says_what_runs(parts, agent, active):
    parts.clock.forward(10.0)
    await take(
        parts,
        agent,
        Heartbeat(agent=agent.id, busy_with=active.calculation_id, attempt=active.attempt, rss_bytes=5),
    )
    assert (agent.seen_mono, agent.rss_bytes) == (parts.clock.monotonic(), 5)
    assert active.started_mono == parts.clock.monotonic()
    assert active.not_seen_since_mono is None


@pytest.mark.parametrize("fault", ["idle", "older attempt"])
async def test_a_heartbeat_without_a_calculation_begins_the_count_once(parts, agent, active, fault):
    beat = Heartbeat(agent=agent.id)
    if fault == "older attempt":
        beat = Heartbeat(agent=agent.id, busy_with=active.calculation_id, attempt=0)
    await take(parts, agent, beat)
    since = active.not_seen_since_mono
    parts.clock.forward(5.0)
    await take(parts, agent, beat)
    assert active.not_seen_since_mono == since == parts.clock.monotonic() - 5.0


async def test_the_heartbeat_of_an_agent_that_comes_makes_it_ready(parts):
    coming = parts.agent(AgentState.STARTING)
    await take(parts, coming, Heartbeat(agent=coming.id))
    assert coming.state is AgentState.IDLE


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"reason": "drained"}, "drained"),
        ({"reason": ""}, "it ended"),
        ({"reason": "killed", "exit_code": 9}, "killed (exit code 9)"),
        ({"reason": "x", "exit_code": 0}, "x"),
        ({"reason": "x", "exit_code": 137, "oom_killed": True}, "it ran out of memory (exit code 137)"),
    ],
    ids=["in order", "no reason", "exit code", "exit code 0", "memory"],
)
async def test_the_end_of_an_agent_has_its_reason(parts, agent, event, reason):
    await take(parts, agent, AgentGone(agent=agent.id, **event))
    assert parts.agent_row(agent.id).reason == reason
    assert agent.state is AgentState.GONE


async def test_a_launcher_reports_the_end_of_its_own_agents_only(parts, agent):
    parts.launcher(capacity=2, free=0)
    parts.launcher("other", capacity=2, free=0)
    await take(parts, "launcher-other", AgentGone(agent=agent.id, reason="killed"))
    assert agent.state is AgentState.IDLE
    await take(parts, "launcher-local", AgentGone(agent=agent.id, reason="killed"))
    assert agent.state is AgentState.GONE
    assert parts.fleet.launchers["local"].free == 1


async def test_the_end_of_an_agent_that_comes_is_a_failed_start(parts):
    parts.launcher()
    coming = parts.agent(AgentState.STARTING)
    await take(parts, "launcher-local", AgentGone(agent=coming.id, reason="no such image"))
    application = parts.fleet.applications[parts.world.application_id]
    assert (application.start_failures, application.start_error) == (1, "no such image")


async def test_the_end_of_an_unknown_agent_frees_a_place_and_no_more(parts):
    launcher = parts.launcher(capacity=2, free=1)
    await take(parts, "launcher-local", AgentGone(agent="stray", reason="stopped"))
    assert launcher.free == 2


@pytest.mark.parametrize(
    ("source", "known"), [("launcher-new", True), ("launcher-other", False), ("new", False)]
)
async def test_a_launcher_is_believed_under_its_own_name_only(parts, source, known):
    await take(parts, source, LauncherReady(launcher="new", manager="docker", capacity=1))
    assert ("new" in parts.fleet.launchers) is known


async def test_a_batch_that_cannot_be_written_changes_nothing_and_can_come_again(
    parts, agent, active, monkeypatch
):
    async def full(fn):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(parts.state.db, "write", full)
        with pytest.raises(OSError, match="disk full"):
            await take(parts, agent, step(active), end(active))
    assert (list(agent.active), active.started_mono) == ([active.calculation_id], None)
    await take(parts, agent, step(active), end(active))
    assert parts.row(active.calculation_id).state == "successful"


# ------------------------------------------------------------ values that no database holds

HUGE, NO_NUMBER = 10**30, float("nan")
HOSTILE = {
    "huge width": lambda active: session(active, "open", width=HUGE, height=HUGE),
    "NUL in a reason": lambda active: session(active, "program_ended", reason="a\x00b"),
    "a step at no time": lambda active: step(active, Step.STARTING, at=NO_NUMBER),
    "a step at infinity": lambda active: step(active, Step.STARTING, at=float("inf")),
    "a log at no time": lambda active: Log(
        calculation_id=active.calculation_id,
        attempt=active.attempt,
        stream="stdout",
        offset=0,
        text="x",
        at=NO_NUMBER,
    ),
    "progress that is no number": lambda active: Progress(
        calculation_id=active.calculation_id, attempt=active.attempt, fraction=NO_NUMBER, at=NO_NUMBER
    ),
    "huge return code": lambda active: end(active, returncode=HUGE),
    "huge memory": lambda active: end(active, peak_rss_bytes=HUGE),
    "a duration that is no number": lambda active: end(active, timings_s={"total": NO_NUMBER}),
    "NUL in a warning": lambda active: end(active, warnings=["a\x00b"]),
}


@pytest.mark.attack(19)
@pytest.mark.parametrize("what", HOSTILE)
async def test_an_event_that_cannot_be_stored_does_not_hold_up_the_others(parts, agent, active, what):
    """Otherwise the bus would deliver its batch again for ever, and no events of other agents after it."""
    other = parts.agent()
    neighbour = await parts.give(other)
    hostile = HOSTILE[what](active)
    await parts.ingest.take(
        [Arrived(agent.id, hostile), Arrived(other.id, step(neighbour)), Arrived(other.id, end(neighbour))]
    )
    await parts.quiet()
    assert parts.row(neighbour.calculation_id).state == "successful"
    if isinstance(hostile, Finished):
        assert parts.row(active.calculation_id).state in ("successful", "failed")
        assert agent.active == {}, "the agent is free again"
    else:
        assert list(agent.active) == [active.calculation_id]


@pytest.mark.attack(19)
async def test_an_end_that_cannot_be_stored_is_a_failure_that_says_so(parts, agent, active):
    await take(parts, agent, step(active), end(active, returncode=HUGE))
    row = parts.row(active.calculation_id)
    assert (row.state, row.returncode) == ("failed", None)
    assert "cannot be stored" in row.error_msg
    assert parts.state.counters.refused_events == 1


@pytest.mark.attack(19)
@pytest.mark.parametrize(("said", "kept"), [(HUGE, 2**50), (-5, 0), (10**9, 10**9)])
async def test_the_memory_that_an_agent_reports_fits_its_column(parts, agent, said, kept):
    parts.ingest.heartbeat(Arrived(agent.id, Heartbeat(agent=agent.id, rss_bytes=said)))
    assert agent.rss_bytes == kept


@pytest.mark.attack(19)
@pytest.mark.parametrize(
    "event",
    [
        AgentReady(agent="practice-1", application_slug="practice", application_version="1", pid=HUGE),
        AgentGone(agent="practice-1", reason="it ended", exit_code=HUGE),
    ],
    ids=["ready", "gone"],
)
async def test_what_an_agent_says_of_itself_does_not_hold_up_the_others(parts, agent, event):
    other = parts.agent()
    neighbour = await parts.give(other)
    await parts.ingest.take([Arrived(agent.id, event), Arrived(other.id, step(neighbour))])
    await parts.ingest.take([Arrived(agent.id, event), Arrived(other.id, end(neighbour))])
    await parts.quiet()
    assert parts.row(neighbour.calculation_id).state == "successful"
