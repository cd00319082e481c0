"""Letter codes of CIF text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import read
from qcrbox.cif.markup import coded, shown, value_shown

CODES = [
    ('M\\"uller', "Müller"),
    ('\\%Angstr\\"om', "Ångström"),
    ("Ren\\'e", "René"),
    ("S\\/orensen", "Sørensen"),
    ("Stra\\&se", "Straße"),
    ("\\<Capek", "Čapek"),
    ("Erd\\>os", "Erdős"),
    ("Cu K\\a", "Cu Kα"),
    ("\\D x", "Δ x"),
    ("90\\%", "90°"),
    ("25 \\%C", "25 °C"),
    ("0.5--1.0", "0.5–1.0"),
    ("1 +- 2", "1 ± 2"),
    ("2 \\\\times 3", "2 × 3"),
]


@pytest.mark.parametrize(("code", "text"), CODES, ids=[row[1] for row in CODES])
def test_codes_become_letters(code: str, text: str) -> None:
    assert shown(code) == text


@pytest.mark.parametrize(
    "text", ["C:\\temp\\data", "a\\", "\\\\server", "Müller", "5 - 3", "\\1", "\\j", "\\.q"]
)
def test_what_is_no_code_stays(text: str) -> None:
    assert shown(text) == text


def test_one_name_in_three_encodings_is_shown_alike() -> None:
    files = [
        b"data_x\n_n 'M\xfcller'\n",
        b"data_x\n_n 'M\\\"uller'\n",
        "#\\#CIF_2.0\ndata_x\n_n 'Müller'\n".encode(),
    ]
    assert {shown(read(file).sole_block().text("_n")) for file in files} == {"Müller"}


@given(st.text(alphabet="abz äöüßøÅéčő αβΔ°", max_size=20))
def test_coded_text_is_ascii_and_is_shown_as_before(text: str) -> None:
    # A Greek letter before a Latin one has no code of its own in CIF 1.1: \ab would be read as one word.
    spaced = " ".join(text)
    assert coded(spaced).isascii()
    assert shown(coded(spaced)) == spaced


@pytest.mark.parametrize("text", ["----", "----------", "=----=", "a----b", "-----\n-----"])
def test_a_rule_of_dashes_stays_a_rule(text: str) -> None:
    """Its last three are not the code of a long dash."""
    assert shown(text) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("a--b", "a–b"),
        ("a---b", "a—b"),
        ("--", "–"),
        ("1 -+ 2", "1 ∓ 2"),
        ("\\\\infty", "∞"),
        ("\\\\rightarrow \\\\leftarrow", "→ ←"),
        ("C\\\\tbn", "C\\\\tbn"),
        ("C\\\\tb N", "C≡ N"),
        ("\\;a", "ą"),
        ("\\=o", "ō"),
        ("\\.z", "ż"),
        ("\\(g", "ğ"),
        ("\\?i", "ı"),
        ("\\/L", "Ł"),
        ("\\G \\g", "Γ γ"),
        ("\\s^2^", "σ²"),
        ("e \\%A^-3^", "e Å⁻³"),
        ("C~6~H~12~", "C₆H₁₂"),
        ("U~eq~", "U~eq~"),
        ("a ^ b ^ c", "a ^ b ^ c"),
        ("\\sin", "\\sin"),
        ("\\%C", "°C"),
        ("100\\%", "100°"),
    ],
)
def test_further_codes(code: str, text: str) -> None:
    assert shown(code) == text


@pytest.mark.parametrize("letter", list("ąęēżğčőłøđıß∞≃∼≠²⟩⟨→←≡±∓°"))
def test_every_letter_with_a_code_is_written_with_it(letter: str) -> None:
    """Arrows and other signs too."""
    assert coded(letter).isascii()
    assert shown(coded(letter)) == letter


@pytest.mark.parametrize("text", ["東", "€", "ﬁ", "plain", "", "a\\b"])
def test_what_has_no_code_stays(text: str) -> None:
    assert coded(text) == text


@pytest.mark.parametrize(
    ("tag", "text", "read"),
    [
        ("_diffrn_radiation_type", "MoK\\a", "MoKα"),
        ("_diffrn_radiation.type", "Mo K\\a", "Mo Kα"),
        ("_exptl_crystal_recrystallization_method", "at 5\\%C", "at 5°C"),
        ("_publ_author_name", 'M\\"uller, A.', "Müller, A."),
        ("_refine_special_details", "0.5 e \\%A^-3^", "0.5 e Å⁻³"),
        ("_vendor_remark", "n--m", "n–m"),
        ("_shelx_res_file", "REM a--b \\a", "REM a--b \\a"),
        ("_space_group_symop_operation_xyz", "-x+-y", "-x+-y"),
        ("_atom_site_label", "O1--", "O1--"),
        ("_cell_length_a", "5.1~2~", "5.1~2~"),
    ],
)
def test_prose_is_read_and_what_programs_read_stays(tag: str, text: str, read: str) -> None:
    assert value_shown(tag, text) == read


def test_text_of_cif_2_has_no_codes() -> None:
    assert value_shown("_refine_special_details", "a -- \\a", cif2=True) == "a -- \\a"
