"""Merge-back: a command's output put into the CIF it started from."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.cif.convert import Conversion, InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.cif.convert.merge_back import output_block
from qcrbox.contract.errors import CifError, MissingItemsError, SpecError


def merged(source: str, output: str, **entries: object) -> Conversion:
    if not entries:
        entries = {"optional": ["all_unified"]}
    return merge_back(f"data_out\n{output}\n", f"data_src\n{source}\n", OutputEntries(**entries))


def pairs(conversion: Conversion) -> list[tuple[str, str]]:
    return [(item.tag, item.raw) for item in conversion.block.items]


def rows(conversion: Conversion, tag: str) -> list[tuple[str, ...]]:
    return list(conversion.block.loop(tag).rows)


def codes(conversion: Conversion) -> list[str]:
    return [remark.code for remark in conversion.warnings]


# Which block, which items

BLOCKS = "data_first\n_cell_length_a 1\ndata_second\n_cell_length_a 2\ndata_0\n_cell_length_a 3\n"


@pytest.mark.parametrize(
    ("wanted", "value"),
    [("second", "2"), ("1", "2"), (1, "2"), ("0", "3"), (0, "3"), ("SECOND", "2"), ("first", "1")],
)
def test_output_block_is_found_by_name_then_by_position(wanted: str | int, value: str) -> None:
    result = merge_back(
        BLOCKS, "data_src\n_a 1\n", OutputEntries(required=["_cell_length_a"], output_block=wanted)
    )
    assert result.block["_cell_length_a"] == value


@pytest.mark.parametrize("wanted", ["third", "7", 7])
def test_output_block_that_is_not_there_is_an_error(wanted: str | int) -> None:
    with pytest.raises(CifError, match="no block"):
        merge_back(BLOCKS, None, OutputEntries(output_block=wanted))


def test_first_block_is_the_default() -> None:
    result = merge_back("data_a\n_x 1\ndata_b\n_x 2\n", None, OutputEntries(optional=["_x"]))
    assert (result.block.name, result.block["_x"]) == ("a", "1")


def test_only_the_entries_of_the_spec_are_taken() -> None:
    result = merged(
        "_a 1", "_b 2\n_c 3\n_geom_bond_x 4\n_geom_bond_y 5\n_d ?", optional=["_b", "_geom_bond_.*", "_d"]
    )
    assert result.block.tags == ["_a", "_b", "_geom_bond_x", "_geom_bond_y"]


REQUIRED = [
    ("_cell_length_a", "_cell.length_a 1"),
    ("_cell.length_a", "_cell_length_a 1"),
    ("_CELL_length_a", "_cell_length_A 1"),
    ("_cell_.*", "_cell_length_a 1"),
    ("_CELL_.*", "_cell_length_a 1"),
    ("_refine_ls_shift/su_max", "_refine_ls_shift/esd_max 1"),
    ("_atom_site_label", "loop_\n_atom_site_label\nC1"),
    ("_shelx_res_file", "_shelx.res_file 1"),
    ("_x(a", "_x(a 1"),
    ("_x+y", "_x+y 1"),
]


@pytest.mark.parametrize(("entry", "output"), REQUIRED, ids=[row[0] for row in REQUIRED])
def test_required_entry_is_found_in_any_spelling_or_as_a_pattern(entry: str, output: str) -> None:
    assert len(merged("_a 1", output, required=[entry]).block.tags) == 2


@pytest.mark.parametrize(
    ("entry", "output"),
    [
        ("_cell_length_a", "_b 1"),
        ("_cell_length_a", "_cell_length_a ?"),
        ("_cell_x.*", "_b 1"),
        ("_x(a", "_b 1"),
    ],
)
def test_required_entry_that_is_absent_or_unknown_is_an_error_that_lists_it(entry: str, output: str) -> None:
    with pytest.raises(MissingItemsError) as caught:
        merged("_a 1", output, required=[entry, "_never"])
    assert caught.value.items == [entry, "_never"]


def test_a_name_is_no_pattern() -> None:
    result = merged("_a 1", "_cellXlength_a 9\n_cell_length_a 1", optional=["_cell.length_a"])
    assert result.block.tags == ["_a", "_cell.length_a"]


def test_entry_that_is_no_valid_pattern_is_a_name_and_remarked_on() -> None:
    result = merged("_a 1", "_b 1", optional=["_x(a", "_b"])
    assert codes(result) == ["bad-pattern"]


def test_all_unified_takes_the_whole_output() -> None:
    result = merged("_a 1", "_b 2\n_cell_length_a 3(1)", required=["all_unified"])
    assert pairs(result) == [("_a", "1"), ("_b", "2"), ("_cell.length_a", "3"), ("_cell.length_a_su", "1")]


def test_sets_and_choices_are_used() -> None:
    sets = {"s": {"required": ["_b"], "optional": ["_c"]}}
    result = merged("_a 1", "_b 2\n_c 3\n_d 4", required_sets=["s"], entry_sets=sets)
    assert result.block.tags == ["_a", "_b", "_c"]
    with pytest.raises(SpecError):
        merged("_a 1", "_b 2", required_sets=["nope"])
    assert merged("_a 1", "_d 4", required=[{"one_of": ["_b", "_d"]}]).block.tags == ["_a", "_d"]
    with pytest.raises(MissingItemsError):
        merged("_a 1", "_e 4", required=[{"one_of": ["_b", "_d"]}])


def test_output_is_merged_by_the_inputs_entries_when_none_is_declared() -> None:
    entries = OutputEntries.of_input(InputEntries(required=["_b"], custom_categories=["s"]))
    result = merge_back("data_o\n_b 1\n_c 2\n", "data_s\n_a 1\n", entries)
    assert result.block.tags == ["_a", "_b"]


# Invalidated entries

SOURCE = """_geom_bond_publ_flag 1
_refine_ls_R_factor_gt 0.05
_refine_ls_weighting_scheme calc
_refine_ls_extinction_method none
_refine_diff_density_max 0.3
_computing_structure_refinement SHELXL
_shelx_res_file x
_cell_length_a 10.0(1)
_my_note 1"""
INVALIDATED = [
    ("_geom.*", ["_geom_bond.publ_flag"]),
    ("_geom_bond_.*", ["_geom_bond.publ_flag"]),
    ("_GEOM_bond_.*", ["_geom_bond.publ_flag"]),
    ("_shelx.*", ["_shelx.res_file"]),
    ("_shelx_.*", ["_shelx.res_file"]),
    ("_computing_.*", ["_computing.structure_refinement"]),
    (
        "_refine_ls_.*",
        ["_refine_ls.r_factor_gt", "_refine_ls.weighting_scheme", "_refine_ls.extinction_method"],
    ),
    (r"_refine(?!_ls\.weighting|_ls\.extinction).+", ["_refine_ls.r_factor_gt", "_refine_diff.density_max"]),
    (r"_refine(?!_ls_weighting|_ls_extinction).+", ["_refine_ls.r_factor_gt", "_refine_diff.density_max"]),
    ("_refine_ls_R_factor_gt", ["_refine_ls.r_factor_gt"]),
    ("_cell_length_a", ["_cell.length_a", "_cell.length_a_su"]),
    ("_my_note", ["_my_note"]),
    ("_my_not.", ["_my_note"]),
    ("_no_such_.*", []),
    ("_geom", []),
]


@pytest.mark.parametrize(("pattern", "gone"), INVALIDATED, ids=[row[0] for row in INVALIDATED])
def test_invalidated_entries_leave_the_source(pattern: str, gone: list[str]) -> None:
    whole = merged(SOURCE, "_new 1", optional=["_new"], custom_categories=["shelx"]).block.tags
    left = merged(
        SOURCE, "_new 1", optional=["_new"], custom_categories=["shelx"], invalidated=[pattern]
    ).block.tags
    assert [tag for tag in whole if tag not in left] == gone


def test_columns_are_invalidated_one_by_one() -> None:
    source = "loop_\n_atom_site_label\n_atom_site_aniso_x\n_atom_site_occupancy\nC1 1 2\nloop_\n_geom_bond_distance\n1.5"
    result = merged(source, "_new 1", optional=["_new"], invalidated=["_atom_site_occupancy", "_geom.*"])
    assert result.block.tags == ["_atom_site.label", "_atom_site_aniso_x", "_new"]


def test_dots_stand_for_any_sign_in_a_pattern_of_several() -> None:
    source = "loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\n_atom_site_aniso_U_22\nC1 0.1(1) 0.2(1)"
    result = merged(source, "_new 1", optional=["_new"], invalidated=["_atom_site_aniso.u_.._su"])
    assert result.block.loop("_atom_site_aniso").tags == [
        "_atom_site_aniso.label",
        "_atom_site_aniso.u_11",
        "_atom_site_aniso.u_22",
    ]


def test_invalidated_sets_are_used() -> None:
    sets = {"g": {"required": ["_my_note"], "optional": ["_shelx_res_file"]}}
    result = merged(SOURCE, "_new 1", optional=["_new"], invalidated_sets=["g"], entry_sets=sets)
    assert "_my_note" not in result.block.tags
    assert "_shelx_res_file" not in result.block.tags


# Items


def test_output_wins_in_place_and_new_items_are_appended() -> None:
    result = merged("_a 1\n_cell_length_a 9\n_b 2", "_new 5\n_cell.length_a 3\n_a 1.5")
    assert pairs(result) == [("_a", "1.5"), ("_cell.length_a", "3"), ("_b", "2"), ("_new", "5")]


def test_replaced_value_takes_its_su_with_it() -> None:
    assert pairs(merged("_x 10.00(1)\n_b 1", "_x 10.5")) == [("_x", "10.5"), ("_b", "1")]


def test_output_brings_its_own_su() -> None:
    expected = [("_x", "10.5"), ("_x_su", "0.2"), ("_b", "1")]
    assert pairs(merged("_x 10.00(1)\n_b 1", "_x 10.5(2)")) == expected
    assert pairs(merged("_x 10\n_b 1", "_x 10.5(2)")) == expected


def test_output_replaces_the_item_of_its_own_spelling_where_two_were_kept() -> None:
    source = "_cell_measurement_temperature 293(2)\n_diffrn_ambient_temperature 100(2)"
    assert pairs(merged(source, "_diffrn.ambient_temperature 120(1)")) == [
        ("_cell_measurement_temperature", "293"),
        ("_cell_measurement_temperature_su", "2"),
        ("_diffrn.ambient_temperature", "120"),
        ("_diffrn.ambient_temperature_su", "1"),
    ]


def test_two_spellings_that_were_kept_are_handed_back_with_their_own_su() -> None:
    source = unify("data_x\n_cell_measurement_temperature 100(1)\n_diffrn_ambient_temperature 100(2)\n")
    given = specific(source.document, InputEntries(optional=["all_unified"], merge_su=True))
    assert merge_back(given.document, source.document, OutputEntries()).bytes == source.bytes


def test_block_name_is_the_sources() -> None:
    assert merged("_a 1", "_b 2").block.name == "src"
    alone = merge_back("data_out\n_cell_length_a 1(1)\n", None, OutputEntries())
    assert (alone.block.name, alone.block.tags) == ("out", ["_cell.length_a", "_cell.length_a_su"])


def test_result_has_one_block() -> None:
    result = merge_back("data_o\n_b 1\n", "data_a\n_x 1\ndata_b\n_y 2\n", OutputEntries())
    assert [block.name for block in result.document] == ["a"]
    assert "several-blocks" in codes(result)
    chosen = merge_back("data_o\n_b 1\n", "data_a\n_x 1\ndata_b\n_y 2\n", OutputEntries(), source_block="b")
    assert chosen.block.tags == ["_y", "_b"]


# Loops

ATOMS = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_occupancy\nC1 0.1 1\nC2 0.2 1\nH9 0.3 0.5"


def test_rows_of_the_same_key_are_joined_and_new_ones_appended() -> None:
    result = merged(
        ATOMS, "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_calc_flag\nC1 0.11 d\nC3 0.4 calc"
    )
    loop = result.block.loop("_atom_site")
    assert loop.tags == [
        "_atom_site.label",
        "_atom_site.fract_x",
        "_atom_site.occupancy",
        "_atom_site.calc_flag",
    ]
    assert list(loop.rows) == [
        ("C1", "0.11", "1", "d"),
        ("C2", "0.2", "1", "?"),
        ("H9", "0.3", "0.5", "?"),
        ("C3", "0.4", "?", "calc"),
    ]


def test_atoms_that_vanished_stay_and_are_named() -> None:
    result = merged(ATOMS, "loop_\n_atom_site_label\nC1\nC3")
    assert result.block.column("_atom_site_label") == ["C1", "C2", "H9", "C3"]
    assert codes(result) == ["atoms-kept"]
    assert "C2, H9" in result.warnings[0].what


def test_invalidated_atoms_are_replaced() -> None:
    result = merged(
        ATOMS, "loop_\n_atom_site_label\nC1\nC3", optional=["_atom_site_.*"], invalidated=["_atom_site.*"]
    )
    assert result.block.column("_atom_site_label") == ["C1", "C3"]
    assert codes(result) == []


def test_loop_of_keys_alone_adds_its_rows() -> None:
    result = merged(ATOMS, "loop_\n_atom_site_label\nC1\nC7")
    assert rows(result, "_atom_site")[-1] == ("C7", "?", "?")


def test_keys_come_first() -> None:
    source = "loop_\n_atom_site_fract_x\n_atom_site_label\n0.1 C1"
    result = merged(source, "loop_\n_atom_site_occupancy\n_atom_site_label\n1 C1")
    assert result.block.loop("_atom_site").tags == [
        "_atom_site.label",
        "_atom_site.fract_x",
        "_atom_site.occupancy",
    ]


def test_loops_without_common_key_are_replaced_where_they_stand() -> None:
    source = "_a 1\nloop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,-y,-z\n_b 2"
    result = merged(source, "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z")
    assert rows(result, "_space_group_symop_operation_xyz") == [("x,y,z",)]
    assert result.block.tags == ["_a", "_space_group_symop.operation_xyz", "_b"]


SYMOPS = "loop_\n_space_group_symop_id\n_space_group_symop_operation_xyz\n"


def test_symmetry_operations_are_merged_by_id() -> None:
    source = SYMOPS.replace("_id\n", "_id\n_space_group_symop_sg_id\n") + "1 a x,y,z\n2 b -x,-y,-z"
    result = merged(source, SYMOPS + "2 -x,y+1/2,-z\n1 x,y,z\n3 -x,-y,-z")
    assert rows(result, "_space_group_symop_id") == [
        ("1", "a", "x,y,z"),
        ("2", "b", "-x,y+1/2,-z"),
        ("3", "?", "-x,-y,-z"),
    ]
    assert codes(result) == []


def test_no_operation_of_the_source_is_left_beside_those_of_the_output() -> None:
    result = merged(SYMOPS + "1 x,y,z\n2 -x,-y,-z\n3 x,-y,z", SYMOPS + "1 x,y,z\n2 -x,y,-z")
    assert rows(result, "_space_group_symop_id") == [("1", "x,y,z"), ("2", "-x,y,-z")]


def test_ids_stay_where_the_output_repeats_the_operations_without_them() -> None:
    again = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n-X,-Y,-Z"
    result = merged(SYMOPS + "1 x,y,z\n7 -x,-y,-z", again)
    assert rows(result, "_space_group_symop_id") == [("1", "'x, y, z'"), ("7", "-X,-Y,-Z")]
    assert codes(result) == []


def test_a_lost_column_is_named() -> None:
    result = merged(SYMOPS + "1 x,y,z\n7 -x,-y,-z", "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z")
    assert codes(result) == ["columns-lost"]
    assert "_space_group_symop_id" in result.warnings[0].what
    unkeyed = merged("loop_\n_my_a\n_my_b\n1 2", "loop_\n_my_a\n5")
    assert codes(unkeyed) == ["columns-lost"]
    assert "_my_b" in unkeyed.warnings[0].what
    doubled = merged(BONDS + "C1 C2 1.50 .", BONDS.replace("_geom_bond_distance\n", "") + "C1 C2 .\nC1 C2 .")
    assert "_geom_bond_distance are gone" in doubled.warnings[0].what


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("_space_group_symop_id", "_space_group_symop_id"),
        ("_SPACE_GROUP_Symop_Id", "_SPACE_GROUP_Symop_Id"),
        ("_symmetry_equiv_pos_site_id", "_symmetry_equiv_pos_site_id"),
        ("_space_group_symop.id", "_space_group_symop.id"),
    ],
    ids=["classic", "letter case", "older", "with a point"],
)
def test_warnings_name_items_as_the_author_of_the_source_does(written: str, said: str) -> None:
    source = SYMOPS.replace("_space_group_symop_id", written)
    remark = merged(source + "1 x,y,z\n7 -x,-y,-z", "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z").warnings[0]
    assert remark.tag == said
    assert f"without {said};" in remark.what


def test_codes_that_count_other_operations_are_named() -> None:
    source = SYMOPS + "1 x,y,z\n2 -x,-y,-z\n" + BONDS.replace("_distance", "_publ_flag") + "C1 C2 n 2_655"
    result = merged(source, SYMOPS + "1 x,y,z\n2 -x,y,-z\n3 -x,-y,-z\n4 x,-y,z")
    assert codes(result) == ["symmetry-codes"]
    assert "_geom_bond_site_symmetry_2" in result.warnings[0].what
    assert codes(merged(source, SYMOPS + "1 x,y,z\n2 '-x, -y, -z'")) == []


# Values that nobody refined

REPEATED = [
    # (in the source, what the program writes, what is stored)
    ("-0.0025(24)", "-0.002(2)", ("-0.0025", "0.0024")),
    ("0.29406(33)", "0.2941(3)", ("0.29406", "0.00033")),
    ("4.71453(100)", "4.7145(10)", ("4.71453", "0.00100")),
    ("0.0573(164)", "0.057(16)", ("0.0573", "0.0164")),
    ("123456(78)", "123460(80)", ("123456", "78")),
    ("10.032(4)", "10.0320(40)", ("10.032", "0.004")),
    ("10.032(4)", "10.032(4)", ("10.032", "0.004")),
    # Written without s.u.: the value is the same one.
    ("10.032(4)", "10.0320", ("10.032", "0.004")),
    ("90.000", "90", ("90.000", None)),
    # Refined.
    ("-0.0025(24)", "-0.003(2)", ("-0.003", "0.002")),
    ("-0.0025(24)", "-0.002(3)", ("-0.002", "0.003")),
    ("10.032(4)", "10.03", ("10.03", None)),
    ("90.000", "90.1", ("90.1", None)),
    ("90", "90.0(1)", ("90.0", "0.1")),
]


@pytest.mark.parametrize(("source", "output", "stored"), REPEATED, ids=[f"{r[0]}-{r[1]}" for r in REPEATED])
def test_repeated_values_keep_the_digits_of_their_author(source: str, output: str, stored: tuple) -> None:
    item = merged(f"_cell_length_a {source}\n_b 1", f"_cell_length_a {output}").block
    assert (item["_cell.length_a"], item.get("_cell.length_a_su")) == stored
    table = "loop_\n_atom_site_label\n_atom_site_fract_x\n"
    loop = merged(f"{table}C1 {source}", f"{table}C1 {output}").block.loop("_atom_site")
    assert loop.column("_atom_site.fract_x") == [stored[0]]
    assert (loop.column("_atom_site.fract_x_su") if "_atom_site.fract_x_su" in loop else [None]) == [
        stored[1]
    ]


def test_a_parameter_that_was_fixed_loses_its_su_beside_others_that_have_one() -> None:
    table = "loop_\n_atom_site_label\n_atom_site_fract_x\n"
    result = merged(table + "C1 0.25(1)\nC2 0.5(1)", table + "C2 0.51(2)\nC1 0.25")
    assert rows(result, "_atom_site") == [("C1", "0.25", "0"), ("C2", "0.51", "0.02")]


def test_equal_numbers_of_unknown_items_are_texts() -> None:
    assert pairs(merged("_my_version 1.10", "_my_version 1.1")) == [("_my_version", "1.1")]


def test_su_that_goes_with_its_values_is_named() -> None:
    table = "loop_\n_atom_site_label\n_atom_site_fract_x\n"
    assert codes(merged(table + "C1 0.25(1)", table + "C1 0.26")) == ["su-lost"]


def test_an_item_named_su_takes_the_outputs_value() -> None:
    result = merged("_my.value_with_su 5.67(6)", "_my.value_with_su 1.23(4)")
    assert pairs(result) == [("_my.value_with_su", "1.23"), ("_my.value_with_su_su", "0.04")]


def test_a_table_that_the_output_repeats_keeps_its_layout_and_order() -> None:
    source = "data_x\nloop_\n_atom_site.fract_x\n_atom_site.label\n0.10   C1\n  0.2  C2\n"
    for rows_of_output in ("'C1' 0.1\nC2 0.2", "C2 0.2\n'C1' 0.1"):
        output = f"data_o\nloop_\n_atom_site_label\n_atom_site_fract_x\n{rows_of_output}\n"
        result = merge_back(output, source, OutputEntries())
        assert "\n0.10   C1\n  0.2  C2\n" in result.text
        assert result.block.tags == ["_atom_site.fract_x", "_atom_site.label"]


def test_rows_without_distinct_keys_keep_their_digits_where_the_output_repeats_them() -> None:
    source = BONDS + "C1 C2 1.5012(24) .\nC1 C2 1.6012(24) ."
    again = merged(source, BONDS + "C1 C2 1.501(2) .\nC1 C2 1.650(2) .")
    assert again.block.column("_geom_bond.distance") == ["1.5012", "1.650"]
    assert codes(again) == []
    listed = merged("loop_\n_my_a\n_my_b\nx 1.0012(24)\ny 2", "loop_\n_my_a\n_my_b\nx 1.001(2)\ny 2")
    assert listed.block.column("_my_b") == ["1.0012", "2"]


def test_a_file_that_a_program_only_hands_on_stays_as_it_is() -> None:
    source = (
        "data_x\n_cell_length_a 5.63083(80)\n_cell_length_c 4.71453(100)\n_my_n 1.50\n"
        "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\nC1 0.29406(33) -0.0025(24)\nC2 0.5 0.1234(56)\n"
    )
    stored = unify(source)
    given = specific(stored.document, InputEntries(optional=["all_unified"], merge_su=True))
    assert "-0.002(2)" in given.text
    assert merge_back(given.document, stored.document, OutputEntries()).bytes == stored.bytes


BONDS = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\n_geom_bond_site_symmetry_2\n"


def test_bonds_that_differ_in_symmetry_code_stay_two() -> None:
    result = merged(
        BONDS + "C1 C2 1.50 .\nC1 C2 1.60 2_655", BONDS + "C1 C2 1.51 .\nC1 C2 1.61 2_655\nC1 C3 1.7 ."
    )
    assert result.block.column("_geom_bond_distance") == ["1.51", "1.61", "1.7"]


def test_key_that_occurs_twice_replaces_the_sources_loop() -> None:
    result = merged(BONDS + "C1 C2 1.50 .", BONDS + "C1 C2 1.51 .\nC1 C2 1.61 .")
    assert result.block.column("_geom_bond_distance") == ["1.51", "1.61"]
    assert codes(result) == ["loop-replaced"]


HKL = "_refln_index_h\n_refln_index_k\n_refln_index_l\n"


def test_reflections_are_joined_by_their_indices() -> None:
    source = f"loop_\n{HKL}_refln_F_squared_meas\n1 0 0 10\n0 1 0 20"
    result = merged(source, f"loop_\n{HKL}_refln_F_squared_calc\n0 1 0 21\n1 0 0 11\n0 0 2 5")
    assert rows(result, "_refln") == [
        ("1", "0", "0", "10", "11"),
        ("0", "1", "0", "20", "21"),
        ("0", "0", "2", "?", "5"),
    ]


RAW = "_diffrn_refln_index_h\n_diffrn_refln_index_k\n_diffrn_refln_index_l\n"


def test_unmerged_reflections_are_joined_by_position() -> None:
    source = f"loop_\n{RAW}_diffrn_refln_intensity_net\n1 0 0 10\n1 0 0 12\n0 1 0 7"
    result = merged(source, f"loop_\n{RAW}_diffrn_refln_wavelength\n1 0 0 0.71\n1 0 0 0.72\n0 1 0 0.73")
    assert rows(result, "_diffrn_refln") == [
        ("1", "0", "0", "10", "0.71"),
        ("1", "0", "0", "12", "0.72"),
        ("0", "1", "0", "7", "0.73"),
    ]


def test_other_unmerged_reflections_replace_the_sources() -> None:
    source = f"loop_\n{RAW}_diffrn_refln_intensity_net\n1 0 0 10\n1 0 0 12"
    result = merged(source, f"loop_\n{RAW}_diffrn_refln_intensity_net\n1 0 0 11\n0 1 0 12\n0 1 0 13")
    assert len(rows(result, "_diffrn_refln")) == 3
    assert codes(result) == ["loop-replaced"]


def test_item_in_the_source_gives_way_to_a_loop_of_the_output() -> None:
    result = merged(
        "_a 1\n_diffrn_radiation_wavelength 0.7(1)\n_b 2", "loop_\n_diffrn_radiation_wavelength\n0.71\n0.72"
    )
    assert result.block.tags == ["_a", "_diffrn_radiation_wavelength.value", "_b"]
    assert rows(result, "_diffrn_radiation_wavelength.value") == [("0.71",), ("0.72",)]


def test_item_of_the_output_becomes_a_row_of_the_sources_loop() -> None:
    result = merged(
        "loop_\n_diffrn_radiation_wavelength\n0.71\n0.72\n_b 2", "_diffrn_radiation_wavelength 0.73"
    )
    assert rows(result, "_diffrn_radiation_wavelength.value") == [("0.73",)]
    with_key = merged(ATOMS, "_atom_site_label C2\n_atom_site_fract_x 0.9(1)")
    assert with_key.block.column("_atom_site_fract_x") == ["0.1", "0.9", "0.3"]
    assert with_key.block.column("_atom_site_fract_x_su") == ["?", "0.1", "?"]


def test_items_and_loops_of_one_table_of_the_source_do_not_replace_each_other() -> None:
    result = merged("loop_\n_first\n_second\n1 2", "_first 3\nloop_\n_second\n4\n5")
    assert rows(result, "_first") == [("3",)]
    assert rows(result, "_second") == [("4",), ("5",)]


def test_loop_with_id_and_label_is_merged_by_one_key() -> None:
    columns = "loop_\n_atom_type.symbol\n_atom_type.id\n_atom_type.label\n_atom_type.x\n"
    result = merged(columns + "C 1 a 5\nN 2 b 6", columns + "C 7 c 8")
    assert rows(result, "_atom_type") == [("C", "7", "c", "8"), ("N", "2", "b", "6")]
    own = "loop_\n_mine.id\n_mine.label\n_mine.x\n"
    assert rows(merged(own + "1 a 5\n2 b 6", own + "2 c 8\n3 d 9"), "_mine.id") == [
        ("1", "a", "5"),
        ("2", "c", "8"),
        ("3", "d", "9"),
    ]


def test_source_in_old_dialect_keeps_no_old_item_beside_the_new_one() -> None:
    assert pairs(merged("_cell_length_a 9", "_cell.length_a 3")) == [("_cell.length_a", "3")]


def test_replaced_cells_take_their_su_with_them() -> None:
    source = "loop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.10(1)\nC2 0.20(2)"
    partly = merged(source, "loop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.5")
    assert rows(partly, "_atom_site") == [("C1", "0.5", "?"), ("C2", "0.20", "0.02")]
    wholly = merged(source, "loop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.5\nC2 0.6")
    assert wholly.block.loop("_atom_site").tags == ["_atom_site.label", "_atom_site.fract_x"]


def test_quoted_and_bare_labels_are_one_key() -> None:
    source = "loop_\n_atom_site_label\n_atom_site_occupancy\n'C1' 1"
    result = merged(source, "loop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.5")
    assert rows(result, "_atom_site") == [("'C1'", "1", "0.5")]


def test_result_is_read_again_before_it_is_given() -> None:
    result = merged("_a 'x y'\n_t\n;a\nb\n;", "_b 'a dog's life'\nloop_\n_c\n'?'\n;text\n;")
    again = read(result.bytes).sole_block()
    assert again.tags == ["_a", "_t", "_b", "_c"]
    assert again.text("_b") == "a dog's life"


def test_cif_2_output_and_cif_1_source_make_one_valid_file() -> None:
    result = merge_back(
        "#\\#CIF_2.0\ndata_o\n_l [1 2]\n", "data_s\n_a 'a dog's life'\n_b [x\n", OutputEntries()
    )
    again = read(result.bytes).sole_block()
    assert (again["_l"], again.text("_a"), again.text("_b")) == ("[1 2]", "a dog's life", "[x")


def test_broken_output_is_an_error_and_nothing_is_merged() -> None:
    with pytest.raises(CifError):
        merge_back("data_o\n_a 'b\n", "data_s\n_a 1\n", OutputEntries())


@pytest.mark.parametrize(
    "wanted", ["²", "--0", "٠", "1" * 5000, "", "0.0"], ids=["²", "--0", "٠", "endless", "nothing", "0.0"]
)
def test_an_output_block_that_only_looks_like_a_position_is_not_there(wanted: str) -> None:
    """The error names the blocks of the file."""
    with pytest.raises(CifError, match=r"The output has no block .* Its blocks: a, b\."):
        output_block(read("data_a\n_x 1\ndata_b\n_x 2\n"), wanted)


@pytest.mark.parametrize(
    ("wanted", "name"), [(0, "a"), ("0", "a"), (1, "b"), ("-1", "b"), (-2, "a"), ("B", "b")]
)
def test_an_output_block_by_position_or_name_in_any_case(wanted: str | int, name: str) -> None:
    assert output_block(read("data_a\n_x 1\ndata_b\n_x 2\n"), wanted).name == name


def test_a_block_whose_name_is_a_number_counts_before_the_position() -> None:
    assert output_block(read("data_1\n_x 1\ndata_0\n_x 2\n"), 0)["_x"] == "2"
