"""Expected runtimes: medians of the last runs, per command."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox_registry.scheduler.runtime_estimates import KEPT, RuntimeEstimates


@pytest.fixture
def runtimes():
    return RuntimeEstimates()


def test_a_command_that_never_ran_has_no_estimate(runtimes):
    assert runtimes.expected(1) is None
    assert runtimes.spread(1) is None


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=8))
def test_the_estimate_of_few_runs_is_their_median(seconds):
    runtimes = RuntimeEstimates()
    for each in seconds:
        runtimes.add(1, each)
    assert runtimes.expected(1) == statistics.median(seconds)


def test_an_estimate_follows_a_command_that_becomes_slower(runtimes):
    for _ in range(KEPT):
        runtimes.add(1, 1.0)
    for _ in range(KEPT):
        runtimes.add(1, 50.0)
    assert runtimes.expected(1) == 50.0


@pytest.mark.parametrize("commands", [2, 3, 4, 8])
def test_commands_that_take_turns_do_not_hold_back_each_others_estimates(runtimes, commands):
    for seconds in (1.0, 50.0):
        for _ in range(KEPT):
            for command in range(commands):
                runtimes.add(command, seconds + command)
    assert [runtimes.expected(command) for command in range(commands)] == [
        50.0 + command for command in range(commands)
    ]


def test_only_the_last_runs_count(runtimes):
    for each in range(10 * KEPT):
        runtimes.add(1, float(each))
    assert runtimes.expected(1) >= 9 * KEPT


def test_a_stored_mean_is_the_estimate_until_there_are_runs(runtimes):
    runtimes.restore(1, 30.0)
    assert runtimes.expected(1) == 30.0
    for _ in range(3):
        runtimes.add(1, 10.0)
    assert runtimes.expected(1) == 10.0


@pytest.mark.parametrize(
    ("seconds", "spread"),
    [
        ([1.0, 2.0, 3.0], None),
        ([1.0, 2.0, 3.0, 4.0], (1.25, 3.75)),
        ([1.0] * 4, (1.0, 1.0)),
        ([float(i) for i in range(1, 8)], (2.0, 6.0)),
    ],
    ids=["too few", "four", "equal", "seven"],
)
def test_the_spread_is_the_first_and_third_quartile(runtimes, seconds, spread):
    for each in seconds:
        runtimes.add(1, each)
    assert runtimes.spread(1) == (spread if spread is None else pytest.approx(spread))


def test_commands_are_estimated_apart(runtimes):
    runtimes.add(1, 1.0)
    runtimes.add(2, 100.0)
    assert (runtimes.expected(1), runtimes.expected(2)) == (1.0, 100.0)
