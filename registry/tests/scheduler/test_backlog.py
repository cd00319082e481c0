from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox_registry.scheduler.backlog import LONGEST_PAUSE_S, Backlog
from qcrbox_registry.store.work_queue import Waiting

AGEING = 600.0


def waiting(name, owner=1, application=1, priority=0, at=0.0, not_before=None, group=None):
    return Waiting(name, application, owner, group, 1, priority, at, not_before)


@pytest.fixture
def backlog():
    return Backlog(AGEING)


def order_of(backlog, application=1):
    taken = []
    while partitions := backlog.partitions(application):
        taken.append(backlog.take(partitions[0])[0])
    return taken


def test_first_in_first_out_in_a_lane(backlog):
    for at in (3, 1, 2):
        backlog.add(waiting(str(at), at=float(at)), now=10.0)
    assert order_of(backlog) == ["1", "2", "3"]


def test_priority_goes_before_and_age_catches_up(backlog):
    backlog.add(waiting("old", at=0.0), now=0.0)
    backlog.add(waiting("urgent soon", priority=1, at=AGEING - 1), now=0.0)
    backlog.add(waiting("urgent late", priority=1, at=AGEING + 1), now=0.0)
    assert order_of(backlog) == ["urgent soon", "old", "urgent late"]


def test_people_and_home_groups_have_lanes_of_their_own(backlog):
    for number, (owner, group) in enumerate([(1, None), (1, 5), (2, None), (1, 5)]):
        backlog.add(waiting(str(number), owner=owner, group=group), now=0.0)
    assert sorted(len(partition) for partition in backlog.partitions(1)) == [1, 1, 2]


def test_the_same_calculation_waits_once(backlog):
    assert backlog.add(waiting("a"), now=0.0) is True
    assert backlog.add(waiting("a"), now=0.0) is False
    assert len(backlog) == 1


def test_a_pause_is_waited_out(backlog):
    backlog.add(waiting("a", not_before=10.0), now=0.0)
    assert backlog.partitions(1) == []
    assert "a" in backlog
    assert backlog.release_due(9.0) == 0
    assert backlog.release_due(10.0) == 1
    assert order_of(backlog) == ["a"]


def test_a_clock_that_jumps_makes_nothing_wait_long(backlog):
    day = 86400.0
    backlog.add(waiting("a", not_before=day + 1.0), now=day, mono=50.0)
    assert backlog.release_due(51.5) == 1  # whatever the wall clock says by now
    backlog.add(waiting("b", not_before=day + 1.0), now=0.0, mono=50.0)
    assert backlog.release_due(50.0 + LONGEST_PAUSE_S) == 1


def test_what_is_removed_during_its_pause_does_not_come_back(backlog):
    backlog.add(waiting("a", not_before=10.0), now=0.0)
    assert backlog.remove("a") is True
    assert backlog.release_due(20.0) == 0
    assert len(backlog) == 0


def test_the_place_counts_turns_of_others(backlog):
    for number in range(5):
        backlog.add(waiting(f"a{number}", owner=1, at=float(number)), now=10.0)
    for number in range(2):
        backlog.add(waiting(f"b{number}", owner=2, at=float(number)), now=10.0)
    assert [backlog.ahead(f"a{number}") for number in range(5)] == [1, 3, 4, 5, 6]
    assert backlog.ahead("unknown") is None


_steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "take"]), st.integers(0, 30), st.integers(1, 3), st.integers(-2, 2)
    )
)


@given(_steps)
def test_the_index_agrees_with_a_plain_list(steps):
    backlog, plain = Backlog(AGEING), {}
    for number, (what, name, owner, priority) in enumerate(steps):
        if what == "add":
            one = waiting(str(name), owner=owner, priority=priority, at=float(number))
            assert backlog.add(one, now=0.0) is (one.id not in plain)
            plain.setdefault(one.id, one)
        elif what == "remove":
            assert backlog.remove(str(name)) is (plain.pop(str(name), None) is not None)
        elif partitions := backlog.partitions(1):
            partition = partitions[owner % len(partitions)]
            mine = [one for one in plain.values() if one.owner_id == partition.owner_id]
            first = min(mine, key=lambda one: (one.submitted_at - one.priority * AGEING, one.id))
            assert backlog.take(partition)[0] == first.id
            del plain[first.id]
        assert len(backlog) == len(plain)
        assert set(backlog.ids()) == set(plain)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-2, 2), st.floats(0, 1e6)), max_size=60))
