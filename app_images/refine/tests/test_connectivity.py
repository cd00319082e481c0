"""Distances over symmetry, bonds, and which partial atoms are alternatives."""

import gemmi
import numpy as np
import pytest
from qcrbox.crystallography.shelx import read_instructions
from qcrbox_refine.connectivity import (
    assign_alternatives,
    distance,
    metric_tensor,
    neighbours,
    occupancy_pairs,
    shared_sites,
)
from qcrbox_refine.model import Atom, Placed
from qcrbox_refine.parameters import FIXED, tied
from small_models import model_in

CELL = (7.0, 8.0, 9.0, 90.0, 103.0, 90.0)
GROUPS = ["P -1", "P 1 21/c 1", "C 1 2/c 1", "P 21 21 21", "I 41/a :2", "R -3 :H"]
CELLS = {"P -1": (7, 8, 9, 71, 103, 96), "P 21 21 21": (7, 8, 9, 90, 90, 90), "I 41/a :2": (7, 7, 9, 90, 90, 90), "R -3 :H": (7, 7, 9, 90, 90, 120)}  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("second", [(0.13, 0.22, 0.35), (0.9, 0.8, 0.7), (5.6, -3.1, 0.04)])
def test_the_shortest_distance_is_that_of_gemmi(group, second):
    first = (0.11, 0.27, 0.31)
    model = model_in(CELLS.get(group, CELL), group, [Atom("C1", "C", first), Atom("C2", "C", second)])
    cell = gemmi.UnitCell(*CELLS.get(group, CELL))
    apart = [
        np.array(operation.apply_to_xyz(second)) - first
        for operation in gemmi.SpaceGroup(group.replace(" :", ":")).operations()
    ]
    expected = min(
        cell.orthogonalize(gemmi.Fractional(*(d - np.rint(d) + shift))).length()
        for d in apart
        for shift in np.array(list(np.ndindex(3, 3, 3))) - 1
    )
    assert distance(model, 0, 1) == pytest.approx(expected, abs=1e-6)


def test_the_metric_tensor_gives_lengths():
    model = model_in((7, 8, 9, 71, 103, 96), "P 1", [])
    cell = model.symmetry.unit_cell()
    vector = np.array([0.3, -0.7, 1.2])
    assert vector @ metric_tensor(cell) @ vector == pytest.approx(cell.length(tuple(vector)) ** 2)


def test_neighbours_are_listed_nearest_first_with_their_images():
    """C1 beside a centre: its own image 1.5 Å away, O1 at 1.2 Å, N1 too far."""
    cell = (10.0, 10.0, 10.0, 90, 90, 90)
    atoms = [
        Atom("C1", "C", (0.075, 0.0, 0.0)),
        Atom("O1", "O", (0.075, 0.12, 0.0)),
        Atom("N1", "N", (0.075, 0.0, 0.3)),
    ]
    model = model_in(cell, "P -1", atoms)
    found = neighbours(model, model.structure())
    assert [(bond.index, round(bond.distance, 3)) for bond in found[0]] == [(1, 1.2), (0, 1.5)]
    assert found[0][1].symmetry.as_xyz() == "-x,-y,-z"
    assert found[0][1].site == pytest.approx([-0.75, 0, 0])
    assert found[2] == []


@pytest.mark.parametrize(
    ("parts", "bonded"),
    [
        ((0, 0), True),
        ((1, 1), True),
        ((0, 2), True),
        ((1, 2), False),
        ((-1, 1), False),
        ((-1, -1), True),
        ((-1, 0), True),
    ],
)
def test_atoms_of_different_disorder_groups_are_not_bonded(parts, bonded):
    atoms = [Atom(f"C{i}", "C", (0.1 + 0.15 * i, 0.1, 0.1), part=part) for i, part in enumerate(parts)]
    model = model_in((10, 10, 10, 90, 90, 90), "P 1", atoms)
    assert bool(neighbours(model, model.structure())[0]) is bonded
    # CONN builds the table anew, by the same rule.
    model.placed = [Placed(read_instructions("CONN 12 C0").instructions[0])]
    assert bool(neighbours(model, model.structure())[0]) is bonded


