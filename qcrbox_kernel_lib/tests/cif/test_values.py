"""Numbers with s.u.: the tables of splitting and merging, and their round trips."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import (
    NOT_APPLICABLE,
    UNKNOWN,
    Number,
    merge_su,
    parse_number,
    parse_value,
    split_su,
    su_order,
)
from qcrbox.cif.values import value_and_su

SPLIT = [
    ("1.234(5)", "1.234", "0.005"),
    ("-0.005(12)", "-0.005", "0.012"),
    ("1234(56)", "1234", "56"),
    ("2.1(13)", "2.1", "1.3"),
    ("2.1(1.3)", "2.1", "1.3"),
    ("0.5(.5)", "0.5", "0.5"),
    ("+1.5(2)", "1.5", "0.2"),
    ("5.(2)", "5", "2"),
    ("0.000(1)", "0.000", "0.001"),
    ("90.0", "90.0", "0"),
    # Written zeros stay.
    ("1.2300(40)", "1.2300", "0.0040"),
    ("0.12(3)", "0.12", "0.03"),
    ("1.000(30)", "1.000", "0.030"),
    ("10.0(1)", "10.0", "0.1"),
    # No zero before the point; exponents.
    (".5(2)", "0.5", "0.2"),
    ("-.5(2)", "-0.5", "0.2"),
    ("1.5E-3(2)", "0.0015", "0.0002"),
    ("1.2E3(4)", "1200", "400"),
    ("5.1(0)", "5.1", "0.0"),
    ("12(3)", "12", "3"),
    ("-0.5(10)", "-0.5", "1.0"),
]


@pytest.mark.parametrize(("text", "value", "su"), SPLIT, ids=[row[0] for row in SPLIT])
def test_number_is_split_into_value_and_su(text: str, value: str, su: str) -> None:
    assert value_and_su(text) == (value, su)


@pytest.mark.parametrize(
    "text", ["(12)", "1.5()", "2001-01-02", "1(2)3", "0(123)45", "1.5(2", "abc(1)", "4.0 (2)", "1,5(2)", ""]
)
def test_text_that_is_no_number_with_su_is_left_alone(text: str) -> None:
    assert split_su(text) is None


MERGED = [
    ("1.2345", "0.005", "1.234(5)"),
    ("1.2345", "0.0019", "1.2345(19)"),
    ("1.2345", "0.00195", "1.2345(20)"),
    ("1.2345", "0.002", "1.234(2)"),
    ("1.2345", "0.0096", "1.234(10)"),
    ("1.2345", "0.0199", "1.234(20)"),
    ("1.2345", "0.0999", "1.23(10)"),
    ("-0.001", "0.02", "-0.00(2)"),
    ("100.5", "12", "100(12)"),
    ("123456", "1234", "123500(1200)"),
    ("123456", "78", "123460(80)"),
    ("10", "2", "10(2)"),
    ("10", "1", "10.0(10)"),
    ("10", "25", "10(20)"),
    ("5", "1", "5.0(10)"),
    ("2.5", "0.15", "2.50(15)"),
    # Half to even on the decimal value.
    ("1.25", "0.5", "1.2(5)"),
    ("1.35", "0.5", "1.4(5)"),
    # No s.u. to show: the value's own text.
    ("1.0", "0.0", "1.0"),
    ("0.678", "0", "0.678"),
    ("123.4", "?", "123.4"),
    ("123.4", ".", "123.4"),
    ("abc", "0.1", "abc"),
    ("1.5", "-0.1", "1.5"),
]


@pytest.mark.parametrize(("value", "su", "text"), MERGED, ids=[f"{row[0]}, {row[1]}" for row in MERGED])
def test_value_and_su_are_merged_by_the_2_19_rule(value: str, su: str, text: str) -> None:
    assert merge_su(value, su) == text


@pytest.mark.parametrize(("su", "order"), [(0.03, -2), (0.012, -3), (0.1, -2), (1, -1), (20, 1)])
def test_order_of_an_su(su: float, order: int) -> None:
    assert su_order(su) == order


@pytest.mark.parametrize("su", [0, -1, "0.00", "?", float("nan")])
def test_order_of_an_su_that_is_not_positive_is_refused(su: float | str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        su_order(su)


def test_the_five_special_spellings_are_five_things() -> None:
    values = [parse_value(raw) for raw in ("?", ".", "'?'", '"."', "''")]
    assert values == [UNKNOWN, NOT_APPLICABLE, "?", ".", ""]
    assert values[0] is UNKNOWN
    assert values[1] is NOT_APPLICABLE
    assert len({repr(value) for value in values}) == 5


@pytest.mark.parametrize(
    ("text", "value", "su"),
    [
        ("5.1234(12)", 5.1234, 0.0012),
        ("12(3)", 12, 3),
        ("1.2E3(4)", 1200, 400),
        ("-0.5(10)", -0.5, 1.0),
        ("5.1(0)", 5.1, 0),
    ],
)
def test_number_has_value_su_and_its_own_text(text: str, value: float, su: float) -> None:
    number = parse_value(text)
    assert isinstance(number, Number)
    assert (number.value, number.su, str(number)) == (value, su, text)


def test_number_without_su_differs_from_number_with_su_zero() -> None:
    assert parse_number("5.1").su is None
    assert parse_number("5.1(0)").su == 0
    assert parse_number("5.1") != parse_number("5.1(0)")


def test_numbers_are_equal_by_value_and_su_and_cannot_be_changed() -> None:
    number = Number.of(1.2345, 0.005)
    assert str(number) == "1.234(5)"
    assert parse_number("2.1(13)") == parse_number("2.1(1.3)")
    assert hash(parse_number("2.10")) == hash(parse_number("2.1"))
    with pytest.raises(AttributeError):
        number.value = 2.0


def test_unknown_and_not_applicable_are_false_and_told_apart() -> None:
    assert not UNKNOWN
    assert not NOT_APPLICABLE
    assert UNKNOWN is not NOT_APPLICABLE
    assert (str(UNKNOWN), str(NOT_APPLICABLE)) == ("?", ".")


decimals = st.decimals(min_value=-99999, max_value=99999, places=5).map(lambda d: format(d, "f"))
uncertainties = st.decimals(min_value="0.00001", max_value=5000, places=5).map(lambda d: format(d, "f"))


@given(decimals, uncertainties)
def test_merged_text_splits_into_the_rounded_value_and_su(value: str, su: str) -> None:
    """Merging again changes nothing, the value moves by less than the unit of the last digit shown."""
    text = merge_su(value, su)
    shown_value, shown_su = split_su(text)
    unit = Decimal(10) ** su_order(su)
    assert abs(Decimal(shown_value) - Decimal(value)) <= unit / 2
    assert abs(Decimal(shown_su) - Decimal(su)) <= unit / 2
    assert split_su(merge_su(shown_value, shown_su)) is not None


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,4})\.[0-9]{1,6}", fullmatch=True),
    st.integers(min_value=2, max_value=19),
)
def test_text_in_publication_form_survives_split_and_merge(value: str, su: int) -> None:
    text = f"{value}({su})"
    # 2 to 9 and 11 to 19 are what the rule writes; 10 is written for sums that round up to it.
    assert merge_su(*split_su(text)) == text


@given(st.text(alphabet="0123456789.+-()eE", max_size=12))
def test_no_text_makes_the_number_functions_fail(text: str) -> None:
    number = parse_number(text)
    split = split_su(text)
    assert (split is not None) == (number is not None and number.su is not None)
    assert merge_su(text, text) is not None


def by_the_rule(value: str, su: str) -> str:
    """The 2-19 rule written down anew: the s.u. has one digit for 2 to 9 and two for 10 to 19, half to even."""
    exact, error = Decimal(value), Decimal(su)
    lead = error.as_tuple().digits[0]
    unit = Decimal(1).scaleb(error.adjusted() - (1 if lead == 1 else 0))
    shown = exact.quantize(unit, ROUND_HALF_EVEN)
    count = int((error / unit).quantize(Decimal(1), ROUND_HALF_EVEN))
    if unit >= 1:
        return f"{'-' if value.startswith('-') and not shown else ''}{int(shown)}({count * int(unit)})"
    return f"{shown:f}({count})"


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?", fullmatch=True),
    st.from_regex(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,6})?", fullmatch=True).filter(
        lambda text: Decimal(text) > 0
    ),
)
def test_merging_follows_the_rule_to_the_last_digit(value: str, su: str) -> None:
    assert merge_su(value, su) == by_the_rule(value, su)
    # The same numbers as exponents go another way through the code.
    exponent = f"{value}E0" if "." in value else f"{value}.E0"
    assert Decimal(split_su(merge_su(exponent, su))[0]) == Decimal(split_su(merge_su(value, su))[0])


RULE = [
    # su in units of the last digit 1 to 29: what is shown.
    ("10.000", "0.001", "10.0000(10)"),
    ("10.000", "0.0019", "10.0000(19)"),
    ("10.000", "0.00194", "10.0000(19)"),
    ("10.000", "0.002", "10.000(2)"),
    ("10.000", "0.0024", "10.000(2)"),
    ("10.000", "0.0025", "10.000(2)"),
    ("10.000", "0.0035", "10.000(4)"),
    ("10.000", "0.009", "10.000(9)"),
    ("10.000", "0.0095", "10.000(10)"),
    ("10.000", "0.0199", "10.000(20)"),
    ("10.000", "0.02", "10.00(2)"),
    ("99.9999", "0.01", "100.000(10)"),
    ("-99.9999", "0.2", "-100.0(2)"),
    ("0.00001", "0.5", "0.0(5)"),
    ("12345.6", "1000", "12300(1000)"),
    ("12345.6", "2000", "12000(2000)"),
    ("12350", "2500", "12000(2000)"),
    ("0", "1e-7", "0.00000000(10)"),
    ("1e5", "1e4", "100000(10000)"),
]


@pytest.mark.parametrize(("value", "su", "text"), RULE, ids=[f"{row[0]}, {row[1]}" for row in RULE])
def test_the_2_19_rule_at_its_edges(value: str, su: str, text: str) -> None:
    assert merge_su(value, su) == text


@pytest.mark.parametrize(
    ("text", "value", "su"),
    [
        ("1.5E+3(2)", "1500", "200"),
        ("15e-1(2)", "1.5", "0.2"),
        ("1.50E1(25)", "15.0", "2.5"),
        ("-1E-2(1)", "-0.01", "0.01"),
        ("1.5E2(0.5)", "150", "50"),
        ("007.10(2)", "007.10", "0.02"),
        ("1.(1)", "1", "1"),
        ("123(1234)", "123", "1234"),
        ("0.001(1234)", "0.001", "1.234"),
    ],
)
def test_brackets_count_in_units_of_the_last_digit(text: str, value: str, su: str) -> None:
    assert split_su(text) == (value, su)
    number = parse_number(text)
    assert (number.value, number.su) == (pytest.approx(float(value)), pytest.approx(float(su)))


@pytest.mark.parametrize("text", ["1e999", "-1e999", "1e999(2)", "9e307(99)", "1E309"])
def test_a_number_beyond_every_float_is_a_text(text: str) -> None:
    """As infinity it would break sums, checks for whole numbers and JSON."""
    assert parse_number(text) is None
    assert parse_value(text) == text


@pytest.mark.parametrize("text", ["1e308", "-1.7E308", "1e-400", "4.9e-324"])
def test_numbers_at_the_ends_of_the_range_are_numbers(text: str) -> None:
    assert parse_number(text).value == float(text)


@pytest.mark.parametrize(
    ("number", "text", "exact"),
    [
        (Number.of(1.2345, 0.005), "1.234(5)", Decimal("1.234")),
        (Number.of("1.2345", "0.0119"), "1.234(12)", Decimal("1.234")),
        (Number.of(Decimal("1.50")), "1.50", Decimal("1.50")),
        (Number.of(5), "5", Decimal(5)),
        (Number.of(-0.5, 0), "-0.5", Decimal("-0.5")),
        (Number.of(1e-7), "1e-07", Decimal("1e-7")),
    ],
    ids=str,
)
def test_numbers_made_here_have_their_text_and_exact_value(number: Number, text: str, exact: Decimal) -> None:
    assert str(number) == text
    assert number.decimal == exact
    assert float(number) == number.value


def test_a_number_is_no_other_kind_of_value() -> None:
    assert parse_number("1") != 1
    assert parse_number("1") != "1"
    assert parse_number("1") == parse_number("1.0")
    assert {parse_number("1"), parse_number("1.0"), parse_number("1(0)")} == {
        parse_number("1"),
        parse_number("1(0)"),
    }


@pytest.mark.parametrize("text", ["1e999(2)", "1.5e-400(3)", "-2e300(1)"])
def test_a_number_whose_plain_digits_could_not_be_read_back_is_not_split(text: str) -> None:
    assert split_su(text) is None
    assert value_and_su(text) is None
