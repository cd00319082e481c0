"""Where the tokens of a CIF are: compiled patterns over bytes, and scanners that yield positions.

Everything works on the original bytes (ASCII, UTF-8 or Latin-1 alike, since all syntax is ASCII), so
that positions are positions in the file. All repeats are possessive: no input makes them backtrack,
and a loop of a million rows is passed by one call.

Grammar: Hall, Allen & Brown, Acta Cryst. A47 (1991) 655 with the CIF 1.1 specification (2006), and
Bernstein et al., J. Appl. Cryst. 49 (2016) 277 for CIF 2.0.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

MAX_NESTING = 200  # lists inside lists in CIF 2; real files stay below five

# Before 3.11.5 a possessive repeat of a group also takes what its last, failed round had read (gh-106052). There
# an atomic group is equivalent but needs memory for each repetition.
_POSSESSIVE = sys.version_info >= (3, 11, 5)


def _repeat(group: bytes, times: bytes = b"*") -> bytes:
    """`group` repeated as often as it can be, without a way back."""
    return group + times + b"+" if _POSSESSIVE else b"(?>" + group + times + b")"


_RESERVED = rb"(?:data_|save_|(?:loop_|global_|stop_)(?=\s|\Z))"
_BARE_FIRST = rb"[^\s_#'\"dDlLsSgG;]"
_BARE = rb"(?:" + _BARE_FIRST + rb"\S*+|(?!(?i:" + _RESERVED + rb"))[dDlLsSgG]\S*+|(?<![\n\r]);\S*+)"
_TEXT = (
    rb"(?:(?<=[\n\r])|(?<![\s\S]));[^\n\r]*+"
    + _repeat(rb"(?:(?:\r\n?|\n)(?!;(?:\s|\Z))[^\n\r]*+)")
    + rb"(?:\r\n?|\n);"
)
_SINGLE = rb"'" + _repeat(rb"(?:[^'\n\r]++|'(?!\s|\Z))") + rb"'"
_DOUBLE = rb'"' + _repeat(rb'(?:[^"\n\r]++|"(?!\s|\Z))') + rb'"'
_GAP = _repeat(rb"(?:\s++|#[^\n\r]*+)")

GAP = re.compile(_GAP)
TAG = re.compile(rb"_\S*+")
VALUE = re.compile(rb"(?:" + _TEXT + rb"|" + _SINGLE + rb"|" + _DOUBLE + rb"|" + _BARE + rb")")
KEYWORD = re.compile(rb"(?i:data_(\S*)|(loop_)(?=\s|\Z)|save_(\S*)|(global_)(?=\s|\Z)|(stop_)(?=\s|\Z))")

# All values of a loop at once: plain words only, and anything.
PLAIN_RUN = re.compile(
    _repeat(rb"(?:\s++(?:[^\s_#'\"\[\]{}$;dDlLsSgG]\S*+|(?!(?i:" + _RESERVED + rb"))[dDlLsSgG]\S*+))")
)
PLAIN_RUN_2 = re.compile(
    _repeat(
        rb"(?:\s++(?:[^\s_#'\"\[\]{}$;dDlLsSgG][^\s\[\]{}]*+"
        rb"|(?!(?i:" + _RESERVED + rb"))[dDlLsSgG][^\s\[\]{}]*+)(?=\s|\Z))"
    )
)
_SPACED_VALUE = (
    rb"(?:\s"
    + _GAP
    + rb"(?:"
    + _TEXT.replace(rb"(?:(?<=[\n\r])|(?<![\s\S]))", rb"(?<=[\n\r])")
    + rb"|"
    + _SINGLE
    + rb"|"
    + _DOUBLE
    + rb"|"
    + _BARE
    + rb"))"
)
_RUN = 1000
_RUN_OF_VALUES = re.compile(_repeat(_SPACED_VALUE, b"{%d}" % _RUN))
_SPACED = re.compile(_SPACED_VALUE)
_NEXT_VALUE = re.compile(_GAP + rb"(" + _TEXT + rb"|" + _SINGLE + rb"|" + _DOUBLE + rb"|" + _BARE + rb")")

# CIF 2.0
_TRIPLE = rb"'''(?s:.*?)'''|\"\"\"(?s:.*?)\"\"\""
_QUOTED_2 = rb"'[^'\n\r]*+'|\"[^\"\n\r]*+\""
_BARE_2 = (
    rb"(?:(?!(?i:"
    + _RESERVED
    + rb"))[^\s_#$'\"\[\]{};][^\s\[\]{}]*+|(?<![\n\r]);[^\s\[\]{}]*+|\$[^\s\[\]{}]*+)"
)
VALUE_2 = re.compile(rb"(?:" + _TEXT + rb"|" + _TRIPLE + rb"|" + _QUOTED_2 + rb"|" + _BARE_2 + rb")")
INSIDE_2 = re.compile(
    _GAP + rb"(?:([\[{])|([\]}])|" + _TEXT + rb"|" + _TRIPLE + rb"|" + _QUOTED_2 + rb"|[^\s\[\]{}'\"]++)"
)
_LOOKS_LIKE_2 = re.compile(rb"(?<=\s)(?:\[|'''|\"\"\")")


def looks_like_cif2(data: bytes, start: int, end: int) -> bool:
    """Whether something begins as no valid CIF 1.1 value does: a list or triple quotes."""
    if all(data.find(sign, start, end) < 0 for sign in (b"[", b"'''", b'"""')):
        return False
    return _LOOKS_LIKE_2.search(data, start, end) is not None