def test_a_molecule_disordered_about_a_centre_keeps_its_bonds_and_gets_none_to_its_image():
    """PART -1: toluene on an inversion centre, say. Its atoms are bonded to one another as in any molecule."""
    sites = [(0.02, 0.01, 0.0), (0.14, 0.07, 0.0), (0.26, 0.0, 0.0)]
    atoms = [Atom(f"C{i}", "C", site, 0.5, part=-1) for i, site in enumerate(sites)]
    model = model_in((10, 10, 10, 90, 90, 90), "P -1", atoms)
    found = neighbours(model, model.structure())
    assert [[bond.index for bond in bonds] for bonds in found] == [[1], [0, 2], [1]]
    assert all(bond.symmetry.is_unit_mx() for bonds in found for bond in bonds)
    for atom in atoms:
        atom.part = 1
    assert any(not bond.symmetry.is_unit_mx() for bond in neighbours(model, model.structure())[0])


def two(p, q, apart=0.6, **fields):
    """Two partial atoms, so many Å apart."""
    return model_in(
        (10, 10, 10, 90, 90, 90),
        "P 1",
        [
            Atom("C1", "C", (0.1, 0.1, 0.1), p, **fields),
            Atom("C2", "C", (0.1 + apart / 10, 0.1, 0.1), q, **fields),
        ],
    )


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (two(0.7, 0.3), [1, 2]),
        (two(0.3, 0.7), [2, 1]),
        (two(0.5, 0.5), [1, 2]),
        (two(0.7, 0.2), [0, 0]),
        (two(0.7, 0.3, apart=1.3), [0, 0]),
        (two(1.0, 1.0), [0, 0]),
        (two(0.7, 0.3, part=3), [3, 3]),
    ],
    ids=[
        "major first",
        "major last",
        "equal",
        "not one together",
        "too far",
        "whole atoms",
        "in groups already",
    ],
)
def test_partial_atoms_near_each_other_that_add_up_to_one_are_alternatives(model, parts):
    assign_alternatives(model)
    assert [atom.part for atom in model.atoms] == parts
    assert (model.atoms[0].assembly == model.atoms[1].assembly == "A") is (1 in parts)
    assert bool(model.notes) is (1 in parts)


def test_alternatives_of_one_occupancy_are_one_assembly_and_others_are_another():
    sites = [(0.1, 0.7), (0.15, 0.3), (0.4, 0.7), (0.45, 0.3), (0.7, 0.6), (0.75, 0.4)]
    atoms = [Atom(f"C{i}", "C", (x, 0.1, 0.1), share) for i, (x, share) in enumerate(sites)]
    model = model_in((10, 10, 10, 90, 90, 90), "P 1", atoms)
    model.atoms.append(Atom("N1", "N", (0.1, 0.6, 0.6), assembly="A", part=1))
    assign_alternatives(model)
    assert [atom.assembly for atom in model.atoms[:6]] == ["B", "B", "B", "B", "C", "C"]
    assert [atom.part for atom in model.atoms[:6]] == [1, 2] * 3


@pytest.mark.parametrize(
    ("model", "groups"),
    [
        (two(0.7, 0.3, apart=0.0), [[0, 1]]),
        (two(0.7, 0.3, apart=0.04), [[0, 1]]),
        (two(0.7, 0.3, apart=0.1), []),
        (two(1.0, 1.0, apart=0.0), []),
        (two(0.7, 0.3, apart=0.0, occupancy_coding=FIXED), []),
    ],
    ids=["one site", "nearly one site", "two sites", "whole atoms", "stated by the input"],
)
def test_elements_on_one_site_share_it(model, groups):
    assert shared_sites(model) == groups


def pair(p, q, *, assembly="A", parts=(1, 2), coding=None):
    atoms = [
        Atom(f"C{i}", "C", (0.1 + 0.07 * i, 0.1, 0.1), share, part=part, assembly=assembly)
        for i, (share, part) in enumerate(zip((p, q), parts, strict=True))
    ]
    if coding:
        atoms[0].occupancy_coding = coding
    return model_in((10, 10, 10, 90, 90, 90), "P 1", atoms)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (pair(0.7, 0.3), [([0], [1])]),
        (pair(0.3, 0.7, parts=(2, 1)), [([1], [0])]),
        (pair(0.7, 0.2), []),
        (pair(0.5, 0.5, parts=(1, 1)), []),
        (pair(0.5, 0.5, parts=(-1, -1)), []),
        (pair(0.7, 0.3, coding=tied(2, 1.0)), []),
        (pair(0.7, 0.3, coding=FIXED), []),
    ],
    ids=[
        "two groups",
        "order of the groups",
        "not one together",
        "one group",
        "negative group",
        "tied",
        "fixed",
    ],
)
def test_two_groups_that_add_up_to_one_are_refined_with_one_variable(model, expected):
    assert occupancy_pairs(model) == expected
