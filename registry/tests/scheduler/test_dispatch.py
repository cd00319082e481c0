"""Which calculation goes to which agent, and what happens when it cannot be written or sent."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import QueueFull, Unreachable
from qcrbox.contract.messages import Cancel
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.dispatch import FULL_PAUSE_S, MOST_PATIENCE_S, UNKNOWN_S, Dispatcher
from qcrbox_registry.store import holds
from qcrbox_registry.store.holds import Hold


def cancel_in_database(parts, calculation_id):
    """As another process would: memory does not hear of it."""
    from qcrbox_registry.store.transitions import Ledger

    def write(conn):
        ledger = Ledger(conn, [calculation_id])
        ledger.ask_cancel(calculation_id, "not needed")
        ledger.close()

    parts.world.write(write)


async def test_a_waiting_calculation_goes_to_an_idle_agent(parts):
    agent = parts.agent()
    (one,) = parts.submit()
    assert await parts.dispatcher.round() == 1
    row = parts.row(one)
    assert (row.agent_id, row.attempt, row.state) == (agent.id, 1, "submitted")
    ((sent_to, command),) = parts.bus.sent
    assert (sent_to, command.calculation_id, command.attempt) == (agent.id, one, 1)
    assert command.files_url == f"http://r/internal/calculations/{one}"
    assert agent.state is AgentState.BUSY
    assert agent.active[one].sent
    assert len(parts.backlog) == 0


async def test_nothing_is_handed_out_while_nats_is_down(parts):
    parts.agent()
    parts.submit()
    parts.bus.is_connected = False
    assert await parts.dispatcher.round() == 0
    assert len(parts.backlog) == 1


@pytest.mark.parametrize(
    "state", [AgentState.REQUESTED, AgentState.STARTING, AgentState.DRAINING, AgentState.STOPPING], ids=str
)
async def test_only_ready_agents_get_work(parts, state):
    parts.agent(state)
    parts.submit()
    assert await parts.dispatcher.round() == 0
    assert list(parts.dispatcher.unserved) == [parts.world.application_id]


@pytest.mark.parametrize("flag", ["is_yielding", "is_leaving"])
async def test_an_agent_that_leaves_gets_nothing_new(parts, flag):
    setattr(parts.agent(), flag, True)
    parts.submit()
    assert await parts.dispatcher.round() == 0


@pytest.mark.parametrize(
    ("reuse", "owner", "runs", "may"),
    [
        ("any", None, 0, True),
        ("any", "bob", 5, True),
        ("same-owner", None, 0, True),
        ("same-owner", "ada", 3, True),
        ("same-owner", "bob", 3, False),
        ("never", None, 0, True),
        ("never", "ada", 1, False),
    ],
)
async def test_the_owner_rule(parts, reuse, owner, runs, may):
    application = parts.application(reuse=reuse)
    agent = parts.agent(owner=owner, runs=runs)
    assert Dispatcher.may_have(agent, parts.world.person["ada"], application) is may
    parts.submit("ada")
    assert await parts.dispatcher.round() == int(may)


async def test_an_agent_of_the_person_is_preferred_to_a_fresh_one(parts):
    parts.agent()
    own = parts.agent(owner="ada", runs=1)
    (one,) = parts.submit("ada")
    await parts.dispatcher.round()
    assert parts.row(one).agent_id == own.id


async def test_an_agent_becomes_the_persons_before_the_work_goes_out(parts):
    agent = parts.agent()
    parts.submit("bob")
    await parts.dispatcher.round()
    assert agent.owner_id == parts.world.person["bob"]
    assert parts.agent_row(agent.id).owner_id == parts.world.person["bob"]


async def test_who_used_less_is_served_first(parts):
    parts.agent()
    parts.state.share.charge(parts.world.person["ada"], None, 100.0, parts.clock.monotonic())
    parts.submit("ada")
    (later,) = parts.submit("bob")
    await parts.dispatcher.round()
    assert [command.calculation_id for _, command in parts.bus.sent] == [later]


async def test_within_a_turn_people_alternate_by_what_they_were_just_given(parts):
    parts.application(reuse="any")
    for _ in range(4):
        parts.agent()
    parts.submit("ada", 4)
    parts.submit("bob", 4)
    await parts.dispatcher.round()
    owners = [command.owner for _, command in parts.bus.sent]
    assert sorted(owners) == ["ada", "ada", "bob", "bob"]


@pytest.mark.parametrize("group", [None, "crystals"])
async def test_a_turn_is_counted_over_all_the_groups_of_a_person(parts, group):
    parts.application(reuse="any")
    for _ in range(3):
        parts.agent()
    parts.submit("ada", 2)
    parts.submit("ada", 2, group_id=parts.world.group.get(group))
    parts.submit("bob", 2)
    await parts.dispatcher.round()
    assert "bob" in [command.owner for _, command in parts.bus.sent]


async def test_a_command_without_a_past_is_charged_a_little_until_its_end_is_known(parts):
    parts.agent()
    (one,) = parts.submit("ada")
    await parts.dispatcher.round()
    ada = parts.world.person["ada"]
    assert parts.state.share.use("person", ada, parts.clock.monotonic()) == pytest.approx(UNKNOWN_S)
    agent, active = parts.fleet.find(one)
    parts.state.settle(agent, active, succeeded=True, ran_s=3.0)
    assert parts.state.share.use("person", ada, parts.clock.monotonic()) == pytest.approx(3.0)


# ------------------------------------------------------------ holds and caps


@pytest.mark.parametrize("kind", ["site", "application"])
async def test_under_a_hold_nothing_starts_and_the_reason_is_shown(parts, kind):
    parts.agent()
    parts.submit()
    key = "" if kind == "site" else str(parts.world.application_id)
    parts.state.holds[kind, key] = Hold(kind, key, "hold", "update at noon")
    assert await parts.dispatcher.round() == 0
    assert parts.state.waits == {parts.world.application_id: "update at noon"}
    parts.state.holds.clear()
    assert await parts.dispatcher.round() == 1
    assert parts.state.waits == {}


async def test_a_held_launcher_gets_nothing_while_another_works(parts):
    parts.agent(launcher="held")
    other = parts.agent(launcher="free")
    parts.state.holds["launcher", "held"] = Hold("launcher", "held", "drain", "repair")
    parts.application(reuse="any")
    parts.submit(count=2)
    assert await parts.dispatcher.round() == 1
    assert [agent for agent, _ in parts.bus.sent] == [other.id]


@pytest.mark.parametrize(
    ("settings", "quotas", "served"),
    [
        ({}, {}, 3),
        ({"running_per_person": 2}, {}, 2),
        ({"running_per_person": 0}, {}, 0),
        ({"running_per_group": 1}, {}, 1),
        ({}, {("default-person", 0, "running"): 1.0}, 1),
        ({}, {("default-person", 0, "running"): 1.0, ("person", "ada", "running"): 2.0}, 2),
        ({"running_per_person": 1}, {("person", "ada", "running"): 3.0}, 3),
        ({}, {("group", "crystals", "running"): 2.0}, 2),
        ({}, {("person", "bob", "running"): 0.0}, 3),
    ],
    ids=[
        "none",
        "of a person",
        "nothing at all",
        "of a group",
        "default by an administrator",
        "own before default",
        "own above the setting",
        "of the home group",
        "of somebody else",
    ],
)
async def test_caps_on_what_runs(make_parts, settings, quotas, served):
    parts = make_parts(**settings)
    names = {**parts.world.person, **parts.world.group, 0: 0}
    parts.state.quotas = {(kind, names[name], what): value for (kind, name, what), value in quotas.items()}
    parts.application(reuse="any")
    for _ in range(5):
        parts.agent()
    parts.submit("ada", 3, group_id=parts.world.group["crystals"])
    assert await parts.dispatcher.round() == served


async def test_a_person_at_the_cap_needs_no_further_agents(make_parts):
    parts = make_parts(running_per_person=1)
    await parts.give(parts.agent(owner="ada"), "ada")
    parts.submit("ada")
    await parts.dispatcher.round()
    assert parts.dispatcher.unserved == {}


# ------------------------------------------------------------ several commands with one agent


def short(parts, seconds=0.05):
    for _ in range(5):
        parts.state.runtimes.add(parts.world.command_id, seconds)


async def test_short_commands_are_handed_out_ahead_up_to_their_expected_time(parts):
    short(parts)  # 0.05 s each, 0.25 s ahead
    parts.agent()
    parts.submit(count=9)
    assert await parts.dispatcher.round() == 5


async def test_long_or_unknown_commands_are_handed_out_singly(parts):
    parts.agent()
    parts.submit(count=3)
    assert await parts.dispatcher.round() == 1
    short(parts, 10.0)
    parts.agent()
    assert await parts.dispatcher.round() == 1


async def test_never_more_than_the_most_are_with_one_agent(make_parts):
    parts = make_parts(most_look_ahead=3)
    short(parts, 0.001)
    parts.agent()
    parts.submit(count=9)
    assert await parts.dispatcher.round() == 3


async def test_an_agent_that_is_never_used_again_gets_one(parts):
    parts.application(reuse="never")
    short(parts, 0.001)
    parts.agent()
    parts.submit(count=3)
    assert await parts.dispatcher.round() == 1


@pytest.mark.parametrize("what", ["interactive", "cancelled", "without a past"])
async def test_nothing_is_handed_out_behind_what_may_last(parts, what):
    short(parts, 0.001)
    agent = parts.agent(owner="ada", runs=1)
    active = await parts.give(agent, "ada")
    active.estimate_s = 0.0 if what == "without a past" else 0.001
    active.interactive = what == "interactive"
    active.cancel_reason = "no" if what == "cancelled" else None
    parts.submit("ada")
    assert await parts.dispatcher.round() == 0


async def test_the_idle_agent_comes_before_the_busy_one(parts):
    short(parts, 0.001)
    parts.application(reuse="any")
    busy, idle = parts.agent(), parts.agent()
    active = await parts.give(busy)
    active.estimate_s = 0.001
    (one,) = parts.submit()
    await parts.dispatcher.round()
    assert parts.row(one).agent_id == idle.id


async def test_nobody_looks_ahead_past_a_person_who_waits_for_an_agent(parts):
    """bob has used less and finds no agent: ada's agent takes no second command for ada."""
    short(parts, 0.001)
    agent = parts.agent(owner="ada", runs=1)
    active = await parts.give(agent, "ada")
    active.estimate_s = 0.001
    parts.state.share.charge(parts.world.person["ada"], None, 50.0, parts.clock.monotonic())
    parts.submit("bob")
    parts.submit("ada")
    assert await parts.dispatcher.round() == 0


