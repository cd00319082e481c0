"""Places that are kept for a class: agents warm at the start, others served beyond them, nothing stopped."""

from __future__ import annotations

import pytest
from qcrbox.contract.messages import LauncherAnswer
from qcrbox_registry.scheduler import status
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.rehearsing import available_bytes, rehearse
from qcrbox_registry.scheduler.reservations import Reservation, most_booked, peak


async def plan(parts):
    await parts.dispatcher.round()
    await parts.planner.plan()
    await parts.quiet()


def asked(parts):
    return parts.bus.launcher("local").verbs().count("start")


def book(parts, places=2, *, starts_in=0.0, lasts=3600.0, people=("ada",), slugs=("practice",), group=7):
    now = parts.clock.time()
    made = Reservation(
        f"b{group}", group, now + starts_in, now + starts_in + lasts, places, tuple(slugs),
        frozenset(parts.world.person[name] for name in people),
    )  # fmt: skip
    parts.state.reservations.booked.append(made)
    return made


def free(parts, number):
    """The launcher answers that it has this many places left."""
    parts.bus.launcher("local").answers["start"] = LauncherAnswer(ok=True, free=number)


async def test_agents_are_started_five_minutes_before_the_class(parts):
    parts.launcher(capacity=5)
    free(parts, 5)
    book(parts, 3, starts_in=301)
    await plan(parts)
    assert asked(parts) == 0
    parts.clock.forward(1)
    parts.fleet.launchers["local"].seen_mono = parts.clock.monotonic()
    await plan(parts)
    assert asked(parts) == 3
    await plan(parts)
    assert asked(parts) == 3  # those that are coming count


async def test_after_the_class_nothing_is_started_or_kept(parts):
    parts.launcher(capacity=5)
    agent = parts.agent()
    booking = book(parts, 1, lasts=400)
    parts.clock.forward(350)
    assert parts.steps._unneeded(agent, parts.clock.monotonic()) == ""
    parts.clock.forward(booking.ends_at - parts.clock.time())
    assert parts.steps._unneeded(agent, parts.clock.monotonic()) == "it was idle"
    parts.fleet.remove(agent)
    await plan(parts)
    assert asked(parts) == 0


async def test_no_more_idle_agents_are_kept_than_were_booked(parts):
    parts.launcher(capacity=5)
    book(parts, 1)
    agents = [parts.agent(), parts.agent()]
    parts.clock.forward(301)
    assert all(parts.steps._unneeded(agent, parts.clock.monotonic()) == "it was idle" for agent in agents)
    parts.fleet.remove(agents.pop())
    assert parts.steps._unneeded(agents[0], parts.clock.monotonic()) == ""


async def test_others_do_not_get_the_agents_of_a_class_and_are_told_why(parts):
    parts.launcher(capacity=2, free=0)
    book(parts, 2)
    parts.agent(), parts.agent()
    (waits,) = parts.submit("bob")
    await plan(parts)
    assert parts.bus.sent == []
    assert "kept for a class until" in status.estimate(parts.state, waits).waits_for
    (runs,) = parts.submit("ada")
    await plan(parts)
    assert [command.calculation_id for _, command in parts.bus.sent] == [runs]


async def test_work_in_the_group_is_work_of_the_class(parts):
    parts.launcher(capacity=1, free=0)
    book(parts, 1, people=(), group=parts.world.group["crystals"])
    parts.agent()
    (theirs,) = parts.submit("bob", group_id=parts.world.group["crystals"])
    await plan(parts)
    assert [command.calculation_id for _, command in parts.bus.sent] == [theirs]


async def test_others_get_what_is_beyond_the_booking(parts):
    parts.launcher(capacity=3, free=0)
    book(parts, 2)
    parts.agent(), parts.agent(), parts.agent()
    first, _ = parts.submit("bob", count=2)
    await plan(parts)
    assert [command.calculation_id for _, command in parts.bus.sent] == [first]


async def test_others_start_no_agent_in_a_place_that_a_class_lacks(parts):
    parts.launcher(capacity=2)
    free(parts, 0)
    book(parts, 2)
    parts.submit("bob")
    await plan(parts)
    assert asked(parts) == 2  # both for the class: bob gets none of them
    for agent in parts.fleet.agents.values():
        parts.fleet.change_state(agent, AgentState.IDLE, parts.clock.monotonic())
    await plan(parts)
    assert parts.bus.sent == []


@pytest.mark.parametrize("reuse", ["any", "same-owner"])
async def test_others_start_agents_in_places_that_no_class_booked(parts, reuse):
    parts.application(reuse=reuse)
    parts.launcher(capacity=3, free=2)
    free(parts, 1)
    for _ in range(5):
        parts.state.runtimes.add(parts.world.command_id, 0.1)
    book(parts, 1)
    parts.agent()
    parts.submit("bob")
    await plan(parts)
    assert asked(parts) == 1


async def test_a_class_takes_idle_agents_of_others_and_lets_busy_ones_finish(parts):
    parts.launcher(capacity=2, free=0)
    idle, busy = parts.agent(owner="bob"), parts.agent(owner="bob")
    active = await parts.give(busy, "bob", started=True)
    book(parts, 2)
    await plan(parts)
    assert idle.state is AgentState.GONE
    await plan(parts)
    assert busy.is_yielding
    assert active.cancel_reason is None
    assert busy.state is AgentState.BUSY


