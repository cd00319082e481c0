"""The numbered edge cases of reading and writing (1-11, 19, 22-25) and every row of the table of reading.

Cases 12-18, 20 and 21 are about structures and reflections; their tests stand beside those.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

import pytest
from qcrbox.cif import NOT_APPLICABLE, UNKNOWN, Document, Item, raw_of, read
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.cif.markup import shown
from qcrbox.contract.errors import CifError


def warned(document: Document) -> set[str]:
    return {remark.code for remark in document.diagnostics}


def refused(content: str | bytes, word: str) -> CifError:
    with pytest.raises(CifError, match=word) as caught:
        read(content, filename="f.cif")
    return caught.value


def case_01_numbers_with_su() -> None:
    content = "data_x\n_a 5.1234(12)\n_b 12(3)\n_c 1.2E3(4)\n_d -0.5(10)\n_e 5.1(0)\n"
    document = read(content)
    found = [(item.value.value, item.value.su) for item in document.sole_block().items]
    assert found == [(5.1234, 0.0012), (12, 3), (1200, 400), (-0.5, 1.0), (5.1, 0)]
    document.sole_block().set("_new", 1)
    assert document.to_bytes().startswith(content.rstrip().encode())


def case_02_five_different_things() -> None:
    block = read("data_x\nloop_\n_a\n?\n.\n'?'\n\".\"\n''\n").sole_block()
    assert block.loop("_a").values("_a") == [UNKNOWN, NOT_APPLICABLE, "?", ".", ""]
    assert unify(Document([block])).block.column("_a") == ["?", ".", "'?'", '"."', "''"]


def case_03_marks_and_endings() -> None:
    for content in (
        codecs.BOM_UTF8 + b"data_x\n_a 1\n",
        b"data_x\r\n_a 1\r\n",
        b"data_x\r_a 1\r",
        b"data_x\n_a 1",
        b"data_x\n_a 1\n\x00\x00",
        b"data_x\r\n_a 1\r\n\x1a",
    ):
        document = read(content)
        assert document.sole_block()["_a"] == "1"
        assert document.to_bytes() == content


def case_04_one_name_in_three_encodings() -> None:
    files = (
        b"data_x\n_n M\xfcller\n",
        b"data_x\n_n 'M\\\"uller'\n",
        "#\\#CIF_2.0\ndata_x\n_n Müller\n".encode(),
    )
    assert {shown(read(file).sole_block().text("_n") or "") for file in files} == {"Müller"}


def case_05_item_twice() -> None:
    assert warned(read("data_x\n_a 1\n_a 1\n")) == {"duplicate-item"}
    error = refused(b"data_x\n_a 1\n_a 2\n", "lines 2 and 3")
    assert (error.file, error.line, error.tag) == ("f.cif", 3, "_a")
    assert read(b"data_x\n_a 1\n_a 2\n", on_error="keep").original == b"data_x\n_a 1\n_a 2\n"


def case_06_block_names_and_frames() -> None:
    document = read("data_\n_a 1\ndata_x\n_a 2\ndata_x\nsave_f\n_b 1\nsave_\n_a 3\n")
    assert warned(document) == {"empty-block-name", "duplicate-block", "save-frame"}
    assert [block["_a"] for block in document] == ["1", "2", "3"]
    refused("global_\n_a 1\n", "global_")


def case_07_loops() -> None:
    refused("data_x\nloop_\n_a\n_b\n1 2 3\n", "2 names and 3 values")
    assert read("data_x\nloop_\n_a\n").sole_block().loops[0].n_rows == 0
    for content in ("data_x\nloop_\n_cell_length_a\n5(1)\n", "data_x\n_cell_length_a 5(1)\n"):
        assert str(read(content).sole_block().number("_cell.length_a")) == "5(1)"
        made = specific(content, InputEntries(required=["_cell_length_a"])).block
        assert made["_cell_length_a"] == "5"


def case_08_awkward_texts() -> None:
    texts = [
        "a # b",
        "a dog's life",
        "_name",
        "data_x",
        "trailing  ",
        "one\n;two",
        "x\n y;",
        "'both' \"kinds\" ",
        "[1]",
    ]
    items = [Item(f"_t{n}", raw_of(text)) for n, text in enumerate(texts)]
    written = Document([read("data_x\n_a 1\n").sole_block()])
    written.blocks[0].entries += items
    again = read(written.to_bytes()).sole_block()
    assert [again.text(item.tag) for item in items] == texts


def case_09_long_lines_folding_and_prefix() -> None:
    long = "word " * 1000
    assert read(f"data_x\n_a '{long}'\n").sole_block().text("_a") == long
    assert max(map(len, raw_of(long).split("\n"))) <= 2048
    assert read(f"data_x\n_a\n{raw_of(long)}\n").sole_block().text("_a") == long
    assert read("data_x\n_a\n;\\\none\\\n two\n;\n").sole_block().text("_a") == "one two"
    assert read("data_x\n_a\n;>\\\n>;one\n>two\n;\n").sole_block().text("_a") == ";one\ntwo"


def case_10_cif_2() -> None:
    body = "data_x\n_l [1 'b c']\n_d {'k':[2]}\n_t '''it's\n\"it\"'''\n"
    for content, cif2_said in ((f"#\\#CIF_2.0\n{body}", True), (body, False)):
        document = read(content)
        assert document.cif2
        assert warned(document) == (set() if cif2_said else {"cif2-without-magic"})
        assert document.sole_block().text("_t") == 'it\'s\n"it"'


def case_11_several_blocks() -> None:
    document = read("data_a\n_x 1\ndata_b\n_x 2\ndata_c\n_x 3\ndata_hkl\nloop_\n_refln_index_h\n1\n")
    with pytest.raises(CifError, match="a, b, c, hkl"):
        document.sole_block()
    assert [unify(document, block=name).block.name for name in ("a", "b", "hkl")] == ["a", "b", "hkl"]
    assert "several-blocks" in {remark.code for remark in unify(document).warnings}


def case_19_embedded_files() -> None:
    hkl = "-12-10 -9 1234.56   12.34\n" * 100_000 + "   0   0   0 99999999.99\ntext after it"
    content = f"data_x\n_shelx_hkl_file\n;\n{hkl}\n;\n_shelx_hkl_checksum 12345\n"
    made = specific(content, InputEntries(required=["_shelx_hkl_file"])).block
    assert made.text("_shelx_hkl_file") == "\n" + hkl
    assert read(content.replace("\n", "\r\n")).sole_block().text("_shelx_hkl_file") == "\n" + hkl


def case_22_other_kinds_of_cif() -> None:
    content = (
        "data_x\n_cell_modulation_dimension 1\n_pd_calc_method 'Rietveld'\n_space_group_magn.number_BNS 14.75\n"
        "loop_\n_atom_site.group_PDB\n_atom_site.Cartn_x\nATOM 1.5\n"
    )
    unified = unify(content)
    assert unify(unified.bytes).bytes == unified.bytes
    assert len(unified.block.tags) == 5


def case_23_long_details_and_gram_charlier_terms_stay() -> None:
    details = "NoSpherA2 " * 5000
    content = (
        f"data_x\n_refine_special_details\n;\n{details}\n;\nloop_\n_atom_site_anharm_GC_C_label\n"
        "_atom_site_anharm_GC_C_111\nCu1 0.00012(3)\n"
    )
    merged = merge_back("data_o\n_cell_length_a 1\n", content, OutputEntries())
    assert merged.block.text("_refine_special_details") == f"\n{details}"
    assert merged.block.column("_atom_site_anharm_GC_C_111_su") == ["0.00003"]
    document = read(content)
    document.sole_block().set("_x", 1)
    assert document.to_bytes().startswith(content.rstrip().encode())


def case_24_fcf() -> None:
    content = (
        "data_\n\ndata_other_name\n_shelx_refln_list_code 4\nloop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n"
        "_refln_F_squared_calc\n_refln_F_squared_meas\n_refln_F_squared_sigma\n_refln_observed_status\n"
        " 1 0 0 10.0 11.0 0.5 o\n 2 0 0 5.0 -1.0 0.7 <\n"
    )
    unified = unify(content).block
    assert unified.name == "other_name"
    assert unified.column("_refln_F_squared_meas") == ["11.0", "-1.0"]
    assert unified.column("_refln.f_squared_meas_su") == ["0.5", "0.7"]
    merged = merge_back(
        content, "data_structure\n_cell_length_a 1\n", OutputEntries(output_block="other_name")
    )
    assert merged.block.name == "structure"


def case_25_size_and_hostility() -> None:
    refused("#\\#CIF_2.0\ndata_x\n_a " + "[{" * 50_000, "nested|closed")
    loop = read("data_x\nloop_\n_a\n" + "1\n" * 1_000_000).sole_block().loop("_a")
    assert loop is not None
    assert loop.n_rows == 1_000_000
    text = "<script>alert('x')</script> =cmd|'/c calc'!A0 ../../etc/passwd"
    assert read(f"data_x\n_a\n;{text}\n;\n").sole_block().text("_a") == text
    with pytest.raises(CifError):
        read(b"PK\x03\x04" + bytes(5000))


CASES = [value for name, value in list(globals().items()) if name.startswith("case_")]


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
def test_edge_case(case: Callable[[], None]) -> None:
    case()


# Every row of the table of reading and writing

SAME_ITEM_TWICE = "data_x\n_a 1\n_b 1\n_A 2\n"
TABLE: dict[str, Callable[[], object]] = {
    "non-ASCII text": lambda: read("data_x\n_a 'Ångström'\n").sole_block().text("_a") == "Ångström",
    "byte order mark": lambda: read(codecs.BOM_UTF8 + b"data_x\n_a 1\n").sole_block()["_a"] == "1",
    "CIF 2 lists": lambda: read("#\\#CIF_2.0\ndata_x\n_a [1 2]\n").sole_block()["_a"] == "[1 2]",
    "CIF 2 written as CIF 1.1": lambda: (
        unify('#\\#CIF_2.0\ndata_x\n_a """b c"""\n').text.split() == ["data_x", "_a", "'b", "c'"]
    ),
    "CIF 2 written as CIF 2": lambda: unify("#\\#CIF_2.0\ndata_x\n_a [1]\n").text.startswith("#\\#CIF_2.0\n"),
    "same item twice": lambda: refused(
        SAME_ITEM_TWICE, "_A is given twice with different values, in lines 2 and 4"
    ),
    "two blocks of one name": lambda: len(read("data_x\n_a 1\ndata_x\n_a 2\n")) == 2,
    "empty loop": lambda: read("data_x\nloop_\n_a\n_b\n").sole_block().loops[0].n_rows == 0,
    "wrong number of loop values": lambda: refused("data_x\nloop_\n_a\n_b\n1 2\n3\n", "2 names").line == 6,
    "save frames": lambda: read("data_x\nsave_a\n_b 1\nsave_\n_c 2\n").sole_block().tags == ["_c"],
    "global_": lambda: refused("data_x\n_a 1\nglobal_\n_b 1\n", "global_").line == 3,
    "comments": lambda: b"# kept" in read(b"data_x # kept\n_a 1\n").original,
    "lines longer than 2048": lambda: read("data_x\n_a " + "x" * 3000).sole_block()["_a"] == "x" * 3000,
    "CRLF": lambda: unify(b"data_x\r\n_t\r\n;a\r\nb\r\n;\r\n").bytes == b"data_x\n_t\n;a\nb\n;\n",
    "quoted dot": lambda: unify("data_x\n_a '.'\n").block["_a"] == "'.'",
    "question mark": lambda: unify("data_x\n_a ?\n").block["_a"] == "?",
    "quotes": lambda: raw_of("a b") == "'a b'",
    "several blocks": lambda: unify("data_a\n_x 1\ndata_b\n_x 2\n", block="b").block["_x"] == "2",
    "empty file": lambda: refused("", "no data block"),
    "the original": lambda: read(b"data_x\r\n_a   1 # c\r\n").original == b"data_x\r\n_a   1 # c\r\n",
}


@pytest.mark.parametrize("row", list(TABLE))
def test_row_of_the_table_of_reading(row: str) -> None:
    assert TABLE[row]()
