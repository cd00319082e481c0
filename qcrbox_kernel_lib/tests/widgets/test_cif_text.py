"""The CIF viewer: what the pointer tells, what is folded, what is only text."""

from __future__ import annotations

import re

import pytest
from qcrbox.cif import names, read
from qcrbox.widgets.cif_text import cif_html
from qcrbox.widgets.cif_text.item_words import _by_canonical_name, item_words

CONTENT = """data_x
_cell_length_a 5.123(4)
_refine_ls_R_factor_gt ?
_my_own_item <script>alert(1)</script>
_shelx_hkl_file
;
{hkl}
;
loop_
_atom_site_label
_atom_site_fract_x
{rows}
"""


@pytest.fixture(scope="module")
def html():
    hkl = "\n".join("   1   2   3  100.00    1.00" for _ in range(120_000))
    rows = "\n".join(f"C{n} 0.{n:03d}(2)" for n in range(1, 900))
    document = read(CONTENT.format(hkl=hkl, rows=rows).encode(), filename="x.cif")
    return cif_html(document, document.blocks)


def test_pointer_tells_meaning_type_and_unit(html):
    assert "title='length of the cell axis a. _cell.length_a: Real, angstroms, 0 or more'" in html
    assert re.search(r"title='not in the dictionaries'>_my_own_item", html)


def test_embedded_reflections_of_megabytes_are_folded_and_cut(html):
    assert re.search(r"<i>text, 12000\d lines</i>", html)
    assert len(html) < 400_000
    assert not re.search(r"<details open><summary><span[^>]*>_shelx_hkl_file", html)


def test_long_loop_is_folded_and_says_how_many_rows_there_are(html):
    assert "<i>899 rows</i>" in html
    assert "499 more rows" in html


def test_nothing_of_the_file_is_executed(html):
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_unknown_value_and_su_are_set_off(html):
    assert "<span class='q'>?</span>" in html
    assert "5.123<span style='opacity:.6'>(4)</span>" in html


def test_words_belong_to_items_that_the_dictionaries_know():
    ours = [name for name in _by_canonical_name() if names.facts(name) is None]
    assert not [name for name in ours if not name.startswith("_shelx")]
    assert item_words("_CELL_LENGTH_A") == item_words("_cell.length_a") == "length of the cell axis a"
    assert item_words("_cell.length_a_su") == "s.u. of: length of the cell axis a"


def shown(text):
    document = read(text.encode(), filename="x.cif", on_error="keep")
    return cif_html(document, document.blocks)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("-0.12(3)", "-0.12<span style='opacity:.6'>(3)</span>"),
        ("'C10 H8'", "C10 H8"),
        ("5(x)", "5(x)"),
        ("'a \" b'", "a &quot; b"),
        ("a&b", "a&amp;b"),
    ],
)
def test_a_value_is_shown_without_its_quotes(value, cell):
    assert f"</span> {cell}</div>" in shown(f"data_a\n_my_item {value}\n")


def test_a_single_block_is_open_and_several_are_folded():
    assert shown("data_a\n_x_y 1\n").count("<details open>") == 1
    assert "<details open>" not in shown("data_a\n_x_y 1\ndata_b\n_x_y 1\n")


@pytest.mark.parametrize(("count", "more"), [(50, None), (53, "… 3 more blocks")])
def test_blocks_that_are_left_out_are_counted(count, more):
    html = shown("".join(f"data_b{n}\n_x_y {n}\n" for n in range(count)))
    assert html.count("<summary class='b'>") == 50
    assert (more in html) if more else "more blocks" not in html


def test_remarks_of_the_reader_come_first_and_are_counted():
    html = shown("data_a\n" + "".join(f"stray{n}\n" for n in range(30)))
    assert html.count("⚠ line ") == 20
    assert re.search(r"… \d+ more remarks", html)


@pytest.mark.parametrize(("length", "is_open"), [(5, True), (590, True), (700, False)])
def test_a_text_field_is_open_while_it_is_short(length, is_open):
    html = shown(f"data_a\n_my_text\n;\n{'x ' * (length // 2)}\n;\n")
    assert ("<details open><summary><span class='t'" in html) == is_open


def test_a_long_value_on_one_line_is_cut():
    html = shown(f"data_a\n_my_item {'x' * 550}\n")
    assert f"{'x' * 300}…" in html
    assert "x" * 301 not in html


def test_names_of_blocks_and_items_are_escaped():
    html = shown("data_<u>\nloop_\n_<i>_x\n_<i>_y\n1 2\n")
    assert "<u>" not in html
    assert "<i>1 row</i>" in html
    assert "<i>_x" not in html


def test_letter_codes_are_read_as_letters_and_the_text_of_the_file_is_under_the_pointer():
    text = (
        "data_a\n_diffrn_radiation_type 'Mo K\\a'\n_publ_section_comment\n;\nat 5\\%C, 0.3 e \\%A^-3^ <b>\n;\n"
        "loop_\n_publ_author_name\n'M\\\"uller, <i>A.'\n_shelx_res_file\n;\nREM a--b \\a\n;\n"
    )
    document = read(text.encode(), filename="a.cif")
    shown = cif_html(document, document.blocks)
    assert "<span title='Mo K\\a'>Mo Kα</span>" in shown
    assert "at 5°C, 0.3 e Å⁻³ &lt;b&gt;" in shown
    assert ">Müller, &lt;i&gt;A.</span>" in shown
    assert "REM a--b \\a" in shown
