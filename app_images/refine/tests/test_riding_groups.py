"""Hydrogen atoms that ride in a CIF without instructions: geometry of their surroundings, distance and U of the file."""

import numpy as np
import pytest
from qcrbox_refine.cif_input import model_from_cif_file
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.edits import make_riding
from qcrbox_refine.model import Atom
from qcrbox_refine.refinement import prepare_model
from qcrbox_refine.riding_groups import assign_riding_groups
from small_models import model_in

CIF = """data_riding
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
_diffrn_ambient_temperature 100
_diffrn_radiation_wavelength 0.71073
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_refinement_flags_posn
C1 C 0.1 0.1 0.1 0.0300 .
C2 C 0.05 0.28 0.12 0.0300 .
C3 C -0.1 0.0 0.05 0.0300 .
H1 H {x:.5f} {y:.5f} {z:.5f} {u:.4f} {flag}
"""
ATOMS = np.array([(0.1, 0.1, 0.1), (0.05, 0.28, 0.12), (-0.1, 0.0, 0.05)]) * [6, 7, 8]


def model_with(folder, distance, u, flag="R"):
    """H1 on C1 along the outer bisector of its two bonds."""
    arms = [arm / np.linalg.norm(arm) for arm in ATOMS[1:] - ATOMS[0]]
    bisector = -sum(arms) / np.linalg.norm(sum(arms))
    x, y, z = (ATOMS[0] + distance * bisector) / [6, 7, 8]
    (folder / "riding.cif").write_text(CIF.format(x=x, y=y, z=z, u=u, flag=flag))
    return model_from_cif_file(str(folder / "riding.cif"))


def refined_distance(model):
    made = parametrise(model)
    made.reparametrisation.linearise()
    made.reparametrisation.store()
    sites = {s.label: s.site for s in made.structure.scatterers()}
    return made.structure.unit_cell().distance(sites["C1"], sites["H1"])


@pytest.mark.parametrize(("distance", "noted"), [(0.95, False), (0.942, False), (1.083, True), (0.99, True)])
def test_the_distance_of_the_file_stays(tmp_path, distance, noted):
    """SHELXL's is 0.95 Å at 100 K; other programs have others, and neutron distances are 0.13 Å longer."""
    model = model_with(tmp_path, distance, 0.036)
    prepare_model(model)
    assert refined_distance(model) == pytest.approx(distance if noted else 0.95, abs=1e-3)
    assert any("keep the distances of the file: H1" in note for note in model.notes) is noted


def test_hydrogen_that_is_made_riding_gets_the_usual_distance(tmp_path):
    model = model_with(tmp_path, 0.88, 0.05, flag=".")
    make_riding(model.atom("H1"))
    assert refined_distance(model) == pytest.approx(0.95, abs=1e-3)
    assert model.atom("H1").u_factor == 1.2


@pytest.mark.parametrize(("u", "factor"), [(0.036, 1.2), (0.037, 1.2), (0.045, 1.5), (0.039, 1.3)])
def test_the_ratio_of_displacements_is_that_of_the_file(tmp_path, u, factor):
    model = model_with(tmp_path, 0.95, u)
    parametrise(model)
    assert model.atom("H1").u_factor == factor


def listed_riding(atoms, cell=(10.0, 10.0, 10.0, 90, 90, 90)):
    """A model without instructions, whose hydrogen atoms ride."""
    model = model_in(cell, "P 1", atoms)
    for atom in model.atoms:
        atom.riding = atom.is_hydrogen
    return model


