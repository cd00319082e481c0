"""Calculations from submission to their one end, on a real NATS server with practice agents."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox.contract.messages import control_adapter
from qcrbox_registry.scheduler.settings import SchedulerSettings


async def test_a_calculation_runs_and_says_so(site, launcher):
    (row,) = await site.ended(await site.submit("noop"))
    assert (row.state, row.step, row.attempt) == ("successful", "done", 1)
    assert row.started_at
    assert row.finished_at >= row.started_at
    events = await site.events(row.id)
    assert [(one.status, one.step) for one in events] == [
        ("submitted", "queued"),
        ("running", "running"),
        ("successful", "done"),
    ]


async def test_a_program_that_fails_is_not_tried_again(site, launcher):
    (row,) = await site.ended(await site.submit("fail"))
    assert (row.state, row.attempt, row.losses) == ("failed", 1, 0)
    assert "The program failed" in row.error_msg


async def test_many_calculations_each_end_once(site, launcher):
    rows = await site.ended(await site.submit("noop", 300))
    assert {row.state for row in rows} == {"successful"}
    ends = [one for row in rows for one in await site.events(row.id) if one.status == "successful"]
    assert len(ends) == 300


async def test_a_waiting_calculation_is_cancelled_at_once(site):
    (one,) = await site.submit("noop")
    assert await site.scheduler.cancel([one], reason="not needed") == {one: "cancelled"}
    (row,) = await site.rows([one])
    assert (row.state, row.attempt, row.error_msg) == ("cancelled", 0, "not needed")
    assert len(site.scheduler.state.backlog) == 0


async def test_a_running_calculation_is_cancelled_by_its_agent(site, launcher):
    (one,) = await site.submit("sleep", arguments={"seconds": 60})
    await site.until(lambda: is_running(site, one))
    assert await site.scheduler.cancel([one], reason="too slow") == {one: "cancelling"}
    (row,) = await site.ended([one])
    assert (row.state, row.error_msg) == ("cancelled", "too slow")
    steps = [event.step for event in await site.events(one)]
    assert steps == ["queued", "running", "cancelling", "done"]


async def test_an_agent_that_does_not_cancel_is_ended(make_site, make_launcher, clock):
    quick = SchedulerSettings(tick_s=0.05, cancel_grace_s=0.1, cancel_patience_s=0.2)
    site = await make_site(settings=quick)
    launcher = await make_launcher(site, capacity=1)
    (one,) = await site.submit("stubborn", arguments={"seconds": 600})
    await site.until(lambda: is_running(site, one))
    agent = next(iter(launcher.kept))
    await site.scheduler.cancel([one], reason="enough")
    (row,) = await site.ended([one])
    assert (row.state, row.error_msg) == ("cancelled", "enough")
    await site.until(lambda: agent not in launcher.kept)


async def test_cancelling_what_has_ended_changes_nothing(site, launcher):
    (row,) = await site.ended(await site.submit("noop"))
    assert await site.scheduler.cancel([row.id]) == {row.id: "successful"}
    assert len(await site.events(row.id)) == 3


@pytest.mark.attack(19)
async def test_a_command_that_kills_its_agent_is_a_dead_letter_after_three(site, launcher, clock):
    (one,) = await site.submit("die")

    async def dead():
        (row,) = await site.rows([one])
        if (
            row.agent_id is None
        ):  # while an agent holds it, a jump of the clock would make that agent seem silent
            clock.ahead_s += 1.0  # the pauses between attempts
        return row.finished_at

    await site.until(dead)
    (row,) = await site.rows([one])
    assert (row.state, row.dead_letter) == ("failed", True)
    assert "lost 3 times" in row.error_msg
    assert "about to die" in row.error_msg


@pytest.mark.attack(19)
async def test_a_poison_command_harms_no_other(site, launcher, clock):
    poison = await site.submit("die", 2)
    good = await site.submit("noop", 50, owner="bob")
    assert {row.state for row in await site.ended(good)} == {"successful"}

    async def dead():
        clock.ahead_s += 1.0
        return all(row.finished_at for row in await site.rows(poison))

    await site.until(dead)
    assert {row.state for row in await site.rows(poison)} == {"failed"}


async def test_the_wall_time_limit_ends_what_its_agent_does_not(make_site, make_launcher, clock):
    site = await make_site(settings=SchedulerSettings(tick_s=0.05, wall_time_grace_s=1.0))
    await make_launcher(site, capacity=1)
    (one,) = await site.submit("sleep", arguments={"seconds": 600}, wall_time_s=100.0)
    await site.until(lambda: is_running(site, one))
    clock.ahead_s = 102.0
    for agent in site.scheduler.state.fleet.agents.values():
        agent.seen_mono = clock.monotonic()
    (row,) = await site.ended([one])
    assert row.state == "failed"
    assert "wall-time limit of 100 s" in row.error_msg


async def test_the_queue_tells_places_and_reasons(site):
    ids = await site.submit("noop", 3)
    await asyncio.sleep(0.2)
    info = site.scheduler.queue_info(ids)
    assert [info[one]["place"] for one in ids] == [1, 2, 3]
    assert info[ids[0]]["estimated_start"] is None  # nothing is known yet: no promise
    assert "No launcher offers practice 1" in info[ids[0]]["reason"]


async def test_the_estimated_start_comes_from_past_durations(site, launcher, clock):
    past = await site.ended(await site.submit("sleep", 4, arguments={"seconds": 0.3}))
    ids = await site.submit("sleep", 6, arguments={"seconds": 0.3})
    await site.until(lambda: len(site.scheduler.state.backlog) == 4)
    info, now = site.scheduler.queue_info(ids), clock.time()
    low, high = site.scheduler.state.runtimes.spread(past[0].command_id)
    assert list(info) == ids[2:], "the first two run"
    assert low >= 0.3
    earliest, expected, latest = (
        [info[one][f"{kind}_start"] for one in ids[2:]] for kind in ("earliest", "estimated", "latest")
    )
    # Two agents: half a runtime from one start to the next.
    assert [later - earlier for earlier, later in pairwise(earliest)] == pytest.approx(
        [low / 2] * 3, abs=1e-5
    )
    assert all(a <= b <= c for a, b, c in zip(earliest, expected, latest, strict=True))
    assert expected == sorted(expected)
    assert expected[0] <= now + high, "when the first of those that run has ended"
    await site.ended(ids)


async def is_running(site, one):
    return (await site.rows([one]))[0].state == "running"


async def test_cancelling_all_that_waits_leaves_nothing_to_start_agents_for(site):
    ids = await site.submit("noop", 3)
    await site.scheduler.dispatcher.round()
    assert site.scheduler.dispatcher.unserved
    await site.scheduler.cancel(ids)
    await site.scheduler.planner.plan()
    assert site.scheduler.state.fleet.agents == {}


async def test_ending_a_session_and_opening_its_tunnel_reach_its_agent(site, launcher):
    (one,) = await site.submit("sleep", arguments={"seconds": 60}, interactive=True)
    await site.until(lambda: is_running(site, one))
    (row,) = await site.rows([one])
    heard = await site.bus.connection.subscribe(f"control.{row.agent_id}")
    await site.scheduler.open_tunnel(one, tunnel_id="t", url="http://x/tunnel/t", token="s", view_only=True)
    await site.scheduler.end_session(one, keep=False, reason="closed by its owner")
    tunnel, end = [control_adapter.validate_json((await heard.next_msg(5)).data) for _ in range(2)]
    assert (tunnel.kind, tunnel.attempt, tunnel.view_only) == ("open_tunnel", 1, True)
    assert (end.kind, end.keep, end.reason) == ("end_session", False, "closed by its owner")


async def test_a_session_that_waits_is_cancelled_when_it_is_ended(site):
    (one,) = await site.submit("sleep", interactive=True)
    await site.scheduler.end_session(one, keep=True)
    assert (await site.rows([one]))[0].state == "cancelled"
    with pytest.raises(NotFound):
        await site.scheduler.open_tunnel(one, tunnel_id="t", url="u", token="s")


async def test_a_session_whose_agent_is_lost_is_not_started_again(site, launcher):
    (one,) = await site.submit("sleep", arguments={"seconds": 60}, interactive=True)
    await site.until(lambda: is_running(site, one))
    (row,) = await site.rows([one])
    await launcher.kept[row.agent_id].stop(0)
    (row,) = await site.ended([one])
    assert (row.state, row.attempt) == ("failed", 1)
    assert "program of the session has ended" in row.error_msg
