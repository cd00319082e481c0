"""What a registry that starts reads from its database."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Unreachable
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.recovery import SENT_BEFORE_S, read_rules, recover
from qcrbox_registry.store import agents, holds, launchers, quotas, usage
from qcrbox_registry.store.agents import AgentUpdate
from qcrbox_registry.store.holds import Hold
from qcrbox_registry.store.launchers import LauncherRow
from qcrbox_registry.store.quotas import NewLimit
from qcrbox_registry.store.tables import applications, calculations, command_durations
from qcrbox_registry.store.usage import Use


@pytest.fixture
def restarted(parts, make_parts):
    """`restarted()`: another registry on the same database, started."""

    async def start():
        again = make_parts()
        again.clock.wall_s, again.clock.mono_s = parts.clock.time(), 77.0
        await recover(again.state)
        return again

    return start


def set_application(parts, **values):
    parts.world.write(lambda conn: conn.execute(sa.update(applications).values(**values)))


async def test_what_waits_waits_again_in_the_same_order(parts, restarted):
    first = parts.submit("ada")
    parts.clock.forward(1.0)
    second = parts.submit("ada", 2)
    again = await restarted()
    assert sorted(again.backlog.ids()) == sorted([*first, *second])
    assert again.backlog.place(first[0])[1] == 0


async def test_a_pause_after_a_loss_goes_on(parts, restarted):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.failures.handle(agent, "killed")
    again = await restarted()
    again.agent(id="another")
    assert await again.dispatcher.round() == 0
    again.clock.forward(1.1)
    assert await again.dispatcher.round() == 1
    assert again.row(active.calculation_id).attempt == 3


@pytest.mark.parametrize("state", [each for each in AgentState if each is not AgentState.GONE], ids=str)
async def test_agents_are_adopted_in_their_state_and_their_deadlines_begin_anew(parts, restarted, state):
    old = parts.agent(state, owner="ada")
    again = await restarted()
    agent = again.fleet.agents[old.id]
    expected = AgentState.IDLE if state is AgentState.BUSY else state  # it has no work
    assert (agent.state, agent.owner_id, agent.runs) == (expected, parts.world.person["ada"], 1)
    assert agent.seen_mono == agent.requested_mono == agent.idle_since_mono == agent.stop_asked_mono == 77.0
    assert not agent.was_heard


async def test_agents_that_are_gone_are_not_adopted(parts, restarted):
    agent = parts.agent()
    await parts.failures.handle(agent, "killed")
    assert (await restarted()).fleet.agents == {}


async def test_work_is_given_back_to_its_agent(parts, restarted):
    old = parts.agent()
    active = await parts.give(old, started=True, wall_time_s=60.0)
    parts.clock.forward(25.0)
    again = await restarted()
    agent, adopted = again.fleet.find(active.calculation_id)
    assert (agent.state, adopted.attempt, adopted.sent, adopted.wall_time_s) == (
        AgentState.BUSY,
        1,
        True,
        60.0,
    )
    assert adopted.started_mono == pytest.approx(77.0 - 25.0)
    assert again.fleet.running_of == {("person", parts.world.person["ada"]): 1}


async def test_what_was_written_and_perhaps_not_sent_is_sent_again(parts, restarted):
    active = await parts.give(parts.agent())
    again = await restarted()
    _, adopted = again.fleet.find(active.calculation_id)
    assert (adopted.sent, adopted.sent_mono) == (False, 77.0 - SENT_BEFORE_S)
    await again.reconciler._send_unsent()
    ((_, command),) = again.bus.sent
    assert (command.calculation_id, command.attempt) == (active.calculation_id, 1)


async def test_a_cancellation_that_was_asked_for_goes_on(parts, restarted):
    active = await parts.give(parts.agent(), started=True)
    await parts.cancelling.cancel([active.calculation_id], "too slow")
    again = await restarted()
    agent, adopted = again.fleet.find(active.calculation_id)
    assert adopted.cancel_reason == "too slow"
    assert adopted.cancel_until_mono == 77.0 + 5.0 + 15.0
    await again.cancelling.look_after(agent, adopted)
    assert len(again.bus.controls) == 1


# ------------------------------------------------------------ calculations whose agent is gone


def orphan(parts, agent):
    """The row of the agent is gone as after an older backup; that of its calculation is not."""
    parts.world.write(lambda conn: agents.note_gone(conn, agent.id, "?", None, parts.clock.time()))


async def test_a_calculation_whose_agent_is_gone_waits_again_and_counts_a_loss(parts, restarted):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    orphan(parts, agent)
    again = await restarted()
    row = again.row(active.calculation_id)
    assert (row.state, row.agent_id, row.losses, row.attempt) == ("submitted", None, 1, 2)
    assert active.calculation_id in again.backlog


async def test_a_cancelled_calculation_whose_agent_is_gone_does_not_run_again(parts, restarted):
    agent = parts.agent()
    active = await parts.give(agent, started=True)
    await parts.cancelling.cancel([active.calculation_id], "too slow")
    orphan(parts, agent)
    again = await restarted()
    row = again.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("cancelled", "too slow")
    assert active.calculation_id not in again.backlog


async def test_an_open_session_whose_agent_is_gone_does_not_open_again(parts, restarted):
    agent = parts.agent()
    active = await parts.give(agent, interactive=True, started=True)
    orphan(parts, agent)
    again = await restarted()
    row = again.row(active.calculation_id)
    assert row.state == "failed"
    assert row.error_msg == (
        "The program of the session has ended: its agent was gone when the registry came back."
    )


# ------------------------------------------------------------ uses, runtimes, launchers, consumers


@pytest.mark.parametrize(
    ("age_s", "use"),
    [(0.0, 100.0), (6 * 3600.0, 50.0), (-3600.0, 100.0)],
    ids=["now", "old", "in the future"],
)
async def test_use_is_restored_as_of_now(parts, restarted, age_s, use):
    ada = parts.world.person["ada"]
    stored = Use("person", ada, 100.0, parts.clock.time() - age_s, 5.0, "2027-01")
    parts.world.write(lambda conn: usage.add(conn, [stored]))
    again = await restarted()
    assert again.state.share.use("person", ada, again.clock.monotonic()) == pytest.approx(use)


async def test_a_group_has_its_active_members_again(parts, restarted):
    """The same scores before and after: the use of a group is shared among those who worked for it."""
    group = parts.world.group["crystals"]
    people = [parts.world.person[name] for name in ("ada", "bob")]
    start = parts.clock.time()

    def assigned(name, at):
        (calculation_id,) = parts.submit(name, group_id=group)
        parts.world.run(calculation_id, "agent")
        of_it = sa.update(calculations).where(calculations.c.id == calculation_id)
        parts.world.write(lambda conn: conn.execute(of_it.values(assigned_at=at)))

    for name, seconds in (("ada", 100.0), ("bob", 20.0)):
        assigned(name, start)
        parts.state.share.charge(parts.world.person[name], group, seconds, parts.clock.monotonic())
    assigned("eve", start - 65 * parts.state.settings.half_life_s)
    parts.submit("eve", group_id=group)  # waits: nobody has worked for it yet
    uses = [
        *(
            Use("person", person, s, start, 0.0, "2027-01")
            for person, s in zip(people, (100.0, 20.0), strict=True)
        ),
        Use("group", group, 120.0, start, 0.0, "2027-01"),
        Use("person", parts.world.person["eve"], 5.0, start, 0.0, "2027-01"),
    ]
    parts.world.write(lambda conn: usage.add(conn, uses))
    again = await restarted()
    before, after = ([each.state.share.score(person, group) for person in people] for each in (parts, again))
    # The units differ, with the moment from which they count.
    assert after[0] / after[1] == pytest.approx(before[0] / before[1])
    assert after[0] / after[1] == pytest.approx((100.0 + 120.0 / 2) / (20.0 + 120.0 / 2))


async def test_runtimes_and_launchers_are_restored(parts, restarted):
    def write(conn):
        conn.execute(
            sa.insert(command_durations).values(command_id=parts.world.command_id, n=4, mean_s=12.5, m2=0.0)
        )
        offered = [{"slug": "practice", "version": "1"}, {"slug": "odd"}]
        launchers.register(conn, LauncherRow("local", "docker", "node1", 4, None, offered), 1.0)

    parts.world.write(write)
    again = await restarted()
    assert again.state.runtimes.expected(parts.world.command_id) == 12.5
    launcher = again.fleet.launchers["local"]
    assert (launcher.capacity, launcher.free, launcher.seen_mono) == (4, 0, None)
    assert launcher.applications == {("practice", "1"), ("odd", "")}


async def test_consumers_and_agents_are_made_to_agree(parts, make_parts):
    agent = parts.agent()
    again = make_parts()
    again.bus.consumers = {"stray", "other"}
    await recover(again.state)
    assert (again.bus.added, sorted(again.bus.removed)) == ([agent.id], ["other", "stray"])


async def test_nats_may_be_down_again(parts, make_parts):
    parts.agent()
    again = make_parts()
    again.bus.failing["agents_with_consumers"] = Unreachable("gone")
    await recover(again.state)
    assert len(again.fleet.agents) == 1


# ------------------------------------------------------------ rules


async def test_rules_are_read_and_replace_what_was_known(parts):
    application = parts.fleet.applications[parts.world.application_id]
    application.start_failures = 2
    set_application(parts, reuse="never", warm=3, most_agents=5, limits={"cpus": 2})
    ada = parts.world.person["ada"]

    def write(conn):
        holds.put(conn, Hold("site", "", "drain", "update"), ada, 1.0)
        quotas.set_limit(conn, NewLimit("person", ada, "running", 2.0), ada, 1.0)

    parts.world.write(write)
    parts.state.holds["launcher", "old"] = Hold("launcher", "old", "hold", "lifted since")
    await read_rules(parts.state)
    assert parts.fleet.applications[application.id] is application
    assert (application.reuse, application.warm, application.most_agents) == ("never", 3, 5)
    assert (application.limits, application.start_failures) == ({"cpus": 2}, 2)
    assert parts.state.holds == {("site", ""): Hold("site", "", "drain", "update")}
    assert parts.state.quotas == {("person", ada, "running"): 2.0}


async def test_a_hold_made_while_the_rules_are_read_is_not_undone_by_that_reading(parts, monkeypatch):
    database, has_read, goes_on = parts.state.db, asyncio.Event(), asyncio.Event()

    async def slow(find):
        found = await database.read(find)
        has_read.set()
        await goes_on.wait()
        return found

    monkeypatch.setattr(parts.state, "db", SimpleNamespace(read=slow))
    before = asyncio.create_task(read_rules(parts.state))
    await has_read.wait()
    monkeypatch.setattr(parts.state, "db", database)
    hold, ada = Hold("site", "", "hold", "update"), parts.world.person["ada"]
    parts.world.write(lambda conn: holds.put(conn, hold, ada, 1.0))
    await read_rules(parts.state)
    goes_on.set()
    await before
    assert parts.state.holds == {("site", ""): hold}


@pytest.mark.parametrize(
    ("values", "retired"),
    [({}, False), ({"retired_at": 5.0}, True), ({"approved": False}, True)],
    ids=["in use", "retired", "not approved"],
)
@pytest.mark.parametrize("known", [True, False], ids=["known before", "new"])
async def test_an_application_that_must_not_run_is_retired(parts, values, retired, known):
    set_application(parts, **{"approved": True, **values})
    if not known:
        parts.fleet.applications.clear()
    await read_rules(parts.state)
    assert parts.fleet.applications[parts.world.application_id].retired is retired


async def test_a_row_updated_by_the_old_process_is_what_counts(parts, restarted):
    agent = parts.agent(AgentState.STARTING)
    update = AgentUpdate(agent.id, "idle", None, None, None, 1.0, 2.0, None)
    parts.world.write(lambda conn: agents.update(conn, [update]))
    assert (await restarted()).fleet.agents[agent.id].state is AgentState.IDLE
