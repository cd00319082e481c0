"""Values: numbers with standard uncertainty (s.u.), unknown, not applicable, text.

All splitting and rounding works on the digits of the text or in decimal arithmetic: binary floating
point never decides a digit.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from qcrbox.cif.quoting import is_quoted, text_of

_NUMBER = re.compile(
    r"(?P<value>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE](?P<exponent>[+-]?[0-9]{1,4}))?"
    r"(?:\((?P<su>[0-9]+\.?[0-9]*|\.[0-9]+)\))?\Z"
)
# Wide enough for every number that a file can hold; Decimal never rounds silently below that.
_CONTEXT = Context(prec=1000, rounding=ROUND_HALF_EVEN)
_MAX_DIGITS = 300


class Absent(Enum):
    """The two special values of CIF. Both are false, print as in a file, and are compared by `is`."""

    UNKNOWN = "?"
    NOT_APPLICABLE = "."

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return self.name


UNKNOWN: Final = Absent.UNKNOWN
NOT_APPLICABLE: Final = Absent.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: `value`, `su` (None when none is given, 0.0 when written so) and its text.

    Equal when value and su are equal, whatever the spelling. Prints crystallographically, `1.234(5)`.
    Arithmetic is not its job: take `float(number)`.
    """

    value: float
    su: float | None
    text: str

    @classmethod
    def of(cls, value: float | str | Decimal, su: float | str | Decimal | None = None) -> Number:
        """A number written by the 2-19 rule: `Number.of(1.2345, 0.005)` is 1.234(5)."""
        text = str(value) if su is None else merge_su(str(value), str(su))
        return cls(float(value), None if su is None else float(su), text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Number({self.text})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """At a notebook's prompt as crystallographers write it: 1.234(5)."""
        del cycle
        printer.text(self.text)

    def __float__(self) -> float:
        return self.value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Number):
            return (self.value, self.su) == (other.value, other.su)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.value, self.su))

    @property
    def decimal(self) -> Decimal:
        """The value as an exact decimal number."""
        split = split_su(self.text)
        return Decimal(split[0] if split else self.text)


Value = Number | str | Absent


def parse_value(raw: str, *, cif2: bool = False) -> Value:
    """The value of a raw text. Quoted values are always text; bare `?` and `.` are special."""
    if raw == "?":
        return UNKNOWN
    if raw == ".":
        return NOT_APPLICABLE
    if is_quoted(raw):
        return text_of(raw, cif2=cif2)
    number = parse_number(raw)
    return raw if number is None else number


def parse_number(text: str) -> Number | None:
    """A number with or without s.u., or None when the text is something else or beyond the range of floats."""
    match = _NUMBER.match(text)
    if match is None or len(text) > _MAX_DIGITS:
        return None
    if match["su"] is None:
        number = Number(float(text), None, text)
    else:
        value, su = _split(match)
        number = Number(float(value), float(su), text)
    # `1e999` is beyond every float: with it as infinity, sums and JSON would fail later and elsewhere.
    return number if math.isfinite(number.value) and math.isfinite(number.su or 0.0) else None


def split_su(text: str) -> tuple[str, str] | None:
    """`1.234(5)` to (`1.234`, `0.005`); None when the text is not a number with s.u. in brackets.

    Rule: the s.u. counts in units of the last written digit of the value; with a decimal point inside the
    brackets it is taken as written. Written zeros stay.
    """
    if not text.endswith(")"):
        return None
    # The usual form first, without the pattern: loops hold hundreds of thousands of them.
    value, _, su = text[:-1].partition("(")
    whole, _, decimals = value.partition(".")
    if su.isdigit() and decimals.isdigit() and whole.removeprefix("-").isdigit() and text.isascii():
        return (value, scaled(su, len(decimals))) if len(text) <= _MAX_DIGITS else None
    match = _NUMBER.match(text)
    if match is None or match["su"] is None or len(text) > _MAX_DIGITS:
        return None
    return _readable(*_split(match))


def value_and_su(text: str) -> tuple[str, str] | None:
    """As `split_su`, but a number without brackets is answered with s.u. `0`; None for other texts."""
    match = _NUMBER.match(text)
    if match is None or len(text) > _MAX_DIGITS:
        return None
    return (text, "0") if match["su"] is None else _readable(*_split(match))


def _readable(value: str, su: str) -> tuple[str, str] | None:
    """None where the plain digits (`1e999(2)`) are too long to be read back as numbers."""
    return (value, su) if max(len(value), len(su)) <= _MAX_DIGITS else None


def _split(match: re.Match[str]) -> tuple[str, str]:
    written, su = match["value"], match["su"]
    exponent = int(match["exponent"] or 0)
    decimals = len(written.partition(".")[2])
    if exponent:
        value = format(Decimal(written).scaleb(exponent, _CONTEXT), "f")
    else:
        value = _tidy(written)
    if "." in su:
        return value, _tidy(format(Decimal(su).scaleb(exponent, _CONTEXT), "f") if exponent else su)
    if exponent:
        return value, format(Decimal(int(su)).scaleb(exponent - decimals, _CONTEXT), "f")
    if not decimals:
        return value, su
    return value, scaled(su, decimals)


