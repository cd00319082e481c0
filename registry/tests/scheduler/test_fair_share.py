from __future__ import annotations

import pytest
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