def test_filling_at_start_gives_the_same_order_as_adding(rows):
    many = [
        waiting(str(number), owner, priority=priority, at=at)
        for number, (owner, priority, at) in enumerate(rows)
    ]
    one_by_one, at_once = Backlog(AGEING), Backlog(AGEING)
    for one in many:
        one_by_one.add(one, now=0.0)
    at_once.fill(many, now=0.0)
    entries = [
        [(partition.owner_id, [e[1] for e in partition.entries]) for partition in b.partitions(1)]
        for b in (one_by_one, at_once)
    ]
    assert sorted(entries[0]) == sorted(entries[1])


def paused(name, **more):
    return waiting(name, not_before=10.0, **more)


def test_what_pauses_is_counted_for_its_application(backlog):
    backlog.add(paused("a"), now=0.0)
    backlog.add(waiting("b"), now=0.0)
    backlog.add(paused("c", application=2), now=0.0)
    assert (backlog.waiting_for(1), backlog.waiting_for(2)) == (2, 1)
    assert len(backlog) == backlog.waiting_for(1) + backlog.waiting_for(2)
    assert sorted(backlog.applications()) == [1, 2]


def test_a_cancelled_pause_leaves_no_application_behind(backlog):
    backlog.add(paused("a"), now=0.0)
    assert backlog.remove("a") is True
    assert backlog.applications() == []
    assert backlog.waiting_for(1) == 0


def test_a_cancelled_pause_takes_nothing_from_those_that_wait_beside_it(backlog):
    backlog.add(paused("a"), now=0.0)
    backlog.add(waiting("b"), now=0.0)
    backlog.remove("a")
    assert backlog.applications() == [1]
    assert backlog.place("b")[1] == 0


def test_what_pauses_stands_behind_those_of_its_person_that_wait_now(backlog):
    """Its first partition has been emptied in between; a new one of the same person stands in its place."""
    backlog.add(waiting("first"), now=0.0)
    backlog.add(paused("a"), now=0.0)
    backlog.remove("first")
    backlog.add(waiting("b", at=1.0), now=0.0)
    backlog.add(waiting("c", at=2.0), now=0.0)
    assert backlog.place("a")[1] == 2
    assert backlog.ahead("a") == 2


def test_what_pauses_has_a_place_also_when_its_person_has_nothing_else(backlog):
    backlog.add(waiting("first"), now=0.0)
    backlog.add(paused("a"), now=0.0)
    backlog.remove("first")
    backlog.add(waiting("other", owner=2), now=0.0)
    partition, rank = backlog.place("a")
    assert (partition.owner_id, rank) == (1, 0)
    assert backlog.ahead("a") == 1


@pytest.mark.parametrize("name", ["never", ""])
def test_what_does_not_wait_has_no_place(backlog, name):
    assert backlog.place(name) is None
    assert backlog.ahead(name) is None
    assert backlog.remove(name) is False


def test_all_that_waits_or_pauses_is_listed(backlog):
    backlog.fill([waiting("a"), paused("b"), waiting("c", owner=2)], now=0.0)
    assert sorted(backlog.ids()) == ["a", "b", "c"]
    assert len(backlog) == 3


def test_taking_the_last_one_drops_its_partition_and_application(backlog):
    backlog.add(waiting("a"), now=0.0)
    (partition,) = backlog.partitions(1)
    assert backlog.take(partition) == ("a", 1)
    assert backlog.partitions(1) == backlog.applications() == []
    assert "a" not in backlog


def test_a_pause_that_is_over_at_filling_is_none(backlog):
    backlog.fill([paused("a")], now=10.0)
    assert backlog.place("a") is not None
    assert backlog.release_due(1e9) == 0
    assert order_of(backlog) == ["a"]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5), st.booleans(), st.booleans()), max_size=60),
)
def test_the_count_of_each_application_is_the_count_of_all(steps):
    backlog = Backlog(AGEING)
    for number, (application, name, pauses, removes) in enumerate(steps):
        key = f"{application}-{name}"
        if removes:
            backlog.remove(key)
        else:
            make = paused if pauses else waiting
            backlog.add(make(key, application=application, at=float(number)), now=0.0)
    counts = {each: backlog.waiting_for(each) for each in (1, 2, 3)}
    assert sum(counts.values()) == len(backlog) == len(list(backlog.ids()))
    assert sorted(backlog.applications()) == [each for each, count in counts.items() if count]
