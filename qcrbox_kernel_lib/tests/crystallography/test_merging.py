"""Merging: equivalents of every Laue class, statistics by hand, and independence of order."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.reflections import Reflections
from qcrbox.crystallography.reflections.merging import (
    asymmetric_key,
    centric,
    index_key,
    indices_of,
    merging_statistics,
    systematically_absent,
    unique_reflections,
)
from qcrbox.crystallography.space_group import SpaceGroup

CELLS = {
    "triclinic": (6, 7, 9, 80, 95, 101),
    "monoclinic": (6, 7, 9, 90, 101, 90),
    "orthorhombic": (6, 7, 9, 90, 90, 90),
    "tetragonal": (6, 6, 9, 90, 90, 90),
    "hexagonal": (6, 6, 9, 90, 90, 120),
    "rhombohedral": (6, 6, 6, 65, 65, 65),
    "cubic": (6, 6, 6, 90, 90, 90),
}
# Laue class, a group of it, a cell of its system, how many equivalents a general reflection has with its Friedel mate.
LAUE = [
    ("-1", "P 1", "triclinic", 2),
    ("2/m", "P 1 21/c 1", "monoclinic", 4),
    ("mmm", "P 21 21 21", "orthorhombic", 8),
    ("4/m", "P -4", "tetragonal", 8),
    ("4/mmm", "P 41 21 2", "tetragonal", 16),
    ("-3", "P 31", "hexagonal", 6),
    ("-3", "R 3 :R", "rhombohedral", 6),
    ("-3m", "R -3 c :H", "hexagonal", 12),
    ("-3m", "P 3 1 m", "hexagonal", 12),
    ("6/m", "P 63", "hexagonal", 12),
    ("6/mmm", "P 63/m m c", "hexagonal", 24),
    ("m-3", "I a -3", "cubic", 24),
    ("m-3m", "F d -3 m :2", "cubic", 48),
]


@pytest.mark.parametrize(
    ("laue", "symbol", "system", "count"), LAUE, ids=[f"{row[0]} {row[1]}" for row in LAUE]
)
def test_a_general_reflection_has_as_many_equivalents_as_its_laue_class(laue, symbol, system, count):
    group = SpaceGroup.from_hm(symbol)
    assert group.laue_group == laue
    rotations = [*group.rotations, *(-group.rotations)]
    equivalents = np.unique([np.array([1, 2, 4]) @ rotation for rotation in rotations], axis=0)
    assert len(equivalents) == count
    assert len(set(asymmetric_key(equivalents, group).tolist())) == 1
    lengths = UnitCell.from_values(CELLS[system]).d_spacing(equivalents)
    assert lengths == pytest.approx(np.full(count, lengths[0]), rel=1e-9)


@pytest.mark.parametrize(
    ("laue", "symbol", "system", "count"), LAUE, ids=[f"{row[0]} {row[1]}" for row in LAUE]
)
@pytest.mark.parametrize("friedel", [True, False])
def test_unique_reflections_are_as_many_as_gemmi_finds(laue, symbol, system, count, friedel):
    del laue, count
    cell, group = UnitCell.from_values(CELLS[system]), SpaceGroup.from_hm(symbol)
    entry = gemmi.find_spacegroup_by_name(symbol)
    asu, operations = gemmi.ReciprocalAsu(entry), entry.operations()
    all_of_them = gemmi.make_miller_array(gemmi.UnitCell(*CELLS[system]), entry, 1.5, 0, True)
    expected = {tuple(hkl) for hkl in all_of_them.tolist()}
    if not friedel:
        # A centric reflection is its own mate.
        expected |= {
            tuple(-part for part in hkl) for hkl in expected if not operations.is_reflection_centric(hkl)
        }
    assert len(unique_reflections(cell, group, 1.5, friedel=friedel)) == len(expected)
    assert all(asu.is_in(list(hkl)) for hkl in all_of_them.tolist())


@pytest.mark.parametrize(
    ("laue", "symbol", "system", "count"), LAUE, ids=[f"{row[0]} {row[1]}" for row in LAUE]
)
def test_the_choice_and_order_of_equivalents_do_not_matter(laue, symbol, system, count):
    del laue, count
    rng = np.random.default_rng(7)
    cell, group = UnitCell.from_values(CELLS[system]), SpaceGroup.from_hm(symbol)
    unique = unique_reflections(cell, group, 2.0)
    value = 100 + 50 * rng.random(len(unique))
    rows = rng.integers(0, len(unique), 4 * len(unique))
    chosen = rng.integers(0, len(group.rotations), len(rows))
    hkl = (
        np.einsum("ni,nij->nj", unique[rows], group.rotations[chosen])
        * rng.choice([-1, 1], len(rows))[:, None]
    )
    data = Reflections(hkl, value[rows], np.ones(len(rows)))
    found = merging_statistics(data, cell, group)
    assert found.unique == len(set(rows.tolist()))
    assert found.r_int == pytest.approx(0, abs=1e-12)
    assert found.absences == 0
    shuffled = merging_statistics(data.select(rng.permutation(len(rows))), cell, group)
    assert (shuffled.unique, shuffled.completeness) == (found.unique, found.completeness)
    assert shuffled.merged.intensity == pytest.approx(found.merged.intensity)


CUBIC = UnitCell.from_values(CELLS["cubic"])


def statistics(rows, symbol="P 1", **options):
    table = np.array(rows, float)
    data = Reflections(table[:, :3].astype(int), table[:, 3], table[:, 4])
    return merging_statistics(data, CUBIC, SpaceGroup.from_hm(symbol), **options)


def test_means_and_sigmas_by_hand():
    """Weights 1 and 1/4: mean (10 + 20/4) / 1.25 = 12, σ = 1/√1.25; R(int) = (2 + 8) / 30."""
    found = statistics([(1, 2, 3, 10, 1), (-1, -2, -3, 20, 2)])
    assert found.merged.intensity.tolist() == [pytest.approx(12)]
    assert found.merged.sigma.tolist() == [pytest.approx(1.25**-0.5)]
    assert found.r_int == pytest.approx(10 / 30)
    assert found.r_sigma == pytest.approx(1.25**-0.5 / 12)
    assert found.mean_i_over_sigma == pytest.approx(12 * 1.25**0.5)
    assert (found.observations, found.unique, found.redundancy) == (2, 1, 2)


def test_friedel_mates_are_two_reflections_when_they_differ():
    found = statistics([(1, 2, 3, 10, 1), (-1, -2, -3, 20, 2)], friedel=False)
    assert (found.unique, found.r_int) == (2, None)


def test_what_has_no_positive_su_or_no_index_is_left_out_and_counted():
    found = statistics(
        [(1, 2, 3, 10, 1), (1, 2, 4, 10, 0), (1, 2, 5, 10, -1), (0, 0, 0, 10, 1), (1, 2, 6, np.nan, 1)]
    )
    assert (found.observations, found.rejected) == (1, 4)
    assert "4 reflections without positive s.u. were left out." in found.notes


def test_absences_are_counted_and_strong_ones_named():
    """0 k 0 with odd k is absent for 2(1) along b."""
    found = statistics([(0, 1, 0, 100, 1), (0, 3, 0, 1, 1), (0, 2, 0, 100, 1), (1, 1, 1, 5, 1)], "P 1 21 1")
    assert (found.absences, found.absent_above_3_sigma, found.observations) == (2, 1, 2)


def test_one_reflection_has_statistics():
    found = statistics([(1, 2, 3, 10, 1)])
    assert (found.unique, found.r_int, found.d_max) == (1, None, found.d_min)
    assert sum(shell.observations for shell in found.shells) == 1


def test_negative_sums_have_no_r_factors():
    found = statistics([(1, 2, 3, -10, 1), (1, 2, 3, -12, 1)])
    assert (found.r_int, found.r_sigma) == (None, None)


@pytest.mark.parametrize(
    ("rows", "symbol", "words"),
    [
        ([(1, 2, 3, 10, 0)], "P 1", "No reflection can be used"),
        ([(0, 1, 0, 10, 1)], "P 1 21 1", "No reflection can be used"),
        ([(1024, 0, 0, 10, 1)], "P 1", "Indices reach 1024; merging goes to 1023"),
    ],
    ids=["no s.u.", "absent", "far"],
)
def test_what_cannot_be_merged_is_said(rows, symbol, words):
    with pytest.raises(UserInputError, match=words):
        statistics(rows, symbol)


@pytest.mark.parametrize("d_min", [0, -1, float("nan")])
def test_a_resolution_is_above_zero(d_min):
    with pytest.raises(UserInputError, match="is not above zero"):
        unique_reflections(CUBIC, SpaceGroup.from_hm("P 1"), d_min)


def test_keys_of_indices_lead_back_and_keep_the_order():
    rng = np.random.default_rng(3)
    hkl = rng.integers(-1000, 1000, (500, 3))
    assert indices_of(index_key(hkl)).tolist() == hkl.tolist()
    order = np.argsort(index_key(hkl), kind="stable")
    assert hkl[order].tolist() == sorted(hkl.tolist())


# Reflection conditions of Int. Tables A, by hand.
CONDITIONS = [
    ("P 1 21/c 1", (0, 1, 0), True),
    ("P 1 21/c 1", (0, 2, 0), False),
    ("P 1 21/c 1", (1, 0, 1), True),
    ("P 1 21/c 1", (1, 0, 2), False),
    ("C 1 2/c 1", (1, 2, 0), True),
    ("C 1 2/c 1", (1, 1, 0), False),
    ("I 4/m m m", (1, 1, 1), True),
    ("I 4/m m m", (1, 1, 2), False),
    ("F m -3 m", (1, 1, 2), True),
    ("F m -3 m", (1, 1, 3), False),
    ("R -3 :H", (1, 0, 0), True),
    ("R -3 :H", (1, 0, 1), False),
    ("R -3 :H", (1, 0, -1), True),
    ("P 61", (0, 0, 3), True),
    ("P 61", (0, 0, 6), False),
    ("P 41", (0, 0, 2), True),
    ("P 41", (0, 0, 4), False),
    ("F d -3 m :2", (2, 0, 0), True),
    ("F d -3 m :2", (4, 0, 0), False),
]


@pytest.mark.parametrize(
    ("symbol", "hkl", "absent"), CONDITIONS, ids=[f"{row[0]} {row[1]}" for row in CONDITIONS]
)
def test_reflection_conditions(symbol, hkl, absent):
    assert systematically_absent(np.array([hkl]), SpaceGroup.from_hm(symbol)).tolist() == [absent]


@pytest.mark.parametrize(
    ("symbol", "hkl", "restricted"),
    [
        ("P 1", (1, 2, 3), False),
        ("P -1", (1, 2, 3), True),
        ("P 1 21 1", (1, 0, 3), True),
        ("P 1 21 1", (1, 1, 3), False),
        ("P 21 21 21", (0, 2, 3), True),
        ("P 21 21 21", (1, 2, 3), False),
        ("P 1 m 1", (0, 2, 0), True),
        ("P 1 m 1", (1, 0, 3), False),
    ],
)
def test_phases_that_symmetry_restricts(symbol, hkl, restricted):
    assert centric(np.array([hkl]), SpaceGroup.from_hm(symbol)).tolist() == [restricted]