@pytest.mark.parametrize(
    ("in_hand", "seconds"),
    [
        ([], 0.0),
        ([0], 0.0),
        ([1], 0.0),
        ([2], 0.004),
        ([2, 0], 0.0),
        ([5, 3], 0.006),
        ([32], MOST_PATIENCE_S),
    ],
    ids=str,
)
def test_work_is_gathered_only_while_every_agent_has_some(parts, in_hand, seconds):
    for count in in_hand:
        agent = parts.agent(AgentState.BUSY)
        agent.active = {str(number): None for number in range(count)}
    parts.agent(AgentState.STARTING)  # does not wait for work
    assert parts.dispatcher.patience_s() == pytest.approx(seconds)


# ------------------------------------------------------------ faults


async def test_what_was_cancelled_before_it_was_written_is_not_sent(parts):
    agent = parts.agent()
    (one,) = parts.submit()
    cancel_in_database(parts, one)
    await parts.dispatcher.round()
    assert parts.bus.sent == []
    assert (agent.state, agent.active) == (AgentState.IDLE, {})
    assert parts.state.share.use("person", parts.world.person["ada"], parts.clock.monotonic()) == 0.0
    assert parts.row(one).state == "cancelled"


async def test_an_agent_whose_only_work_was_cancelled_before_it_was_sent_is_as_good_as_new(parts):
    parts.application(reuse="never")
    agent = parts.agent()
    (one,) = parts.submit()
    cancel_in_database(parts, one)
    await parts.dispatcher.round()
    (two,) = parts.submit()
    assert await parts.dispatcher.round() == 1
    assert parts.row(two).agent_id == agent.id


