"""Disorder: alternatives, groups by occupancy, and choosing some of them."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.disorder import alternatives, choose, groups_by_occupancy, is_minor

from ..conftest import write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z occupancy disorder_assembly disorder_group"
# Two assemblies, A of two groups and B of three, and an atom without disorder.
SITES = [
    ("C1", "C", 0.1, 0.1, 0.1, 1.0, ".", "."),
    ("C2", "C", 0.2, 0.1, 0.1, 0.3, "A", 1),
    ("C3", "C", 0.3, 0.1, 0.1, 0.7, "A", 2),
    ("C4", "C", 0.4, 0.1, 0.1, 0.5, "B", 1),
    ("C5", "C", 0.5, 0.1, 0.1, 0.3, "B", 2),
    ("C6", "C", 0.6, 0.1, 0.1, 0.2, "B", 3),
]


def sites_of(rows=SITES):
    return Structure.from_cif(write_cif(sites=rows, columns=COLUMNS)).sites


@pytest.fixture(scope="module")
def sites():
    return sites_of()


def labels(sites, mask):
    return [label for label, chosen in zip(sites.label, mask.tolist(), strict=True) if chosen]


def test_groups_come_with_the_most_occupied_first(sites):
    assert groups_by_occupancy(sites) == {"A": [2, 1], "B": [1, 2, 3]}


@pytest.mark.parametrize(
    ("disorder", "chosen"),
    [
        ("all", "C1 C2 C3 C4 C5 C6"),
        ("major", "C1 C3 C4"),
        ("minor", "C1 C2 C5 C6"),
        ({"A": 1}, "C1 C2 C4 C5 C6"),
        ({"A": 1, "B": 3}, "C1 C2 C6"),
        ({}, "C1 C2 C3 C4 C5 C6"),
    ],
    ids=str,
)
def test_chosen_sites(sites, disorder, chosen):
    assert labels(sites, choose(sites, disorder)) == chosen.split()


@pytest.mark.parametrize(
    ("disorder", "words"),
    [
        ("most", "'most' is not a choice of disorder"),
        ("", "'' is not a choice of disorder"),
        ({"A": 3}, "There is no disorder group 3 in assembly 'A'"),
        ({"C": 1}, "There is no disorder group 1 in assembly 'C'"),
        ({"": 1}, "There is no disorder group 1 in assembly '.'"),
    ],
    ids=str,
)
def test_what_cannot_be_chosen_is_named_with_what_can(sites, disorder, words):
    with pytest.raises(UserInputError) as caught:
        choose(sites, disorder)
    assert words in caught.value.what
    assert caught.value.next


def test_every_group_but_the_most_occupied_is_minor(sites):
    assert labels(sites, is_minor(sites)) == ["C2", "C5", "C6"]


def test_a_single_group_is_chosen_as_minor_too():
    """Of a molecule that is there at 40 % there is no other."""
    sites = sites_of([("C1", "C", 0.1, 0.1, 0.1, 1.0, ".", "."), ("O1", "O", 0.3, 0.1, 0.1, 0.4, "A", 1)])
    for disorder in ("all", "major", "minor"):
        assert labels(sites, choose(sites, disorder)) == ["C1", "O1"]


def test_without_disorder_every_site_is_always_chosen():
    sites = sites_of([("C1", "C", 0.1, 0.1, 0.1, 1.0, ".", ".")])
    assert groups_by_occupancy(sites) == {}
    assert not is_minor(sites).any()
    for disorder in ("all", "major", "minor"):
        assert choose(sites, disorder).all()


def test_occupancies_decide_as_means_of_their_groups():
    rows = [
        ("C1", "C", 0.1, 0.1, 0.1, 0.4, "A", 1),
        ("C2", "C", 0.2, 0.1, 0.1, 0.4, "A", 1),
        ("C3", "C", 0.3, 0.1, 0.1, 0.6, "A", 2),
    ]
    assert groups_by_occupancy(sites_of(rows)) == {"A": [2, 1]}


def test_equal_occupancies_keep_the_order_of_their_numbers():
    rows = [("C1", "C", 0.1, 0.1, 0.1, 0.5, "A", 2), ("C2", "C", 0.2, 0.1, 0.1, 0.5, "A", 1)]
    assert groups_by_occupancy(sites_of(rows)) == {"A": [1, 2]}


PAIRS = [
    ("C1", "C2", False),  # one is always there
    ("C2", "C3", True),
    ("C4", "C5", True),
    ("C5", "C6", True),
    ("C2", "C2", False),  # one group
    ("C3", "C4", False),  # two assemblies
]


@pytest.mark.parametrize(("first", "second", "never"), PAIRS, ids=[f"{a}-{b}" for a, b, _ in PAIRS])
def test_groups_of_one_assembly_are_never_there_together(sites, first, second, never):
    pair = [np.array([sites.index[label]]) for label in (first, second)]
    for both in (pair, pair[::-1]):
        assert alternatives(sites, *both, np.array([False])).tolist() == [never]


def test_images_of_a_negative_group_are_alternatives_of_each_other_and_not_of_themselves():
    """SHELX's PART -1: disordered about a special position."""
    sites = sites_of([("C1", "C", 0.1, 0.1, 0.1, 0.5, "A", -1), ("C2", "C", 0.2, 0.1, 0.1, 0.5, "A", -1)])
    first, second = np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1])
    same = np.array([True, False, True, False])
    assert alternatives(sites, first, second, same).tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    "group",
    ["9" * 30, "-" + "9" * 30, "1_0", "1.5", "x", "٣"],
    ids=["large", "small", "_", "fraction", "word", "other digit"],
)
def test_a_group_that_is_no_whole_number_is_a_group_of_its_own_and_is_noted(group):
    """Such as a number beyond 64 bits."""
    structure = Structure.from_cif(
        write_cif(
            sites=[("C1", "C", 0.1, 0.1, 0.1, 0.5, "A", group), ("C2", "C", 0.2, 0.1, 0.1, 0.5, "A", 1)],
            columns=COLUMNS,
        )
    )
    assert len(set(structure.sites.group.tolist()) - {0}) == 2
    assert any("is not a number; it is kept apart as a group" in note for note in structure.notes)
