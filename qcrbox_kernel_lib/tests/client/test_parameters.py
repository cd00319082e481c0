"""Values of options before any request: conversion, ranges, suggestions, refusals."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.client.parameters import CifInput, Parameter, missing_arguments, unknown_option
from qcrbox.contract.errors import UserInputError


def parameter(dtype="float", **more) -> Parameter:
    return Parameter("value", dtype, **more)


# ------------------------------------------------------------ conversion


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (3, 3),
        ("3", 3),
        (" -12 ", -12),
        (3.0, 3),
        ("3.0", 3),
        (np.int64(7), 7),
        (np.float32(2.0), 2),
        ("1e3", 1000),
        ("9007199254740993", 9007199254740993),  # 2^53 + 1: a float has no such number
        (9007199254740993, 9007199254740993),
    ],
)
def test_whole_numbers(given, made):
    found = parameter("int").check(given)
    assert found == made
    assert type(found) is int


@given(st.integers(-(10**20), 10**20))
def test_a_whole_number_is_the_same_as_text(number):
    assert parameter("int").check(str(number)) == number


@pytest.mark.parametrize("given", [True, "ten", 2.5, "2.5", math.inf, "1e400", math.nan, None, [1], {}])
def test_what_is_no_whole_number_is_refused(given):
    with pytest.raises(UserInputError, match="value must be a whole number; you gave"):
        parameter("int").check(given)


def test_a_broken_number_gets_the_nearest_whole_one():
    with pytest.raises(UserInputError) as refused:
        parameter("int").check(2.7)
    assert refused.value.next == "Did you mean 3?"


@pytest.mark.parametrize(
    ("given", "made"), [(1, 1.0), ("0.05", 0.05), (" 1e-3 ", 0.001), (np.float64(2.5), 2.5)]
)
def test_numbers(given, made):
    found = parameter().check(given)
    assert found == made
    assert type(found) is float


@pytest.mark.parametrize("given", [True, "0,05", "inf", math.nan, "nan", None, "", [0.1], "1.541(3)"])
def test_what_is_no_number_is_refused(given):
    with pytest.raises(UserInputError, match="value must be a number"):
        parameter().check(given)


@pytest.mark.parametrize("given", [True, "yes", "ON", " true ", 1, np.bool_(True)])
def test_yes(given):
    assert parameter("bool").check(given) is True


@pytest.mark.parametrize("given", [False, "no", "Off", "false", 0, np.bool_(False)])
def test_no(given):
    assert parameter("bool").check(given) is False


@pytest.mark.parametrize("given", ["maybe", 2, 0.5, "", "y"])
def test_neither_yes_nor_no_is_refused(given):
    with pytest.raises(UserInputError, match="must be True or False"):
        parameter("bool").check(given)


@pytest.mark.parametrize(("given", "made"), [("a b", "a b"), (5, "5"), (Path("x/y"), "x/y"), (0.5, "0.5")])
def test_texts(given, made):
    assert parameter("str").check(given) == made


@pytest.mark.parametrize("given", [[1], {}, b"x", object()])
def test_what_is_no_text_is_refused(given):
    with pytest.raises(UserInputError, match="value must be text"):
        parameter("str").check(given)


def test_nothing_is_allowed_where_it_is_the_default():
    assert parameter("float", required=False).check(None) is None
    with pytest.raises(UserInputError):
        parameter("float").check(None)


def test_files_are_left_as_they_are():
    for dtype in ("QCrBox.cif_data_file", "QCrBox.data_file"):
        thing = object()
        assert parameter(dtype).check(thing) is thing


# ------------------------------------------------------------ ranges and suggestions


@pytest.mark.parametrize("given", [0.05, 0.5, "0.05", 0.3])
def test_the_ends_of_a_range_belong_to_it(given):
    assert parameter(minimum=0.05, maximum=0.5).check(given) == float(given)


@pytest.mark.parametrize(
    ("low", "high", "given", "guess"),
    [
        (0.05, 0.5, 20, "0.20"),
        (0.05, 0.5, 3, "0.3"),
        (0.0, 0.01, 0.5, "0.005"),  # was 0.01
        (0.0, 0.2, 12.5, "0.125"),  # was 0.12
        (1.0, 2.0, 0.15418, "1.5418"),
        (100.0, 300.0, 0.1, "100"),
    ],
)
def test_a_slipped_decimal_point_is_put_right_without_rounding(low, high, given, guess):
    with pytest.raises(UserInputError) as refused:
        parameter(minimum=low, maximum=high).check(given)
    assert refused.value.next == f"Did you mean {guess}?"


@given(st.floats(1e-6, 1e6), st.sampled_from([10, 100, 1000, 0.1, 0.01, 0.001]))
def test_a_suggestion_is_always_in_the_range_and_has_the_same_digits(value, factor):
    low, high = value * 0.999999, value * 1.000001
    given = float(f"{value:.3g}") / factor
    with pytest.raises(UserInputError) as refused:
        parameter(minimum=low, maximum=high).check(given)
    guess = refused.value.next.removeprefix("Did you mean ").removesuffix("?")
    if guess:
        assert float(guess) / given == pytest.approx(factor, rel=1e-5)


def test_a_whole_number_is_not_suggested_as_a_broken_one():
    with pytest.raises(UserInputError) as refused:
        parameter("int", minimum=0, maximum=2).check(15)
    assert refused.value.next == ""


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"minimum": 0, "maximum": 200}, "a whole number between 0 and 200"),
        ({"minimum": 0}, "a whole number ≥ 0"),
        ({"maximum": 9}, "a whole number ≤ 9"),
        ({}, "a whole number"),
    ],
)
def test_the_allowed_numbers_in_words(limits, words):
    assert parameter("int", **limits).kind_in_words == words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"unit": "Å", "minimum": 0.1, "maximum": 3}, "a length in Å between 0.1 and 3"),
        ({"unit": "e/Å³"}, "a number in e/Å³"),
        ({"choices": ("keep", "unit")}, "one of 'keep', 'unit'"),
    ],
)
def test_units_and_choices_in_words(more, words):
    assert parameter(**more).kind_in_words == words


def test_a_choice_that_is_near_is_suggested():
    with pytest.raises(UserInputError) as refused:
        parameter("str", choices=("anisotropic", "isotropic", "keep")).check("isotropc")
    assert refused.value.next == "Did you mean isotropic?"


def test_a_text_must_match_from_its_beginning():
    only = parameter("str", regex=r"[a-z]+$")
    assert only.check("abc") == "abc"
    for text in ("1abc", "abc1", ""):
        with pytest.raises(UserInputError, match="text that matches"):
            only.check(text)


# ------------------------------------------------------------ records and signatures


def test_a_record_of_the_registry_becomes_a_parameter():
    made = Parameter.from_json(
        "cycles",
        {
            "dtype": "int",
            "default_value": 10,
            "valid_value": {"numeric_range": [0, 200]},
            "description": " n ",
        },
    )
    assert (made.required, made.default, made.minimum, made.maximum, made.description) == (
        False,
        10,
        0,
        200,
        "n",
    )
    assert made.summary == "whole number between 0 and 200, default 10"


@pytest.mark.parametrize("default", ["None", "", " null "])
def test_a_default_of_nothing_is_none_but_a_text_keeps_it(default):
    assert Parameter.from_json("x", {"dtype": "float", "default_value": default}).default is None
    assert Parameter.from_json("x", {"dtype": "str", "default_value": default}).default == default


@pytest.mark.parametrize(
    ("record", "required"),
    [
        ({"dtype": "float"}, True),
        ({"dtype": "float", "required": False}, False),
        ({"dtype": "QCrBox.output_cif"}, False),
        ({"dtype": "float", "default_value": 0.0}, False),
    ],
)
def test_what_is_required(record, required):
    assert Parameter.from_json("x", record).required is required


def test_signatures_show_choices_files_and_nothing():
    assert parameter("str", choices=("a", "b")).annotation == Literal["a", "b"]
    assert parameter("QCrBox.cif_data_file").annotation is CifInput
    assert parameter(required=False).annotation == float | None
    shown = parameter("int", required=False, default=3).as_signature(positional=False)
    assert (shown.kind, shown.default) == (inspect.Parameter.KEYWORD_ONLY, 3)
    assert parameter("int").as_signature(positional=True).default is inspect.Parameter.empty


def test_an_unknown_option_names_its_neighbour_or_all():
    known = {"cycles": parameter("int"), "weighting": parameter("str")}
    assert unknown_option("refine_iam", "cycle", known).why == "Did you mean 'cycles'?"
    assert unknown_option("refine_iam", "zzz", known).next == "It has: cycles, weighting."
    assert unknown_option("refine_iam", "zzz", {}).next == "It has no options."


def test_all_missing_arguments_are_named_at_once():
    error = missing_arguments("refine_iam", [Parameter("a", "int"), Parameter("b", "QCrBox.cif_data_file")])
    assert error.message.startswith("refine_iam() needs 'a', 'b'.")
    assert "a: a whole number; b: a dataset" in error.next


@pytest.mark.parametrize(
    "value",
    ["x" * 100_000, b"x" * 100_000, list(range(50_000)), 10**5000],
    ids=["text", "bytes", "list", "number"],
)
def test_a_message_stays_short_however_long_the_value_is(value):
    parameter = Parameter("cycles", "int", required=False, minimum=0, maximum=50)
    with pytest.raises(UserInputError) as caught:
        parameter.check(value)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e300, 10**15])
def test_a_number_far_out_of_its_range_is_refused_without_a_guess(value):
    for dtype in ("int", "float"):
        with pytest.raises(UserInputError, match="between 0 and 50") as caught:
            Parameter("cycles", dtype, required=False, minimum=0, maximum=50).check(value)
        assert "Did you mean" not in caught.value.message
