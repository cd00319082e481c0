"""s.u. in brackets: splitting raw values, and the three ways of joining them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import read, split_su
from qcrbox.cif.convert.su import (
    as_written,
    bracketed,
    merge_block,
    merge_raw,
    split_block,
    split_raw,
    tidy_brackets,
)


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("1.23(4)", ("1.23", "0.04")),
        ("'1.23(4)'", ("1.23", "0.04")),
        ('"1.23(4)"', ("1.23", "0.04")),
        ("1.23", None),
        ("?", None),
        ("C(4)", None),
        ("(4)", None),
        ("'1.23 (4)'", None),
        ("1.5()", None),
    ],
)
def test_raw_values_with_brackets_are_split(raw, parts):
    assert split_raw(raw) == parts


# By hand: all digits of both, so nothing is rounded.
BRACKETED = [
    ("-0.0025", "0.0024", "-0.0025(24)"),
    ("1.5", "0.0004", "1.5000(4)"),
    ("1.5000", "0.3", "1.5000(3000)"),
    ("12", "3", "12(3)"),
    ("12", "0.3", "12.0(3)"),
    ("12.5", "3", "12.5(30)"),
    ("12.5", "123", "12.5(1230)"),
    ("1.5", "0", "1.5"),
    ("1.5", "0.00", "1.5"),
    ("0", "0.01", "0.00(1)"),
]


@pytest.mark.parametrize(("value", "su", "text"), BRACKETED, ids=[row[2] for row in BRACKETED])
def test_all_digits_of_value_and_su_are_kept(value, su, text):
    assert bracketed(value, su) == text


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,5})?", fullmatch=True)
POSITIVE = st.from_regex(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,5})?", fullmatch=True)


@given(NUMBERS, POSITIVE)
def test_what_is_bracketed_is_split_into_the_same_numbers(value, su):
    text = bracketed(value, su)
    if Decimal(su) == 0:
        assert text == value
        return
    parts = split_su(text)
    assert (Decimal(parts[0]), Decimal(parts[1])) == (Decimal(value), Decimal(su))


@pytest.mark.parametrize(
    ("value", "su", "text"),
    [
        # Up to three digits are an author's own.
        ("1.234", "0.025", "1.234(25)"),
        ("1.234", "0.125", "1.234(125)"),
        # More digits, or other decimals, are a program's: the 2-19 rule.
        ("1.2345", "0.1234", "1.23(12)"),
        ("1.2", "0.0234", "1.20(2)"),
        ("1.234", "0.000", "1.234"),
        ("1e3", "20", "1000(20)"),
        ("abc", "0.1", "abc"),
        ("1.5", "?", "1.5"),
    ],
)
def test_digits_of_the_author_are_kept_and_others_rounded(value, su, text):
    assert as_written(value, su) == text


@pytest.mark.parametrize(
    ("raw", "tidy"),
    [
        ("1.234(5)", "1.234(5)"),
        ("2.1(1.3)", "2.1(13)"),
        ("1.0(0)", "1.0"),
        (".5(2)", "0.5(2)"),
        ("+1.5(2)", "1.5(2)"),
        ("1.5E-3(2)", "0.0015(2)"),
        ("'1.5(2)'", "1.5(2)"),
        ("5.(2)", "5(2)"),
        ("text", "text"),
        ("?", "?"),
        ("'a(b)'", "'a(b)'"),
    ],
)
def test_unusual_brackets_become_usual_ones_with_the_same_digits(raw, tidy):
    assert tidy_brackets(raw) == tidy


@pytest.mark.parametrize(
    ("raw", "su", "merged"),
    [
        ("1.234", "0.005", "1.234(5)"),
        ("1.234", "?", "1.234"),
        ("1.234", ".", "1.234"),
        ("1.234", "0", "1.234"),
        ("?", "0.1", "?"),
        ("'1.234'", "0.005", "1.234(5)"),
        ("'a b'", "0.1", "'a b'"),
    ],
)
def test_a_raw_value_and_its_su(raw, su, merged):
    assert merge_raw(raw, su) == merged


def block_of(text: str):
    return read(f"data_x\n{text}\n").sole_block()


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("_cell_length_a 5.1(2)", ["_cell_length_a", "_cell_length_a_su"]),
        ("_cell_length_a 5.1", ["_cell_length_a"]),
        ("_cell_length_a 5.1(2)\n_cell_length_a_su ?", ["_cell_length_a", "_cell_length_a_su"]),
        ("_atom_site_label 1(2)", ["_atom_site_label"]),
        # Labels and other texts of the dictionary: the label `1(2)` is not 1 with s.u. 2.
        (
            "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_distance\n1(2) 1.5(2)",
            ["_geom_bond_atom_site_label_1", "_geom_bond_distance", "_geom_bond_distance_su"],
        ),
        ("_chemical_formula_moiety 2(3)", ["_chemical_formula_moiety"]),
        (
            "loop_\n_atom_site_label\n_atom_site_disorder_group\nC1 1(2)",
            ["_atom_site_label", "_atom_site_disorder_group"],
        ),
        ("_my_su 1.5(2)", ["_my_su", "_my_su_su"]),
        ("_my 1.5\n_my_su 0.2(1)", ["_my", "_my_su"]),
        ("loop_\n_my\n1.5(2)\n?", ["_my", "_my_su"]),
        ("loop_\n_my\ntext(2)\n?", ["_my"]),
    ],
)
def test_which_items_are_split(text, tags):
    assert split_block(block_of(text), []).tags == tags


def test_splitting_and_merging_gives_the_same_block():
    block = block_of(
        "_cell_length_a 5.123(4)\n_x text\n_y ?\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n"
        "C1 0.1234(5) 0.5\nC2 0.25 ?\nC3 . 0.125(3)"
    )
    again = merge_block(split_block(block, []))
    assert again.tags == block.tags
    assert again.column("_atom_site_fract_x") == block.column("_atom_site_fract_x")
    assert again.column("_atom_site_fract_y") == block.column("_atom_site_fract_y")
    assert again["_cell_length_a"] == "5.123(4)"
