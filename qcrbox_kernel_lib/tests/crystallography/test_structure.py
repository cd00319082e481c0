"""A structure: what it is made from, what it refuses, and its tables by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography.structure import Structure

from ..conftest import symops, write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z occupancy"


@pytest.fixture(scope="module")
def square() -> Structure:
    """Four carbon atoms on the corners of a square of 1.5 Å in a cubic cell of 15 Å, and one above the first."""
    sites = [
        ("C1", "C", 0.1, 0.1, 0.1, 1),
        ("C2", "C", 0.2, 0.1, 0.1, 1),
        ("C3", "C", 0.2, 0.2, 0.1, 1),
        ("C4", "C", 0.1, 0.2, 0.1, 1),
        ("O5", "O", 0.1, 0.1, 0.2, 0.5),
    ]
    more = "_chemical_formula_sum 'C4 O0.5'\n_cell_formula_units_Z 1"
    return Structure.from_cif(write_cif((15, 15, 15, 90, 90, 90), sites, COLUMNS, more=more))


def test_distances_of_the_square_by_hand(square):
    assert square.distance("C1", "C2").value == pytest.approx(1.5)
    assert square.distance("C1", "C3").value == pytest.approx(1.5 * math.sqrt(2), abs=1e-4)
    assert square.distance("C2", "O5").value == pytest.approx(1.5 * math.sqrt(2), abs=1e-4)
    assert square.distance("C1", ("C1", "1_655")).value == pytest.approx(15)
    assert square.distance("C1", "C1").value == 0


def test_angles_of_the_square_by_hand(square):
    assert square.angle("C1", "C2", "C3").value == pytest.approx(90)
    assert square.angle("C2", "C1", "C3").value == pytest.approx(45)
    assert square.angle("C1", "C2", ("C1", "1_655")).value == pytest.approx(180)


@pytest.mark.parametrize(
    ("atoms", "degrees"),
    [
        (("C1", "C2", "C3", "C4"), 0),
        (("O5", "C1", "C2", "C3"), -90),
        (("C3", "C2", "C1", "O5"), -90),
        (("C4", "C1", "C2", "C3"), 0),
        (("O5", "C1", "C2", ("O5", "1_654")), 180),
    ],
    ids=str,
)
def test_torsions_of_the_square_by_hand(square, atoms, degrees):
    """A torsion read backwards is the same; seen along the middle bond, a clockwise turn is positive."""
    assert square.torsion(*atoms).value == pytest.approx(degrees, abs=1e-3)
    assert square.torsion(*reversed(atoms)).value == pytest.approx(degrees, abs=1e-3)


def test_the_plane_of_the_square_and_an_atom_beside_it(square):
    plane = square.plane("C1", "C2", "C3", "C4")
    assert np.abs(plane.normal) == pytest.approx([0, 0, 1], abs=1e-9)
    assert plane.rms == pytest.approx(0, abs=1e-9)
    tilted = square.plane("C1", "C4", "O5")
    assert plane.angle_to(tilted) == pytest.approx(90)
    assert plane.angle_to(plane) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda s: s.distance("C1", "C9"), "There is no atom 'C9'"),
        (lambda s: s.distance("C1", ("C2", "9_555")), "names operation 9, which the file does not have"),
        (lambda s: s.distance("C1", ("C2", "x")), "names operation x"),
        (lambda s: s.distance("C1", ("C2", "1_5")), "is not a symmetry code"),
        (lambda s: s.plane("C1", "C2"), "A plane needs three atoms"),
        (lambda s: s.plane("C1", "C2", ("C1", "1_655")), "lie on a line"),
        (lambda s: s.torsion("C1", "C2", ("C1", "1_655"), "C3"), "lie on a line"),
        (lambda s: s.grow("star"), "'star' is not a way of growing"),
        (lambda s: s.grow("radius", radius=0), "A radius of 0 Å cannot be used"),
        (lambda s: s.grow("radius", radius=51), "A radius of 51 Å cannot be used"),
        (lambda s: s.grow("radius", radius=math.nan), "A radius of nan Å cannot be used"),
        (lambda s: s.pack(((0, 1), (1, 0), (0, 1))), "needs its lower bound first"),
        (lambda s: s.pack(((0, 1), (0, 0), (0, 1))), "needs its lower bound first"),
        (lambda s: s.pack(((0, 1), (0, 1))), "along each of the three axes"),
        (lambda s: s.pack(((0, 1), (0, 1), (0,))), "along each of the three axes"),
        (lambda s: s.pack(((0, 1), (0, 1), (0, math.nan))), "along each of the three axes"),
        (lambda s: s.pack(((0, 1), (0, 1), (0, math.inf))), "along each of the three axes"),
        (lambda s: s.pack(((0, 1000), (0, 1000), (0, 1000))), "the limit is"),
        (lambda s: s.grow(disorder="most"), "is not a choice of disorder"),
    ],
)
def test_what_cannot_be_asked_for_is_said(square, act, words):
    with pytest.raises((UserInputError, CifError)) as caught:
        act(square)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("ranges", "count"),
    [
        (((0, 1), (0, 1), (0, 1)), 5),
        (((0, 2), (0, 1), (0, 1)), 10),
        (((-1, 1), (-1, 1), (-1, 1)), 40),
        (((0, 0.15), (0, 0.15), (0, 0.15)), 1),
        (((0.1, 0.2), (0.1, 0.2), (0.1, 0.1001)), 4),
        (((0.3, 0.9), (0.3, 0.9), (0.3, 0.9)), 0),
    ],
    ids=str,
)
def test_boxes_hold_the_atoms_inside_of_them_and_on_their_faces(square, ranges, count):
    assert len(square.pack(ranges)) == count


@pytest.mark.parametrize(
    ("radius", "labels"), [(1.0, []), (1.6, ["C2", "C4", "O5"]), (2.2, ["C2", "C3", "C4", "O5"])], ids=str
)
def test_a_sphere_around_an_atom_holds_what_is_near(square, radius, labels):
    start = square.asymmetric_unit
    first = start.select(np.array([label == "C1" for label in start.label]))
    assert sorted(square.grow("radius", atoms=first, radius=radius).label) == ["C1", *labels]


def test_growing_by_nothing_gives_the_same_atoms(square):
    assert square.grow("none").label == square.sites.label
    assert square.grow("none").code == ["."] * 5


def test_content_formula_and_sites(square):
    assert square.cell_content == {"C": 4.0, "O": 0.5}
    assert square.formula == "C4 O0.5"
    assert square.z == 1
    assert square.site_symmetry("C1") == "1"
    assert repr(square) == "<Structure made: C4 O0.5, P 1, 5 sites>"


def test_without_a_stated_formula_it_is_counted():
    structure = Structure.from_cif(write_cif(sites=[("C1", "C", 0.1, 0.2, 0.3), ("O1", "O", 0.5, 0.5, 0.5)]))
    assert structure.formula == "C O"


def test_bonds_and_angles_are_listed_once(square):
    pairs = sorted((bond.label_1, bond.label_2) for bond in square.bonds())
    assert pairs == [("C1", "C2"), ("C1", "C4"), ("C1", "O5"), ("C2", "C3"), ("C3", "C4")]
    apexes = sorted(angle.label_2 for angle in square.angles())
    # C1 has three neighbours and three angles, the other corners one each.
    assert apexes == ["C1", "C1", "C1", "C2", "C3", "C4"]


def test_images_of_a_screw_axis_are_named_by_their_codes():
    """Two atoms 1.5 Å apart across the axis 2(1): the second is -x, y+1/2, -z of the first, in the next cell down."""
    text = write_cif(
        (20, 1.0, 20, 90, 90, 90),
        [("C1", "C", 0.03, 0.25, 0.0)],
        group=symops("x,y,z", "-x,y+1/2,-z"),
    )
    structure = Structure.from_cif(text)
    # dx = 2 * 0.03 * 20 = 1.2, dy = 0.5: 1.3 Å.
    assert structure.distance("C1", ("C1", "2_555")).value == pytest.approx(1.3)
    assert structure.distance("C1", ("C1", "2_545")).value == pytest.approx(1.3)
    assert structure.space_group.readable(1, (0, -1, 0)) == "-x, y-1/2, -z"


@pytest.mark.parametrize("block", [None, "b", 1])
def test_of_several_blocks_with_atoms_one_is_chosen(block):
    both = write_cif().replace("data_made", "data_a") + write_cif().replace("data_made", "data_b")
    if block is None:
        with pytest.raises(CifError, match=r"2 blocks with atoms, and none was chosen\. Blocks: a, b\."):
            Structure.from_cif(both)
    else:
        assert Structure.from_cif(both, block).name == "b"


def test_the_same_structure_in_any_order_of_atoms_and_operations():
    rows = [("C1", "C", 0.1, 0.2, 0.3), ("O1", "O", 0.15, 0.25, 0.35), ("N1", "N", 0.2, 0.15, 0.3)]
    operations = ["x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"]
    cell = (9, 10, 11, 90, 95, 90)
    made = [
        Structure.from_cif(write_cif(cell, order, group=symops(*listed)))
        for order, listed in ((rows, operations), (rows[::-1], operations), (rows, operations[::-1]))
    ]
    lengths = [sorted(round(bond.length.value, 4) for bond in structure.bonds()) for structure in made]
    assert lengths[0]
    assert lengths[0] == lengths[1] == lengths[2]
    assert len({structure.space_group.hm for structure in made}) == 1
    assert [structure.cell_content for structure in made] == [{"C": 4, "O": 4, "N": 4}] * 3
