"""Reading: every row of the reading table, and the edge cases 1-11, 19, 22-25 that concern the text."""

from __future__ import annotations

import codecs

import pytest
from qcrbox.cif import NOT_APPLICABLE, UNKNOWN, Document, Loop, Number, read
from qcrbox.contract.errors import CifError


def codes(document: Document) -> list[str]:
    return [remark.code for remark in document.diagnostics]


# Encodings and endings


def test_non_ascii_text_and_byte_order_mark_are_read() -> None:
    content = codecs.BOM_UTF8 + "data_x\n_publ_author_name 'Ångström'\n".encode()
    document = read(content)
    assert document.sole_block().text("_publ_author_name") == "Ångström"
    assert codes(document) == ["byte-order-mark"]
    assert document.to_bytes() == content


def test_latin_1_is_read_and_kept() -> None:
    content = b"data_x\n_n 'M\xfcller'\n_o 1\n"
    document = read(content)
    assert document.sole_block().text("_n") == "Müller"
    assert document.encoding == "latin-1"
    assert codes(document) == ["latin-1"]
    document.sole_block().set("_o", 2)
    assert document.to_bytes() == b"data_x\n_n 'M\xfcller'\n_o 2\n"


def test_letter_that_latin_1_lacks_turns_the_file_into_utf_8() -> None:
    document = read(b"data_x\n_n 'M\xfcller'\n_o 1\n")
    document.sole_block().set("_o", "Š")
    assert document.to_bytes().decode("utf-8") == "data_x\n_n 'Müller'\n_o Š\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read(encoding: str) -> None:
    mark = codecs.BOM_UTF16_LE if encoding.endswith("le") else codecs.BOM_UTF16_BE
    document = read(mark + "data_x\n_n Å\n".encode(encoding))
    assert document.sole_block()["_n"] == "Å"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends_give_the_same_values(newline: bytes) -> None:
    content = b"data_x\n_a 1\n_t\n;one\ntwo\n;\nloop_\n_b\n_c\n1 2\n3 4\n".replace(b"\n", newline)
    document = read(content)
    block = document.sole_block()
    assert block.text("_t") == "one\ntwo"
    assert block.column("_c") == ["2", "4"]
    assert document.to_bytes() == content


@pytest.mark.parametrize("tail", [b"", b"\n\x1a", b"\n\x00\x00", b"\x1a"])
def test_missing_final_line_end_and_dos_tails_are_accepted(tail: bytes) -> None:
    document = read(b"data_x\n_a 1" + tail)
    assert document.sole_block()["_a"] == "1"
    assert codes(document) == (["old-ending"] if tail else [])
    assert document.to_bytes() == b"data_x\n_a 1" + tail


def test_control_characters_inside_are_remarked_on_with_their_place() -> None:
    document = read(b"data_x\n_a 'b\x00c'\n")
    remark = document.diagnostics[0]
    assert (remark.code, remark.line, remark.column) == ("control-character", 2, 6)


def test_the_same_name_is_shown_whatever_the_encoding() -> None:
    latin = read(b"data_x\n_n 'M\xfcller'\n").sole_block().text("_n")
    utf = read("#\\#CIF_2.0\ndata_x\n_n 'Müller'\n".encode()).sole_block().text("_n")
    assert latin == utf == "Müller"


# Values


def test_quoting_decides_between_text_and_special_values() -> None:
    block = read("data_x\n_a ?\n_b .\n_c '?'\n_d \".\"\n_e ''\n").sole_block()
    assert [block.value(tag) for tag in ("_a", "_b", "_c", "_d", "_e")] == [
        UNKNOWN,
        NOT_APPLICABLE,
        "?",
        ".",
        "",
    ]


def test_numbers_keep_their_text_on_rewriting() -> None:
    content = b"data_x\n_a 5.1234(12)\n_b 12(3)\n_c 1.2E3(4)\n_d -0.5(10)\n_e 5.1(0)\n_f 5.\n_g .5\n"
    document = read(content)
    block = document.sole_block()
    assert all(isinstance(block.value(item.tag), Number) for item in block.items)
    block.set("_f", 6)
    assert document.to_bytes() == content.replace(b"_f 5.", b"_f 6")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("'a dog's life'", "a dog's life"),
        ("'a # b'", "a # b"),
        ("'_not_a_name'", "_not_a_name"),
        ("'data_x'", "data_x"),
        ("'trailing  '", "trailing  "),
        ('"it\'s"', "it's"),
        (";x", ";x"),
        ("a#b", "a#b"),
        ("a'b'", "a'b'"),
        ("loop_a", "loop_a"),
        ("$x", "$x"),
    ],
)
def test_awkward_values_are_read(raw: str, text: str) -> None:
    assert read(f"data_y\n_a {raw}\n_b 1\n").sole_block().text("_a") == text


