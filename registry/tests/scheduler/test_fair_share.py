from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox_registry.scheduler.fair_share import FairShare

DAY = 86400.0


def test_who_used_less_goes_first():
    share = FairShare(3600.0, now=0.0)
    share.charge(1, None, 100.0, now=0.0)
    share.charge(2, None, 10.0, now=0.0)
    assert share.score(3, None) < share.score(2, None) < share.score(1, None)


def test_use_is_halved_every_half_life():
    share = FairShare(3600.0, now=0.0)
    share.charge(1, None, 100.0, now=0.0)
    assert share.use("person", 1, now=3600.0) == pytest.approx(50.0)
    assert share.use("person", 1, now=7200.0) == pytest.approx(25.0)


def test_old_use_weighs_less_than_new_use():
    share = FairShare(3600.0, now=0.0)
    share.charge(1, None, 100.0, now=0.0)
    share.charge(2, None, 60.0, now=3600.0)
    assert share.score(1, None) < share.score(2, None)


def test_a_busy_member_holds_back_the_group_a_little():
    share = FairShare(3600.0, now=0.0)
    share.charge(1, 7, 100.0, now=0.0)
    share.charge(2, 7, 1.0, now=0.0)
    share.charge(3, 8, 1.0, now=0.0)
    assert share.score(3, 8) < share.score(2, 7) < share.score(1, 7)


def test_equal_use_scores_the_same_in_a_group_and_alone():
    share = FairShare(3600.0, now=0.0)
    for person in (1, 2, 3):
        share.charge(person, 7, 10.0, now=0.0)
    share.charge(4, None, 10.0, now=0.0)
    assert share.score(1, 7) == pytest.approx(share.score(4, None))


def test_numbers_stay_finite_over_years():
    share = FairShare(3600.0, now=0.0)
    for day in range(2000):
        share.charge(1 + day % 3, 7, 1000.0, now=day * DAY)
    assert share.use("person", 1 + 1999 % 3, now=1999 * DAY) == pytest.approx(1000.0, rel=1e-3)


def test_a_stored_use_decays_while_nobody_looks():
    share = FairShare(3600.0, now=7200.0)
    share.restore("person", 1, 100.0, at=0.0)
    assert share.use("person", 1, now=7200.0) == pytest.approx(25.0)


def test_a_clock_set_back_breaks_nothing():
    share = FairShare(3600.0, now=1000 * DAY)
    share.charge(1, None, 10.0, now=0.0)
    assert 0.0 <= share.score(1, None) < 10.0


HALF_LIFE = 3600.0


@pytest.mark.parametrize("half_lives", [63.9, 64.0, 64.1, 65.0, 70.0, 200.0])
@pytest.mark.parametrize("subject", ["person", "group"])
def test_a_use_is_right_also_when_asking_for_it_renews_the_units(subject, half_lives):
    share = FairShare(HALF_LIFE, now=0.0)
    share.charge(1, 1, 100.0, now=0.0)
    now = half_lives * HALF_LIFE
    assert share.use(subject, 1, now) == pytest.approx(100.0 * 2.0**-half_lives, abs=1e-12)
    assert share.use(subject, 1, now) == pytest.approx(100.0 * 2.0**-half_lives, abs=1e-12)


@pytest.mark.parametrize("half_lives", [63.99, 64.01, 100.0])
def test_a_charge_after_a_long_time_weighs_what_it_is(half_lives):
    share = FairShare(HALF_LIFE, now=0.0)
    share.charge(1, 1, 1e9, now=0.0)
    now = half_lives * HALF_LIFE
    share.charge(1, 1, 5.0, now=now)
    assert share.use("person", 1, now) == pytest.approx(5.0, rel=1e-6)
    assert share.use("group", 1, now) == pytest.approx(5.0, rel=1e-6)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from([None, 1, 2]),
            st.floats(0.0, 1e4),
            st.floats(0.0, 30 * HALF_LIFE),
        ),
        max_size=25,
    )
)
def test_uses_agree_with_the_sum_of_decayed_charges(charges):
    share = FairShare(HALF_LIFE, now=0.0)
    now, people, groups = 0.0, {}, {}
    for owner, group, slot_s, later in charges:
        factor = 2.0 ** (-later / HALF_LIFE)
        now += later
        people = {key: use * factor for key, use in people.items()}
        groups = {key: use * factor for key, use in groups.items()}
        share.charge(owner, group, slot_s, now)
        people[owner] = people.get(owner, 0.0) + slot_s
        if group is not None:
            groups[group] = groups.get(group, 0.0) + slot_s
    for owner, use in people.items():
        assert share.use("person", owner, now) == pytest.approx(use, rel=1e-6, abs=1e-6)
    for group, use in groups.items():
        assert share.use("group", group, now) == pytest.approx(use, rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0.1, 1e4)), min_size=2, max_size=20), st.floats(0, 60))
def test_waiting_changes_no_order(charges, later):
    share = FairShare(HALF_LIFE, now=0.0)
    for owner, slot_s in charges:
        share.charge(owner, None, slot_s, now=0.0)
    before = sorted(range(1, 5), key=lambda owner: (share.score(owner, None), owner))
    share.charge(9, None, 1.0, now=later * HALF_LIFE)
    assert sorted(range(1, 5), key=lambda owner: (share.score(owner, None), owner)) == before


def test_a_refund_takes_back_no_more_than_was_charged():
    share = FairShare(HALF_LIFE, now=0.0)
    share.charge(1, 7, 10.0, now=0.0)
    share.charge(1, 7, -4.0, now=0.0)
    assert share.use("person", 1, 0.0) == pytest.approx(6.0)
    share.charge(1, 7, -100.0, now=0.0)
    assert share.use("person", 1, 0.0) == share.use("group", 7, 0.0) == 0.0


def test_those_who_never_ran_have_used_nothing():
    share = FairShare(HALF_LIFE, now=0.0)
    assert share.score(1, None) == share.score(1, 5) == 0.0
    assert share.use("person", 1, 0.0) == share.use("group", 5, 0.0) == 0.0


def test_what_was_charged_is_noted_for_the_next_write():
    share = FairShare(HALF_LIFE, now=0.0)
    share.charge(1, None, 1.0, now=0.0)
    share.charge(2, 7, 1.0, now=0.0)
    assert share.changed == {("person", 1), ("person", 2), ("group", 7)}


def test_restored_uses_are_not_written_again():
    share = FairShare(HALF_LIFE, now=0.0)
    share.restore("person", 1, 10.0, at=0.0)
    share.restore("group", 7, 10.0, at=-HALF_LIFE)
    assert share.changed == set()
    assert share.use("group", 7, 0.0) == pytest.approx(5.0)
