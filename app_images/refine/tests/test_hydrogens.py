"""Which hydrogen atoms carbon gets from its neighbours, angles and bond lengths, and what they are called."""

import numpy as np
import pytest
from qcrbox_refine.hydrogens import place_hydrogens
from qcrbox_refine.model import Atom
from small_models import model_in

CUBE = (12.0, 12.0, 12.0, 90, 90, 90)


def bonds(*lengths, angle=None):
    """Directions of so many bonds: at `angle` degrees in a plane, or those of a tetrahedron."""
    tetrahedron = [np.array(v) / np.sqrt(3) for v in [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]]
    directions = tetrahedron[: len(lengths)]
    if angle is not None:
        turns = np.radians([k * angle for k in range(len(lengths))])
        directions = [np.array([np.cos(t), np.sin(t), 0.0]) for t in turns]
    return [length * direction for length, direction in zip(lengths, directions, strict=True)]


def around(arms, elements=None, centre="C", **fields):
    """An atom with neighbours at these vectors (Å); by default of fluorine, which gets no hydrogen."""
    atoms = [Atom(f"{centre}1", centre, (0.5, 0.5, 0.5), u_iso=0.04, **fields)]
    for k, (arm, element) in enumerate(zip(arms, elements or ["F"] * len(arms), strict=True), start=1):
        atoms.append(Atom(f"{element}{k + 1}", element, tuple(0.5 + arm / 12), u_iso=0.03))
    return model_in(CUBE, "P 1", atoms)


def group_of(model):
    """AFIX code and number of the hydrogen atoms on the first atom."""
    own = [a for a in model.atoms if a.is_hydrogen and a.u_pivot is model.atoms[0]]
    return (own[0].group.code if own else None), len(own)


@pytest.mark.parametrize(
    ("arms", "elements", "expected"),
    [
        (bonds(1.53, 1.53, 1.53), "FFF", (13, 1)),
        (bonds(1.53, 1.53, 1.53, 1.53), "FFFF", (None, 0)),
        (bonds(1.40, 1.40, 1.40, angle=120), "FFF", (None, 0)),
        (bonds(1.53, 1.53), "SS", (43, 1)),
        (bonds(1.81, 1.81), "SS", (23, 2)),
        (bonds(1.39, 1.39, angle=120), "NN", (43, 1)),
        (bonds(1.47, 1.47, angle=110), "NN", (23, 2)),
        (bonds(1.20, 1.40, angle=178), "NF", (None, 0)),
        (bonds(1.81), "S", (137, 3)),
        (bonds(1.47), "N", (137, 3)),
        (bonds(1.15), "N", (None, 0)),
    ],
    ids=["three bonds", "four", "planar", "short to sulfur", "long to sulfur", "aromatic", "methylene", "linear", "thiomethyl", "methyl on nitrogen", "nitrile"],
)  # fmt: skip
def test_carbon_is_judged_by_its_bonds(arms, elements, expected):
    model = around(arms, list(elements))
    place_hydrogens(model)
    assert group_of(model) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [(1.54, (137, 3)), (1.45, (137, 3)), (1.34, (93, 2)), (1.19, (163, 1))],
    ids=["single", "short single", "double", "triple"],
)
def test_a_terminal_carbon_is_judged_by_the_order_of_its_bond(length, expected):
    model = around(bonds(length), ["C"])
    place_hydrogens(model)
    assert group_of(model) == expected


@pytest.mark.parametrize("k", [1.2, 1.5])
def test_displacements_are_multiples_of_those_of_the_carbon_atom(k):
    model = around(bonds(1.81) if k == 1.5 else bonds(1.53, 1.53, 1.53), ["S"] if k == 1.5 else ["F"] * 3)
    place_hydrogens(model)
    hydrogens = [atom for atom in model.atoms if atom.is_hydrogen]
    assert {(atom.u_factor, round(atom.u_iso, 6)) for atom in hydrogens} == {(k, 0.04 * k)}