def test_text_fields_keep_blanks_quotes_and_hashes() -> None:
    body = " first  \n  # no comment\n'quoted'\ndata_x\n loop_\n"
    block = read(f"data_y\n_a\n;{body}\n;\n_b 2\n").sole_block()
    assert block.text("_a") == body
    assert block["_b"] == "2"


def test_line_of_text_that_begins_with_a_semicolon_is_read_and_remarked_on() -> None:
    document = read("data_y\n_a\n;one\n;two\n;\n_b 2\n")
    assert document.sole_block().text("_a") == "one\n;two"
    assert codes(document) == ["semicolon-line"]


def test_lines_longer_than_2048_are_accepted() -> None:
    long = "x" * 5000
    assert read(f"data_y\n_a {long}\n_b\n;{long}\n;\n").sole_block().text("_b") == long


def test_folded_text_is_unfolded() -> None:
    block = read("data_y\n_a\n;\\\none \\\nline\nand more\n;\n").sole_block()
    assert block.text("_a") == "one line\nand more"


def test_prefixed_text_loses_its_prefix() -> None:
    block = read("data_y\n_a\n;CIF>\\\nCIF>;one\nCIF>two\n;\n_b\n;> \\\\\n> fol\\\n> ded\n;\n").sole_block()
    assert block.text("_a") == ";one\ntwo"
    assert block.text("_b") == "folded"


# CIF 2

CIF_2 = '#\\#CIF_2.0\ndata_x\n_l [1 2 [3 \'a b\']]\n_t """a\n"b" c"""\n_d {\'k\':1 "m":[2 3]}\nloop_\n_p\n_q\n1 [1 2]\n4 \'5\'\n'


def test_cif_2_lists_tables_and_triple_quotes_are_read() -> None:
    document = read(CIF_2)
    block = document.sole_block()
    assert block["_l"] == "[1 2 [3 'a b']]"
    assert block.text("_t") == 'a\n"b" c'
    assert block["_d"] == "{'k':1 \"m\":[2 3]}"
    assert list(block.loop("_p").rows) == [("1", "[1 2]"), ("4", "'5'")]
    assert document.to_bytes() == CIF_2.encode()


def test_cif_2_without_its_first_line_is_read_with_a_warning() -> None:
    document = read(CIF_2.partition("\n")[2])
    assert document.cif2
    assert codes(document) == ["cif2-without-magic"]
    assert document.sole_block()["_l"] == "[1 2 [3 'a b']]"


def test_brackets_in_cif_1_text_do_not_make_it_cif_2() -> None:
    document = read("data_x\n_a 'b [c] d'\n_e f[1]\n_g\n;\n[h] it's\n;\n_i 'it's'\n")
    assert not document.cif2
    assert document.diagnostics == []


@pytest.mark.attack(13)
def test_deep_nesting_is_refused_and_not_followed() -> None:
    with pytest.raises(CifError, match="nested more than"):
        read("#\\#CIF_2.0\ndata_x\n_a " + "[" * 100_000 + "]" * 100_000)


def test_list_that_is_not_closed_names_its_line() -> None:
    with pytest.raises(CifError) as caught:
        read("#\\#CIF_2.0\ndata_x\n_a [1 2\n_b 3\n")
    assert caught.value.line == 3


# Blocks


def test_same_item_with_the_same_value_is_a_warning() -> None:
    document = read("data_x\n_a 1\n_A '1x'\n".replace("'1x'", "1"))
    assert codes(document) == ["duplicate-item"]
    assert [item.tag for item in document.sole_block().items] == ["_a"]


def test_same_item_with_another_value_is_an_error_with_both_lines() -> None:
    content = b"data_x\n_a 1\n_b 2\n_A 3\n"
    with pytest.raises(CifError, match="lines 2 and 4") as caught:
        read(content, filename="f.cif")
    assert (caught.value.file, caught.value.block, caught.value.line, caught.value.tag) == (
        "f.cif",
        "x",
        4,
        "_A",
    )
    kept = read(content, on_error="keep")
    assert kept.to_bytes() == content
    assert kept.sole_block()["_a"] == "1"


@pytest.mark.parametrize("empty", ["''", "?", ".", "' '"])
@pytest.mark.parametrize("first", [True, False])
def test_an_item_given_again_without_a_value_is_a_warning(empty: str, first: bool) -> None:
    values = [empty, "'C2 O6'"] if first else ["'C2 O6'", empty]
    content = "data_x\n_a 1\n" + "".join(f"_s {value}\n" for value in values)
    document = read(content + "_b 2\n")
    assert codes(document) == ["duplicate-item"]
    assert f"line {3 if first else 4} says nothing" in document.diagnostics[0].what
    assert document.sole_block().text("_s") == "C2 O6"
    assert document.sole_block().tags == ["_a", "_s", "_b"]
    document.sole_block().set("_s", "N")
    assert read(document.to_bytes()).sole_block().text("_s") == "N"


