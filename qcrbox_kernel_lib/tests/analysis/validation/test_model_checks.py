"""Checks of a model: displacement, occupancies, bonds, contacts, multiplicities, each from both sides of its limit."""

from __future__ import annotations

import pytest
from qcrbox.analysis.validation import data_checks
from qcrbox.analysis.validation import model_checks as checks
from qcrbox.cif import read
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.structure import Structure

from ...conftest import aniso, symops, write_cif

PLAIN = "label type_symbol fract_x fract_y fract_z"
OCCUPIED = f"{PLAIN} occupancy disorder_assembly disorder_group"


def found(check, sites, columns=PLAIN, **options):
    block = read(write_cif((10, 10, 10, 90, 90, 90), sites, columns, **options))[0]
    return list(check(block, Structure.from_block(block)))


def carbon(u11, u22, u33):
    return {"sites": [("C1", "C", 0.1, 0.2, 0.3)], "more": aniso([("C1", u11, u22, u33, 0, 0, 0)])}


@pytest.mark.parametrize(
    ("tensor", "npd"),
    [((0.02, 0.03, 0.04), False), ((-0.001, 0.03, 0.04), True), ((0.0, 0.03, 0.04), True)],
    ids=["positive", "negative", "flat"],
)
def test_a_tensor_without_an_ellipsoid_is_serious(tensor, npd):
    alerts = found(checks.positive_definite, **carbon(*tensor))
    assert [alert.level for alert in alerts] == (["A"] if npd else [])


@pytest.mark.parametrize(
    ("largest", "level"),
    [(0.05, None), (0.051, "C"), (0.1, "C"), (0.101, "B")],
    ids=["ratio 5", "5.1", "10", "10.1"],
)
def test_the_shape_of_an_ellipsoid_is_a_ratio_of_mean_squares(largest, level):
    alerts = found(checks.adp_shape, **carbon(0.01, 0.02, largest))
    assert [alert.level for alert in alerts] == ([level] if level else [])


@pytest.mark.parametrize(
    ("occupancy", "alert"),
    [(1, False), (0.5, False), (1.001, False), (1.01, True), (0, True), (-0.2, True)],
)
def test_an_occupancy_is_above_0_and_no_more_than_1(occupancy, alert):
    alerts = found(checks.occupancies, [("C1", "C", 0.1, 0.2, 0.3, occupancy, ".", 0)], OCCUPIED)
    assert [a.test for a in alerts] == (["OCCUPANCY"] if alert else [])


def test_a_negative_occupancy_is_written_with_a_minus_sign():
    (alert,) = found(checks.occupancies, [("C1", "C", 0.1, 0.2, 0.3, -0.2, ".", 0)], OCCUPIED)
    assert "−0.2" in alert.text


@pytest.mark.parametrize(
    ("shares", "text"),
    [
        ((0.6, 0.4), None),
        ((0.6, 0.39), None),
        ((0.6, 0.3), "add up to 0.900"),
        ((0.7, 0.7), "add up to 1.400"),
    ],
)
def test_groups_of_an_assembly_fill_their_place(shares, text):
    sites = [("C1", "C", 0.1, 0.2, 0.3, shares[0], "A", 1), ("C2", "C", 0.5, 0.2, 0.3, shares[1], "A", 2)]
    texts = [alert.text for alert in found(checks.occupancies, sites, OCCUPIED)]
    assert len(texts) == bool(text)
    assert all(text in each for each in texts)


def test_a_part_over_a_symmetry_element_need_not_be_whole():
    """Negative groups of SHELX are half of a pair that symmetry makes."""
    assert found(checks.occupancies, [("C1", "C", 0.1, 0.2, 0.3, 0.5, "A", -1)], OCCUPIED) == []