class Nested(Exception):
    """A CIF 2 list or table that is not closed, or is nested too deeply."""


def end_of_composite(data: bytes, start: int, end: int) -> int:
    """The end of the list or table that starts at `start`; raises Nested."""
    depth, position = 0, start
    expected: list[int] = []
    while True:
        match = INSIDE_2.match(data, position, end)
        if match is None:
            raise Nested("A list or table is not closed.")
        position = match.end()
        if match.start(1) >= 0:
            depth += 1
            if depth > MAX_NESTING:
                raise Nested(f"Lists are nested more than {MAX_NESTING} deep.")
            expected.append(93 if data[match.start(1)] == 91 else 125)
        elif match.start(2) >= 0:
            if data[match.start(2)] != expected.pop():
                raise Nested("A list is closed by } or a table by ].")
            depth -= 1
            if depth == 0:
                return position


def end_of_value(data: bytes, start: int, end: int, cif2: bool) -> int:
    """The end of the value token at `start`, or -1 when there is none. Raises Nested."""
    if not cif2:
        match = VALUE.match(data, start, end)
        return match.end() if match else -1
    if data[start] in b"[{":
        stop = end_of_composite(data, start, end)
    else:
        match = VALUE_2.match(data, start, end)
        if match is None:
            return -1
        stop = match.end()
    return stop if stop == end or data[stop] in b" \t\n\r\f\v" else -1


def run_of_values(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the values that follow `start` end, and how many they are. CIF 1.1.

    A thousand at a time, so that counting a million rows costs thousands of steps and not millions.
    """
    count, position = 0, start
    while match := _RUN_OF_VALUES.match(data, position, end):
        count, position = count + _RUN, match.end()
    while match := _SPACED.match(data, position, end):
        count, position = count + 1, match.end()
    return position, count


def values(data: bytes, start: int, end: int, cif2: bool = False) -> Iterator[tuple[int, int]]:
    """Positions (start, end) of the values in a loop body that has been scanned before."""
    if not cif2:
        for match in _NEXT_VALUE.finditer(data, start, end):
            yield match.span(1)
        return
    position = start
    while True:
        gap = GAP.match(data, position, end)
        position = gap.end() if gap else end
        if position >= end:
            return
        stop = end_of_value(data, position, end, True)
        if stop < 0:
            return
        yield position, stop
        position = stop
