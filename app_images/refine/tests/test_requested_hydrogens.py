"""HFIX: every geometry that an instruction may ask for, with its distances, angles, displacements and occupancies."""

import numpy as np
import pytest
from qcrbox_refine.requested_hydrogens import place_requested
from small_models import shelx_model

CUBE = {"cell": "0.71073 10 10 10 90 90 90", "elements": "C H N O B"}
# Places of neighbours around C1 at 0.5 0.5 0.5, Å from it.
TETRAHEDRAL = [(0.89, 0.89, 0.89), (0.89, -0.89, -0.89), (-0.89, 0.89, -0.89)]
PLANAR = [(1.4, 0.0, 0.0), (-0.7, 1.212, 0.0)]


def lines(places, centre="C1 1"):
    rows = [f"{centre} 0.5 0.5 0.5 11 0.04"]
    rows += [
        f"C{k} 1 {0.5 + x / 10:.5f} {0.5 + y / 10:.5f} {0.5 + z / 10:.5f} 11 0.03"
        for k, (x, y, z) in enumerate(places, start=2)
    ]
    return "\n".join(rows)


def placed(instruction, places, centre="C1 1", extra=""):
    model = shelx_model(lines(places, centre) + extra, instruction, **CUBE)
    return model, place_requested(model)


def arms(model):
    """Vectors from the pivot to its hydrogen atoms and to the others, Å."""
    pivot = np.array(model.atoms[0].site)
    vectors = [(atom, (np.array(atom.site) - pivot) * 10) for atom in model.atoms[1:]]
    return (
        [v for atom, v in vectors if atom.is_hydrogen],
        [v for atom, v in vectors if not atom.is_hydrogen],
    )


def angles(first, second):
    return [
        float(np.degrees(np.arccos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1))))
        for u in first
        for v in second
    ]


@pytest.mark.parametrize(
    # Distances of SHELXL at room temperature.
    ("code", "places", "centre", "count", "length", "to_others"),
    [
        (13, TETRAHEDRAL, "C1 1", 1, 0.98, 109.47),
        (23, TETRAHEDRAL[:2], "C1 1", 2, 0.97, None),
        (33, TETRAHEDRAL[:1], "C1 1", 3, 0.96, 109.47),
        (43, PLANAR, "C1 1", 1, 0.93, 120.0),
        (43, PLANAR, "N1 3", 1, 0.86, 120.0),
        (83, PLANAR[:1], "O1 4", 1, 0.82, 109.47),
        (93, PLANAR[:1], "C1 1", 2, 0.93, 120.0),
        (93, PLANAR[:1], "N1 3", 2, 0.86, 120.0),
        (123, TETRAHEDRAL[:1], "C1 1", 6, 0.96, 109.47),
        (137, TETRAHEDRAL[:1], "C1 1", 3, 0.96, 109.47),
        (137, TETRAHEDRAL[:1], "N1 3", 3, 0.89, 109.47),
        (147, PLANAR[:1], "O1 4", 1, 0.82, 109.47),
        (163, PLANAR[:1], "C1 1", 1, 0.93, 180.0),
    ],
)
def test_the_geometry_is_that_of_the_code(code, places, centre, count, length, to_others):
    model, added = placed(f"HFIX {code} {centre.split()[0]}", places, centre)
    hydrogens, others = arms(model)
    assert len(added) == len(hydrogens) == count
    assert [np.linalg.norm(arm) for arm in hydrogens] == pytest.approx([length] * count, abs=1e-6)
    if to_others is not None:
        assert angles(hydrogens, others) == pytest.approx([to_others] * count * len(others), abs=0.05)
    assert len({id(atom.group) for atom in model.atoms if atom.is_hydrogen}) == 1
    assert {atom.group.code for atom in model.atoms if atom.is_hydrogen} == {code}
    assert model.left_out == []


def test_three_hydrogen_atoms_are_a_third_of_a_turn_apart():
    model, _ = placed("HFIX 33 C1", TETRAHEDRAL[:1])
    hydrogens, _ = arms(model)
    between = [angles([u], [v])[0] for i, u in enumerate(hydrogens) for v in hydrogens[:i]]
    assert between == pytest.approx([109.47] * 3, abs=0.05)