@pytest.mark.parametrize(("kelvin", "length"), [(None, 0.98), (293.0, 0.98), (240.0, 0.99), (100.0, 1.00)])
def test_bonds_are_longer_at_low_temperature(kelvin, length):
    model = around(bonds(1.53, 1.53, 1.53))
    model.temperature_k = kelvin
    place_hydrogens(model)
    (hydrogen,) = [atom for atom in model.atoms if atom.is_hydrogen]
    assert model.symmetry.unit_cell().distance(hydrogen.site, model.atoms[0].site) == pytest.approx(length)


@pytest.mark.parametrize(
    ("centre", "arms"), [("N", bonds(1.47)), ("O", bonds(1.42)), ("N", bonds(1.40, 1.40))]
)
def test_what_geometry_alone_does_not_decide_is_left_out_and_named(centre, arms):
    model = around(arms, ["C"] * len(arms), centre)
    # Only the centre is asked, so that carbon gets nothing.
    model.atoms[0].lacks_hydrogen = True
    assert place_hydrogens(model, only_asked=True) == []
    assert "without reflections it was not placed" in model.notes[0]
    assert model.left_out[0].text == f"hydrogens {centre}1"


def test_an_atom_on_a_symmetry_element_is_named_and_gets_nothing():
    model = model_in(CUBE, "P 1 2/m 1", [Atom("C1", "C", (0.5, 0.5, 0.5)), Atom("O1", "O", (0.5, 0.62, 0.5))])
    place_hydrogens(model)
    assert not any(atom.is_hydrogen for atom in model.atoms)
    assert any("C1 lies on a symmetry element" in note for note in model.notes)


@pytest.mark.parametrize(
    ("label", "count", "names"),
    [
        ("C1", 1, ["H1"]),
        ("C12", 3, ["H12A", "H12B", "H12C"]),
        ("C7A", 2, ["H7AA", "H7AB"]),
        ("CA", 1, ["HA"]),
    ],
)
def test_hydrogen_is_named_after_its_carbon_atom(label, count, names):
    arms, elements = {
        1: (bonds(1.53, 1.53, 1.53), ["F"] * 3),
        2: (bonds(1.81, 1.81), ["S"] * 2),
        3: (bonds(1.81), ["S"]),
    }[count]
    model = around(arms, elements)
    model.atoms[0].label = label
    assert place_hydrogens(model) == names
    place = [atom.label for atom in model.atoms].index(label)
    assert [atom.label for atom in model.atoms[place + 1 : place + 1 + count]] == names


def test_a_name_that_is_taken_is_not_given_again():
    model = around(bonds(1.53, 1.53, 1.53))
    model.atoms.append(Atom("H1", "H", (0.0, 0.0, 0.0)))
    (added,) = place_hydrogens(model)
    assert added != "H1"
    assert len({atom.label for atom in model.atoms}) == len(model.atoms)


def test_each_conformer_of_a_neighbour_gives_hydrogen_of_its_own():
    """C1 between F2 and a sulfur atom in two places: two CH2, with the occupancies and parts of those places."""
    first, second = bonds(1.81, 1.81)
    turned = np.array([[0.9, 0.1, 0.0], [-0.1, 0.9, 0.2], [0.0, -0.2, 0.9]]) @ second
    model = around([first, second, turned * 1.81 / np.linalg.norm(turned)], ["S"] * 3)
    for atom, part, share in zip(model.atoms[2:], (1, 2), (0.7, 0.3), strict=True):
        atom.part, atom.occupancy, atom.assembly = part, share, "A"
    place_hydrogens(model)
    hydrogens = [atom for atom in model.atoms if atom.is_hydrogen]
    assert sorted((atom.part, atom.occupancy, atom.assembly) for atom in hydrogens) == [
        (1, 0.7, "A"),
        (1, 0.7, "A"),
        (2, 0.3, "A"),
        (2, 0.3, "A"),
    ]
