"""Hydrogen atoms that ride in a CIF without instructions: geometry of their surroundings, distance and U of the file."""

import numpy as np
import pytest
from qcrbox_refine.cif_input import model_from_cif_file
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.edits import make_riding
from qcrbox_refine.refinement import prepare_model

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
