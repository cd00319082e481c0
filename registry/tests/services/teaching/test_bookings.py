"""How many places a class needs, and what a rehearsal says."""

from __future__ import annotations

import pytest
from qcrbox_registry.scheduler.rehearsing import Rehearsed
from qcrbox_registry.services.teaching.bookings import proposed_places, report
from qcrbox_registry.store.teaching.bookings import Booking

HOUR = 3600.0


@pytest.mark.parametrize(
    ("students", "windows", "each_s", "places"),
    [
        (60, 0, 10.0, 10),  # 60 · 10 s / 120 s = 5 run at once, doubled
        (60, 0, None, 10),
        (60, 0, 0.1, 1),
        (60, 60, 0.1, 61),
        (3, 0, 600.0, 3),  # never more than one each
        (1, 0, 10.0, 1),
    ],
)
def test_places_are_proposed_from_the_usual_duration(students, windows, each_s, places):
    assert proposed_places(students, windows, each_s) == places


BOOKED = Booking("b", "c", 1, 0.0, HOUR, 60, 0, 10, ["practice"], None, 0.0, None)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (Rehearsed(10, 0, [1.0] * 10, [10**8] * 10, 4 * 10**9), "answers from the store"),
        (Rehearsed(10, 8, [1.0], [10**8], 4 * 10**9, ["All places for agents are taken."]), "1 of 10 agents"),
        (Rehearsed(10, 0, [1.0, 41.0], [2**30] * 2, 2**31), "8 more agents need 8.0 GiB; 2.0 GiB are free"),
        (Rehearsed(10, 0, [1.0, 41.0], [2**30] * 2, 2**31), "after 41 s"),
    ],
    ids=["shared", "missing", "memory", "slow"],
)
def test_a_rehearsal_says_what_to_change(measured, words):
    found = report(measured, BOOKED, 0.0)
    assert words in " ".join(found["advice"])
    assert found["last_s"] == max(measured.ready_after_s)


def test_a_rehearsal_without_a_fault_says_so():
    small = Booking("b", "c", 1, 0.0, HOUR, 10, 0, 10, ["practice"], None, 0.0, None)
    found = report(Rehearsed(10, 0, [1.0] * 10, [10**8] * 10, 4 * 10**9), small, 0.0)
    assert found["advice"] == ["Nothing has to be changed."]
