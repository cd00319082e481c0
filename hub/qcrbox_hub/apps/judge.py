"""Does an output CIF hold what a case expects? One function per test, no network."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from qcrbox import cif

from qcrbox_hub.apps.suite import Expectation


@dataclass(frozen=True)
class Verdict:
    """What was expected, whether it held, and what was found instead."""

    expectation: str
    passed: bool
    found: str = ""


def judge_status(expected: Expectation, status: str, warnings: list[str]) -> Verdict:
    """`warning` means: it ended well with a warning; `successful` allows warnings."""
    found = "warning" if status == "successful" and warnings else status
    holds = expected.expected in (found, "successful" if found == "warning" else found)
    return Verdict(str(expected), holds, found)


def judge_cif(expected: Expectation, output: bytes | None) -> Verdict:
    """Judge a `cif_value` or `cif_loop_value` on the bytes of the output."""
    if output is None:
        return Verdict(str(expected), False, "there is no output CIF")
    block = cif.read(output, filename="output.cif").blocks[0]
    if expected.kind == "cif_value":
        return _judge(expected, block.get(expected.entry))
    loop = block.loop(expected.entry)
    if loop is None:
        return _judge(expected, None)
    columns = [(_column(loop, name), wanted) for name, wanted in expected.rows]
    rows = [
        i
        for i in range(len(loop))
        if all(column is not None and same(column[i], wanted) for column, wanted in columns)
    ]
    if len(rows) != 1:
        if expected.test == "missing" and not rows:
            return Verdict(str(expected), True, "no such row")
        return Verdict(str(expected), False, f"{len(rows)} rows fit the row_lookup")
    return _judge(expected, loop.column(expected.entry)[rows[0]])


def _column(loop: cif.Loop, name: str) -> list[str] | None:
    return loop.column(name) if name in loop else None


def _judge(expected: Expectation, raw: str | None) -> Verdict:
    text = None if raw is None else plain(raw)
    if expected.test == "missing":
        return Verdict(str(expected), text is None, "missing" if text is None else text)
    if text is None:
        return Verdict(str(expected), False, "missing")
    holds = {
        "present": lambda: expected.allow_unknown or raw not in ("?", "."),
        "match": lambda: same(text, expected.expected),
        "non-match": lambda: not same(text, expected.expected),
        "contain": lambda: str(expected.expected) in text,
        "within": lambda: within(expected, text),
    }[expected.test]()
    return Verdict(str(expected), holds, text)


def plain(raw: str) -> str:
    """The value's text without CIF quotes."""
    return cif.text_of(raw)


def number(text: Any) -> Decimal | None:
    """The number in front of a possible s.u., or None."""
    try:
        return Decimal(str(text).strip().split("(")[0])
    except InvalidOperation:
        return None


def same(found: str, wanted: Any) -> bool:
    """Equal as text, or equal as numbers (`1.0` is `1`)."""
    if isinstance(wanted, bool):
        return found.strip().lower() == str(wanted).lower()
    found = plain(found).strip()
    if found == str(wanted).strip():
        return True
    left, right = number(found), number(wanted)
    return left is not None and right is not None and "(" not in str(wanted) and left == right


def within(expected: Expectation, text: str) -> bool:
    """Whether a number lies within the deviation or the limits of the expectation; its s.u. is ignored."""
    value = number(text)
    if value is None:
        return False
    if expected.deviation is not None and expected.expected is not None:
        middle = number(expected.expected)
        return middle is not None and abs(value - middle) <= Decimal(str(expected.deviation))
    low, high = expected.minimum, expected.maximum
    return (low is None or value >= Decimal(str(low))) and (high is None or value <= Decimal(str(high)))
