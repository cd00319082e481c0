"""Agents, launchers and applications in memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox_registry.scheduler.agent_state import (
    COMING,
    NEXT,
    READY,
    AgentState,
    ChangeRefused,
    require_allowed,
)
from qcrbox_registry.scheduler.fleet import Active, Agent, Fleet, Launcher, subjects_of

XTB = ("xtb", "6")


def agent(name="a", state=AgentState.IDLE, application=1):
    return Agent(name, application, "local", state)


def active(name="c", owner=1, group=None):
    return Active(name, 1, owner, group, 1)


@pytest.fixture
def fleet():
    return Fleet()


@pytest.mark.parametrize("old", AgentState, ids=str)
@pytest.mark.parametrize("new", AgentState, ids=str)
def test_a_state_changes_as_the_table_allows_and_not_otherwise(fleet, old, new):
    one = agent(state=old)
    fleet.add(one)
    if new is old or new in NEXT[old]:
        fleet.change_state(one, new, 7.0)
        assert one.state is new
    else:
        with pytest.raises(ChangeRefused, match=f"Agent a is {old} and cannot become {new}"):
            fleet.change_state(one, new, 7.0)
        assert one.state is old


def test_every_state_that_is_not_the_last_can_end():
    assert [state for state in AgentState if AgentState.GONE not in NEXT[state]] == [AgentState.GONE]
    assert NEXT[AgentState.GONE] == frozenset()


def test_no_agent_comes_back_from_draining_or_stopping_to_work():
    for state in (AgentState.DRAINING, AgentState.STOPPING):
        for ready in READY | COMING:
            with pytest.raises(ChangeRefused):
                require_allowed("a", state, ready)


@pytest.mark.parametrize(
    ("state", "ready", "coming"),
    [
        (AgentState.REQUESTED, False, True),
        (AgentState.STARTING, False, True),
        (AgentState.IDLE, True, False),
        (AgentState.BUSY, True, False),
        (AgentState.DRAINING, False, False),
        (AgentState.STOPPING, False, False),
        (AgentState.GONE, False, False),
    ],
    ids=str,
)
def test_ready_and_coming_follow_from_the_state(state, ready, coming):
    assert (agent(state=state).is_ready, agent(state=state).is_coming) == (ready, coming)


def test_an_agent_whose_end_is_being_written_is_not_ready():
    one = agent()
    one.is_leaving = True
    assert not one.is_ready


def test_the_idle_time_begins_with_the_change_and_not_with_a_repetition(fleet):
    one = agent(state=AgentState.BUSY)
    fleet.add(one)
    fleet.change_state(one, AgentState.IDLE, 5.0)
    fleet.change_state(one, AgentState.IDLE, 9.0)
    assert one.idle_since_mono == 5.0
    assert fleet.changed == {"a"}


def test_a_repeated_state_marks_no_row_as_behind(fleet):
    one = agent()
    fleet.add(one)
    fleet.change_state(one, AgentState.IDLE, 1.0)
    assert fleet.changed == set()


def test_agents_are_found_by_their_application_until_they_are_removed(fleet):
    one, two, other = agent("a"), agent("b"), agent("c", application=2)
    for each in (one, two, other):
        fleet.add(each)
    assert {each.id for each in fleet.of_application(1)} == {"a", "b"}
    fleet.changed.add("a")
    fleet.remove(one)
    fleet.remove(one)  # once more changes nothing
    assert [each.id for each in fleet.of_application(1)] == ["b"]
    assert fleet.changed == set()
    assert fleet.of_application(3) == []


@pytest.mark.parametrize(
    ("group", "subjects"),
    [(None, [("person", 4)]), (9, [("person", 4), ("group", 9)])],
    ids=["alone", "in a group"],
)
def test_a_calculation_counts_for_its_person_and_home_group(group, subjects):
    assert subjects_of(active(owner=4, group=group)) == subjects


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(1, 3), st.sampled_from([None, 1, 2]), st.booleans()),
        max_size=60,
    )
)
def test_the_counts_of_running_ones_agree_with_what_agents_hold(steps):
    fleet = Fleet()
    holder = agent()
    fleet.add(holder)
    for number, owner, group, begins in steps:
        name = f"c{number}"
        if begins and name not in holder.active:
            fleet.begin(holder, active(name, owner, group))
        elif not begins:
            fleet.end(holder, name)
    counted = {}
    for each in holder.active.values():
        for subject in subjects_of(each):
            counted[subject] = counted.get(subject, 0) + 1
    assert {subject: count for subject, count in fleet.running_of.items() if count} == counted


def test_ending_what_an_agent_does_not_have_counts_nothing(fleet):
    holder = agent()
    fleet.add(holder)
    fleet.begin(holder, active("c"))
    assert fleet.end(holder, "other") is None
    assert fleet.end(holder, "c").calculation_id == "c"
    assert fleet.end(holder, "c") is None
    assert fleet.running_of == {("person", 1): 0}


def test_a_holder_is_the_named_agent_and_only_while_it_has_the_calculation(fleet):
    one, two = agent("a"), agent("b")
    fleet.add(one)
    fleet.add(two)
    held = active("c")
    fleet.begin(one, held)
    assert fleet.holder("c", "a") == (one, held)
    assert fleet.holder("c", "b") is None
    assert fleet.holder("c", None) is None
    assert fleet.holder("c", "unknown") is None
    assert fleet.find("c") == (one, held)
    assert fleet.find("d") is None


def launcher(name, missing=None, offers=(XTB,)):
    made = Launcher(name, applications=set(offers))
    if missing:
        made.missing = {XTB: missing}
    return made


@pytest.mark.parametrize(
    ("launchers", "missing"),
    [
        pytest.param([], {}, id="no launcher"),
        pytest.param([launcher("a", offers=())], {}, id="not offered"),
        pytest.param([launcher("a")], {}, id="complete"),
        pytest.param(
            [launcher("a", {"": "xtb is not installed"})], {"": "xtb is not installed"}, id="all of it"
        ),
        pytest.param([launcher("a", {"": "no xtb"}), launcher("b")], {}, id="complete on another"),
        pytest.param(
            [launcher("a", {"": "no xtb"}), launcher("b", {"md": "no md"})],
            {"md": "no xtb"},
            id="only the command that neither has",
        ),
        pytest.param(
            [launcher("a", {"opt": "no opt"}), launcher("b", {"md": "no md"})], {}, id="each has the other's"
        ),
        pytest.param(
            [launcher("a", {"opt": "first"}), launcher("b", {"opt": "second"})],
            {"opt": "first"},
            id="the reason of the first",
        ),
        pytest.param(
            [launcher("a", {"opt": "x", "md": "y"}), launcher("b", offers=())],
            {"md": "y", "opt": "x"},
            id="launchers that do not offer it do not count",
        ),
    ],
)
def test_a_command_is_missing_when_no_launcher_that_offers_it_has_it(fleet, launchers, missing):
    fleet.launchers = {each.name: each for each in launchers}
    assert fleet.missing(*XTB) == missing