def scaled(su: str, decimals: int) -> str:
    """Digits in units of the last decimal as a number: (`5`, 3) to `0.005`."""
    if len(su) <= decimals:
        return "0." + su.zfill(decimals)
    digits = su.zfill(decimals + 1)
    return f"{digits[:-decimals].lstrip('0') or '0'}.{digits[-decimals:]}"


def _tidy(written: str) -> str:
    """Drop a plus sign, add the zero before a leading point, drop a trailing point."""
    sign = "-" if written.startswith("-") else ""
    digits = written.lstrip("+-").removesuffix(".")
    return sign + ("0" + digits if digits.startswith(".") else digits)


def su_order(su: float | str | Decimal) -> int:
    """Power of ten of the last shown digit: 0.03 gives -2, 0.012 gives -3, 20 gives 1 (2-19 rule).

    Raises ValueError when the s.u. is zero, negative or no number.
    """
    exact = _decimal(su)
    if exact is None or not exact.is_finite() or exact <= 0:
        raise ValueError(f"An s.u. of {su} has no order of magnitude: it must be above zero.")
    return _order(exact)


def _order(su: Decimal) -> int:
    order = su.adjusted()
    return order - 1 if su.as_tuple().digits[0] == 1 else order


def merge_su(value: str, su: str) -> str:
    """Value and s.u. as one text with brackets by the 2-19 rule: `1.2345`, `0.005` give `1.234(5)`.

    Rounds half to even in decimal arithmetic. The value's own text is returned when the s.u. is zero,
    absent, negative or no number, or when the value is no plain number.
    """
    quick = _merged_in_integers(value, su)
    if quick is not None:
        return quick
    exact_value, exact_su = _decimal(value), _decimal(su)
    if exact_value is None or exact_su is None or exact_su <= 0:
        return value
    order = _order(exact_su)
    unit = Decimal(1).scaleb(order, _CONTEXT)
    shown = exact_value.quantize(unit, context=_CONTEXT)
    counts = exact_su.quantize(unit, context=_CONTEXT)
    if order >= 0:
        return f"{shown:f}({counts:f})"
    return f"{shown:f}({int(counts.scaleb(-order, _CONTEXT))})"


def _merged_in_integers(value: str, su: str) -> str | None:
    """The same rounding in integers, for plain decimals; None for all else."""
    shown = _shown_su(su)
    if shown is None:
        return None
    order, bracket = shown
    whole, _, digits = value.partition(".")
    unsigned = whole.removeprefix("-")
    if not unsigned.isdigit() or not value.isascii() or len(value) > _MAX_DIGITS:
        return None
    if digits:
        if not digits.isdigit():
            return None
    elif value[-1] == ".":
        return None
    if not bracket:
        return value
    missing = -order - len(digits)
    if missing >= 0:
        # Nothing to round: the usual case.
        point = "." if missing and not digits else ""
        return f"{value}{point}{'0' * missing}({bracket})"
    sign = "-" if whole != unsigned else ""
    rounded = _rescaled(int(unsigned + digits), len(digits), -order)
    if order >= 0:
        return f"{sign}{rounded * 10**order}({bracket})"
    text = str(rounded).zfill(1 - order)
    return f"{sign}{text[:order]}.{text[order:]}({bracket})"


@lru_cache(maxsize=1 << 16)
def _shown_su(su: str) -> tuple[int, str] | None:
    """Order of the last digit shown and the text in the brackets (empty for zero); None for other texts.

    Remembered, since the s.u. of a column repeat.
    """
    whole, _, digits = su.partition(".")
    if not (whole + digits).isdigit() or not su.isascii() or len(su) > _MAX_DIGITS:
        return None
    counts = int(whole + digits)
    if counts == 0:
        return 0, ""
    leading = str(counts)
    order = len(leading) - 1 - len(digits) - (leading[0] == "1")
    rounded = _rescaled(counts, len(digits), -order)
    return order, str(rounded * 10**order if order > 0 else rounded)


def _rescaled(count: int, decimals: int, wanted: int) -> int:
    """An integer in units of 10^-decimals as one in units of 10^-wanted, half to even."""
    if wanted >= decimals:
        return count * 10 ** (wanted - decimals)
    unit = 10 ** (decimals - wanted)
    quotient, rest = divmod(count, unit)
    twice = 2 * rest
    return quotient + (twice > unit or (twice == unit and quotient % 2 == 1))


def _decimal(text: float | str | Decimal) -> Decimal | None:
    written = str(text)
    match = _NUMBER.match(written)
    if match is None or match["su"] is not None or len(written) > _MAX_DIGITS:
        return None
    exact = Decimal(written)
    # Exponents beyond any float would make numbers of a million digits out of six characters.
    return exact if exact == 0 or abs(exact.adjusted()) <= _MAX_DIGITS else None
