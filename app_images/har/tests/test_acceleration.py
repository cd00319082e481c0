"""Positions that answer linearly are met at once; what does not shrink is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox_har.acceleration import share_ahead

MOVE = np.array([[0.05, 0.0, -0.02], [0.0, 0.01, 0.03]])


@pytest.mark.parametrize("factor", [0.1, 0.3, -0.2])
def test_one_factor_leads_to_the_limit_of_the_series(factor):
    """x, x + r, x + r + λ r, ...: the limit is r / (1 - λ) away from x."""
    limit = MOVE / (1 - factor)
    after_two = MOVE + factor * MOVE
    assert after_two + share_ahead([MOVE, factor * MOVE]) * factor * MOVE == pytest.approx(limit)


def test_only_the_part_along_the_last_move_counts():
    across = np.array([[0.0, 0.04, 0.0], [0.0, 0.0, 0.0]])
    assert share_ahead([MOVE, 0.1 * MOVE + across]) == pytest.approx(share_ahead([MOVE, 0.1 * MOVE]))


@pytest.mark.parametrize(
    "moves",
    [[], [MOVE], [MOVE, 0.9 * MOVE], [MOVE, -3 * MOVE], [0 * MOVE, MOVE]],
    ids=["none", "one", "hardly shrinking", "growing", "nothing before"],
)
def test_what_does_not_follow_the_rule_is_not_predicted(moves):
    assert share_ahead(moves) == 0.0
