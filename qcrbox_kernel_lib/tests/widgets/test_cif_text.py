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