def test_two_sets_of_a_disordered_methyl_group_are_half_occupied_and_turned_by_60_degrees():
    model, _ = placed("HFIX 123 C1", TETRAHEDRAL[:1])
    hydrogens = [atom for atom in model.atoms if atom.is_hydrogen]
    assert [atom.occupancy for atom in hydrogens] == [0.5] * 6
    assert all(atom.occupancy_coding.is_fixed for atom in hydrogens)
    vectors, others = arms(model)
    axis = others[0] / np.linalg.norm(others[0])
    flat = [v - (v @ axis) * axis for v in vectors]
    turns = sorted(angles([flat[0]], flat[1:]))
    assert turns == pytest.approx([60, 60, 120, 120, 180], abs=0.1)


@pytest.mark.parametrize(
    ("words", "factor", "u", "coding"),
    [
        ("43 C1", 1.2, 1.2 * 0.04, 0),
        ("43 -1.5 C1", 1.5, 1.5 * 0.04, 0),
        ("43 0.08 C1", None, 0.08, 0),
        ("43 10.08 C1", None, 0.08, 1),
        ("43 31 C1", None, 0.04, 3),
    ],
    ids=["default", "another factor", "free", "fixed", "free variable"],
)
def test_displacements_are_those_of_the_instruction(words, factor, u, coding):
    model, _ = placed(f"HFIX {words}", PLANAR)
    (hydrogen,) = [atom for atom in model.atoms if atom.is_hydrogen]
    assert hydrogen.u_factor == factor
    assert hydrogen.u_iso == pytest.approx(u)
    assert hydrogen.u_coding[0].variable == coding
    assert (hydrogen.u_pivot is model.atoms[0]) is (factor is not None)


@pytest.mark.parametrize(
    ("code", "factor"), [(33, 1.5), (137, 1.5), (123, 1.5), (13, 1.2), (23, 1.2), (93, 1.2)]
)
def test_groups_that_turn_have_larger_displacements(code, factor):
    places = {1: TETRAHEDRAL, 2: TETRAHEDRAL[:2]}.get(code // 10, TETRAHEDRAL[:1])
    model, _ = placed(f"HFIX {code} C1", places)
    assert {atom.u_factor for atom in model.atoms if atom.is_hydrogen} == {factor}


def test_a_distance_of_the_instruction_counts():
    model, _ = placed("HFIX 43 -1.2 1.083 C1", PLANAR)
    hydrogens, _ = arms(model)
    assert np.linalg.norm(hydrogens[0]) == pytest.approx(1.083)
    assert model.atom("H1").group.distance == 1.083


@pytest.mark.parametrize(
    ("celsius", "longer"), [(20, 0.0), (-20, 0.0), (-21, 0.01), (-70, 0.01), (-71, 0.02)]
)
def test_distances_are_longer_in_the_cold(celsius, longer):
    model = shelx_model(lines(PLANAR), f"TEMP {celsius}", "HFIX 43 C1", **CUBE)
    place_requested(model)
    assert np.linalg.norm(arms(model)[0][0]) == pytest.approx(0.93 + longer)


@pytest.mark.parametrize(
    ("instruction", "places", "why"),
    [
        ("HFIX 13 C1", PLANAR, "C1 has 2 bonds, which the geometry does not fit."),
        ("HFIX 43 C1", TETRAHEDRAL, "C1 has 3 bonds, which the geometry does not fit."),
        ("HFIX 53 C1", PLANAR, "C1 has 2 bonds, which the geometry does not fit."),
    ],
)
def test_a_geometry_that_does_not_fit_is_named_and_nothing_is_placed(instruction, places, why):
    model, added = placed(instruction, places)
    assert added == []
    assert [entry.why for entry in model.left_out] == [why]


def test_an_atom_that_carries_hydrogen_gets_no_more():
    model, added = placed("HFIX 43 C1", PLANAR, extra="\nH1 2 0.46 0.41 0.5 11 0.05")
    assert added == []
    assert [entry.why for entry in model.left_out] == ["It carries hydrogen already."]


def test_requests_are_carried_out_once():
    model, added = placed("HFIX 43 C1", PLANAR)
    assert len(added) == 1
    assert place_requested(model) == []


def test_hydrogen_stands_behind_its_pivot_and_in_its_residue():
    text = "RESI 3 ABC\n" + lines(PLANAR) + "\nRESI 0"
    model = shelx_model(text, "HFIX_3 43 C1", **CUBE)
    assert place_requested(model) == ["H1_3"]
    assert [atom.label for atom in model.atoms] == ["C1_3", "H1_3", "C2_3", "C3_3"]
    assert (model.atoms[1].residue, model.atoms[1].residue_class, model.atoms[1].name) == (3, "ABC", "H1")
