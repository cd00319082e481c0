"""Line by line: a unified diff that ignores line ends."""

from __future__ import annotations

import difflib

from qcrbox.cif.decoding import prepare

MOST_LINES = 20_000


def text_difference(
    first: bytes, second: bytes, names: tuple[str, str] = ("first", "second"), context: int = 3
) -> list[str]:
    """Lines of a unified diff; empty when the texts are equal apart from line ends and trailing blanks.

    Long equal stretches at the beginning and the end are skipped before comparing, so that two versions of a
    large file differ quickly. Where the rest is beyond 20,000 lines, it is compared in pieces at equal lines.
    """
    one, other = _lines(first), _lines(second)
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    start = max(0, head - context)
    end_1, end_2 = len(one) - max(0, tail - context), len(other) - max(0, tail - context)
    middle_1, middle_2 = one[start:end_1], other[start:end_2]
    if len(middle_1) + len(middle_2) > MOST_LINES:
        return _coarse(middle_1, middle_2, names, start)
    found = list(difflib.unified_diff(middle_1, middle_2, *names, lineterm="", n=context))
    return [_shifted(line, start) for line in found]


def _lines(data: bytes) -> list[str]:
    prepared = prepare(data, "")
    text = prepared.data[prepared.start : prepared.end].decode("utf-8", "replace")
    return [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _shifted(line: str, start: int) -> str:
    if not line.startswith("@@ "):
        return line
    old, new = line.split()[1:3]
    return f"@@ {_moved(old, start)} {_moved(new, start)} @@"


def _moved(part: str, start: int) -> str:
    number, comma, count = part[1:].partition(",")
    return f"{part[0]}{int(number) + start}{comma}{count}"


def _coarse(one: list[str], other: list[str], names: tuple[str, str], start: int) -> list[str]:
    """Sets of lines instead of a longest common subsequence, whose time grows with the square."""
    in_first, in_second = set(one), set(other)
    removed = [f"-{line}" for line in one if line not in in_second]
    added = [f"+{line}" for line in other if line not in in_first]
    head = [f"--- {names[0]}", f"+++ {names[1]}", f"@@ -{start + 1},{len(one)} +{start + 1},{len(other)} @@"]
    return head + removed + added if removed or added else []