async def test_a_failed_write_leaves_everything_waiting(parts, monkeypatch):
    agent = parts.agent()
    ids = parts.submit()

    async def full(fn):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(parts.state.db, "write", full)
        await parts.dispatcher.round()
    assert (agent.state, agent.active, parts.bus.sent) == (AgentState.IDLE, {}, [])
    assert list(parts.backlog.ids()) == ids
    assert await parts.dispatcher.round() == 0  # it pauses
    parts.clock.forward(FULL_PAUSE_S + 0.1)
    assert await parts.dispatcher.round() == 1
    assert parts.row(ids[0]).attempt == 1


async def test_a_full_queue_gives_the_work_back_without_a_loss(parts):
    agent = parts.agent()
    (one,) = parts.submit()
    parts.bus.refuse[one] = QueueFull("full")
    await parts.dispatcher.round()
    row = parts.row(one)
    assert (row.agent_id, row.attempt, row.losses) == (None, 2, 0)
    assert (agent.state, agent.active) == (AgentState.IDLE, {})
    assert one in parts.backlog
    assert parts.hub.events[-1].payload == {"reason": "queue full"}


async def test_an_unreachable_nats_leaves_the_work_with_its_agent_to_be_sent_again(parts):
    agent = parts.agent()
    (one,) = parts.submit()
    parts.bus.refuse[one] = Unreachable("gone")
    await parts.dispatcher.round()
    assert not agent.active[one].sent
    assert parts.row(one).agent_id == agent.id


