"""Structures compared whatever their setting, origin, hand and labels."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.difference.crystal import crystal_difference
from qcrbox.crystallography.structure import Structure

from ...conftest import symops, write_cif

SITES = [
    ("S1", "S", 0.1200, 0.2100, 0.3300),
    ("C1", "C", 0.2500, 0.2900, 0.4000),
    ("N1", "N", 0.4800, 0.3100, 0.5200),
    ("O1", "O", 0.6100, 0.2700, 0.5500),
]
P21C = symops("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")
P21A = symops("x,y,z", "-x+1/2,y+1/2,-z", "-x,-y,-z", "x+1/2,-y+1/2,z")


def structure(sites=SITES, cell=(10, 11, 12, 90, 97, 90), group=P21C):
    return Structure.from_cif(write_cif(cell, sites, group=group))


def moved(change):
    return [(label, element, *(f"{x:.6f}" for x in change(*place))) for label, element, *place in SITES]


@pytest.mark.parametrize(
    ("lengths"),
    [(10, 11, 12), (10, 11, 11.5), (8, 9, 8.3), (20, 21, 29)],
    ids=["2 Å apart", "1.5 Å apart", "0.3 Å apart", "9 Å apart"],
)
def test_axes_that_were_exchanged_are_recognised_however_alike_they_are(lengths):
    """P 21/c to P 21/a: a' = c, b' = −b, c' = a keeps the hand; x' = z, y' = −y, z' = x."""
    a, b, c = lengths
    first = structure(cell=(a, b, c, 90, 97, 90))
    second = structure(moved(lambda x, y, z: (z, -y, x)), (c, b, a, 90, 97, 90), P21A)
    found = crystal_difference(first, second)
    assert found.operation.startswith("change of axes")
    assert max(atom.shift for atom in found.atoms) < 1e-3
    assert not found.notes


def test_a_structure_in_its_own_setting_has_no_change_of_axes():
    assert crystal_difference(structure(), structure()).operation == ""


@pytest.mark.parametrize(
    ("change", "operation"),
    [
        (lambda x, y, z: (x + 0.5, y, z), "origin shift 1/2, 0, 0"),
        (lambda x, y, z: (x, y + 0.5, z + 0.5), "origin shift 0, 1/2, 1/2"),
        (lambda x, y, z: (1 - x, -y, 2 - z), ""),
        (lambda x, y, z: (x + 3, y - 2, z), ""),
    ],
    ids=["half of a", "half of b and c", "another image", "another cell"],
)
def test_origins_and_images_are_told_apart(change, operation):
    found = crystal_difference(structure(), structure(moved(change)))
    assert sorted(found.operation.replace("origin shift ", "").split(", ")) == sorted(
        operation.replace("origin shift ", "").split(", ")
    )
    assert max(atom.shift for atom in found.atoms) < 1e-3


def test_the_shift_is_that_of_the_metric():
    """0.01 along a and 0.01 along c of a cell with β = 97°: √((0.1² + 0.12² + 2·0.1·0.12·cos 97°)) Å."""
    sites = [
        (label, element, x + 0.01 * (label == "O1"), y, z + 0.01 * (label == "O1"))
        for label, element, x, y, z in SITES
    ]
    found = crystal_difference(structure(), structure(sites))
    (atom,) = found.changed()
    expected = np.sqrt(0.1**2 + 0.12**2 + 2 * 0.1 * 0.12 * np.cos(np.radians(97)))
    assert (atom.label, atom.shift) == ("O1", pytest.approx(expected, abs=1e-6))


def test_an_atom_of_another_element_on_the_place_is_lost_and_new():
    sites = [("O2", "N", *SITES[3][2:]) if label == "O1" else (label, *rest) for label, *rest in SITES]
    found = crystal_difference(structure(), structure(sites))
    assert (found.only_first, found.only_second, found.renamed) == (["O1"], ["O2"], [])


def test_every_label_changed_is_a_renaming_of_all():
    sites = [(f"X{n}", element, *place) for n, (_, element, *place) in enumerate(SITES)]
    found = crystal_difference(structure(), structure(sites))
    assert found.renamed == [("S1", "X0"), ("C1", "X1"), ("N1", "X2"), ("O1", "X3")]
    assert found.only_first == found.only_second == []


def test_other_operations_are_another_group():
    p1 = structure(group=symops("x,y,z"))
    assert crystal_difference(structure(), p1).space_group is not None
    assert crystal_difference(structure(), structure()).space_group is None


def test_a_change_of_the_cell_without_su_has_no_number_of_su():
    found = crystal_difference(structure(), structure(cell=(10.02, 11, 12, 90, 97, 90)))
    assert found.cell == {"a": (10.0, 10.02, None)}
