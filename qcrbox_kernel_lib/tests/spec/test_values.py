"""Values from people and forms: what each type takes, and the allowed values in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.spec.dtypes import DType
from qcrbox.spec.model import Parameter, ValidValue
from qcrbox.spec.values import (
    MAX_TEXT,
    WrongValue,
    allowed,
    breaks,
    coerce,
    is_none_text,
    is_nothing,
    shortest,
)


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("007", 7),
        ("\t5\n", 5),
        ("1e3", 1000),
        ("5.0", 5),
        ("5.", 5),
        (-3.0, -3),
        (1e15, 10**15),
        ("9" * 300, int("9" * 300)),
        # Through a float this would be …992.
        ("9007199254740993", 9007199254740993),
        ("9007199254740993.0", 9007199254740993),
        ("9.007199254740993e15", 9007199254740993),
    ],
    ids=repr,
)
def test_whole_numbers(value, whole):
    made = coerce(DType.INT, value)
    assert (made, type(made)) == (whole, int)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "5 5",
        "5,0",
        "0x10",
        "1_000",
        "٣",
        "²",
        "--5",
        "5e",
        "1e-3",
        "inf",
        "nan",
        "9" * 301,
        math.nan,
        math.inf,
        0.5,
        None,
        False,
        [],
        {},
        b"5",
    ],
    ids=repr,
)
def test_what_is_no_whole_number(value):
    with pytest.raises(WrongValue, match=r"^a whole number$"):
        coerce(DType.INT, value)


@pytest.mark.parametrize(
    ("value", "number"),
    [("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("-1E-3", -0.001), (" 2 ", 2.0), ("+1e+2", 100.0), (7, 7.0)],
    ids=repr,
)
def test_numbers(value, number):
    made = coerce(DType.FLOAT, value)
    assert (made, type(made)) == (number, float)


@pytest.mark.parametrize(
    "value", ["", "0,5", "5(2)", "1_0", "0x1p3", "٣", "e5", "1e", "infinity", None, True, [1], {}], ids=repr
)
def test_what_is_no_number(value):
    with pytest.raises(WrongValue, match=r"^a number$"):
        coerce(DType.FLOAT, value)


@pytest.mark.parametrize("value", ["1e999", math.inf, -math.inf, math.nan, "9" * 400], ids=repr)
def test_a_number_is_finite(value):
    with pytest.raises(WrongValue, match=r"^a finite number$"):
        coerce(DType.FLOAT, value)


def test_a_whole_number_beyond_every_float_is_no_number():
    with pytest.raises(WrongValue, match=r"^a number$"):
        coerce(DType.FLOAT, 10**400)


@pytest.mark.parametrize("value", [True, "true", " TRUE ", "Yes", "on", "1", 1, 1.0], ids=repr)
def test_true(value):
    assert coerce(DType.BOOL, value) is True


@pytest.mark.parametrize("value", [False, "false", "False", "NO", "off ", "0", 0, 0.0], ids=repr)
def test_false(value):
    assert coerce(DType.BOOL, value) is False


@pytest.mark.parametrize("value", ["", "t", "none", 2, -1, 0.5, math.nan, None, []], ids=repr)
def test_what_is_neither_true_nor_false(value):
    with pytest.raises(WrongValue, match=r"^true or false$"):
        coerce(DType.BOOL, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (0, "0"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (1e22, "1e+22"),
        (" a ", " a "),
        ("a\r\n\tb", "a\r\n\tb"),
    ],
    ids=repr,
)
def test_texts(value, text):
    assert coerce(DType.STR, value) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "text"),
        ([], "text"),
        (b"a", "text"),
        ("x" * (MAX_TEXT + 1), f"text of at most {MAX_TEXT} characters"),
        ("a\0", "text without control characters"),
        ("\x1b[2J", "text without control characters"),
        ("\x85", "text without control characters"),
        ("\udc80", "text without control characters"),
    ],
    ids=["nothing", "list", "bytes", "long", "NUL", "escape", "C1", "surrogate"],
)
def test_what_is_no_text(value, words):
    with pytest.raises(WrongValue) as caught:
        coerce(DType.STR, value)
    assert str(caught.value) == words


def test_a_text_may_have_its_largest_length():
    assert len(coerce(DType.STR, "x" * MAX_TEXT)) == MAX_TEXT


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_shortest_text_of_a_number_reads_back_as_the_same_number(value):
    assert coerce(DType.FLOAT, shortest(value)) == value


@given(st.integers(min_value=-(10**299), max_value=10**299))
def test_the_text_of_a_whole_number_reads_back_exactly(value):
    assert coerce(DType.INT, shortest(value)) == value


@given(st.text(max_size=20))
def test_every_text_is_a_value_or_refused_with_words(text):
    for dtype in (DType.STR, DType.INT, DType.FLOAT, DType.BOOL):
        try:
            made = coerce(dtype, text)
        except WrongValue as error:
            assert str(error)  # noqa: PT017 - either outcome is right
        else:
            assert coerce(dtype, made) == made


@pytest.mark.parametrize(
    ("value", "none", "nothing_of_a_text"),
    [
        (None, True, True),
        ("", True, True),
        ("  ", True, True),
        ("None", True, True),
        ("null", True, True),
        ("NULL", True, True),
        ("none", True, False),
        ("NONE", True, False),
        (" none ", True, False),
        ("nothing", False, False),
        (0, False, False),
        (False, False, False),
    ],
    ids=repr,
)
def test_texts_that_mean_nothing(value, none, nothing_of_a_text):
    """`none` in small letters is a usual choice of a text, such as "weighting: none"."""
    assert is_none_text(value) is none
    assert is_nothing(DType.FLOAT, value) is none
    assert is_nothing(DType.STR, value) is nothing_of_a_text


RULES = {
    "closed range": ({"numeric_range": (0, 1)}, [0, 0.5, 1], [-0.001, 1.001]),
    "open above": ({"numeric_range": (1, None)}, [1, 1e300], [0.999]),
    "open below": ({"numeric_range": (None, 1)}, [-1e300, 1], [1.001]),
    "open at both ends": ({"numeric_range": (None, None)}, [-1e300, 0, 1e300], []),
    "one value": ({"numeric_range": (2, 2)}, [2, 2.0], [1, 3]),
    "choices": ({"choices": ["a", "b"]}, ["a", "b"], ["A", "", "ab"]),
    "choices of numbers": ({"choices": [1, 2.5]}, [1, 1.0, 2.5], [2]),
    "begins with": ({"regex": "^_"}, ["_", "_a b"], ["a_", ""]),
    "begins with, unwritten": ({"regex": "_"}, ["_a"], ["a_"]),
    "the whole text": ({"regex": "[A-Z][a-z]?$"}, ["C", "Cl"], ["c", "C1", "Clx"]),
    "all rules hold": ({"choices": ["ab", "b"], "regex": "a"}, ["ab"], ["b", "ac"]),
}


@pytest.mark.parametrize(("rules", "good", "bad"), RULES.values(), ids=RULES)
def test_rules_of_valid_values(rules, good, bad):
    valid = ValidValue(**rules)
    assert not any(breaks(valid, value) for value in good)
    assert all(breaks(valid, value) for value in bad)


def test_nothing_breaks_no_rule():
    assert not breaks(ValidValue(choices=["a"]), None)
    assert not breaks(None, "anything")


WORDS = [
    (DType.STR, {}, "text"),
    (DType.INT, {}, "a whole number"),
    (DType.FLOAT, {}, "a number"),
    (DType.BOOL, {}, "true or false"),
    (DType.DATA_FILE, {}, "a stored file"),
    (DType.CIF_DATA_FILE, {}, "a stored CIF"),
    (DType.INPUT_FOLDER, {}, "a stored zip or tar file"),
    (DType.OUTPUT_CIF, {}, "a file name"),
    (DType.FOLDER, {}, "a file name"),
    (DType.INT, {"numeric_range": (0, 10)}, "a whole number between 0 and 10"),
    (DType.FLOAT, {"numeric_range": (0.25, None)}, "a number ≥ 0.25"),
    (DType.FLOAT, {"numeric_range": (None, -1)}, "a number ≤ -1"),
    (DType.FLOAT, {"numeric_range": (None, None)}, "a number"),
    # Not rounded: 1.234567 would be refused for "≤ 1.23457".
    (DType.FLOAT, {"numeric_range": (None, 1.23456789)}, "a number ≤ 1.23456789"),
    (DType.INT, {"numeric_range": (1, 12345678)}, "a whole number between 1 and 12345678"),
    (DType.STR, {"choices": ["gentle", "hard"]}, "one of: gentle, hard"),
    (DType.INT, {"choices": [1, 2]}, "one of: 1, 2"),
    (DType.STR, {"regex": "^_"}, "text that matches ^_"),
]


@pytest.mark.parametrize(("dtype", "rules", "words"), WORDS, ids=[row[2] for row in WORDS])
def test_allowed_values_in_words(dtype, rules, words):
    valid = ValidValue(**rules) if rules else None
    assert allowed(Parameter(name="x", dtype=dtype, valid_value=valid)) == words


@pytest.mark.parametrize(("count", "shown", "more"), [(20, 20, False), (21, 20, True)])
def test_a_long_list_of_choices_is_cut(count, shown, more):
    valid = ValidValue(choices=[f"c{number}" for number in range(count)])
    words = allowed(Parameter(name="x", dtype=DType.STR, valid_value=valid))
    assert words.endswith("…") is more
    assert len([part for part in words.split(", ") if part != "…"]) == shown
