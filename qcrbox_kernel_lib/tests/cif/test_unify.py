"""Unified CIF: names, s.u. split off, order, clashes, custom categories, several blocks."""

from __future__ import annotations

import pytest
from qcrbox.cif import Document, read
from qcrbox.cif.convert import Conversion, InputEntries, is_cif, specific, unify, unify_if_cif
from qcrbox.contract.errors import CifError


def unified(body: str, **options: object) -> Conversion:
    return unify(f"data_x\n{body}\n", **options)


def block_bytes(block) -> bytes:
    return Document([block]).to_bytes()


def codes(conversion: Conversion) -> list[str]:
    return [remark.code for remark in conversion.warnings]


def test_known_items_get_canonical_names_and_unknown_ones_stay() -> None:
    block = unified("_cell_length_a 10\n_my_Thing 1\n_CELL_ANGLE_BETA 90\n_cell.length_b 2").block
    assert block.tags == ["_cell.length_a", "_my_Thing", "_cell.angle_beta", "_cell.length_b"]


def test_order_is_kept_and_a_loop_stands_where_it_stood() -> None:
    block = unified("_b 1\nloop_\n_atom_site_label\nC1\n_a 2\nloop_\n_z\n1\n_cell_length_a 3").block
    assert block.tags == ["_b", "_atom_site.label", "_a", "_z", "_cell.length_a"]


def test_unifying_twice_changes_nothing() -> None:
    once = unified(
        "_cell_length_a 10.1(2)\n_my_Thing 'a b'\nloop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.1(2)\nC2 ?"
    )
    assert unify(once.bytes).bytes == once.bytes


def test_source_is_never_changed() -> None:
    document = read("data_x\n_cell_length_a 10.1(2)\n")
    unify(document).block.set("_cell.length_a", 5)
    assert document.to_bytes() == b"data_x\n_cell_length_a 10.1(2)\n"


def test_two_spellings_that_differ_in_su_only_are_both_kept_for_good() -> None:
    source = "_cell_measurement_temperature 100(1)\n_diffrn_ambient_temperature 100(2)"
    once = unified(source)
    assert [(item.tag, item.raw) for item in once.block.items] == [
        ("_cell_measurement_temperature", "100"),
        ("_cell_measurement_temperature_su", "1"),
        ("_diffrn.ambient_temperature", "100"),
        ("_diffrn.ambient_temperature_su", "2"),
    ]
    assert unify(once.bytes).bytes == once.bytes
    same = unified("_cell_measurement_temperature 100(2)\n_diffrn_ambient_temperature 100(2)").block
    assert same.tags == ["_diffrn.ambient_temperature", "_diffrn.ambient_temperature_su"]


# S.u.


def test_item_with_su_becomes_two_items_side_by_side() -> None:
    block = unified("_cell_length_a 1.23(4)\n_cell_length_b 5.0\n_x '2.0(1)'").block
    assert [(item.tag, item.raw) for item in block.items] == [
        ("_cell.length_a", "1.23"),
        ("_cell.length_a_su", "0.04"),
        ("_cell.length_b", "5.0"),
        ("_x", "2.0"),
        ("_x_su", "0.1"),
    ]


def test_column_with_su_in_any_cell_becomes_two_columns() -> None:
    loop = unified("loop_\n_n\n_x\n_y\n1 2.34(5) a\n2 1.02 b").block.loop("_x")
    assert loop.tags == ["_n", "_x", "_x_su", "_y"]
    assert list(loop.rows) == [("1", "2.34", "0.05", "a"), ("2", "1.02", "0", "b")]


