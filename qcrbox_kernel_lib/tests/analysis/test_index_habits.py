"""The index of a file: kinds, numbers in every state, and facts that are found wherever they stand."""

from __future__ import annotations

import json

import pytest
from qcrbox.analysis.index import MOST_WARNINGS, index_file, main_block
from qcrbox.cif import read

from ..conftest import write_cif


def index(text: str, name: str = "a.cif"):
    return index_file(text.encode(), name)


def made(more=""):
    return index(write_cif(more=more))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (write_cif(), "structure"),
        ("data_a\nloop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n1 0 0 5\n", "reflections"),
        (write_cif(more="_pd_proc_ls_prof_wR_factor 0.1"), "powder"),
        (write_cif(more="_space_group_ssg_name 'x'"), "modulated"),
        (write_cif(more="_space_group_magn.number_BNS 1.1"), "magnetic"),
        ("data_a\nloop_\n_atom_site.Cartn_x\n_atom_site.label\n1 C\n", "macromolecule"),
        ("data_a\n_cell_length_a 10\n", "other"),
        ("data_a\n", "other"),
        ("", "other"),
    ],
    ids=["structure", "reflections", "powder", "modulated", "magnetic", "macromolecule", "cell alone", "empty block", "nothing"],
)  # fmt: skip
def test_the_kind_of_a_file(text, kind):
    assert index(text).kind == kind


def test_a_record_is_json_with_every_fact():
    found = json.loads(json.dumps(made("_chemical_formula_sum 'C10 H8'").to_dict(), allow_nan=False))
    assert (found["formula_sum"], found["elements"], found["a"]) == ("C10 H8", ["C", "H"], 10.0)
    assert found["volume"] == pytest.approx(1320)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("_cell_formula_units_Z 4", "z", 4),
        ("_cell_formula_units_Z ?", "z", None),
        ("_cell_formula_units_Z 1e300", "z", None),
        ("_refine_ls_R_factor_gt 0.0412", "r1", 0.0412),
        ("_refine_ls_R_factor_obs 0.05", "r1", 0.05),
        ("_refine_ls_R_factor_gt ?\n_refine_ls_R_factor_all 0.08", "r1", 0.08),
        ("_refine_ls_wR_factor_ref 0.1034", "wr2", 0.1034),
        ("_refine_diff_density_min -0.31(4)", "residual_min", -0.31),
        ("_refine_ls_number_reflns 1234", "n_reflections", 1234),
        ("_refine_ls_number_reflns -5", "n_reflections", None),
        ("_reflns_number_total 99", "n_reflections", 99),
        ("_cell_measurement_temperature 100(2)", "temperature_k", 100.0),
        ("_diffrn_radiation_wavelength 0.71073", "wavelength", 0.71073),
    ],
)
def test_a_number_is_read_where_it_is_one(line, field, value):
    assert getattr(made(line), field) == value


def test_a_number_that_is_none_is_a_warning_that_quotes_it():
    assert (
        "_refine_ls_R_factor_gt is 'five', which is not a number."
        in made("_refine_ls_R_factor_gt five").warnings
    )


def test_the_main_block_has_atoms_else_a_cell_else_anything():
    texts = ["data_a\n_audit_creation_method x\n", "data_b\n_cell_length_a 10\n", write_cif()]
    names = [main_block(read("".join(texts[:count]).encode())).name for count in (1, 2, 3)]
    assert names == ["a", "b", "made"]
    assert main_block(read(b"", on_error="keep")) is None


def test_reflections_in_a_block_of_their_own_belong_to_the_file():
    hkl = "data_hkl\nloop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n1 0 0 5\n"
    found = index(write_cif() + hkl)
    assert (found.kind, found.has_hkl, found.n_blocks, found.blocks) == (
        "structure",
        True,
        2,
        ["made", "hkl"],
    )


@pytest.mark.parametrize(
    ("line", "has_res", "has_hkl"),
    [
        ("_shelx_res_file\n;\nTITL made of it all\nEND\n;", True, False),
        ("_iucr_refine_instructions_details\n;\nTITL made of it all\n;", True, False),
        ("_shelx_res_file ?", False, False),
        ("_shelx_res_file ''", False, False),
        ("_shelx_hkl_file\n;\n   1   0   0    1.00    0.10\n;", False, True),
    ],
    ids=["res", "of the journal", "unknown", "empty", "hkl"],
)
def test_embedded_files_are_flags(line, has_res, has_hkl):
    found = made(line)
    assert (found.has_res, found.has_hkl) == (has_res, has_hkl)


@pytest.mark.parametrize(
    ("group", "disorder"), [(".", False), ("?", False), ("0", False), ("1", True), ("-1", True)]
)
def test_groups_make_disorder(group, disorder):
    text = write_cif(
        sites=[("C1", "C", 0.1, 0.2, 0.3, group)],
        columns="label type_symbol fract_x fract_y fract_z disorder_group",
    )
    assert index(text).has_disorder == disorder


@pytest.mark.parametrize(("symbol", "hydrogens"), [("H", True), ("D", True), ("He", False), ("C", False)])
def test_hydrogen_is_hydrogen_or_deuterium(symbol, hydrogens):
    assert index(write_cif(sites=[("X1", symbol, 0.1, 0.2, 0.3)])).has_hydrogens == hydrogens


def test_elements_of_a_formula_are_searched_whole():
    assert made("_chemical_formula_sum 'C10 H8 Co'").element_text == "|C|Co|H|"


def test_warnings_are_cut_with_their_number():
    found = index("data_a\n" + "".join(f"stray{n}\n" for n in range(MOST_WARNINGS + 30)))
    assert len(found.warnings) == MOST_WARNINGS + 1
    assert found.warnings[-1].endswith(" more warnings.")


def test_a_formula_that_cannot_be_read_is_shown_and_warned_of():
    found = made("_chemical_formula_sum 'one  of each'")
    assert found.formula_sum == "one of each"
    assert any("'one of each' cannot be read" in text for text in found.warnings)