def test_two_blocks_of_one_name_are_kept_as_two() -> None:
    document = read("data_x\n_a 1\ndata_X\n_a 2\n")
    assert codes(document) == ["duplicate-block"]
    assert [block["_a"] for block in document] == ["1", "2"]


def test_block_without_name_is_accepted() -> None:
    document = read("data_\n_a 1\n")
    assert document.sole_block().name == ""
    assert codes(document) == ["empty-block-name"]


def test_stray_data_line_does_not_count_as_a_block_to_choose() -> None:
    document = read("data_\ndata_real\n_a 1\n")
    assert document.sole_block().name == "real"


def test_several_blocks_must_be_chosen_from() -> None:
    document = read("data_a\n_x 1\ndata_b\n_x 2\ndata_hkl\nloop_\n_refln_index_h\n1\n")
    with pytest.raises(CifError, match="a, b, hkl"):
        document.sole_block()
    assert document["B"]["_x"] == "2"
    assert document[2].loop("_refln").n_rows == 1
    with pytest.raises(CifError, match="no block 'c'"):
        document["c"]


def test_save_frames_are_skipped_with_a_warning() -> None:
    document = read("data_x\n_a 1\nsave_frame\n_b 2\nloop_\n_c\n1\nsave_\n_d 3\n")
    assert codes(document) == ["save-frame"]
    assert document.sole_block().tags == ["_a", "_d"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("global_\n_a 1\n", "global_"),
        ("data_x\n_a 1\nglobal_\n", "global_"),
        ("data_x\nloop_\n_a\n1\nstop_\n", "stop_"),
        ("", "no data block"),
        ("# only a comment\n", "no data block"),
        ("_a 1\n", "before the first data block"),
        ("data_x\n_a\n_b 1\n", "_a has no value"),
        ("data_x\n_a 1 2\n", "'2' has no name"),
        ("data_x\n_a 'b\n", "not closed"),
        ("data_x\n_a\n;b\n", "not closed"),
        ("data_x\nloop_\n1 2\n", "not followed by names"),
        ("data_x\nsave_y\n_a 1\n", "not closed"),
        ("data_x\nloop_\n_a\n_a\n1 2\n", "given twice"),
    ],
)
def test_broken_file_is_refused_with_place_and_reason(content: str, word: str) -> None:
    with pytest.raises(CifError) as caught:
        read(content, filename="f.cif")
    assert word in caught.value.message
    assert caught.value.line
    assert caught.value.message.startswith("f.cif, line")


def test_all_errors_of_a_file_are_told_at_once() -> None:
    with pytest.raises(CifError) as caught:
        read("data_x\n_a\n_b 1\n_b 2\nloop_\n_c\n_d\n1\n")
    assert len(caught.value.details) == 3


# Loops


def test_loop_without_rows_is_accepted() -> None:
    document = read("data_x\nloop_\n_a\n_b\nloop_\n_c\n1\n")
    loop = document.sole_block().loop("_a")
    assert (len(loop), loop.column("_b")) == (0, [])
    assert codes(document) == ["empty-loop"]


def test_wrong_number_of_loop_values_names_the_line_that_does_not_fit() -> None:
    with pytest.raises(CifError, match="2 names and 5 values") as caught:
        read("data_x\nloop_\n_a\n_b\n1 2\n3\n4 5\n")
    assert caught.value.line == 6
    assert "line 2" in caught.value.message


def test_loop_of_one_row_means_the_same_as_items() -> None:
    looped = read("data_x\nloop_\n_cell_length_a\n_cell_length_b\n1 2\n").sole_block()
    plain = read("data_x\n_cell_length_a 1\n_cell_length_b 2\n").sole_block()
    for block in (looped, plain):
        assert block["_cell.length_b"] == "2"
        assert block.column("_cell_length_a") == ["1"]


def test_comments_between_and_after_values_are_no_values() -> None:
    loop = read("data_x\nloop_ # c\n_a # c\n_b\n# c 1\n1 2 # 3\n# ;\n3 'a # b' #\n").sole_block().loop("_a")
    assert list(loop.rows) == [("1", "2"), ("3", "'a # b'")]


def test_text_fields_in_loops_are_cells() -> None:
    loop = read("data_x\nloop_\n_a\n_b\n1\n;x\ny\n;\n2\n;z\n;\n").sole_block().loop("_a")
    assert loop.texts("_b") == ["x\ny", "z"]