OWN_NAMES = [
    # No item without _su is there: a value like any other.
    ("_my.value_with_su 1.23(4)", {"_my.value_with_su": "1.23", "_my.value_with_su_su": "0.04"}),
    ("loop_\n_k\n_my_value_su\na 1.23(4)", {"_k": "a", "_my_value_su": "1.23", "_my_value_su_su": "0.04"}),
    # The item without _su is a text.
    ("_my_value abc\n_my_value_su 1.23(4)", {"_my_value": "abc", "_my_value_su": "1.23", "_my_value_su_su": "0.04"}),
    # A number of this block, or of the dictionary: an s.u. has no s.u.
    ("_my_value 5\n_my_value_su 1.23(4)", {"_my_value": "5", "_my_value_su": "1.23(4)"}),
    ("_cell_length_a_su 0.2(1)", {"_cell.length_a_su": "0.2(1)"}),
    ("_diffrn_refln_intensity_u 2.5(1)", {"_diffrn_refln.intensity_net_su": "2.5(1)"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), OWN_NAMES, ids=[row[0][:30] for row in OWN_NAMES])
def test_a_name_that_ends_in_su_need_not_be_an_su(body: str, expected: dict[str, str]) -> None:
    block = unified(body).block
    assert {tag: block[tag] for tag in block.tags} == expected
    assert unify(block_bytes(block)).block.tags == block.tags


def test_written_zeros_stay() -> None:
    block = unified("_a 1.2300(40)\n_b 10.0(1)\nloop_\n_c\n0.100(30)\n2").block
    assert [block["_a"], block["_a_su"], block["_b"], block["_b_su"]] == ["1.2300", "0.0040", "10.0", "0.1"]
    assert block.column("_c_su") == ["0.030", "0"]


@pytest.mark.parametrize("special", ["?", "."])
def test_special_cell_in_a_column_with_su_stays_in_both_columns(special: str) -> None:
    loop = unified(f"loop_\n_x\n1.0(1)\n{special}").block.loop("_x")
    assert list(loop.rows) == [("1.0", "0.1"), (special, special)]


@pytest.mark.parametrize("text", ["(12)", "1.5()", "2001-01-02", "1(2)3", "0(123)45", "C(1)"])
def test_other_texts_with_brackets_are_left_alone(text: str) -> None:
    block = unified(f"_a {text}\nloop_\n_b\n{text}\n2").block
    assert (block["_a"], block.tags) == (text, ["_a", "_b"])


def test_labels_that_look_like_numbers_are_no_numbers() -> None:
    block = unified("loop_\n_atom_site_label\n_atom_site_fract_x\n1(2) 0.1(2)").block
    assert block.loop("_atom_site").tags == [
        "_atom_site.label",
        "_atom_site.fract_x",
        "_atom_site.fract_x_su",
    ]
    assert block.column("_atom_site.label") == ["1(2)"]


def test_brackets_win_over_an_su_item_that_is_unknown() -> None:
    block = unified("_cell_length_a_su ?\n_cell_length_a 1.23(4)").block
    assert (block["_cell.length_a"], block["_cell.length_a_su"]) == ("1.23", "0.04")
    assert len(block.tags) == 2


def test_su_item_with_a_value_is_kept_and_a_warning_given() -> None:
    conversion = unified("_cell_length_a 1.23(4)\n_cell_length_a_su 0.05")
    assert (conversion.block["_cell.length_a"], conversion.block["_cell.length_a_su"]) == ("1.23", "0.05")
    assert codes(conversion) == ["su-twice"]
    assert conversion.warnings[0].what.startswith(
        "_cell_length_a has an s.u. in brackets and _cell_length_a_su"
    )
    assert codes(unified("_cell_length_a 1.23(4)\n_cell_length_a_su 0.04")) == []


def test_su_column_is_filled_only_where_it_is_unknown() -> None:
    conversion = unified("loop_\n_x\n_x_su\n1.0(1) ?\n2.0(3) 0.5\n3.0 0.2")
    assert list(conversion.block.loop("_x").rows) == [("1.0", "0.1"), ("2.0", "0.5"), ("3.0", "0.2")]
    assert codes(conversion) == ["su-twice"]


def test_splitting_can_be_left_out() -> None:
    assert unified("_cell_length_a 1.23(4)", split_su=False).block["_cell.length_a"] == "1.23(4)"


# Clashes


def test_two_spellings_with_one_value_become_one_item() -> None:
    conversion = unified("_symmetry_cell_setting triclinic\n_space_group_crystal_system 'triclinic'")
    assert conversion.block.tags == ["_space_group.crystal_system"]
    assert codes(conversion) == []


@pytest.mark.parametrize("turned", [False, True])
def test_two_spellings_with_two_values_are_both_kept_and_named(turned: bool) -> None:
    lines = ["_symmetry_cell_setting triclinic", "_space_group.crystal_system monoclinic"]
    conversion = unified("\n".join(reversed(lines) if turned else lines))
    assert conversion.block["_space_group.crystal_system"] == "monoclinic"
    assert conversion.block["_symmetry_cell_setting"] == "triclinic"
    remark = conversion.warnings[0]
    # The remark contrasts both spellings, so neither is respelled.
    assert "_symmetry_cell_setting was kept under that name" in remark.what
    assert "_space_group.crystal_system was taken" in remark.what


def test_item_that_keeps_its_written_name_keeps_its_su_and_can_be_asked_for() -> None:
    source = "data_x\n_cell_measurement_temperature 293(2)\n_diffrn_ambient_temperature 100(2)\n"
    once = unify(source)
    assert unify(once.bytes).bytes == once.bytes
    asked = InputEntries(
        required=[
            "_cell_measurement_temperature",
            "_diffrn_ambient_temperature",
            "_diffrn.ambient_temperature",
        ],
        merge_su=True,
    )
    for form in (source, once.bytes):
        block = specific(form, asked).block
        assert sorted((item.tag, item.raw) for item in block.items) == [
            ("_cell_measurement_temperature", "293(2)"),
            ("_diffrn.ambient_temperature", "100(2)"),
            ("_diffrn_ambient_temperature", "100(2)"),
        ]


def test_known_value_is_taken_rather_than_an_unknown_one() -> None:
    conversion = unified("_space_group_IT_number ?\n_symmetry_Int_Tables_number 14")
    assert [(item.tag, item.raw) for item in conversion.block.items] == [("_space_group.it_number", "14")]


def test_two_loops_of_one_item_with_equal_rows_become_one() -> None:
    conversion = unified(
        "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\nloop_\n_space_group_symop_operation_xyz\n'x,y,z'\n-x,-y,-z"
    )
    assert conversion.block.tags == ["_space_group_symop.operation_xyz"]
    assert codes(conversion) == []


def test_two_loops_of_one_item_with_other_rows_are_both_kept() -> None:
    conversion = unified(
        "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\nloop_\n_space_group_symop_operation_xyz\nx,y,z"
    )
    assert conversion.block.tags == ["_symmetry_equiv_pos_as_xyz", "_space_group_symop.operation_xyz"]
    assert codes(conversion) == ["two-spellings"]


def test_two_loops_with_equal_keys_become_one_table() -> None:
    conversion = unified(
        "loop_\n_atom_site_label\n_atom_site_occupancy\nC1 1\nC2 0.5\n"
        "loop_\n_atom_site.label\n_atom_site.type_symbol\nC1 C\nC2 C"
    )
    assert len(conversion.block.loops) == 1
    assert conversion.block.column("_atom_site.type_symbol") == ["C", "C"]
    assert conversion.block.column("_atom_site.occupancy") == ["1", "0.5"]


def test_two_spellings_in_one_loop() -> None:
    same = unified("loop_\n_atom_site_label\n_atom_site.label\nC1 C1").block
    assert same.tags == ["_atom_site.label"]
    other = unified("loop_\n_atom_site.id\n_atom_site.label\n1 C1\n2 C2")
    assert other.block.tags == ["_atom_site.id", "_atom_site.label"]
    assert codes(other) == ["two-spellings"]


# Custom categories


def test_usual_categories_are_split_off_without_being_asked_for() -> None:
    block = unified("_shelx_res_file x\n_olex2_date 1\n_oxdiff_a 2\n_iucr_b 3\n_qcrbox_c 4\n_other_d 5").block
    assert block.tags == ["_shelx.res_file", "_olex2.date", "_oxdiff.a", "_iucr.b", "_qcrbox.c", "_other_d"]
    assert block["_shelx_res_file"] == "x"


def test_a_category_of_two_words_keeps_its_point() -> None:
    block = unified("_qcrbox_afix.code 1\n_iucr_refine.instructions_details x").block
    assert block.tags == ["_qcrbox_afix.code", "_iucr_refine.instructions_details"]
    assert block["_qcrbox_afix.code"] == "1"
    assert block["_iucr_refine_instructions_details"] == "x"


def test_only_the_given_categories_are_split_off() -> None:
    assert unified("_shelx_res_file x\n_a_b 1", custom_categories=["a"]).block.tags == [
        "_shelx_res_file",
        "_a.b",
    ]
    assert unified("_shelx_res_file x", custom_categories=[]).block.tags == ["_shelx_res_file"]


def test_damaged_names_are_mended() -> None:
    assert unified("_shelx._version_number 2018/3").block.tags == ["_shelxl_version_number"]


# Blocks and other versions


def test_first_block_with_content_is_used_and_others_are_mentioned() -> None:
    conversion = unify("data_\ndata_a\n_x 1\ndata_b\n_x 2\n")
    assert (conversion.block.name, conversion.block["_x"]) == ("a", "1")
    assert "several-blocks" in codes(conversion)
    assert unify("data_a\n_x 1\ndata_b\n_x 2\n", block="b").block["_x"] == "2"
    with pytest.raises(CifError, match="no block 'c'"):
        unify("data_a\n_x 1\n", block="c")


def test_cif_2_becomes_cif_1_where_possible() -> None:
    source = '#\\#CIF_2.0\ndata_x\n_a """it\'s\n"b" """\n_n \'5\'\nloop_\n_l\n_m\n1 """q q"""\n'
    conversion = unify(source)
    assert not conversion.text.startswith("#")
    again = read(conversion.bytes).sole_block()
    assert again.text("_a") == 'it\'s\n"b" '
    assert again.value("_n") == "5"
    assert again.loop("_l").texts("_m") == ["q q"]


def test_cif_2_with_lists_stays_cif_2() -> None:
    conversion = unify("#\\#CIF_2.0\ndata_x\n_cell_length_a 1.0(1)\n_l [1 'a b']\n")
    assert conversion.text.startswith("#\\#CIF_2.0\n")
    assert read(conversion.bytes).sole_block()["_l"] == "[1 'a b']"


def test_unified_text_is_utf_8_with_lf() -> None:
    conversion = unify(b"data_x\r\n_a 'M\xfcller'\r\nloop_\r\n_b\r\n_c\r\n1 \xe5\r\n_t\r\n;x\r\ny\r\n;\r\n")
    assert b"\r" not in conversion.bytes
    assert "Müller" in conversion.text
    assert conversion.block.column("_c") == ["å"]
    assert conversion.block.text("_t") == "x\ny"


def test_quoted_dot_stays_text() -> None:
    assert "'.'" in unified("_a '.'").text
    assert "'?'" in unified("loop_\n_a\n'?'\n?").text


def test_line_that_begins_with_a_semicolon_is_written_so_that_others_can_read_it() -> None:
    gemmi = pytest.importorskip("gemmi")
    conversion = unify("data_x\n_a\n;one\n;two\n;\n_b 1\n")
    assert read(conversion.bytes).sole_block().text("_a") == "one\n;two"
    assert gemmi.cif.read_string(conversion.text)[0].find_value("_b") == "1"


# Is it a CIF


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"data_x\n", True),
        (b"data_", True),
        (b"  data_x", True),
        (b"DATA_x\n", True),
        (b"# comment\n\n  # more\ndata_x\n", True),
        (b"\xef\xbb\xbfdata_x\n", True),
        ("data_x\n".encode("utf-16"), True),
        (b"# data_x\n", False),
        (b"", False),
        (b"TITL data_x\n", False),
        (b"\x89PNG\r\n\x1a\n\x00", False),
        (b"\xff\xfe\x00", False),
        (b"loop_\n_a\n1\n", False),
    ],
)
def test_what_counts_as_a_cif(content: bytes, answer: bool) -> None:
    assert is_cif(content) is answer


