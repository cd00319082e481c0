"""Fair share, caps, owner rule, holds."""

from __future__ import annotations

import itertools
import time

import pytest
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.store.tables import holds, quotas, usage
from sqlalchemy import delete, insert, select

QUICK = {"tick_s": 0.05, "launcher_list_s": 0.5}


def starts(rows):
    return [row.id for row in sorted(rows, key=lambda row: row.started_at)]


async def set_rows(site, table, *rows):
    def write(conn):
        conn.execute(delete(table))
        if rows:
            conn.execute(insert(table), list(rows))

    await site.db.write(write)
    await site.scheduler.rules_changed()


@pytest.mark.attack(19)
async def test_a_newcomer_does_not_wait_behind_a_flood(make_site, make_launcher):
    site = await make_site(reuse="any")
    await make_launcher(site, capacity=2)
    flood = await site.submit("sleep", 200, owner="ada", arguments={"seconds": 0.05})
    await site.until(lambda: site.scheduler.state.counters.finished >= 10)
    (one,) = await site.submit("sleep", owner="bob", arguments={"seconds": 0.05})
    await site.ended([one])
    assert site.scheduler.state.counters.finished < 60
    await site.scheduler.cancel(flood)


async def test_five_equal_people_get_equal_shares(make_site, make_launcher):
    site = await make_site(reuse="any")
    await make_launcher(site, capacity=2)
    people = ["ada", "bob", "cyd", "dan", "eve"]
    ids = {
        person: await site.submit("sleep", 60, owner=person, arguments={"seconds": 0.01}) for person in people
    }
    await site.until(lambda: site.scheduler.state.counters.finished >= 150, timeout_s=40)
    done = [sum(row.finished_at is not None for row in await site.rows(ids[person])) for person in people]
    jain = sum(done) ** 2 / (len(done) * sum(one * one for one in done))
    assert jain >= 0.95, done


@pytest.mark.attack(27)
async def test_an_agent_is_not_handed_to_another_person(site, make_launcher):
    launcher = await make_launcher(site, capacity=2)
    owners = {}
    for person in ("ada", "bob", "ada", "cyd", "bob"):
        (row,) = await site.ended(await site.submit("noop", owner=person))
        owners.setdefault(row.agent_id, set()).add(person)
    assert all(len(people) == 1 for people in owners.values())
    assert len(launcher.kept) <= 2


async def test_reuse_never_gives_each_calculation_an_agent_of_its_own(make_site, make_launcher):
    site = await make_site(reuse="never")
    await make_launcher(site, capacity=2)
    rows = await site.ended(await site.submit("noop", 6))
    assert len({row.agent_id for row in rows}) == 6


@pytest.mark.attack(19)
async def test_an_agent_yields_its_place_to_another_person(make_site, make_launcher):
    site = await make_site(settings=SchedulerSettings(**QUICK, owner_slice_s=0.1))
    await make_launcher(site, capacity=1)
    flood = await site.submit("sleep", 400, owner="ada", arguments={"seconds": 0.05})
    await site.until(lambda: site.scheduler.state.counters.finished >= 3)
    (one,) = await site.submit("noop", owner="bob")
    (row,) = await site.ended([one])
    assert row.state == "successful"
    assert site.scheduler.state.counters.finished < 100
    await site.scheduler.cancel(flood)


async def test_an_agent_that_serves_everybody_is_not_ended_to_make_room_for_them(make_site, make_launcher):
    site = await make_site(reuse="any", settings=SchedulerSettings(**QUICK, owner_slice_s=0.0))
    await make_launcher(site, capacity=1)
    ids = await site.submit("sleep", 8, owner="ada", arguments={"seconds": 0.1})
    ids += await site.submit("sleep", 8, owner="bob", arguments={"seconds": 0.1})
    assert len({row.agent_id for row in await site.ended(ids)}) == 1


@pytest.mark.parametrize("subject", ["person", "group"])
async def test_a_cap_on_running_holds(site, make_launcher, subject):
    await site.know("ada", "xtal")
    subject_id = site.people["ada"] if subject == "person" else site.groups["xtal"]
    row = {"subject": subject, "subject_id": subject_id, "quota": "running", "limit": 1, "at": time.time()}
    await set_rows(site, quotas, row)
    await make_launcher(site, capacity=4)
    ids = await site.submit("sleep", 4, group="xtal", arguments={"seconds": 0.1})
    rows = await site.ended(ids)
    spans = sorted((row.started_at, row.finished_at) for row in rows)
    assert all(later[0] >= earlier[1] - 0.05 for earlier, later in itertools.pairwise(spans))


async def test_a_cap_holds_over_all_the_groups_of_a_person(make_site, make_launcher):
    site = await make_site(reuse="any", warm=2)
    await site.know("ada", "xtal")
    await make_launcher(site, capacity=2)
    fleet = site.scheduler.state.fleet
    await site.until(lambda: [agent.state for agent in fleet.agents.values()] == ["idle", "idle"])
    cap = {
        "subject": "person",
        "subject_id": site.people["ada"],
        "quota": "running",
        "limit": 1,
        "at": time.time(),
    }
    await set_rows(site, quotas, cap)
    hold = {
        "kind": "site",
        "object_id": "",
        "mode": "hold",
        "reason": "until all are there",
        "at": time.time(),
    }
    await set_rows(site, holds, hold)
    ids = await site.submit("sleep", arguments={"seconds": 0.2})
    ids += await site.submit("sleep", group="xtal", arguments={"seconds": 0.2})
    await set_rows(site, holds)
    first, second = sorted(await site.ended(ids), key=lambda row: row.started_at)
    assert second.started_at >= first.finished_at - 0.05


