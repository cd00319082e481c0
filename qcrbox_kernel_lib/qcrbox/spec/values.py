"""Conversion of values from people and forms to data types."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from qcrbox.spec.dtypes import NUMBERS, DType
from qcrbox.spec.model import Parameter, ValidValue

Value = str | int | float | bool | None

_MOST_DIGITS = 300  # of a whole number
MAX_TEXT = 100_000  # characters; the kernel refuses single arguments above 128 KiB
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_NOTHING = frozenset({"none", "null", ""})


class WrongValue(ValueError):
    """A value that does not fit the type; the text states what is allowed."""


def is_none_text(value: Any) -> bool:
    """True for what older specs write when they mean nothing: None, none, null, empty. For texts see `is_nothing`."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def is_nothing(dtype: DType, value: Any) -> bool:
    """True when `value` means "no value" in a spec or a form.

    For text only `None`, `null` and the empty text: `none` in small letters is a usual choice ("weighting: none").
    """
    meant = dtype is DType.STR and isinstance(value, str) and value.strip() in ("none", "NONE")
    return is_none_text(value) and not meant


def coerce(dtype: DType, value: Any) -> Value:
    """`value` as the plain type `dtype`. Raises WrongValue."""
    return _COERCE[dtype](value)


def shortest(value: int | float) -> str:
    """The shortest text that reads back as the same number."""
    # A float64 of NumPy is a float, and its own repr() is `np.float64(0.5)`.
    return repr(float(value)) if isinstance(value, float) else repr(int(value))


def _to_int(value: Any) -> int:
    if isinstance(value, bool):
        raise WrongValue("a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return _whole(value.strip())
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    raise WrongValue("a whole number")


def _whole(text: str) -> int:
    """`5`, `5.0` or `1e3`, exactly: a float would change numbers beyond 2^53."""
    try:
        number = Decimal(text) if re.fullmatch(r"[0-9eE.+-]+", text) else None
    except InvalidOperation:
        number = None
    if number is not None and number.adjusted() < _MOST_DIGITS and number == number.to_integral_value():
        return int(number)
    raise WrongValue("a whole number")


def _to_float(value: Any) -> float:
    if isinstance(value, bool):
        raise WrongValue("a number")
    if isinstance(value, str):
        # float() also takes "nan", "infinity", "1_000" and digits of other scripts.
        if not re.fullmatch(r"[0-9eE.+-]+", value.strip()):
            raise WrongValue("a number")
        value = value.strip()
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise WrongValue("a number") from None
    if not math.isfinite(number):
        raise WrongValue("a finite number")
    return number


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    raise WrongValue("true or false")


def _to_str(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        return shortest(value)
    if not isinstance(value, str):
        raise WrongValue("text")
    if len(value) > MAX_TEXT:
        raise WrongValue(f"text of at most {MAX_TEXT} characters")
    # NUL and lone surrogates cannot be handed to a program at all; other control characters only do harm.
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t" for char in value):
        raise WrongValue("text without control characters")
    return value


_COERCE: dict[DType, Callable[[Any], Value]] = {
    DType.STR: _to_str,
    DType.INT: _to_int,
    DType.FLOAT: _to_float,
    DType.BOOL: _to_bool,
}


def breaks(valid: ValidValue | None, value: Value) -> bool:
    """True when `value` is not one of the valid values."""
    if valid is None or value is None:
        return False
    if valid.numeric_range is not None:
        low, high = valid.numeric_range
        if (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]
            return True
    if valid.choices is not None and value not in valid.choices:
        return True
    # At the start only, as older registries did: `^_` means "begins with". A pattern for the whole text ends with `$`.
    return valid.regex is not None and re.match(valid.regex, str(value)) is None


def _bounds(low: float | None, high: float | None) -> str:
    def text(bound: float) -> str:
        return next(
            (short for short in (f"{bound:g}", f"{bound:.15g}") if float(short) == bound), shortest(bound)
        )

    if low is not None and high is not None:
        return f" between {text(low)} and {text(high)}"
    if low is not None:
        return f" ≥ {text(low)}"
    return f" ≤ {text(high)}" if high is not None else ""


_NOUN = {
    DType.STR: "text",
    DType.INT: "a whole number",
    DType.FLOAT: "a number",
    DType.BOOL: "true or false",
    DType.DATA_FILE: "a stored file",
    DType.CIF_DATA_FILE: "a stored CIF",
    DType.INPUT_FOLDER: "a stored zip or tar file",
}


def allowed(parameter: Parameter) -> str:
    """The allowed values in words: 'a whole number ≥ 0', 'one of: gentle, hard'."""
    valid = parameter.valid_value
    if valid and valid.choices is not None:
        shown = [str(choice) for choice in valid.choices]
        return "one of: " + ", ".join(shown[:20]) + (", …" if len(shown) > 20 else "")
    words = _NOUN.get(parameter.dtype, "a file name")
    if valid and valid.numeric_range is not None and parameter.dtype in NUMBERS:
        words += _bounds(*valid.numeric_range)
    if valid and valid.regex is not None:
        words += f" that matches {valid.regex}"
    return words