def test_numeric_columns_come_as_arrays() -> None:
    loop = read("data_x\nloop_\n_a\n_b\n1.5(2) 1\n? 2\n'x' 3\n").sole_block().loop("_a")
    values, su = loop.numbers_and_su("_a")
    assert values[0] == 1.5
    assert su[0] == pytest.approx(0.2)
    assert values[1] != values[1]
    assert loop.numbers("_b").tolist() == [1, 2, 3]


def test_texts_that_python_takes_for_numbers_are_none() -> None:
    loop = Loop.of({"_a": ["nan", "inf", "1_000", "0x1"]})
    assert all(value != value for value in loop.numbers("_a"))


@pytest.mark.parametrize("rows", [3, 40_000])
def test_large_loops_are_cut_into_the_same_cells(rows: int) -> None:
    """Cells are cut a piece at a time; no piece may lose or split one."""
    body = "".join(f"{n} v{n}\n" for n in range(rows))
    loop = read(f"data_x\nloop_\n_a\n_b\n{body}").sole_block().loop("_a")
    assert loop.column("_a") == [str(n) for n in range(rows)]
    assert loop.column("_b") == [f"v{n}" for n in range(rows)]
    quoted = read(f"data_x\nloop_\n_a\n_b\n{body}'q q' 1\n").sole_block().loop("_a")
    assert quoted.column("_a") == [*(str(n) for n in range(rows)), "'q q'"]


# Finding


def test_items_are_found_under_any_spelling() -> None:
    block = read("data_x\n_symmetry_Int_Tables_number 14\n_shelx_res_file x\n_my_Thing 1\n").sole_block()
    for tag in ("_space_group_IT_number", "_space_group.it_number", "_SYMMETRY_INT_TABLES_NUMBER"):
        assert block[tag] == "14"
    assert block["_shelx.res_file"] == "x"
    assert block["_MY_thing"] == "1"
    assert block.written_as("_space_group.IT_number") == "_symmetry_Int_Tables_number"
    assert block.get("_cell_length_a") is None
    with pytest.raises(KeyError):
        block["_cell_length_a"]


def test_legacy_and_modern_symmetry_operations_are_told_apart() -> None:
    block = read(
        "data_x\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n"
        "loop_\n_space_group_symop_operation_xyz\nx,y,z\n"
    ).sole_block()
    assert len(block.loop("_symmetry_equiv_pos_as_xyz")) == 2
    assert len(block.loop("_space_group_symop_operation_xyz")) == 1


# Large and strange content


def test_embedded_files_come_out_as_they_are() -> None:
    hkl = "\n".join("-12-10 -9 1234.56   12.34" for _ in range(5000)) + "\n   0   0   0\nTITL x; y\n"
    block = read(f"data_x\n_shelx_hkl_file\n;\n{hkl}\n;\n_shelx_hkl_checksum 1\n").sole_block()
    assert block.text("_shelx_hkl_file") == "\n" + hkl
    assert block["_shelx_hkl_checksum"] == "1"


def test_ten_thousand_blocks_are_read() -> None:
    document = read("".join(f"data_b{n}\n_x {n}\n" for n in range(10_000)))
    assert len(document) == 10_000
    assert document["b9999"]["_x"] == "9999"


def test_modulated_magnetic_and_macromolecular_items_are_kept() -> None:
    content = (
        b"data_x\n_cell_modulation_dimension 1\n_space_group_magn.number_BNS 14.75\n"
        b"loop_\n_atom_site.group_PDB\n_atom_site.id\nATOM 1\n"
    )
    document = read(content)
    assert document.sole_block()["_cell_modulation_dimension"] == "1"
    assert document.to_bytes() == content


@pytest.mark.attack(11)
def test_script_in_a_value_is_only_text() -> None:
    text = "<script>alert(1)</script>"
    assert read(f"data_x\n_a '{text}'\n").sole_block().text("_a") == text


def test_bytes_that_are_no_cif_are_refused_and_never_crash() -> None:
    with pytest.raises(CifError):
        read(bytes(range(256)) * 100)


def test_reading_stops_where_everything_is_broken() -> None:
    document = read(b"data_a\n_x '" + b"' ''" * 100_000, on_error="keep")
    assert len(document.diagnostics) == 500


def test_path_that_cannot_be_read_is_a_cif_error(tmp_path) -> None:
    with pytest.raises(CifError, match="cannot be read"):
        read(tmp_path / "nothing.cif")
    path = tmp_path / "a.cif"
    path.write_bytes(b"data_x\n_a 1\n")
    assert read(str(path)).filename == "a.cif"
