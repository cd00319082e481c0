"""The rule by which a full home ends a server and lets it start again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from qcrbox_hub.walls import home_sizes
from qcrbox_hub.walls.home_limits import GIB, MARGIN_BYTES, MIB, MOST_ENDS, HomeLimits

LIMIT = 2 * GIB
LABEL = "1-ada"


@pytest.fixture
def limits() -> HomeLimits:
    return HomeLimits(clock=lambda: 1000.0)


def overfill(limits: HomeLimits, used: int) -> None:
    why = limits.must_end(LABEL, used, LIMIT)
    assert why
    limits.ended(LABEL, used, why)


@pytest.mark.parametrize("used", [0, LIMIT - 1, LIMIT, LIMIT + MARGIN_BYTES])
def test_home_at_its_limit_ends_nothing(limits: HomeLimits, used: int) -> None:
    assert limits.must_end(LABEL, used, LIMIT) == ""
    assert limits.notice(LABEL) == ""


def test_home_over_its_limit_ends_the_server_and_says_why(limits: HomeLimits) -> None:
    overfill(limits, 3 * GIB)
    assert "holds 3.00 GiB, its limit is 2.00 GiB" in limits.notice(LABEL)
    assert limits.notice("2-bob") == ""


def test_server_of_a_full_home_starts_again_so_that_its_owner_can_remove_files(limits: HomeLimits) -> None:
    overfill(limits, 3 * GIB)
    assert limits.refusal(LABEL, 3 * GIB, LIMIT) == ""
    assert limits.must_end(LABEL, 3 * GIB + MIB, LIMIT) == "", "what Jupyter itself writes"
    assert limits.must_end(LABEL, 1 * GIB, LIMIT) == ""
    assert limits.notice(LABEL) == "", "below the limit all is well again"


def test_what_was_removed_cannot_be_filled_again_while_the_home_is_over_its_limit(limits: HomeLimits) -> None:
    overfill(limits, 4 * GIB)
    assert limits.must_end(LABEL, 3 * GIB, LIMIT) == ""
    assert limits.must_end(LABEL, 3 * GIB + MARGIN_BYTES + 1, LIMIT)


def test_home_that_keeps_growing_starts_no_more(limits: HomeLimits) -> None:
    used = 3 * GIB
    for _ in range(MOST_ENDS):
        assert limits.refusal(LABEL, used, LIMIT) == ""
        used += GIB
        overfill(limits, used)
    assert "Ask an administrator" in limits.refusal(LABEL, used, LIMIT)
    assert limits.refusal(LABEL, LIMIT, LIMIT) == "", "an administrator removed files"
    assert limits.refusal(LABEL, used, 2 * used) == "", "or gave more room"


def test_restart_of_the_hub_lets_a_full_home_start_but_not_grow(limits: HomeLimits) -> None:
    assert limits.refusal(LABEL, 3 * GIB, LIMIT) == ""
    assert limits.must_end(LABEL, 3 * GIB + MARGIN_BYTES, LIMIT) == ""
    assert limits.must_end(LABEL, 3 * GIB + MARGIN_BYTES + 1, LIMIT)


def test_without_a_limit_every_size_starts(limits: HomeLimits) -> None:
    assert limits.refusal(LABEL, 10**15, 0) == ""


# ---------------------------------------------------------------- measuring


def test_homes_are_measured_in_a_process_beside(tmp_path: Path) -> None:
    for label, size in (("1-ada", 200_000), ("2-bob", 400_000)):
        (tmp_path / label).mkdir()
        (tmp_path / label / "file").write_bytes(os.urandom(size))
    found = asyncio.run(home_sizes.measure(tmp_path, ["1-ada", "2-bob", "3-nobody"]))
    assert 200_000 <= found["1-ada"] < 250_000
    assert 400_000 <= found["2-bob"] < 450_000
    assert found["3-nobody"] == 0


def test_measurement_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    assert asyncio.run(home_sizes.measure(tmp_path, ["1-ada"], limit_s=0)) == {}