def test_bytes_that_are_no_cif_come_back_unchanged() -> None:
    assert unify_if_cif(b"\x89PNG\x00") == b"\x89PNG\x00"
    assert b"_cell.length_a" in unify_if_cif(b"data_x\n_cell_length_a 1\n")
    with pytest.raises(CifError):
        unify_if_cif(b"data_x\n_cell_length_a\n")


SPELLINGS = {
    # A value that is not applicable under the very name, and a known one under another: only the known one stays.
    "not applicable, then known": ("_cell.length_a .\n_cell_length_a 5.0", {"_cell.length_a": "5.0"}),
    "known, then not applicable": ("_cell_length_a 5.0\n_cell.length_a .", {"_cell.length_a": "5.0"}),
    "a quoted question mark is known": ("_cell_length_a '?'\n_cell.length_a .", {"_cell.length_a": "'?'"}),
    "not applicable says more than unknown": ("_cell_length_a .\n_cell.length_a ?", {"_cell.length_a": "."}),
    "unknown, then known": ("_cell.length_a ?\n_cell_length_a 5.0", {"_cell.length_a": "5.0"}),
    "two values": (
        "_cell.length_a 4.0\n_cell_length_a 5.0",
        {"_cell.length_a": "4.0", "_cell_length_a": "5.0"},
    ),
    "one value": ("_cell.length_a 5.0\n_cell_length_a 5.00", {"_cell.length_a": "5.0"}),
}


