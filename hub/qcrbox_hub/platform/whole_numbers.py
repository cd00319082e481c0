"""Whole numbers that people and programs send as text."""

from __future__ import annotations

import re

# More digits than any number of ours has; int() refuses texts of more than 4300.
_DIGITS = re.compile(r"-?[0-9]{1,40}")


def whole_number(text: str, least: int = 0, most: int = 10**9) -> int | None:
    """The number that a text of ASCII digits writes; None for any other text, and outside `least` to `most`.

    `str.isdigit` is no such check: it is true of "²", which int() refuses.
    """
    if not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if least <= number <= most else None
