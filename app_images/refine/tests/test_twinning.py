"""Domains and their shares: sums, derivatives, groups."""

import numpy as np
import pytest
from cctbx import crystal, miller
from cctbx.array_family import flex
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.twinning import (
    Components,
    Domains,
    distinct_reflections,
    grouped_components,
    merohedral_components,
    twin_laws,
)

SWAP = (0, 1, 0, 1, 0, 0, 0, 0, -1)
INDICES = np.array([[1, 2, 3], [0, 0, 4], [-2, 1, 0]])


@pytest.mark.parametrize(
    ("domains", "shares"),
    [
        (Domains(), [1.0]),
        (Domains("twin", [0.3]), [0.7, 0.3]),
        (Domains("twin", [0.2, 0.5]), [0.3, 0.2, 0.5]),
        (Domains("batch", [0.9, 1.2]), [1.0, 0.9, 1.2]),
    ],
    ids=["single", "twin", "three domains", "batches"],
)
def test_shares_of_a_twin_add_up_to_one_and_batches_are_relative(domains, shares):
    assert domains.shares() == pytest.approx(shares)


@pytest.mark.parametrize("kind", ["twin", "batch"])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_derivatives_of_shares_are_those_of_finite_differences(kind, index):
    def shares(shift):
        fractions = [0.1, 0.2, 0.3]
        fractions[index] += shift
        return Domains(kind, fractions).shares()

    numeric = (shares(1e-6) - shares(-1e-6)) / 2e-6
    assert Domains(kind, [0.1, 0.2, 0.3]).derivative(index) == pytest.approx(numeric, abs=1e-8)


@pytest.mark.parametrize(
    ("n", "count", "inverted"), [(1, 1, 0), (2, 2, 0), (3, 3, 0), (-2, 2, 1), (-4, 4, 2), (-6, 6, 3)]
)
def test_a_law_is_applied_again_for_each_domain(n, count, inverted):
    rotation = (0, -1, 0, 1, 0, 0, 0, 0, 1)  # fourfold along c
    laws = twin_laws(rotation, n)
    assert len(laws) == count
    assert laws[0].tolist() == np.eye(3).tolist()
    assert sum(np.linalg.det(law) < 0 for law in laws) == inverted
    for k in range(count - inverted):
        assert laws[k] == pytest.approx(np.linalg.matrix_power(np.array(rotation).reshape(3, 3), k))
    if inverted:
        assert np.array(laws[inverted:]) == pytest.approx(-np.array(laws[:inverted]))


def test_each_observation_gets_one_component_of_each_domain():
    components, missed = merohedral_components(INDICES, twin_laws(SWAP, 2))
    assert missed == 0
    assert components.observation.tolist() == [0, 1, 2, 0, 1, 2]
    assert components.domain.tolist() == [0, 0, 0, 1, 1, 1]
    assert components.indices[3:].tolist() == [[2, 1, -3], [0, 0, -4], [1, -2, 0]]


def test_a_component_between_the_lattice_points_is_left_out_and_counted():
    law = (1, 0, 0, 0, 1, 0, 0.5, 0, 1)  # l' = l + h/2: whole for even h only
    components, missed = merohedral_components(INDICES, twin_laws(law, 2))
    assert missed == 1
    twin = components.domain == 1
    assert components.observation[twin].tolist() == [1, 2]
    assert components.indices[twin].tolist() == [[0, 0, 4], [-2, 1, -1]]


@pytest.mark.parametrize(("miss", "there"), [(0.09, True), (0.11, False)])
def test_indices_count_as_whole_within_a_tenth(miss, there):
    law = np.eye(3)
    law[2, 0] = miss
    _, missed = merohedral_components(np.array([[1, 0, 0]]), [np.eye(3), law])
    assert missed == (0 if there else 1)


@given(st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=20), st.integers(0, 2**20))
def test_selecting_observations_keeps_their_components_and_no_others(indices, chosen):
    hkl = np.array(indices)
    components, _ = merohedral_components(hkl, twin_laws(SWAP, 2))
    kept = np.array([bool(chosen >> i & 1) for i in range(len(hkl))])
    selected = components.select(kept)
    expected, _ = merohedral_components(hkl[kept], twin_laws(SWAP, 2))
    rows = sorted(zip(selected.observation, map(tuple, selected.indices), selected.domain, strict=True))
    assert rows == sorted(
        zip(expected.observation, map(tuple, expected.indices), expected.domain, strict=True)
    )


def test_a_negative_number_joins_the_next_row():
    batches = np.array([1, -2, 1, 2, -3, -2, 1])
    components, ends = grouped_components(np.zeros((7, 3), int), batches)
    assert ends.tolist() == [0, 2, 3, 6]
    assert components.observation.tolist() == [0, 1, 1, 2, 3, 3, 3]
    assert components.domain.tolist() == [0, 1, 0, 1, 2, 1, 0]
    assert components.multiplicity.tolist() == [1.0] * 7


def test_numbers_of_powder_rows_are_multiplicities():
    components, ends = grouped_components(np.zeros((3, 3), int), np.array([-8, 24, 6]), powder=True)
    assert components.multiplicity.tolist() == [8.0, 24.0, 6.0]
    assert components.domain.tolist() == [0, 0, 0]
    assert ends.tolist() == [1, 2]


def test_a_group_without_an_end_is_refused():
    with pytest.raises(UserInputError, match="the last group of overlapping reflections has no end"):
        grouped_components(np.zeros((2, 3), int), np.array([1, -2]))


def test_one_component_for_each_observation():
    components = Components.single(INDICES)
    assert components.observation.tolist() == [0, 1, 2]
    assert components.domain.tolist() == [0, 0, 0]
    assert Components.single(INDICES, np.array([0, 1, 0])).domain.tolist() == [0, 1, 0]


@pytest.mark.parametrize(("anomalous", "unique"), [(False, 2), (True, 3)])
def test_equivalents_are_calculated_once(anomalous, unique):
    """In P 2 h k l and -h k -l are one; -h -k -l is another when Friedel mates differ."""
    symmetry = crystal.symmetry((5, 6, 7, 90, 100, 90), "P 1 2 1")
    hkl = np.array([[1, 2, 3], [-1, 2, -3], [-1, -2, -3], [1, 2, -3]])
    base = miller.set(symmetry, flex.miller_index(), anomalous_flag=anomalous)
    found, which = distinct_reflections(Components.single(hkl), base)
    assert found.size() == unique
    assert which[0] == which[1]
    assert bool(which[0] == which[2]) is not anomalous
    assert which[3] not in which[:3].tolist()