async def test_a_full_queue_cancels_what_was_asked_to_be_cancelled(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    await parts.cancelling.cancel([active.calculation_id], reason="not needed")
    await parts.dispatcher.take_back(agent, [active], "hold")
    row = parts.row(active.calculation_id)
    assert (row.state, row.error_msg) == ("cancelled", "not needed")
    assert active.calculation_id not in parts.backlog


async def test_what_is_taken_back_waits_under_a_new_attempt_and_its_agent_is_warned(parts):
    agent = parts.agent()
    active = await parts.give(agent)
    await parts.dispatcher.take_back(agent, [active], "maintenance")
    row = parts.row(active.calculation_id)
    assert (row.state, row.agent_id, row.attempt, row.losses) == ("submitted", None, 2, 0)
    ((to, message),) = parts.bus.controls
    assert (to, type(message), message.attempt, message.reason) == (agent.id, Cancel, 1, "maintenance")
    assert active.calculation_id in parts.backlog
    assert parts.backlog.place(active.calculation_id)[1] == 0  # without a pause


async def test_a_round_hands_out_no_more_than_its_limit(parts, monkeypatch):
    monkeypatch.setattr("qcrbox_registry.scheduler.dispatch.MOST_PER_ROUND", 3)
    parts.application(reuse="any")
    for _ in range(5):
        parts.agent()
    parts.submit(count=5)
    assert [await parts.dispatcher.round() for _ in range(3)] == [3, 2, 0]


async def test_calculations_of_an_application_that_is_not_known_wait(parts):
    parts.agent()
    parts.submit()
    parts.fleet.applications.clear()
    assert await parts.dispatcher.round() == 0
    assert len(parts.backlog) == 1


async def test_a_hold_read_from_the_database_stops_the_application(parts):
    from qcrbox_registry.scheduler.recovery import read_rules

    parts.agent()
    parts.submit()
    key = str(parts.world.application_id)
    parts.world.write(
        lambda conn: holds.put(
            conn, Hold("application", key, "hold", "broken"), parts.world.person["ada"], 1.0
        )
    )
    await read_rules(parts.state)
    assert await parts.dispatcher.round() == 0
    assert parts.state.waits[parts.world.application_id] == "broken"
