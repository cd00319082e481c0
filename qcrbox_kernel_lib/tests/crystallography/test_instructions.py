"""SHELX texts: numbers, lines, names, and what a parameter means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.shelx.instructions import (
    INSTRUCTIONS,
    decoded,
    logical_lines,
    read_instructions,
    sfac_elements,
    shelx_number,
)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("1", 1),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("5.", 5),
        ("+2", 2),
        ("1e-3", 1e-3),
        ("1.0D-3", 1e-3),
        ("1d2", 100),
        ("2/3", 2 / 3),
        ("-1/3", -1 / 3),
        ("1.5/3", 0.5),
    ],
)
def test_numbers_of_shelx(word, number):
    assert shelx_number(word) == pytest.approx(number)


@pytest.mark.parametrize(
    "word",
    ["", "C1", "1/0", "1/2/3", "--1", "1e", "nan", "inf", "1_0", "0x1", "1,5", "$C", "1e999", "-1d999"],
)
def test_words_that_are_no_numbers(word):
    """`1e999` is beyond the range of floats."""
    assert shelx_number(word) is None


LINES = {
    "plain": ("L.S. 4\nBOND\n", [(1, "L.S. 4"), (2, "BOND")]),
    "continued": ("SFAC C H =\n  N O\n", [(1, "SFAC C H N O")]),
    "continued twice": ("SFAC C =\n H =\n N\n", [(1, "SFAC C H N")]),
    "continued by a number": ("WGHT 0.1 =\n0.2\n", [(1, "WGHT 0.1 0.2")]),
    "not continued by a word": ("SFAC C =\nUNIT 4\n", [(1, "SFAC C"), (2, "UNIT 4")]),
    "ended by a blank line": ("SFAC C =\n\nUNIT 4\n", [(1, "SFAC C"), (3, "UNIT 4")]),
    "continued at the end": ("SFAC C =", [(1, "SFAC C")]),
    "comment": ("L.S. 4 ! cycles\n! all\n", [(1, "L.S. 4")]),
    "comment behind the sign": ("SFAC C = ! more\n H\n", [(1, "SFAC C H")]),
    "blank first": (" L.S. 4\nBOND\n", [(2, "BOND")]),
    "free text keeps its signs": ("TITL a = b ! c\nREM x = !\n", [(1, "TITL a = b ! c"), (2, "REM x = !")]),
    "line ends": ("L.S. 4\r\nBOND\rACTA\n", [(1, "L.S. 4"), (2, "BOND"), (3, "ACTA")]),
    "tabs": ("L.S.\t4\n", [(1, "L.S.    4")]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "lines"), LINES.values(), ids=LINES)
def test_lines_are_joined_and_comments_left_out(text, lines):
    assert list(logical_lines(text)) == lines


# 10·m + p: SHELXL manual, "Parameters and free variables".
MEANT = [
    (0.25, 0, 0.25),
    (-1.2, 0, -1.2),
    (4.99, 0, 4.99),
    (10.5, 1, 0.5),
    (11, 1, 1),
    (9.5, 1, -0.5),
    (21, 2, 1),
    (-21, -2, -1),
    (20.5, 2, 0.5),
    (31, 3, 1),
    (-30.25, -3, -0.25),
]


@pytest.mark.parametrize(("written", "variable", "rest"), MEANT, ids=[str(row[0]) for row in MEANT])
def test_a_parameter_is_a_value_a_fixed_value_or_tied_to_a_free_variable(written, variable, rest):
    multiple, found = decoded(written)
    assert multiple == variable
    assert found == pytest.approx(rest if variable else written)


@pytest.mark.parametrize(
    ("written", "value"),
    [(0.25, 0.25), (10.25, 0.25), (21, 0.7), (-21, 0.3), (20.5, 0.35), (31, 0.05), (-31, 0.95)],
)
def test_free_variables_give_values_by_hand(written, value):
    """FVAR 2 is 0.7, so 21 means 0.7 and -21 means 1 - 0.7; 20.5 is half of it."""
    assert read_instructions("FVAR 1.0 0.7 0.05\n").resolved(written) == pytest.approx(value)


@given(st.floats(-4.9, 4.9), st.integers(2, 50))
def test_a_tied_parameter_is_its_share_of_the_variable(share, number):
    text = read_instructions("FVAR 1.0" + " 0.5" * (number - 1) + "\n")
    assert text.resolved(10 * number + share) == pytest.approx(0.5 * share, abs=1e-8)


def test_fvar_may_stand_in_several_lines():
    assert read_instructions("FVAR 1 2\nFVAR 3\n").free_variables == [1, 2, 3]


@pytest.mark.parametrize(
    ("line", "name", "residue", "words"),
    [
        ("DFIX 1.5 C1 C2", "DFIX", "", ("1.5", "C1", "C2")),
        ("dfix 1.5 C1 C2", "DFIX", "", ("1.5", "C1", "C2")),
        ("SIMU_CCF3 C1 > C4", "SIMU", "CCF3", ("C1", ">", "C4")),
        ("SADI_2 C1 C2", "SADI", "2", ("C1", "C2")),
        ("ISOR_* O1", "ISOR", "*", ("O1",)),
        ("L.S. 10", "L.S.", "", ("10",)),
        ("LIST", "LIST", "", ()),
        ("+file.txt", "+", "", ("file.txt",)),
        ("REMARK x", "REM", "", ("ARK", "x")),
        ("HKLF4", "HKLF", "", ()),
    ],
)
def test_names_of_instructions_are_four_letters_in_any_case(line, name, residue, words):
    found = read_instructions(f"{line}\n").instructions[0]
    assert (found.name, found.residue, found.words) == (name, residue, words)


@pytest.mark.parametrize("name", sorted(INSTRUCTIONS))
def test_every_instruction_is_known_as_one_and_not_as_an_atom(name):
    found = read_instructions(f"{name} 1 0.1 0.2 0.3\n")
    assert [instruction.name for instruction in found.instructions] == [name]
    assert found.atoms == []


@pytest.mark.parametrize(
    ("card", "elements"),
    [
        ("SFAC C H N", ["C", "H", "N"]),
        ("SFAC C 2.31 20.84 1.02 10.2 1.58 0.57 0.86 51.6 0.21 0.003 0.0016 11.5 0.77 12.011", ["C"]),
        ("SFAC", []),
    ],
)
def test_elements_of_both_forms_of_sfac(card, elements):
    assert sfac_elements(read_instructions(f"{card}\n").instructions[0]) == elements


def test_numbers_stop_at_the_first_word_and_names_begin_there():
    found = read_instructions("SADI 0.02 C1 C2 3\n").instructions[0]
    assert found.numbers == (0.02,)
    assert found.names == ("C1", "C2", "3")
    assert (found.number(0, 9), found.number(1, 9)) == (0.02, 9)


ATOM = "C1 1 0.1 0.2 0.3 11.0 0.04\n"


@pytest.mark.parametrize(
    ("line", "occupancy", "u"),
    [
        ("C1 1 0.1 0.2 0.3", None, ()),
        ("C1 1 0.1 0.2 0.3 11.0", 11, ()),
        ("C1 1 0.1 0.2 0.3 11.0 0.04", 11, (0.04,)),
        (
            "C1 1 0.1 0.2 0.3 11.0 0.01 0.02 0.03 =\n 0.004 0.005 0.006",
            11,
            (0.01, 0.02, 0.03, 0.004, 0.005, 0.006),
        ),
        # Numbers of a peak behind U are not components.
        ("Q1 1 0.1 0.2 0.3 11.0 0.05 1.23", 11, (0.05,)),
    ],
)
def test_atoms_with_more_and_fewer_numbers(line, occupancy, u):
    (atom,) = read_instructions(f"{line}\n").atoms
    assert (atom.occupancy, atom.u, atom.position) == (occupancy, u, (0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    ("label", "kind", "peak"),
    [("Q1", 1, True), ("q12", 1, True), ("Q", 1, False), ("Q1", 2, False), ("C1", 1, False)],
)
def test_peaks_of_a_difference_map_are_known(label, kind, peak):
    (atom,) = read_instructions(f"{label} {kind} 0.1 0.2 0.3 11 0.05\n").atoms
    assert atom.is_peak is peak


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("C1 1 0.1 0.2", "neither an instruction of SHELXL nor an atom"),
        ("HELLO world", "neither an instruction of SHELXL nor an atom"),
        ("C1 x 0.1 0.2 0.3", "neither an instruction of SHELXL nor an atom"),
        ("C1 1 0.1 y 0.3", "'y' is not a number"),
        ("C1 1 0.1 1e999 0.3", "'1e999' is not a number"),
        ("PART 1e30", "PART 1e30 is no part of SHELXL"),
        ("PART -99999999999999999999 21", "is no part of SHELXL"),
    ],
)
def test_a_line_that_cannot_be_read_is_shown_with_its_number(line, words):
    with pytest.raises(CifError) as caught:
        read_instructions(f"TITL x\n{line}\n{ATOM}")
    assert words in caught.value.what
    assert caught.value.line == 2


def test_what_follows_hklf_is_kept_apart():
    found = read_instructions(f"{ATOM}HKLF 4\nWGHT 0.05\nQ1 1 0.1 0.2 0.3 11 0.05 1.2\n")
    assert [atom.label for atom in found.atoms] == ["C1"]
    assert [instruction.name for instruction in found.ending] == ["WGHT"]
    assert found.card("WGHT") == []


@pytest.mark.parametrize(
    ("card", "number", "kind", "alias"),
    [
        ("RESI 2 CCF3", 2, "CCF3", None),
        ("RESI CCF3 2", 2, "CCF3", None),
        ("RESI 3", 3, "", None),
        ("RESI abc 4 5", 4, "ABC", 5),
        ("RESI 0", 0, "", None),
    ],
)
def test_residues_in_their_free_order(card, number, kind, alias):
    (atom,) = read_instructions(f"{card}\n{ATOM}").atoms
    around = atom.around
    assert (around.residue, around.residue_class, around.residue_alias) == (number, kind, alias)
    assert atom.residue == (str(number) if number else "")


def test_included_files_are_read_where_they_stand_and_end_at_their_end():
    files = {"more.txt": "C2 1 0 0 0 11 0.05\nEND\nC3 1 0 0 0 11 0.05\n"}
    found = read_instructions(f"{ATOM}+more.txt\nC4 1 0.5 0 0 11 0.05\n+gone.txt\n", files.get)
    assert [atom.label for atom in found.atoms] == ["C1", "C2", "C4"]
    assert [instruction.words for instruction in found.missing_files] == [("gone.txt",)]


def test_a_file_that_includes_itself_ends():
    found = read_instructions("+a\n", {"a": f"{ATOM}+a\n"}.get)
    assert 1 <= len(found.atoms) <= 10
    assert found.missing_files
