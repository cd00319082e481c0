"""Dates of an exercise, with an injected present."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.services.teaching.deadlines import Dates, Phase, is_late, own_due, phase

DATES = Dates(opens_at=100.0, due_at=200.0, late_until=300.0)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (99.999, Phase.NOT_OPEN),
        (100.0, Phase.OPEN),
        (199.999, Phase.OPEN),
        (200.0, Phase.LATE),
        (299.999, Phase.LATE),
        (300.0, Phase.CLOSED),
    ],
)
def test_the_moment_of_a_date_belongs_to_what_follows_it(now, expected):
    assert phase(DATES, None, now) is expected


def test_an_exercise_without_dates_is_always_open():
    assert phase(Dates(), None, 1e12) is Phase.OPEN


def test_an_extension_moves_the_deadline_and_never_shortens_it():
    assert own_due(DATES, 250.0) == 250.0
    assert own_due(DATES, 150.0) == 200.0
    assert own_due(Dates(), 250.0) is None
    assert phase(DATES, 250.0, 249.0) is Phase.OPEN
    assert phase(DATES, 250.0, 250.0) is Phase.LATE


def test_an_extension_beyond_the_late_time_closes_with_itself():
    assert phase(DATES, 400.0, 399.0) is Phase.OPEN
    assert phase(DATES, 400.0, 400.0) is Phase.CLOSED


def test_without_a_late_time_the_deadline_closes():
    assert phase(Dates(due_at=200.0), None, 200.0) is Phase.CLOSED


@pytest.mark.parametrize(("at", "late"), [(199.0, False), (200.0, True), (260.0, True)])
def test_lateness_agrees_with_the_phase(at, late):
    assert is_late(200.0, at) is late


def test_nothing_is_late_without_a_deadline():
    assert not is_late(None, 1e12)


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (Dates(opens_at=200.0, due_at=100.0), "due_at must be after opens_at"),
        (Dates(due_at=200.0, late_until=200.0), "late_until must be after due_at"),
        (Dates(opens_at=300.0, late_until=200.0), "late_until must be after opens_at"),
        (Dates(late_until=200.0), "late_until needs due_at"),
    ],
)
def test_dates_in_a_wrong_order_are_refused(dates, words):
    with pytest.raises(UserInputError, match=words):
        dates.check()


def test_right_dates_are_accepted():
    DATES.check()
    Dates().check()
    Dates(due_at=1.0).check()
