"""R(int) and merging of batches by hand."""

import numpy as np
import pytest
from cctbx import crystal, miller
from cctbx.array_family import flex
from qcrbox_refine.merging import merge

SYMMETRY = crystal.symmetry((7.0, 9.0, 11.0, 90, 101, 90), "P 1 21/c 1")


def measured(rows):
    """rows: h k l Fo² σ."""
    table = np.array(rows, float)
    indices = flex.miller_index([tuple(int(x) for x in row[:3]) for row in table])
    base = miller.set(SYMMETRY, indices, anomalous_flag=False)
    data, sigmas = flex.double(table[:, 3].tolist()), flex.double(table[:, 4].tolist())
    return miller.array(base, data, sigmas).set_observation_type_xray_intensity()


# Weak: all weights equal 3/σ, so that means are plain.
FIRST = [(1, 2, 3, 2.0, 2.0), (-1, 2, -3, 4.0, 2.0), (2, 1, 0, 5.0, 2.0)]
SECOND = [(1, 2, 3, 20.0, 10.0), (1, -2, 3, 22.0, 10.0), (2, 1, 1, 9.0, 9.0), (2, -1, 1, 1.0, 9.0)]


def r_int(rows, batches=None):
    return merge(measured(rows), None, None if batches is None else np.array(batches)).r_int


def test_r_int_of_one_pair():
    """|2 - 3| + |4 - 3| over 2 + 4; the reflection without equivalent does not count."""
    assert r_int(FIRST) == pytest.approx(2 / 6)


def test_r_int_of_batches_is_one_ratio_of_sums():
    """2/6 and (2 + 8)/52: together 12/58. The mean of both ratios would be 0.26."""
    assert r_int(SECOND) == pytest.approx(10 / 52)
    assert r_int(FIRST + SECOND, [1] * 3 + [2] * 4) == pytest.approx(12 / 58)


def test_a_batch_without_equivalents_adds_nothing():
    alone = [(3, 0, 0, 50.0, 2.0)]
    assert r_int(FIRST + alone, [1, 1, 1, 2]) == pytest.approx(2 / 6)
    assert r_int(alone, [2]) is None
    assert r_int([FIRST[0], FIRST[2]], [1, 1]) is None


def test_equivalents_in_different_batches_stay_apart():
    made = merge(measured(FIRST[:2]), None, np.array([1, 2]))
    assert made.array.size() == 2
    assert made.batches.tolist() == [1, 2]
    assert made.r_int is None


def test_batches_in_any_order_give_the_same():
    rows, batches = FIRST + SECOND, np.array([1] * 3 + [2] * 4)
    expected = merge(measured(rows), None, batches)
    order = np.random.default_rng(4).permutation(len(rows))
    found = merge(measured([rows[i] for i in order]), None, batches[order])
    assert found.r_int == pytest.approx(expected.r_int)

    def sorted_rows(made):
        table = zip(made.array.indices(), made.batches, made.array.data(), made.redundancies, strict=True)
        return sorted((tuple(h), int(b), round(x, 9), int(n)) for h, b, x, n in table)

    assert sorted_rows(found) == sorted_rows(expected)


@pytest.mark.parametrize("merg", [0, 1])
def test_merg_0_and_1_merge_nothing(merg):
    made = merge(measured(FIRST), merg)
    assert (made.array.size(), made.r_int, made.rows) == (3, None, 3)
    assert made.redundancies.tolist() == [1, 1, 1]


@pytest.mark.parametrize("merg", [None, 2, 3, 4])
def test_others_merge_equivalents(merg):
    made = merge(measured(FIRST), merg)
    assert made.array.size() == 2
    assert sorted(made.redundancies.tolist()) == [1, 2]
    assert made.rows is None