async def test_others_do_not_make_room_in_a_class(parts):
    parts.launcher(capacity=1, free=0)
    agent = parts.agent(owner="ada")
    await parts.give(agent, "ada", started=True)
    book(parts, 1)
    parts.state.share.charge(parts.world.person["ada"], None, 1e6, parts.clock.monotonic())
    parts.clock.forward(60)
    parts.submit("bob")
    await plan(parts)
    assert not agent.is_yielding


async def test_in_a_class_an_agent_that_waits_for_one_makes_room_for_another(parts):
    parts.launcher(capacity=1, free=0)
    agent = parts.agent(owner="ada")
    book(parts, 1, people=("ada", "bob"))
    parts.submit("bob")
    await plan(parts)
    assert agent.state is AgentState.GONE


async def test_two_classes_have_their_own_places(parts):
    parts.launcher(capacity=2, free=0)
    book(parts, 1, people=("ada",), group=7)
    book(parts, 1, people=("bob",), group=8)
    parts.agent(), parts.agent()
    first, _ = parts.submit("ada", count=2)
    (second,) = parts.submit("bob")
    await plan(parts)
    assert {command.calculation_id for _, command in parts.bus.sent} == {first, second}


async def test_a_session_with_a_window_takes_a_place_of_the_class(parts):
    parts.launcher(capacity=2, free=0)
    book(parts, 2)
    parts.agent(), parts.agent()
    (window,) = parts.submit("ada", interactive=True)
    await plan(parts)
    assert [command.calculation_id for _, command in parts.bus.sent] == [window]
    parts.submit("bob")
    await plan(parts)
    assert len(parts.bus.sent) == 1  # the second agent is still kept


async def test_only_the_newest_version_is_kept_ready(parts):
    parts.launcher(capacity=9, offers=(("practice", "1"), ("practice", "2")))
    free(parts, 9)
    old = parts.application()
    newer = type(old)(old.id + 1000, "practice", "2", "same-owner", 0, None, {})
    parts.fleet.applications[newer.id] = newer
    book(parts, 2)
    assert parts.state.reservations.lacking(parts.state, old) == 0
    assert parts.state.reservations.lacking(parts.state, newer) == 2


def test_places_are_divided_among_the_applications():
    booking = Reservation("b", 1, 0.0, 1.0, 5, ("a", "b", "c"))
    assert [booking.places_of(slug) for slug in ("a", "b", "c", "d")] == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(0, 10, 3)], 3),
        ([(0, 5, 3), (5, 10, 4)], 4),  # one after the other
        ([(0, 6, 3), (5, 10, 4)], 7),
        ([(-9, 0, 3), (10, 20, 4)], 0),  # they only touch
        ([(-9, 1, 3), (9, 20, 4)], 4),
    ],
)
def test_the_most_places_at_one_moment(spans, most):
    assert peak(spans, 0, 10) == most


def test_a_share_of_the_places_can_be_booked():
    assert [most_booked(capacity, 0.8) for capacity in (0, 1, 2, 10)] == [0, 1, 1, 8]


# ------------------------------------------------------------ rehearsals


async def test_a_rehearsal_measures_its_starts_and_holds_nobody_up(make_parts, monkeypatch):
    parts = make_parts()
    parts.launcher(capacity=3)
    free(parts, 3)
    parts.agent()

    async def sleep(seconds):
        """A turn of the scheduler; agents are ready four seconds after they were asked for."""
        parts.clock.forward(1.0)
        parts.fleet.launchers["local"].seen_mono = parts.clock.monotonic()
        await plan(parts)
        for agent in parts.fleet.agents.values():
            if agent.is_coming and parts.clock.monotonic() - agent.requested_mono >= 4:
                agent.rss_bytes = 300_000_000
                parts.launching.note_ready(agent)

    monkeypatch.setattr(parts.clock, "sleep", sleep)
    found = await rehearse(parts.state, {"practice": 3}, 60.0)
    assert (found.asked, found.already) == (3, 1)
    assert found.ready_after_s == [5.0, 5.0]
    assert found.rss_bytes == [300_000_000] * 2
    assert parts.state.reservations.rehearsals == {}
    (runs,) = parts.submit("bob")
    await plan(parts)
    assert [command.calculation_id for _, command in parts.bus.sent] == [runs]


async def test_a_rehearsal_that_finds_no_place_says_so(parts, monkeypatch):
    parts.launcher(capacity=1, free=0)

    async def sleep(seconds):
        parts.clock.forward(1.0)
        parts.fleet.launchers["local"].seen_mono = parts.clock.monotonic()
        await plan(parts)

    monkeypatch.setattr(parts.clock, "sleep", sleep)
    found = await rehearse(parts.state, {"practice": 2}, 5.0)
    assert found.ready_after_s == []
    assert found.waits == ["All places for agents are taken."]


def test_the_memory_of_the_machine_is_read_from_linux(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:       8 kB\nMemAvailable:       3 kB\n")
    assert available_bytes(tmp_path / "meminfo") == 3072
    assert available_bytes(tmp_path / "none") is None
