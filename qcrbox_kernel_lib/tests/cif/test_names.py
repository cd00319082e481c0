"""Names: canonical spellings, aliases, the table and its source."""

from __future__ import annotations

import pytest
from qcrbox.cif import names
from qcrbox.cif.convert import unified_name

VERIFIED = [
    ("_cell_length_a", "_cell.length_a"),
    ("_atom_site_U_iso_or_equiv", "_atom_site.u_iso_or_equiv"),
    ("_atom_site_aniso_U_11", "_atom_site_aniso.u_11"),
    ("_symmetry_equiv_pos_as_xyz", "_space_group_symop.operation_xyz"),
    ("_space_group_symop_operation_xyz", "_space_group_symop.operation_xyz"),
    ("_space_group_name_H-M_alt", "_space_group.name_h-m_alt"),
    ("_symmetry_space_group_name_H-M", "_space_group.name_h-m_full"),
    ("_symmetry_Int_Tables_number", "_space_group.it_number"),
    ("_space_group_IT_number", "_space_group.it_number"),
    ("_symmetry_cell_setting", "_space_group.crystal_system"),
    ("_diffrn_refln_intensity_u", "_diffrn_refln.intensity_net_su"),
    ("_diffrn_refln_intensity_sigma", "_diffrn_refln.intensity_net_su"),
    ("_refln_F_squared_sigma", "_refln.f_squared_meas_su"),
    ("_refine_ls_shift/su_max", "_refine_ls.shift_over_su_max"),
    ("_refine_ls_shift/esd_max", "_refine_ls.shift_over_su_max"),
    ("_diffrn_ambient_temperature", "_diffrn.ambient_temperature"),
    ("_cell_measurement_temperature", "_diffrn.ambient_temperature"),
    ("_exptl_absorpt_correction_T_max", "_exptl_absorpt.correction_t_max"),
    ("_atom_site_fract_x_su", "_atom_site.fract_x_su"),
    ("_cell.angle_beta_esd", "_cell.angle_beta_su"),
    # Any letter case.
    ("_CELL_LENGTH_A", "_cell.length_a"),
    ("_Chemical_Formula_Sum", "_chemical_formula.sum"),
    ("_Cell.Length_A", "_cell.length_a"),
    # Already canonical; unknown.
    ("_cell.length_a", "_cell.length_a"),
    ("_my_Thing", "_my_Thing"),
]


@pytest.mark.parametrize(("written", "unified"), VERIFIED, ids=[row[0] for row in VERIFIED])
def test_written_name_becomes_its_canonical_name(written: str, unified: str) -> None:
    assert names.canonical(written) == unified


CUSTOM = [
    ("_shelx_res_file", ["shelx"], "_shelx.res_file"),
    ("_shelx.res_file", ["shelx"], "_shelx.res_file"),
    ("_qcrbox_diffrn_refln_x", ["qcrbox"], "_qcrbox.diffrn_refln_x"),
    ("_test_value_with_su", ["test_value"], "_test_value.with_su"),
    # A category is a whole word.
    ("_shelxl_version_number", ["shelx"], "_shelxl_version_number"),
    ("_oxdiff_a", ["ox"], "_oxdiff_a"),
    # The first that matches wins, before the dictionary; letter case counts.
    ("_a_b_c", ["a", "a_b"], "_a.b_c"),
    ("_cell_length_a", ["cell_length"], "_cell_length.a"),
    ("_SHELX_res_file", ["shelx"], "_SHELX_res_file"),
    ("_shelx_res_file", [], "_shelx_res_file"),
    # What an earlier converter damaged.
    ("_shelx._version_number", ["shelx"], "_shelxl_version_number"),
]


@pytest.mark.parametrize(
    ("written", "categories", "unified"), CUSTOM, ids=[f"{row[0]} {row[1]}" for row in CUSTOM]
)
def test_custom_category_is_split_off(written: str, categories: list[str], unified: str) -> None:
    assert unified_name(written, categories) == unified


