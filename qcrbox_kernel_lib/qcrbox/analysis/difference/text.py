"""Line by line: a unified diff that ignores line ends."""

from __future__ import annotations

import bisect
import difflib
from collections import Counter

from qcrbox.cif.decoding import prepare

MOST_LINES = 20_000


def text_difference(
    first: bytes, second: bytes, names: tuple[str, str] = ("first", "second"), context: int = 3
) -> list[str]:
    """Lines of a unified diff; empty when the texts are equal apart from line ends and trailing blanks.

    Long equal stretches at the beginning and the end are skipped before comparing, so that two versions of a
    large file differ quickly. Where the rest is beyond 20,000 lines, it is compared in pieces between lines that both have once.
    """
    one, other = _lines(first), _lines(second)
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    start = max(0, head - context)
    end_1, end_2 = len(one) - max(0, tail - context), len(other) - max(0, tail - context)
    one, other = one[start:end_1], other[start:end_2]
    blocks = _equal_blocks(one, other) if len(one) + len(other) > MOST_LINES else None
    return _unified(one, other, blocks, names, start, context)


def _lines(data: bytes) -> list[str]:
    prepared = prepare(data, "")
    text = prepared.data[prepared.start : prepared.end].decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # What follows the end of the last line is no line.
    return [line.rstrip() for line in (lines if lines[-1] else lines[:-1])]


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _unified(
    one: list[str],
    other: list[str],
    blocks: list[tuple[int, int, int]] | None,
    names: tuple[str, str],
    start: int,
    context: int,
) -> list[str]:
    """A unified diff of lines that begin after `start` others; `blocks`: equal ones as (i, j, length), if they are known."""
    matcher = difflib.SequenceMatcher(None, one, other) if blocks is None else _Known(blocks)
    lines: list[str] = []
    for group in matcher.get_grouped_opcodes(context):
        first, last = group[0], group[-1]
        old, new = _range(first[1], last[2], start), _range(first[3], last[4], start)
        lines.append(f"@@ -{old} +{new} @@")
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                lines += [f" {line}" for line in one[i1:i2]]
                continue
            lines += [f"-{line}" for line in one[i1:i2]]
            lines += [f"+{line}" for line in other[j1:j2]]
    return [f"--- {names[0]}", f"+++ {names[1]}", *lines] if lines else []


class _Known(difflib.SequenceMatcher[str]):
    """Equal blocks that are known; what follows from them, the groups of a diff among it, difflib computes."""

    def __init__(self, blocks: list[tuple[int, int, int]]) -> None:
        super().__init__(None, [], [])
        self._known = [difflib.Match(*block) for block in blocks]

    def get_matching_blocks(self) -> list[difflib.Match]:
        return self._known


def _range(begin: int, end: int, start: int) -> str:
    """The lines of a hunk as unified diffs count them; of an empty range the line before it."""
    length = end - begin
    return f"{begin + start + (length > 0)}" + ("" if length == 1 else f",{length}")


def _equal_blocks(one: list[str], other: list[str]) -> list[tuple[int, int, int]]:
    """Equal blocks (i, j, length) of long texts, in order, the last one empty.

    Lines that both have once are the fixed points (Cohen's patience diff): the longest run of them in the same order,
    each grown over equal neighbours. It takes n log n steps, a longest common subsequence the square.
    """
    seen_1, seen_2 = Counter(one), Counter(other)
    place = {line: j for j, line in enumerate(other) if seen_2[line] == 1}
    pairs = [(i, place[line]) for i, line in enumerate(one) if seen_1[line] == 1 and line in place]
    blocks: list[tuple[int, int, int]] = []
    done_1 = done_2 = 0
    for i, j in _longest_rising(pairs):
        if i < done_1 or j < done_2:
            continue  # inside the block before
        begin_1, begin_2, end_1, end_2 = i, j, i + 1, j + 1
        while begin_1 > done_1 and begin_2 > done_2 and one[begin_1 - 1] == other[begin_2 - 1]:
            begin_1, begin_2 = begin_1 - 1, begin_2 - 1
        while end_1 < len(one) and end_2 < len(other) and one[end_1] == other[end_2]:
            end_1, end_2 = end_1 + 1, end_2 + 1
        blocks.append((begin_1, begin_2, end_1 - begin_1))
        done_1, done_2 = end_1, end_2
    return [*blocks, (len(one), len(other), 0)]


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs, rising in i, that rises in j as well."""
    tops: list[int] = []  # the least j that ends a run of each length
    ends: list[int] = []  # and the place of its pair
    before: list[int] = []
    for place, (_, j) in enumerate(pairs):
        length = bisect.bisect_left(tops, j)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1], ends[length : length + 1] = [j], [place]
    found: list[tuple[int, int]] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        found.append(pairs[place])
        place = before[place]
    return found[::-1]
