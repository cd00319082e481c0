"""Measurements in a view against numbers by hand, and what has no value."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView

from ...conftest import write_cif

# In a cube of 10 Å: A-B 1 Å along a, B-C 1 Å along b, C-D 1 Å along c; E on the line A-B; F off the plane by 0.1 Å.
SITES = [
    ("A", "C", 0.1, 0.1, 0.1),
    ("B", "C", 0.2, 0.1, 0.1),
    ("C", "C", 0.2, 0.2, 0.1),
    ("D", "C", 0.2, 0.2, 0.2),
    ("E", "C", 0.3, 0.1, 0.1),
    ("F", "C", 0.1, 0.2, 0.11),
]


@pytest.fixture(scope="module")
def view():
    return StructureView(Structure.from_cif(write_cif((10, 10, 10, 90, 90, 90), SITES)), grow="none")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (("A", "B"), r"distance 1(\.0+)? Å"),
        (("A", "D"), r"distance 1\.73\d* Å"),
        (("A", "B", "C"), r"angle 90(\.0+)?°"),
        (("A", "B", "E"), r"angle 180(\.0+)?°"),
        (("A", "B", "C", "D"), r"torsion [−-]?90(\.0+)?°"),
    ],
)
def test_a_measurement_is_that_of_the_places(view, labels, sentence):
    import re

    assert re.fullmatch(sentence, view.measure(*labels)), view.measure(*labels)


def test_a_torsion_that_turns_left_has_a_minus_sign(view):
    """Looking from B to C, D lies anticlockwise or clockwise; the mirror image has the other sign."""
    one, other = view.measure("A", "B", "C", "D"), view.measure("D", "C", "B", "A")
    assert one == other
    assert "-" not in one


@pytest.mark.parametrize("labels", [(), ("A",), ("A", "A"), ("A", "B", "E", "C", "D"), ("A", "B", "E", "D")])
def test_what_has_no_value_is_refused(view, labels):
    with pytest.raises(UserInputError, match="can be measured"):
        view.measure(*labels)


def test_a_plane_names_how_far_each_atom_lies_from_it(view):
    """A, B, C in a plane and F 0.1 Å off one corner of the square: all four 0.025 Å away, r.m.s. 0.025 Å."""
    text = view.plane("A", "B", "C", "F")
    assert "r.m.s. deviation 0.025 Å" in text
    assert text.count("0.02") >= 4
    assert "−" in text


def test_three_atoms_lie_in_their_plane(view):
    assert view.plane("A", "B", "C").startswith("plane, r.m.s. deviation 0.000 Å")


@pytest.mark.parametrize(
    ("labels", "message"),
    [(("A", "B"), "three or more"), (("A", "B", "E"), "on a line"), (("A", "A", "B"), "different")],
    ids=["two", "on a line", "one twice"],
)
def test_what_spans_no_plane_is_refused_with_the_reason(view, labels, message):
    with pytest.raises(UserInputError, match=message):
        view.plane(*labels)


def test_an_atom_that_is_not_shown_is_named(view):
    with pytest.raises(UserInputError, match="no atom 'Z9' in the view"):
        view.measure("A", "Z9")


def test_the_angle_between_two_planes(view):
    """a b plane (A, B, C) and b c plane (B, C, D): 90°."""
    scene = view.scene
    rows = [[scene.labels.index(label) for label in labels] for labels in ("ABC", "BCD")]
    found = scene.plane(*rows)
    assert float(found.text.split("(")[0]) == pytest.approx(90)
    assert found.unit == "°"


def test_distances_over_symmetry_are_those_of_the_images_shown(thpp):
    view = StructureView(thpp, grow="none")
    scene = view.scene
    rows = [0, 5]
    expected = np.linalg.norm(scene.positions[rows[0]] - scene.positions[rows[1]])
    assert float(scene.measure(rows).text.split("(")[0]) == pytest.approx(expected, abs=2e-3)
