"""Entries that are names or regular expressions on names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from qcrbox.cif import names
from qcrbox.cif.convert.spelling import unified_name

_SPECIAL = re.compile(r"[*+?()\[\]{}|^$\\]|\..*\.|\.$")
_NEGATIVE = re.compile(r"\(\?<?!")


class NameMatcher:
    """Decides which items an entry matches.

    An entry is first taken as a name and compared under canonical spelling. Only an entry that names no item
    and holds signs of a regular expression is used as one: it must match the whole of the name as it is
    written, of its canonical form or of any of its aliases, in any letter case. What a negative look-ahead
    excludes under one spelling stays excluded under all.
    """

    def __init__(self, entry: str, custom_categories: Sequence[str] = ()) -> None:
        self.entry = entry
        self.custom = tuple(custom_categories)
        self.key = self._key(entry)
        self.pattern: re.Pattern[str] | None = None
        self.wider: re.Pattern[str] | None = None  # without its negative look-arounds
        self.problem = ""
        if _SPECIAL.search(entry) and not names.is_known(entry):
            try:
                self.pattern = re.compile(entry, re.IGNORECASE)
                if _NEGATIVE.search(entry):
                    self.wider = re.compile(_without_negative(entry), re.IGNORECASE)
            except re.error as error:
                self.problem = f"{entry} is not a valid regular expression: {error}"

    def _key(self, tag: str) -> str:
        return names.key(unified_name(tag, self.custom))

    def is_name_of(self, tag: str) -> bool:
        """True when the entry is a spelling of this name."""
        return self._key(tag) == self.key

    def matches(self, tag: str) -> bool:
        """Whether the entry means this item; use `chooser` to give names precedence over patterns."""
        return self.is_name_of(tag) or self.pattern_matches(tag)

    def pattern_matches(self, tag: str) -> bool:
        """True when the entry, taken as a regular expression, matches a spelling of this name."""
        if self.pattern is None:
            return False
        unified = unified_name(tag, self.custom)
        spellings = {tag, unified, unified.replace(".", "_", 1), *names.aliases(tag)}
        if self.wider is not None and any(
            self.wider.fullmatch(spelling) and not self.pattern.fullmatch(spelling) for spelling in spellings
        ):
            return False
        return any(self.pattern.fullmatch(spelling) for spelling in spellings)

    def chooser(self, tags: Sequence[str]) -> Callable[[str], bool]:
        """The test to use on a file with these names: by name when one is there, else by pattern."""
        return self.is_name_of if any(map(self.is_name_of, tags)) else self.pattern_matches

    def chosen(self, tags: Sequence[str]) -> list[str]:
        """The tags that the entry matches."""
        test = self.chooser(tags)
        return [tag for tag in tags if test(tag)]


def _without_negative(pattern: str) -> str:
    """A pattern without its `(?!...)` and `(?<!...)` groups."""
    kept: list[str] = []
    position = 0
    for match in _NEGATIVE.finditer(pattern):
        if match.start() < position:
            continue
        kept.append(pattern[position : match.start()])
        position = _group_end(pattern, match.start())
    kept.append(pattern[position:])
    return "".join(kept)


def _group_end(pattern: str, start: int) -> int:
    depth, position = 0, start
    while position < len(pattern):
        if pattern[position] == "\\":
            position += 1
        elif pattern[position] == "(":
            depth += 1
        elif pattern[position] == ")":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return position