def test_every_alias_leads_to_its_item_and_back() -> None:
    for name in names.all_names():
        assert names.canonical(name) == name
        for alias in names.aliases(name):
            assert names.canonical(alias) == name
            assert names.canonical(alias.upper()) == name
            assert names.key(alias) == names.key(name)


def test_unknown_names_compare_without_case_and_by_both_forms() -> None:
    assert names.key("_shelx.res_file") == names.key("_SHELX_res_file")
    assert names.key("_shelx._version_number") == names.key("_shelxl_version_number")
    assert names.key("_my_thing") != names.key("_my_other")


def test_table_holds_the_core_dictionary() -> None:
    assert len(names.all_names()) > 1100
    length = names.facts("_cell_length_a")
    assert (length.contents, length.unit, length.minimum, length.maximum) == ("Real", "angstroms", 0.0, None)
    assert names.facts("_cell_angle_beta").maximum == 180
    assert names.facts("_space_group_crystal_system").states[0] == "triclinic"
    assert names.facts("_cell_length_a_su").su_of == "_cell.length_a"
    assert names.facts("_atom_site_label").is_label
    assert names.facts("_nothing_known") is None


@pytest.mark.parametrize(
    ("tag", "category"),
    [
        ("_atom_site_label", "_atom_site"),
        ("_atom_site_aniso_U_11", "_atom_site_aniso"),
        ("_geom_bond_distance", "_geom_bond"),
        ("_geom_bond_of_my_own", "_geom_bond"),
        ("_shelx_res_file", "_shelx"),
        ("_oxdiff.x", "_oxdiff"),
    ],
)
def test_category_of_a_name(tag: str, category: str) -> None:
    assert names.category(tag) == category


def test_table_is_what_its_script_writes(build_names) -> None:
    pytest.importorskip("iotbx", reason="the dictionary comes with cctbx-base")
    assert build_names.TABLE.read_text("utf-8") == build_names.table_text()


@pytest.mark.parametrize(
    ("tag", "contents", "unit", "minimum", "maximum"),
    [
        ("_cell_length_a", "Real", "angstroms", 0.0, None),
        ("_cell_angle_alpha", "Real", "degrees", 0.0, 180.0),
        ("_space_group_IT_number", "Integer", "none", 1.0, 230.0),
        ("_diffrn_ambient_temperature", "Real", "kelvins", 0.0, None),
        ("_diffrn_radiation_wavelength", "Real", "angstroms", 0.0, None),
        ("_cell_formula_units_Z", "Real", "none", 0.0, None),
    ],
)
def test_facts_of_items_that_programs_rely_on(tag, contents, unit, minimum, maximum):
    facts = names.facts(tag)
    assert (facts.contents, facts.unit, facts.minimum, facts.maximum) == (contents, unit, minimum, maximum)
    assert facts.is_number
    assert names.facts(facts.name) == facts


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        ("_atom_site_label", True),
        ("_atom_site_aniso_label", True),
        ("_cell_length_a", False),
        ("_atom_site_fract_x", False),
        ("_chemical_formula_sum", False),
    ],
)
def test_labels_are_texts_even_where_they_look_like_numbers(tag, label):
    assert names.facts(tag).is_label is label


@pytest.mark.parametrize(
    "tag", ["_cell_length_a", "_CELL.LENGTH_A", "_atom_site_U_iso_or_equiv", "_cell_length_a_su"]
)
def test_known_names_are_known_in_every_spelling(tag):
    assert names.is_known(tag)
    assert all(names.canonical(alias) == names.canonical(tag) for alias in names.aliases(tag))
    assert names.key(tag.upper()) == names.key(tag.lower())


@pytest.mark.parametrize("tag", ["_my_thing", "_x", "_a.b.c", "_shelx_res_file", "_é"])
def test_unknown_names_stay_as_they_are(tag):
    assert not names.is_known(tag)
    assert names.canonical(tag) == tag
    assert names.aliases(tag) == [tag.lower()]
    assert names.facts(tag) is None