@pytest.mark.parametrize(("text", "items"), SPELLINGS.values(), ids=SPELLINGS)
def test_no_two_items_have_one_name_whatever_two_spellings_say(text: str, items: dict[str, str]) -> None:
    unified = unify(f"data_x\n{text}\n")
    assert {item.tag: item.raw for item in unified.block.items} == items
    assert len(unified.block.tags) == len({tag.lower() for tag in unified.block.tags})
    assert unify(unified.bytes).bytes == unified.bytes


def test_an_item_and_a_table_of_one_name_do_not_become_two_items_of_one_name() -> None:
    text = "data_x\nloop_\n_atom_site.label\n_atom_site_fract_x\nC1 0.1\nC2 0.2\n_atom_site.fract_x 0.5\n"
    unified = unify(text)
    assert len(unified.block.tags) == len({tag.lower() for tag in unified.block.tags})
    assert unify(unified.bytes).bytes == unified.bytes


def test_the_su_of_a_column_that_keeps_its_written_name_stays_its_own() -> None:
    """Also when the file is unified again: the other column has the name that it would belong to."""
    unified = unify("data_x\nloop_\n_atom_site.fract_x\n_atom_site_fract_x\n0.3 0.5(2)\n")
    assert unified.block.tags == ["_atom_site.fract_x", "_atom_site_fract_x", "_atom_site_fract_x_su"]
    assert unify(unified.bytes).block.tags == unified.block.tags


def test_columns_of_equal_values_with_different_su_are_not_the_same() -> None:
    unified = unify("data_x\nloop_\n_atom_site.fract_x\n_atom_site_fract_x\n1.0(1) 1(2)\n")
    assert unified.block.column("_atom_site_fract_x_su") == ["2"]
    assert unify(unified.bytes).block.tags == unified.block.tags


@pytest.mark.parametrize("dialect", ["unified", "ddl1"])
def test_two_spellings_that_were_kept_are_two_names_in_every_dialect(dialect: str) -> None:
    """In classic names both would be `_cell_length_a`, and no program reads a file that has an item twice."""
    text = "data_x\n_cell.length_a 4.0\n_cell_length_a 5.0\n"
    block = read(specific(text, InputEntries(dialect=dialect)).bytes).sole_block()
    assert sorted((item.tag, item.raw) for item in block.items) == [
        ("_cell.length_a", "4.0"),
        ("_cell_length_a", "5.0"),
    ]
