"""A CIF for journals: classic names, s.u. in brackets, ASCII without lost letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import read
from qcrbox.cif.convert.journal_cif import ascii_document, ascii_text, conventional_document
from qcrbox.cif.markup import shown

# Codes of Int. Tables G, 2.2.7.4.2; ^ and ~ raise and lower.
TEXTS = [
    ("Ångström", '\\%Angstr\\"om'),
    ("Müller", 'M\\"uller'),
    ("Erdős", "Erd\\>os"),
    ("Łódź", "\\/L\\'od\\'z"),
    ("Wałęsa", "Wa\\/l\\;esa"),
    ("Čapek", "\\<Capek"),
    ("Đorđe", "\\/Dor\\/de"),
    ("Ñandú", "\\~Nand\\'u"),
    ("Straße", "Stra\\&se"),
    ("θ = 27°", "\\q = 27\\%"),
    ("ΔΣ", "\\D\\S"),
    # Both signs for micro, and both for ångström.
    ("0.3 µm", "0.3 \\mm"),
    ("0.3 μm", "0.3 \\mm"),
    ("1.5 \u212b", "1.5 \\%A"),
    ("M\u0075\u0308ller", 'M\\"uller'),
    ("e Å⁻³", "e \\%A^-3^"),
    ("10⁻¹²", "10^-12^"),
    ("H₂O", "H~2~O"),
    ("C₁₂H₂₂", "C~12~H~22~"),
    ("±0.1", "+-0.1"),
    ("2 × 3", "2 \\\\times 3"),
    ("−0.5", "-0.5"),
    ("1–2", "1-2"),
    ("a — b", "a --- b"),
    ("“quoted” ‘text’", "\"quoted\" 'text'"),
    ("x\u00a0y…", "x y..."),
    ("ﬁne", "fine"),
    ("→ ∞ ≡", "\\\\rightarrow \\\\infty \\\\tb"),
    ("東京", "??"),
    ("plain", "plain"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "written"), TEXTS, ids=[row[0] or "nothing" for row in TEXTS])
def test_letters_become_codes_of_cif(text, written):
    assert ascii_text(text) == written


@pytest.mark.parametrize("text", ["Müller", "Erdős", "Łódź", "Straße", "θ and Δ", "27°", "±0.1"])
def test_a_reader_of_codes_sees_the_letters_again(text):
    assert shown(ascii_text(text)) == text


@given(st.text(max_size=30))
def test_every_text_becomes_ascii(text):
    assert ascii_text(text).isascii()


UNIFIED = """data_x
_cell.length_a 10.1234
_cell.length_a_su 0.0012
_refine_ls.shift_over_su_max 0.001
_space_group.name_h-m_alt 'P 1 21/c 1'
_my_note 'Müller’s sample'
loop_
_atom_site.label
_atom_site.fract_x
_atom_site.fract_x_su
C1 0.1000 0.0002
C2 0.2 .
"""


def test_names_are_classic_and_su_are_in_brackets():
    block = conventional_document(read(UNIFIED).sole_block()).blocks[0]
    assert block["_cell_length_a"] == "10.1234(12)"
    assert block.column("_atom_site_fract_x") == ["0.1000(2)", "0.2"]
    assert block.tags[:3] == ["_cell_length_a", "_refine_ls_shift/su_max", "_space_group_name_H-M_alt"]


def test_the_document_in_ascii_is_read_again_with_the_same_items():
    document = conventional_document(read(UNIFIED).sole_block())
    text = ascii_document(document)
    assert text.isascii()
    again = read(text).sole_block()
    assert again.tags == document.blocks[0].tags
    # The apostrophe of the text would have ended it.
    assert again.text("_my_note") == "M\\\"uller's sample"


def test_a_document_in_ascii_is_given_as_it_is():
    document = read("data_x\n_a   1 # note\n")
    assert ascii_document(document) == "data_x\n_a   1 # note\n"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_a_file_of_any_encoding_keeps_its_letters(encoding):
    """None becomes a question mark."""
    document = read("data_x\n_n 'Müller'\nloop_\n_l\n'é a'\nb\n".encode(encoding))
    again = read(ascii_document(document)).sole_block()
    assert again.text("_n") == 'M\\"uller'
    assert again.loop("_l").texts("_l") == ["\\'e a", "b"]
