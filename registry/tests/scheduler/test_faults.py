"""What dies, what comes late, what comes twice."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.contract.errors import StorageFull
from qcrbox.contract.messages import AgentGone, AgentReady, Finished, StepChanged, subject_events
from qcrbox.contract.states import State, Step
from qcrbox_registry.messaging.server import start
from qcrbox_registry.scheduler.settings import SchedulerSettings


async def is_running(site, one):
    return (await site.rows([one]))[0].state == "running"


async def running_on(site, launcher, seconds=60, **more):
    """A running calculation and its practice agent."""
    (one,) = await site.submit("sleep", arguments={"seconds": seconds}, **more)
    await site.until(lambda: is_running(site, one))
    (row,) = await site.rows([one])
    return one, launcher.kept[row.agent_id].practice


def end_of(one, attempt, status=State.SUCCESSFUL):
    return Finished(calculation_id=one, attempt=attempt, status=status)


async def test_a_silent_agent_is_lost_and_another_one_does_it(site, launcher, clock):
    one, agent = await running_on(site, launcher, seconds=600)
    await agent.connection.close()
    clock.ahead_s = 0.0
    site.scheduler.state.fleet.agents[agent.id].seen_mono -= site.settings.lost_after_s + 1
    await site.until(lambda: site.scheduler.state.counters.lost_agents == 1)

    async def elsewhere():
        clock.ahead_s += 0.2
        return (await site.rows([one]))[0].attempt > 1 and await is_running(site, one)

    await site.until(elsewhere)
    (row,) = await site.rows([one])
    assert row.losses == 1
    assert row.agent_id != agent.id
    await site.until(lambda: agent.id not in launcher.kept)


@pytest.mark.attack(20)
async def test_late_result_of_an_older_attempt_is_refused(site, launcher):
    one, agent = await running_on(site, launcher, seconds=600)
    (before,) = await site.rows([one])
    await site.scheduler.launching.failures.handle(site.scheduler.state.fleet.agents[agent.id], "suspended")
    # Over our connection: its own may be closed, for the launcher ends whom the registry has given up.
    late = end_of(one, before.attempt).model_dump_json().encode()
    await site.bus.publisher.publish(subject_events(agent.id), late)
    await site.until(lambda: site.scheduler.state.counters.refused_events >= 1)
    assert (await site.rows([one]))[0].state != "successful"


@pytest.mark.attack(20)
async def test_a_doubled_result_ends_it_once(site, launcher):
    one, agent = await running_on(site, launcher, seconds=0.2)
    (row,) = await site.rows([one])
    for _ in range(3):
        await agent.tell(end_of(one, row.attempt))
    await site.ended([one])
    await site.until(lambda: site.scheduler.state.counters.refused_events >= 2)
    assert [event.status for event in await site.events(one)].count("successful") == 1


@pytest.mark.attack(20)
async def test_an_agent_cannot_end_what_another_one_holds(site, launcher):
    one, _ = await running_on(site, launcher)
    _, other = await running_on(site, launcher, owner="bob")
    await other.tell(end_of(one, 1))
    await other.tell(StepChanged(calculation_id=one, attempt=1, step=Step.UPLOADING))
    await site.until(lambda: site.scheduler.state.counters.refused_events == 2)
    assert (await site.rows([one]))[0].step == "running"


@pytest.mark.attack(20)
async def test_an_agent_cannot_say_that_another_one_is_gone(site, launcher):
    one, agent = await running_on(site, launcher)
    _, other = await running_on(site, launcher, owner="bob")
    await other.tell(AgentGone(agent=agent.id, reason="lie"))
    await other.tell(AgentReady(agent=agent.id, application_slug="practice", application_version="1"))
    (later,) = await site.submit("noop", owner="bob")
    await site.scheduler.cancel([later])
    assert agent.id in site.scheduler.state.fleet.agents
    assert await is_running(site, one)


async def test_agents_go_on_while_the_registry_is_away(site, make_site, make_launcher):
    launcher = await make_launcher(site, capacity=2)
    ids = await site.submit("sleep", 8, arguments={"seconds": 0.2})
    await site.until(lambda: site.scheduler.state.counters.finished >= 1)
    await site.end()
    started = set(launcher.kept)
    await asyncio.sleep(0.5)
    again = await make_site()
    rows = await again.ended(ids)
    assert {(row.state, row.losses) for row in rows} == {("successful", 0)}
    assert started <= set(launcher.kept)  # adopted, not replaced


async def test_a_result_from_the_time_the_registry_was_away_counts(site, make_site, make_launcher):
    launcher = await make_launcher(site, capacity=1)
    one, agent = await running_on(site, launcher, seconds=0.3)
    await site.end()
    async with asyncio.timeout(60):
        while one not in agent.ran:
            await asyncio.sleep(0.02)
    again = await make_site()
    (row,) = await again.ended([one])
    assert (row.state, row.attempt, row.losses) == ("successful", 1, 0)


async def test_an_assignment_cut_off_before_it_was_sent_is_sent_at_the_next_start(
    site, make_site, make_launcher
):
    launcher = await make_launcher(site, capacity=1)
    await site.ended(await site.submit("noop"))

    async def nothing_sent(commands):
        raise asyncio.CancelledError

    site.bus.send_commands = nothing_sent
    (one,) = await site.submit("noop")
    await site.until(lambda: site.scheduler.state.counters.assigned == 2)
    await site.end()
    again = await make_site()
    (row,) = await again.ended([one])
    assert (row.state, row.attempt) == ("successful", 1)
    assert len(launcher.kept) == 1


async def test_agents_that_died_while_the_registry_was_away_are_replaced(
    site, make_site, make_launcher, clock
):
    launcher = await make_launcher(site, capacity=1)
    one, _ = await running_on(site, launcher, seconds=0.5)
    await site.end()
    for kept in launcher.kept.values():
        await kept.stop(0)
    again = await make_site()

    async def ended():
        clock.ahead_s += 0.2
        return (await again.rows([one]))[0].finished_at

    await again.until(ended)
    (row,) = await again.rows([one])
    assert (row.state, row.losses) == ("successful", 1)


async def test_agents_that_their_launcher_knows_no_more_are_replaced_at_its_first_list(
    site, make_site, make_launcher
):
    """Registries that are killed again and again must get on in between."""
    first = await make_launcher(site, capacity=1)
    one, _ = await running_on(site, first, seconds=0.5)
    await site.end()
    await first.close()
    await make_launcher(site, capacity=1)
    again = await make_site(
        settings=SchedulerSettings(tick_s=0.05, launcher_list_s=3600.0, lost_after_s=3600.0)
    )
    (row,) = await again.ended([one])
    assert (row.state, row.losses) == ("successful", 1)


@pytest.mark.attack(20)
async def test_an_unknown_agent_process_is_stopped(site, launcher):
    await site.ended(await site.submit("noop"))
    (agent,) = site.scheduler.state.fleet.agents.values()
    site.scheduler.state.fleet.remove(agent)  # as if its row had never been written
    await site.until(lambda: agent.id not in launcher.kept)


@pytest.mark.slow
async def test_nats_restarted_under_load_loses_nothing(nats_server, site, launcher):
    ids = await site.submit("sleep", 60, arguments={"seconds": 0.02})
    await site.until(lambda: site.scheduler.state.counters.finished >= 5)
    nats_server.stop()
    again = start(nats_server.plan)
    try:
        rows = await site.ended(ids, timeout_s=60)
        assert {row.state for row in rows} == {"successful"}
        for row in rows:
            assert [event.status for event in await site.events(row.id)].count("successful") == 1
        await site.end()
        await launcher.close()
    finally:
        again.stop()


@pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
async def test_a_jump_of_the_wall_clock_loses_no_agent(site, launcher, clock, jump_s):
    one, _ = await running_on(site, launcher, seconds=0.5, wall_time_s=3600.0)
    clock.wall_ahead_s = jump_s
    (row,) = await site.ended([one])
    assert (row.state, row.losses) == ("successful", 0)


async def test_our_own_standstill_is_nobody_elses_silence(site, launcher, clock):
    one, _ = await running_on(site, launcher, seconds=0.5)
    clock.ahead_s = 600.0  # as after SIGSTOP and SIGCONT of the registry
    (row,) = await site.ended([one])
    assert (row.state, row.losses) == ("successful", 0)


async def test_a_launcher_that_refuses_is_the_reason_of_the_failure(make_site, make_launcher, clock):
    site = await make_site(settings=SchedulerSettings(tick_s=0.05, start_backoff_s=0.05))
    launcher = await make_launcher(site, capacity=1)
    launcher.refuses = "no such program: shelxl"
    (one,) = await site.submit("noop")
    (row,) = await site.ended([one])
    assert row.state == "failed"
    assert row.dead_letter
    assert "no such program: shelxl" in row.error_msg
    launcher.refuses = ""
    (row,) = await site.ended(await site.submit("noop"))
    assert row.state == "successful"


@pytest.mark.parametrize("why", ["no place", "no answer"])
async def test_a_launcher_without_place_or_answer_fails_nothing(make_site, make_launcher, clock, why):
    site = await make_site(settings=SchedulerSettings(tick_s=0.05, launcher_list_s=0.1, start_backoff_s=0.01))
    launcher = await make_launcher(site, capacity=1)
    if why == "no place":
        launcher.capacity = 0
    else:
        await launcher.connection.close()
    (one,) = await site.submit("noop")
    await asyncio.sleep(1.0)
    assert (await site.rows([one]))[0].state == "submitted"
    if why == "no place":
        launcher.capacity = 1
    else:
        await make_launcher(site, capacity=1)
    assert (await site.ended([one]))[0].state == "successful"


async def test_an_agent_that_never_comes_up_is_given_up(make_site, make_launcher, clock):
    site = await make_site(
        settings=SchedulerSettings(tick_s=0.05, started_within_s=0.3, start_backoff_s=0.05)
    )
    launcher = await make_launcher(site, capacity=1)
    launcher.starts_nothing = True
    (row,) = await site.ended(await site.submit("noop"))
    assert "not ready within" in row.error_msg


async def test_a_restarted_launcher_is_found_again(site, make_launcher):
    first = await make_launcher(site, capacity=1)
    await site.ended(await site.submit("noop"))
    await first.close()
    second = await make_launcher(site, capacity=1)
    rows = await site.ended(await site.submit("noop", 5, owner="bob"), timeout_s=40)
    assert {row.state for row in rows} == {"successful"}
    assert {row.agent_id for row in rows} <= set(second.kept)


async def test_the_place_of_an_agent_that_died_is_taken_at_once(make_site, make_launcher, clock):
    site = await make_site(settings=SchedulerSettings(tick_s=0.05, launcher_list_s=3600.0))
    await make_launcher(site, capacity=1)
    (poison,) = await site.submit("die")

    async def dead():
        clock.ahead_s += 1.0  # the pauses between attempts; an hour is not reached
        return (await site.rows([poison]))[0].finished_at

    await site.until(dead)
    assert (await site.ended(await site.submit("noop")))[0].state == "successful"
    assert clock.ahead_s < 3600.0


async def test_a_full_message_queue_delays_and_drops_nothing(site, launcher, clock):
    from nats.js import api

    await site.ended(await site.submit("noop"))
    stream = (await site.bus.js.stream_info("COMMANDS")).config
    await site.bus.js.update_stream(stream.evolve(max_bytes=1))
    ids = await site.submit("noop", 3)
    await site.until(lambda: any_released(site, ids))
    await site.bus.js.update_stream(stream.evolve(max_bytes=10_000_000))
    clock.ahead_s += 5.0
    assert isinstance(stream, api.StreamConfig)
    rows = await site.ended(ids)
    assert {(row.state, row.losses) for row in rows} == {("successful", 0)}


async def any_released(site, ids):
    return any(row.attempt >= 2 and row.agent_id is None for row in await site.rows(ids))


async def test_an_agent_whose_word_of_being_ready_was_lost_is_known_by_its_heartbeat(site, launcher):
    take = site.scheduler.ingest.take

    async def lossy(arrivals):
        await take([one for one in arrivals if not isinstance(one.event, AgentReady)])

    site.scheduler.ingest.take = lossy
    await site.scheduler.stop()
    await site.scheduler.start()
    (row,) = await site.ended(await site.submit("noop"))
    assert row.state == "successful"


async def test_stopping_ends_also_what_swallows_a_cancellation(site):
    """As `wait_for` of Python 3.11 does when the cancellation comes together with what it waits for."""
    swallowed = asyncio.Event()

    async def deaf_once():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed.is_set():
                    raise
                swallowed.set()

    site.scheduler.state.background.spawn(deaf_once())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await site.end()
    assert swallowed.is_set()


async def test_an_agent_that_was_written_down_and_not_asked_for_is_asked_for_at_the_next_start(
    site, make_site, make_launcher
):
    launcher = await make_launcher(site, capacity=1)

    async def killed_before(*_):
        raise asyncio.CancelledError

    site.scheduler.launching._ask = killed_before
    (one,) = await site.submit("noop")
    await site.until(lambda: site.scheduler.state.fleet.agents)
    (agent_id,) = site.scheduler.state.fleet.agents
    await site.end()
    again = await make_site()
    (row,) = await again.ended([one])
    assert (row.state, row.agent_id) == ("successful", agent_id)
    assert set(launcher.kept) == {agent_id}


async def test_a_full_disk_leaves_no_agent_that_never_comes(site, make_launcher):
    launcher = await make_launcher(site, capacity=1)
    await site.until(lambda: site.scheduler.state.fleet.launchers)
    write, refused = site.db.write, []

    async def full(fn):
        if site.scheduler.state.fleet.agents and not refused:
            refused.append(fn)
            raise StorageFull("The registry's disk is full.")
        return await write(fn)

    site.db.write = full
    (row,) = await site.ended(await site.submit("noop"))
    assert refused
    assert row.state == "successful"
    assert set(launcher.kept) == set(site.scheduler.state.fleet.agents) == {row.agent_id}


async def test_use_that_could_not_be_written_is_written_later(site, launcher):
    site.scheduler.rows._usage_mono = 1e18  # it is not time yet
    await site.ended(await site.submit("sleep", arguments={"seconds": 0.2}))
    world, write = site.scheduler.state, site.db.write
    subject = ("person", site.people["ada"])
    before = world.used_s[subject]

    async def full(fn):
        raise StorageFull("The registry's disk is full.")

    site.db.write = full
    site.scheduler.rows._usage_mono = -1e9
    with pytest.raises(StorageFull):
        await site.scheduler.rows.flush(world.clock.monotonic())
    site.db.write = write
    assert world.used_s[subject] == pytest.approx(before)
    assert subject in world.share.changed
