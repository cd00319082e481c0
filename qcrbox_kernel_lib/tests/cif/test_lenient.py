"""Numbers as people misprint them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import parse_number, read
from qcrbox.cif.arrays import floats, floats_and_su
from qcrbox.cif.check import check
from qcrbox.cif.lenient import (
    COMMA,
    EMPTY_BRACKETS,
    EXPONENT,
    FRACTION,
    MINUS,
    OPEN_BRACKET,
    PLUS,
    SPACE,
    UNIT,
    irregular,
    read_number,
)

READ = [
    ("3/4", 0.75, None, FRACTION),
    ("-1/4", -0.25, None, FRACTION),
    ("+1/2", 0.5, None, FRACTION),
    ("1/3", 1 / 3, None, FRACTION),
    ("-2/3()", -2 / 3, None, f"{EMPTY_BRACKETS} and {FRACTION}"),
    ("90.00()", 90.0, None, EMPTY_BRACKETS),
    ("1.23( )", 1.23, None, EMPTY_BRACKETS),
    ("1.23(?)", 1.23, None, EMPTY_BRACKETS),
    ("1.23(.)", 1.23, None, EMPTY_BRACKETS),
    ("1.23(-)", 1.23, None, EMPTY_BRACKETS),
    ("1.23(", 1.23, None, EMPTY_BRACKETS),
    ("-.5()", -0.5, None, EMPTY_BRACKETS),
    ("1.23(4", 1.23, 0.04, OPEN_BRACKET),
    ("7.060+2", 7.06, 0.002, PLUS),
    ("12(3)E-2", 0.12, pytest.approx(0.03), EXPONENT),
    ("-.5+12", -0.5, pytest.approx(1.2), PLUS),
    ("4.0 (2)", 4.0, 0.2, SPACE),
    ("4.0( 2 )", 4.0, 0.2, SPACE),
    ("- 0.25", -0.25, None, SPACE),
    (" 4.0", 4.0, None, SPACE),
    ("0,25", 0.25, None, COMMA),
    ("0,250", 0.25, None, COMMA),
    ("12,345(6)", 12.345, 0.006, COMMA),
    ("5,6", 5.6, None, COMMA),
    ("\u22120.25(1)", -0.25, 0.01, MINUS),
    ("\u20130.25", -0.25, None, MINUS),
]


@pytest.mark.parametrize(("text", "value", "su", "how"), READ, ids=[row[0] for row in READ])
def test_misprints_of_certain_meaning_are_read_and_named(
    text: str, value: float, su: float | None, how: str
) -> None:
    reading = read_number(text)
    assert reading is not None
    assert (reading.number.value, reading.number.su, reading.how) == (pytest.approx(value), su, how)


@pytest.mark.parametrize(
    "text",
    ["(5)", "()", "", ".", "?", "-", "1/0", "/2", "1/2/3", "1,234", "1,2,3", "1.2,3", "1.5(2)(3)", "0.5?", "C1", "1_0",
     "1.2(3.)x", "12(3)4", "2001-01-02", "1:2", "3/4(1)", "nan", "inf", "0x1", "\u0661", "1.2.3", "1 2", "1e", "(1)2", "1+2", "1.5+1234"],
)  # fmt: skip
def test_what_has_no_certain_meaning_is_no_number(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("_diffrn_ambient_temperature", "'293(2) K'", 293),
        ("_diffrn_ambient_temperature", "100K", 100),
        ("_cell_length_a", "'10.1(2) \u00c5'", 10.1),
        ("_cell_angle_beta", "91.5\u00b0", 91.5),
        ("_exptl_crystal_size_max", "0.3mm", 0.3),
    ],
)
def test_the_items_own_unit_may_follow(tag: str, text: str, value: float) -> None:
    block = read(f"data_x\n{tag} {text}\n").sole_block()
    reading = block.reading(tag)
    assert reading is not None
    assert (reading.number.value, reading.how) == (value, UNIT)
    assert block.number(tag) == reading.number
    other = read(f"data_x\n{tag} '25 C'\n").sole_block()
    assert other.number(tag) is None


@given(st.text(alphabet="0123456789.()+-/,eE ?", max_size=12))
def test_numbers_of_the_grammar_are_read_as_the_grammar_says(text: str) -> None:
    exact, reading = parse_number(text), read_number(text)
    if exact is not None:
        assert reading is not None
        assert (reading.number, reading.how) == (exact, "")
    elif reading is not None:
        assert reading.how
        # What is read is written somewhere in the text: no digit comes from nowhere.
        assert set(reading.number.text) <= set(text) | set(".)") or FRACTION in reading.how


def test_columns_read_misprints_and_tell_which_rows_they_are() -> None:
    cells = ["0.5", "3/4", "?", "'1.5 (2)'", "(5)", ".", "1_0"]
    assert floats(cells) == pytest.approx([0.5, 0.75, np.nan, 1.5, np.nan, np.nan, np.nan], nan_ok=True)
    values, su = floats_and_su(cells)
    assert values == pytest.approx(floats(cells), nan_ok=True)
    assert su[3] == pytest.approx(0.2)
    assert [(row, text, reading and reading.how) for row, text, reading in irregular(cells)] == [
        (1, "3/4", FRACTION),
        (3, "1.5 (2)", SPACE),
        (4, "(5)", None),
        (6, "1_0", None),
    ]
    assert list(irregular(["1", "-0.5(2)", "?", "1e-3", ".5"])) == []


@pytest.mark.parametrize("cell", ["1_0", "\u0661\u0662", "nan", "inf", "0x10"])
def test_what_only_python_takes_for_a_number_is_none(cell: str) -> None:
    assert np.isnan(floats(["1.5", cell])[1])


def test_the_dictionary_check_names_the_spelling_and_what_is_read() -> None:
    (remark,) = check("data_x\n_cell_angle_beta 90.00()\n")
    assert "'90.00()' is a number with brackets that hold no s.u.; it is read as 90.00" in remark.what
    assert remark.line == 2


def test_long_texts_and_columns_with_one_odd_cell_are_soon_looked_through() -> None:
    assert read_number("1" + " " * 100_000 + "x", "kelvins") is None
    assert read_number("1" * 400) is None
    cells = ["123456.123456(12)"] * 5_000 + ["12345x"]
    assert [row for row, _, _ in irregular(cells)] == [5_000]
    assert [row for row, _, _ in irregular(["1" * 290] * 100 + ["(" * 1000])] == [100]
