"""Numbers with standard uncertainty (s.u.), as CIF writes them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

_NUMBER = re.compile(
    r"^\s*([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+))?(?:\((\d*\.?\d+)\))?(?:[eE]([+-]?\d+))?\s*$"
)


def parse_number(text: str | None) -> tuple[float, float] | None:
    """Value and s.u. (0 when none is given) of `1.234(5)`, `12(3)`, `1.2E3(4)`; None when it is no number.

    The s.u. counts in units of the last written digit; a point inside the brackets means the s.u. itself.
    """
    match = _NUMBER.match(text) if text else None
    if match is None:
        return None
    mantissa, exponent, su, late_exponent = match.groups()
    scale = 10.0 ** int(exponent or late_exponent or 0)
    value = float(mantissa) * scale
    if su is None:
        return value, 0.0
    if "." in su:
        return value, float(su) * scale
    decimals = len(mantissa.partition(".")[2])
    return value, int(su) * 10.0**-decimals * scale


def format_number(value: float, su: float | None, decimals: int = 5) -> str:
    """Value with s.u. by the 2-19 rule; without s.u. the value with `decimals` places."""
    if not su or su <= 0 or su != su or value != value:
        text = f"{value:.{decimals}f}"
        return text[1:] if text.startswith("-") and float(text) == 0 else text
    exact = Decimal(repr(float(su)))
    leading = exact.adjusted()
    first_digit = int(exact.scaleb(-leading))
    last = leading - 1 if first_digit == 1 else leading
    unit = Decimal(1).scaleb(last)
    digits = (exact / unit).quantize(Decimal(1), ROUND_HALF_EVEN)
    rounded = (Decimal(repr(float(value))) / unit).quantize(Decimal(1), ROUND_HALF_EVEN) * unit
    if last >= 0:
        return f"{int(rounded)}({int(digits * unit)})"
    return f"{rounded:.{-last}f}({int(digits)})"
