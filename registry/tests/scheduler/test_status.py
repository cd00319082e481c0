"""Places in the queue, expected starts, and the page of the state."""

from __future__ import annotations

import pytest
from qcrbox_registry.scheduler.status import Estimate, estimate, status
from qcrbox_registry.store.holds import Hold


def runtimes(parts, *seconds):
    for each in seconds:
        parts.state.runtimes.add(parts.world.command_id, each)


def test_what_does_not_wait_has_no_place(parts):
    assert estimate(parts.state, "nothing") is None


def test_without_past_runtimes_only_the_place_is_known(parts):
    parts.agent()
    ids = parts.submit(count=3)
    assert [estimate(parts.state, each) for each in ids] == [
        Estimate(place, None, None, None, "") for place in (1, 2, 3)
    ]


def test_with_an_idle_agent_the_first_starts_now(parts):
    runtimes(parts, 10.0, 10.0, 10.0, 10.0)
    parts.agent()
    first, second, third = parts.submit(count=3)
    assert estimate(parts.state, first) == Estimate(1, 0.0, 0.0, 10.0, "")
    assert estimate(parts.state, second).starts_in_s == 10.0
    assert estimate(parts.state, third).starts_in_s == 20.0


def test_more_agents_shorten_the_wait(parts):
    runtimes(parts, 10.0)
    for _ in range(2):
        parts.agent()
    ids = parts.submit(count=4)
    assert [estimate(parts.state, each).starts_in_s for each in ids] == [0.0, 5.0, 10.0, 15.0]


@pytest.mark.parametrize(
    ("ran_s", "starts_in_s"), [(None, 10.0), (0.0, 10.0), (4.0, 6.0), (99.0, 0.0)], ids=str
)
async def test_the_rest_of_what_runs_comes_first(parts, ran_s, starts_in_s):
    runtimes(parts, 10.0)
    active = await parts.give(parts.agent())
    active.started_mono = None if ran_s is None else parts.clock.monotonic() - ran_s
    (one,) = parts.submit()
    assert estimate(parts.state, one).starts_in_s == starts_in_s


async def test_the_first_slot_that_becomes_free_counts(parts):
    runtimes(parts, 10.0)
    for ran_s in (2.0, 7.0):
        active = await parts.give(parts.agent())
        active.started_mono = parts.clock.monotonic() - ran_s
    (one,) = parts.submit()
    assert estimate(parts.state, one).starts_in_s == pytest.approx(3.0)


def test_the_spread_of_past_runtimes_gives_the_earliest_and_latest_start(parts):
    runtimes(parts, 1.0, 2.0, 3.0, 4.0)  # quartiles 1.25 and 3.75, median 2.5
    parts.agent()
    _, second = parts.submit(count=2)
    found = estimate(parts.state, second)
    assert (found.earliest_in_s, found.starts_in_s, found.latest_in_s) == pytest.approx((1.25, 2.5, 7.5))


def test_without_an_agent_no_start_is_promised(parts):
    runtimes(parts, 10.0)
    (one,) = parts.submit()
    assert estimate(parts.state, one).starts_in_s is None


def test_under_a_hold_no_start_is_promised(parts):
    runtimes(parts, 10.0)
    parts.agent()
    (one,) = parts.submit()
    parts.state.holds["site", ""] = Hold("site", "", "hold", "update")
    assert estimate(parts.state, one).starts_in_s is None


@pytest.mark.parametrize(
    ("waits", "preparing", "cap", "reason"),
    [
        ("", "", None, ""),
        ("All places for agents are taken.", "The image is built.", 0, "All places for agents are taken."),
        ("", "The image is built.", 0, "The image is built."),
        ("", "", 0, "As many of your calculations as allowed are running."),
    ],
    ids=["none", "scheduler", "preparing", "cap"],
)
def test_the_reason_that_holds_it_up_is_named(make_parts, waits, preparing, cap, reason):
    parts = make_parts(running_per_person=cap)
    parts.fleet.applications[parts.world.application_id].preparing = preparing
    if waits:
        parts.state.waits[parts.world.application_id] = waits
    (one,) = parts.submit()
    assert estimate(parts.state, one).waits_for == reason


def test_an_application_that_is_not_known_breaks_nothing(parts):
    (one,) = parts.submit()
    parts.fleet.applications.clear()
    assert estimate(parts.state, one).position == 1


def test_shown_times_are_moments_and_unknown_ones_stay_unknown():
    assert Estimate(3, 5.0, None, 7.0, "why").shown(1000.0) == {
        "place": 3,
        "reason": "why",
        "estimated_start": 1005.0,
        "earliest_start": None,
        "latest_start": 1007.0,
    }


# ------------------------------------------------------------ the page


async def test_the_page_counts_what_waits_runs_and_failed(parts):
    parts.launcher(capacity=3, free=1)
    agent = parts.agent(owner="ada", host="node1", pid=12, rss_bytes=99)
    active = await parts.give(agent, started=True)
    parts.submit(count=2)
    lost = parts.agent()
    paused = await parts.give(lost, started=True)
    await parts.failures.handle(lost, "killed")
    parts.clock.forward(2.04)
    shown = status(parts.state)
    assert (shown["waiting"], shown["running"], shown["nats"]) == (3, 1, True)
    assert shown["waiting_by_application"] == {"practice 1": 3}
    assert shown["agents"] == [
        {
            "agent": agent.id,
            "application": "practice 1",
            "launcher": "local",
            "state": "busy",
            "calculations": [active.calculation_id],
            "owner_id": parts.world.person["ada"],
            "seen_s_ago": 2.0,
            "rss_bytes": 99,
            "host": "node1",
            "pid": 12,
        }
    ]
    assert shown["counters"]["lost_agents"] == 1
    assert paused.calculation_id in parts.backlog


@pytest.mark.parametrize(("silent_s", "answers"), [(0.0, True), (29.9, True), (30.0, False), (None, False)])
def test_a_silent_launcher_is_shown_as_such(parts, silent_s, answers):
    seen = None if silent_s is None else parts.clock.monotonic() - silent_s
    parts.launcher(capacity=3, free=1, seen_mono=seen)
    (shown,) = status(parts.state)["launchers"]
    assert shown == {
        "launcher": "local",
        "manager": "dummy",
        "host": "here",
        "capacity": 3,
        "free": 1,
        "answers": answers,
    }


async def test_failed_starts_are_shown_with_their_reason(parts):
    await parts.launching.start_failed(parts.agent(), "no such image")
    shown = status(parts.state)
    assert shown["failed_starts"] == {"practice 1": "no such image"}
    assert shown["waits"] == {"practice 1": "Its last start failed: no such image"}


def test_waiting_for_an_application_that_is_not_known_is_shown_under_its_number(parts):
    parts.submit()
    parts.fleet.applications.clear()
    assert status(parts.state)["waiting_by_application"] == {str(parts.world.application_id): 1}