@pytest.mark.parametrize(
    ("sites", "tests"),
    [
        ([("C1", "C", 0.1, 0.2, 0.3)], ["ISOLATED"]),
        ([("O1", "O", 0.1, 0.2, 0.3)], []),
        ([("C1", "C", 0.1, 0.2, 0.3), ("C2", "C", 0.25, 0.2, 0.3)], []),
        ([("C1", "C", 0.5, 0.5, 0.5), *[(f"F{n}", "F", *place) for n, place in enumerate([(0.635, 0.5, 0.5), (0.365, 0.5, 0.5), (0.5, 0.635, 0.5), (0.5, 0.365, 0.5), (0.5, 0.5, 0.635)])]], ["COORDINATION"]),
    ],
    ids=["a carbon atom alone", "an oxygen atom alone", "two carbon atoms", "five bonds"],
)  # fmt: skip
def test_numbers_of_neighbours(sites, tests):
    assert [alert.test for alert in found(checks.neighbours, sites)] == tests


def test_a_site_counts_as_often_as_symmetry_makes_it():
    columns = f"{PLAIN} symmetry_multiplicity"
    group = symops("x,y,z", "-x,-y,-z")
    right = [("C1", "C", 0.1, 0.2, 0.3, 2), ("O1", "O", 0, 0, 0, 1)]
    wrong = [("C1", "C", 0.1, 0.2, 0.3, 2), ("O1", "O", 0, 0, 0, 2)]
    assert found(checks.multiplicities, right, columns, group=group) == []
    (alert,) = found(checks.multiplicities, wrong, columns, group=group)
    assert "O1 has multiplicity 1, the file states 2" in alert.text


@pytest.mark.parametrize(
    ("distance", "level"),
    [(0.31, None), (0.30, "C"), (0.28, "C"), (0.26, "B")],
    ids=["3.1 Å", "3.0 Å", "2.8 Å", "2.6 Å"],
)
def test_contacts_count_from_what_the_radii_miss(distance, level):
    """Two C of different molecules: 2 · 1.70 Å; 0.35 Å less is an alert, 0.70 Å less an important one."""
    sites = [("C1", "C", 0.1, 0.2, 0.3), ("C2", "C", 0.1 + distance, 0.2, 0.3)]
    assert [alert.level for alert in found(checks.close_contacts, sites)] == ([level] if level else [])


@pytest.mark.parametrize("metal", ["Na", "Fe"])
def test_what_a_metal_binds_is_no_contact(metal):
    sites = [("M1", metal, 0.1, 0.2, 0.3), ("C1", "C", 0.36, 0.2, 0.3)]
    assert found(checks.close_contacts, sites) == []


@pytest.mark.parametrize(
    ("formula", "element", "alerts"),
    [("C H4", "C", 1), ("C D4", "C", 1), ("C H4", "H", 0), ("C O2", "C", 0), (None, "C", 0)],
)
def test_hydrogen_of_the_formula_is_in_the_model(formula, element, alerts):
    more = "" if formula is None else f"_chemical_formula_sum '{formula}'"
    assert len(found(checks.missing_hydrogens, [("X1", element, 0.1, 0.2, 0.3)], more=more)) == alerts


# ---------------------------------------------------------------- data

HEAD = "loop_\n" + "".join(f"_diffrn_refln_{name}\n" for name in ("index_h", "index_k", "index_l", "intensity_net", "intensity_u"))  # fmt: skip


def data(*rows):
    text = HEAD + "".join(f"{' '.join(map(str, row))}\n" for row in rows)
    sites = [("C1", "C", 0.1, 0.2, 0.3)]
    return {
        alert.test: alert.level
        for alert in found(data_checks.merging, sites, group=symops("x,y,z", "-x,-y,-z"), more=text)
    }


@pytest.mark.parametrize(
    ("second", "level"),
    [(100, None), (124, None), (130, "C"), (150, "C"), (151, "B")],
)
def test_the_spread_of_equivalents(second, level):
    """Two equivalents 100 and x: R(int) = (x − 100)/(x + 100): 0.107, 0.130, 0.2, 0.203."""
    assert data((1, 0, 0, 100, 1), (-1, 0, 0, second, 1)).get("R_INT") == level


@pytest.mark.parametrize(("intensity", "weak"), [(5, False), (4.9, True)])
def test_weak_data(intensity, weak):
    assert ("WEAK_DATA" in data((1, 0, 0, intensity, 1))) == weak


def test_without_reflections_the_check_says_that_it_cannot_run():
    with pytest.raises(QcError):
        found(data_checks.merging, [("C1", "C", 0.1, 0.2, 0.3)])