async def test_a_held_application_waits_and_says_why(site, launcher):
    hold = {
        "kind": "application",
        "object_id": str(site.application_id),
        "mode": "hold",
        "reason": "licence expired",
    }
    await set_rows(site, holds, {**hold, "at": time.time()})
    (one,) = await site.submit("noop")
    await site.until(lambda: site.scheduler.queue_info([one])[one]["reason"] == "licence expired")
    assert (await site.rows([one]))[0].state == "submitted"
    await set_rows(site, holds)
    assert (await site.ended([one]))[0].state == "successful"


async def test_a_drained_launcher_finishes_and_ends_its_agents(site, launcher):
    (running,) = await site.submit("sleep", arguments={"seconds": 0.5})
    await site.until(lambda: site.scheduler.state.counters.assigned == 1)
    drain = {
        "kind": "launcher",
        "object_id": "local",
        "mode": "drain",
        "reason": "maintenance",
        "at": time.time(),
    }
    await set_rows(site, holds, drain)
    (waiting,) = await site.submit("noop")
    assert (await site.ended([running]))[0].state == "successful"
    await site.until(lambda: not launcher.kept)
    assert (await site.rows([waiting]))[0].state == "submitted"


@pytest.mark.parametrize("kind", ["application", "launcher"])
async def test_what_was_handed_out_ahead_is_taken_back_by_a_hold(site, make_launcher, kind):
    await make_launcher(site, capacity=1)
    await site.ended(await site.submit("sleep", 3, arguments={"seconds": 0.0}))
    (running,) = await site.submit("sleep", arguments={"seconds": 600.0})
    ahead = await site.submit("sleep", 4, arguments={"seconds": 0.0})
    (agent,) = site.scheduler.state.fleet.agents.values()
    await site.until(lambda: len(agent.active) == 5)
    held = "local" if kind == "launcher" else str(site.application_id)
    hold = {"kind": kind, "object_id": held, "mode": "hold", "reason": "licence expired", "at": time.time()}
    await set_rows(site, holds, hold)
    await site.until(lambda: len(agent.active) == 1)
    assert {(row.state, row.agent_id) for row in await site.rows(ahead)} == {("submitted", None)}
    assert (await site.rows([running]))[0].state == "running"
    await site.scheduler.cancel([running])
    await site.ended([running])
    assert {row.state for row in await site.rows(ahead)} == {"submitted"}
    await set_rows(site, holds)
    rows = await site.ended(ahead)
    assert {(row.state, row.attempt, row.losses) for row in rows} == {("successful", 3, 0)}


async def test_higher_priority_starts_first(site, make_launcher):
    low = await site.submit("sleep", 3, arguments={"seconds": 0.05})
    high = await site.submit("sleep", 2, arguments={"seconds": 0.05}, priority=1)
    await make_launcher(site, capacity=1)
    assert starts(await site.ended(low + high)) == high + low


async def test_warm_agents_are_kept_ready(make_site, make_launcher, clock):
    site = await make_site(warm=2)
    launcher = await make_launcher(site, capacity=4)
    await site.until(lambda: len(launcher.kept) == 2)
    (row,) = await site.ended(await site.submit("noop"))
    assert row.agent_id
    await site.until(lambda: len(launcher.kept) == 3)  # one has an owner now, two are fresh


async def test_used_time_is_kept_for_the_share_and_counted_for_the_month(site, launcher, make_site):
    await site.ended(await site.submit("sleep", 2, arguments={"seconds": 0.3}, group="xtal"))
    person, group = site.people["ada"], site.groups["xtal"]
    await site.end()
    again = await make_site()
    found = await again.db.read(
        lambda conn: {(r.subject, r.subject_id): r for r in conn.execute(select(usage))}
    )
    assert found["person", person].cpu_s > 0.55
    assert found["person", person].cpu_s == pytest.approx(found["group", group].cpu_s)
    assert again.scheduler.state.share.score(person, None) > again.scheduler.state.share.score(
        person + 1, None
    )


@pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
async def test_a_clock_that_was_set_while_the_registry_was_away_makes_no_use_larger(
    site, launcher, make_site, clock, jump_s
):
    await site.ended(await site.submit("sleep", arguments={"seconds": 0.3}))
    person = site.people["ada"]
    before = site.scheduler.state.share.use("person", person, clock.monotonic())
    await site.end()
    clock.wall_ahead_s = jump_s
    again = await make_site()
    assert 0.0 < again.scheduler.state.share.use("person", person, clock.monotonic()) <= before


async def test_a_clock_that_is_set_weighs_nobody_heavier(site, launcher, clock):
    site.scheduler.rows._usage_mono = 1e18  # what was used is not written away yet
    world = site.scheduler.state
    for person in ("ada", "bob"):
        await site.ended(await site.submit("sleep", owner=person, arguments={"seconds": 0.2}))
        # The end is stored before it is charged.
        await site.until(lambda person=site.people[person]: ("person", person) in world.used_s)
        clock.wall_ahead_s += 86400.0
    for person in site.people.values():
        used = world.share.use("person", person, clock.monotonic())
        assert used == pytest.approx(world.used_s["person", person], rel=0.05)