def pivot_with(element, arms, n_hydrogen, first="C"):
    """An atom with neighbours at these vectors (Å) and hydrogen 0.95 Å away on the other side."""
    atoms = [Atom(f"{element}1", element, (0.5, 0.5, 0.5), u_iso=0.03)]
    for k, arm in enumerate(np.array(arms, float).reshape(-1, 3)):
        atoms.append(Atom(f"{first}{k + 2}", first, tuple(0.5 + arm / 10), u_iso=0.03))
    away = np.array([(-0.3, -0.6, 0.65), (-0.3, -0.6, -0.65), (-0.9, 0.2, 0.1)])[:n_hydrogen]
    for k, arm in enumerate(away):
        atoms.append(Atom(f"H{k + 1}", "H", tuple(0.5 + arm / 10), u_iso=0.04))
    return listed_riding(atoms)


TETRAHEDRON = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1)]) * 0.88
TRIGONAL = np.array([(1.4, 0, 0), (-0.7, 1.21, 0)])


@pytest.mark.parametrize(
    ("element", "arms", "n_hydrogen", "code"),
    [
        ("C", TETRAHEDRON, 1, 13),
        ("C", TETRAHEDRON[:2], 2, 23),
        ("C", TRIGONAL, 1, 43),
        ("C", TRIGONAL[:1], 2, 93),
        ("C", TRIGONAL[:1], 3, 137),
        ("C", TRIGONAL[:1], 1, 163),
        ("N", TRIGONAL, 1, 43),
        ("N", TRIGONAL[:1], 3, 137),
        ("O", TRIGONAL[:1], 1, 147),
        ("B", TETRAHEDRON, 1, 13),
    ],
)
def test_hydrogen_rides_by_the_geometry_of_its_surroundings(element, arms, n_hydrogen, code):
    model = pivot_with(element, arms, n_hydrogen)
    assign_riding_groups(model)
    hydrogens = [atom for atom in model.atoms if atom.is_hydrogen]
    assert {atom.group.code for atom in hydrogens} == {code}
    assert {atom.group.pivot.label for atom in hydrogens} == {f"{element}1"}
    assert {atom.u_pivot.label for atom in hydrogens} == {f"{element}1"}
    assert {atom.u_factor for atom in hydrogens} == {1.5 if code in (137, 147) else 1.2}


@pytest.mark.parametrize(
    ("element", "arms", "n_hydrogen"),
    [
        ("N", TRIGONAL[:1], 1),
        ("O", TRIGONAL, 1),
        ("O", TRIGONAL[:1], 2),
        ("B", TRIGONAL, 1),
        ("Si", TETRAHEDRON, 1),
    ],
)
def test_hydrogen_without_a_known_geometry_is_refined_freely_and_named(element, arms, n_hydrogen):
    model = pivot_with(element, arms, n_hydrogen)
    assign_riding_groups(model)
    assert not any(atom.riding for atom in model.atoms)
    assert f"on {element}1: no riding geometry known, refined freely." in model.notes[-1]


@pytest.mark.parametrize(
    "site", [(0.1, 0.1, 0.1), (0.02, 0.0, 0.0)], ids=["bonded to nothing", "bonded to an image"]
)
def test_hydrogen_beside_no_atom_of_the_list_is_refined_freely_and_named(site):
    atoms = [Atom("C1", "C", (0.93, 0.0, 0.0)), Atom("H1", "H", site)]
    model = listed_riding(atoms)
    assign_riding_groups(model)
    assert not model.atoms[1].riding
    assert model.notes == ["H1 has no bonded atom in the list beside it and is refined freely."]


def test_hydrogen_of_each_disorder_group_sees_the_atoms_of_its_own():
    """C1 between C2 and C3 in two places: each of its two hydrogen atoms has two bonds beside it."""
    arms = [TRIGONAL[0], TRIGONAL[1], (-0.9, 1.05, 0.3)]
    model = pivot_with("C", arms, 2)
    for atom, part in zip(model.atoms[2:], (1, 2, 1, 2), strict=True):
        atom.part, atom.occupancy = part, 0.5
    assign_riding_groups(model)
    first, second = (atom for atom in model.atoms if atom.is_hydrogen)
    assert first.group is not second.group
    assert (first.group.code, second.group.code) == (43, 43)
