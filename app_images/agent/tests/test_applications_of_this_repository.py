from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from qcrbox.cif import names, read
from qcrbox.crystallography.extended_symmetry import MAGNETIC, MODULATION, SUPERSPACE
from qcrbox.crystallography.model_items import (
    ANHARMONIC,
    MASKS,
    MOMENTS,
    POWDER,
    RESTRAINTS,
    TWINS,
    VOIDS,
    first_item,
)
from qcrbox.crystallography.structure import displacements, reading
from qcrbox.spec import Application, load
from qcrbox.spec.model import CifInput
from qcrbox_agent import conversion

APPLICATIONS = sorted(Path(__file__).parents[2].glob("*/application.yaml"))


@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.parent.name)
def test_spec_of_ours_is_read_without_guessing(path):
    application = load(path)
    assert application.notes == []
    assert Application.model_validate_json(application.model_dump_json()) == application


@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.parent.name)
def test_every_command_and_parameter_of_ours_is_described(path):
    for command in load(path).listed_commands:
        assert command.description, command.name
        assert [p.name for p in command.arguments if not p.description] == [], command.name


# What decides how a structure is read, beside its atoms; coordinates in Å stand for fractional ones, which are required.
OF_STRUCTURES = (
    "_space_group_IT_coordinate_system_code",
    "_atom_site_site_symmetry_multiplicity",
    "_atom_site_site_symmetry_order",
    "_cell_formula_units_Z",
    "_chemical_formula_sum",
    "_atom_site_attached_hydrogens",
)


@pytest.mark.parametrize(
    "path",
    [path for path in APPLICATIONS if '"cell_and_symmetry"' in path.read_text()],
    ids=lambda path: path.parent.name,
)
def test_structures_arrive_whole(path):
    """An item that a spec does not name never reaches the command: the origin, say, or displacements as B(ij)."""
    sets = path.read_text().partition("cif_entry_sets:")[2]
    asked = {names.key(name) for name in re.findall(r"_[A-Za-z][\w./-]+", sets)}
    tags = [tag for tag in (*reading._SITE_TAGS, *displacements._ANISO_TAGS) if not tag.endswith("_su")]
    needed = {names.key(tag) for tag in (*tags, *OF_STRUCTURES) if "_Cartn_" not in tag}
    assert needed - asked == set()


@cache
def of_application(name):
    return load(next(path for path in APPLICATIONS if path.parent.name == name))


def test_the_refinements_ask_for_the_same_items():
    """A spec cannot take a list from another, so that programs of an older platform can read it alone."""
    refine, har, shelxle = (of_application(name).entry_sets for name in ("refine", "har", "shelxle"))
    assert har == refine
    assert set(refine["beyond_the_model"]["optional"]) <= set(shelxle["beyond_the_model"]["optional"])


CELL_AND_ATOM = b"""data_x
_cell_length_a 5
_cell_length_b 6
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 0.1 0.2 0.3
"""
# As programs write them, each in a file of its own.
NOT_APPLIED = {
    "anharmonic": (
        ANHARMONIC,
        b"loop_\n_atom_site_anharm_GC_C_label\n_atom_site_anharm_GC_C_111\nO1 0.0002\n",
    ),
    "distance": (
        RESTRAINTS,
        b"loop_\n_restr_distance_atom_site_label_1\n_restr_distance_atom_site_label_2\n_restr_distance_target\nO1 H1 0.98\n",
    ),
    "rigu": (RESTRAINTS, b"loop_\n_restr_RIGU_atom_site_label_1\n_restr_RIGU_atom_site_label_2\nO1 C1\n"),
    "sum": (
        RESTRAINTS,
        b"loop_\n_qcrbox_restr_sum_expression\n_qcrbox_restr_sum_target\n'FVAR2 + FVAR3' 1\n",
    ),
    "constraint": (RESTRAINTS, b"loop_\n_qcrbox_constr_id\n_qcrbox_constr_type\n1 EADP\n"),
    "twin": (TWINS, b"loop_\n_twin_individual_id\n_twin_individual_mass_fraction_refined\n1 0.6\n2 0.4\n"),
    "void": (VOIDS, b"loop_\n_platon_squeeze_void_nr\n_platon_squeeze_void_volume\n1 120\n"),
    "mask": (MASKS, b"loop_\n_smtbx_masks_void_nr\n_smtbx_masks_void_volume\n1 120\n"),
    "superspace": (SUPERSPACE, b"_space_group_ssg_name_IT 'P1(00g)0'\n"),
    "wave": (MODULATION, b"loop_\n_cell_wave_vector_seq_id\n_cell_wave_vector_x\n1 0.31\n"),
    "dimension": (MODULATION, b"_cell_modulation_dimension 1\n"),
    "magnetic": (
        MAGNETIC,
        b"loop_\n_space_group_symop_magn_operation.id\n_space_group_symop_magn_operation.xyz\n1 x,y,z,+1\n",
    ),
    "moment": (MOMENTS, b"loop_\n_atom_site_moment.label\n_atom_site_moment.crystalaxis_x\nO1 1.5\n"),
    "powder": (POWDER, b"_pd_proc_ls_prof_wR_factor 0.05\n"),
    "pattern": (POWDER, b"loop_\n_pd_phase_id\n_pd_phase_name\n1 quartz\n"),
    "scales": (
        "_refln_scale_group_code",
        b"loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_scale_group_code\n1 0 0 1\n",
    ),
    "satellite": (
        "_refln_index_m_1",
        b"loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_index_m_1\n1 0 0 1\n",
    ),
}


@pytest.mark.parametrize("case", NOT_APPLIED)
@pytest.mark.parametrize("application", ["refine", "har", "shelxle"])
def test_what_is_not_applied_reaches_the_command_that_names_it(application, case):
    pattern, text = NOT_APPLIED[case]
    spec = of_application(application)
    inputs = [
        parameter.cif
        for command in spec.commands
        for parameter in command.parameters
        if isinstance(parameter.cif, CifInput) and "cell_and_symmetry" in parameter.cif.required_entry_sets
    ]
    assert inputs
    for cif in inputs:
        converted = conversion.for_command(CELL_AND_ATOM + text, "x.cif", cif, spec).content
        block = read(converted).sole_block()
        assert first_item(block, pattern), converted.decode()
