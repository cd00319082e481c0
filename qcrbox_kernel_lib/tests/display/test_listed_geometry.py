"""Lengths and angles of a report are those that the file lists where they fit its coordinates."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.cif.convert import unify
from qcrbox.cif.values import Number
from qcrbox.display.listed_geometry import ListedGeometry

BONDS = """data_x
loop_
_geom_bond_atom_site_label_1
_geom_bond_atom_site_label_2
_geom_bond_distance
_geom_bond_site_symmetry_2
C1 O1 1.2250(19) .
C1 C2 1.531(3) ?
C2 C2 1.4012(15) 3_655
C2 C2 1.4019(22) 2_555
C3 C4 1.3900 .
"""
ANGLES = """data_x
loop_
_geom_angle_atom_site_label_1
_geom_angle_atom_site_label_2
_geom_angle_atom_site_label_3
_geom_angle
_geom_angle_site_symmetry_1
_geom_angle_site_symmetry_3
O1 C1 C2 120.13(14) . 2_555
O1 C1 C3 109.5 . .
"""


def computed(value: float, su: float | None = 0.004) -> Number:
    return Number.of(f"{value:.6f}", su)


@pytest.fixture(params=["as written", "s.u. in columns"])
def listed(request):
    def of(text: str) -> ListedGeometry:
        block = read(text)[0] if request.param == "as written" else unify(text).block
        return ListedGeometry(block)

    return of


@pytest.mark.parametrize(
    ("labels", "code", "value", "expected"),
    [
        (("C1", "O1"), ".", 1.22497, "1.2250(19)"),
        (("O1", "C1"), ".", 1.22497, "1.2250(19)"),
        (("C1", "C2"), ".", 1.5306, "1.531(3)"),
        (("C2", "C2"), "3_655", 1.4015, "1.4012(15)"),
        (("C2", "C2"), "2", 1.4015, "1.4019(22)"),
        (("C3", "C4"), ".", 1.39, "1.3900"),
    ],
    ids=[
        "as listed",
        "turned round",
        "unknown code",
        "by its code",
        "code without translation",
        "rigid, no s.u.",
    ],
)
def test_a_bond_has_the_number_of_the_list(listed, labels, code, value, expected):
    geometry = listed(BONDS)
    assert geometry.bond(labels, code, computed(value)) == expected
    assert not geometry.estimated


@pytest.mark.parametrize(
    ("labels", "code", "value"),
    [(("C1", "O1"), ".", 1.2272), (("C1", "C9"), ".", 1.5), (("C2", "C2"), "4_565", 1.4015)],
    ids=["moved since", "not listed", "one of two that differ"],
)
def test_another_bond_is_computed_and_said_to_be(listed, labels, code, value):
    geometry = listed(BONDS)
    assert geometry.bond(labels, code, computed(value)) == str(computed(value))
    assert geometry.estimated


def test_a_bond_without_su_is_no_estimate(listed):
    geometry = listed(BONDS)
    assert geometry.bond(("C1", "H1"), ".", computed(0.95, None)) == "0.950000"
    assert not geometry.estimated


def test_angles_are_found_from_both_ends(listed):
    geometry = listed(ANGLES)
    value = Number.of("120.1400", "0.2")
    assert geometry.angle(("O1", "C1", "C2"), (".", "2_555"), value) == "120.13(14)"
    assert geometry.angle(("C2", "C1", "O1"), ("2_555", "."), value) == "120.13(14)"
    assert geometry.angle(("C3", "C1", "O1"), (".", "."), Number.of("109.4800", "0.2")) == "109.5"


def test_a_list_without_any_su_says_less_than_the_coordinates(listed):
    geometry = listed(BONDS.replace("(19)", "").replace("(3)", "").replace("(15)", "").replace("(22)", ""))
    assert geometry.bond(("C1", "O1"), ".", computed(1.2249)) == "1.225(4)"
    assert geometry.estimated


def test_numbers_of_hydrogen_bonds_have_each_their_own(listed):
    geometry = listed(
        "data_x\nloop_\n_geom_hbond_atom_site_label_D\n_geom_hbond_atom_site_label_H\n_geom_hbond_atom_site_label_A\n"
        "_geom_hbond_distance_DA\n_geom_hbond_angle_DHA\nN1 H1 O1 2.9876(13) 170.1(12)\n"
    )
    labels = ("N1", "H1", "O1")
    assert geometry.hydrogen_bond(labels, "distance_DA", computed(2.9874)) == "2.9876(13)"
    assert geometry.hydrogen_bond(labels, "angle_DHA", Number.of("170.12", "1")) == "170.1(12)"
    assert geometry.hydrogen_bond(labels, "distance_HA", computed(2.1)) == "2.100(4)"
