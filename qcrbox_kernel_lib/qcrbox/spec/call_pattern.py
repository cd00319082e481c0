"""Call patterns of command-line programs: text for bash with `{name}` for values.

The pattern keeps its shell meaning; every value is inserted as exactly one word, whatever its
content. Where one word cannot be promised (inside backticks, arithmetic, comments, after `$` or `\\`) a
placeholder is refused when the application is registered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any


class PatternError(ValueError):
    """A call pattern that cannot be used; the text says why."""


@dataclass(frozen=True)
class Placeholder:
    """A parameter in a call pattern, with what surrounds it."""

    name: str
    flag: str | None = None  # `{name?--flag}`: the whole is left out when nothing is given
    quotes: str = ""  # the quotes of the author it stands in: "", "'", '"' or "$'"


@dataclass(frozen=True)
class CallPattern:
    """A parsed pattern; `parse` makes it, `render` fills it."""

    parts: tuple[str | Placeholder, ...]

    @property
    def names(self) -> list[str]:
        """Placeholder names in order, each once."""
        return list(dict.fromkeys(p.name for p in self.parts if isinstance(p, Placeholder)))

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for `bash -c`. `values` must hold every placeholder; None is "nothing given"."""
        text = "".join(p if isinstance(p, str) else _render(p, values[p.name]) for p in self.parts)
        return text.strip()


_PLACEHOLDER = re.compile(r"\{\s*([A-Za-z_]\w*)\s*(?:\?([^{}]*))?\}")
_UNSAFE = {"`": "backticks", "${": "${…}", "((": "arithmetic", "$[": "arithmetic", "#": "a comment"}
_FLAG = re.compile(r"[-+\w./=:]+")


def condensed(pattern: str) -> str:
    """Lines joined by one space, with or without backslash; all white space one space; ends trimmed.

    A YAML block folded with `>` has joined the lines before us and left the backslash between two blanks.
    """
    joined = re.sub(r"\\\r?\n|(?<!\S)\\(?=\s|$)", " ", pattern)
    return re.sub(r"\s+", " ", joined).strip()


def parse(pattern: str) -> CallPattern:
    """Raises PatternError for unknown brace text, open quotes, and placeholders at unsafe places."""
    return _Scanner(condensed(pattern)).scan()


def text_of(value: Any) -> str:
    """How a value is written in a command line. Glue scripts parse `True`, `False` and `None`."""
    if isinstance(value, float):
        return repr(value)
    return str(value)


def _render(place: Placeholder, value: Any) -> str:
    if place.flag is not None:
        if value is None:
            return ""
        joint = "" if place.flag.endswith("=") else " "
        return place.flag + joint + _quoted(value, "")
    return _quoted(value, place.quotes)


def _quoted(value: Any, quotes: str) -> str:
    text = text_of(value)
    if quotes == "'":
        return text.replace("'", "'\\''")
    if quotes == '"':
        return re.sub(r'([\\$`"])', r"\\\1", text)
    if quotes == "$'":
        return re.sub(r"([\\'])", r"\\\1", text)
    if value is None or isinstance(value, (bool, int, float)):
        return text
    # Quote always: a bare `A=b` or `if` in command position is not a word.
    if isinstance(value, PurePath) and re.fullmatch(r"[\w./+-]+", text, re.ASCII):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"


class _Scanner:
    """Tracks the quoting of bash as far as needed to know the context of a placeholder."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.parts: list[str | Placeholder] = []
        self.literal = ""
        self.stack: list[str] = [""]  # innermost last: "", ', ", $', $(, (, `, ${, ((, #
        self.escaped = False  # the character before was an active backslash
        # The character before was an active $: neither \$ nor the second one of $$, which bash reads as its process id.
        self.dollar = False
        self.doubled = False  # the two characters before were $$

    def scan(self) -> CallPattern:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in "{}":
                self._brace()
            else:
                self._shell(char)
        open_quote = next((c for c in self.stack[1:] if c and c != "#"), None)
        if open_quote:
            raise PatternError(f"{open_quote} is opened and not closed")
        self._flush()
        return CallPattern(tuple(self.parts))

    def _flush(self) -> None:
        if self.literal:
            self.parts.append(self.literal)
            self.literal = ""

    def _brace(self) -> None:
        pair = self.text[self.at : self.at + 2]
        if pair in ("{{", "}}"):
            self._literal_brace(pair[0])
            self.at += 2
            return
        match = _PLACEHOLDER.match(self.text, self.at)
        if match is None:
            near = self.text[self.at : self.at + 20]
            raise PatternError(f"'{near}' is not a placeholder; write {{{{ and }}}} for braces")
        self._placeholder(match)
        self.at = match.end()

    def _literal_brace(self, brace: str) -> None:
        if brace == "{" and self.doubled:
            raise PatternError("bash reads $${ in two ways; put something between")
        if brace == "{" and self.dollar:
            self.stack.append("${")
        elif brace == "}" and self.stack[-1] == "${" and not self.escaped:
            self.stack.pop()
        self.literal += brace
        self.escaped = self.dollar = self.doubled = False

    def _placeholder(self, match: re.Match[str]) -> None:
        name, flag = match.group(1), match.group(2)
        shown = match.group(0)
        context = self.stack[-1]
        inner = next((c for c in reversed(self.stack) if c in _UNSAFE), None)
        if inner:
            raise PatternError(
                f"{shown} stands inside {_UNSAFE[inner]}, where a value could run as a command"
            )
        if self.escaped or (context not in ("'", "$'") and self.literal.endswith("$")):
            raise PatternError(
                f"{shown} follows '{self.literal[-1:]}', which changes what a quoted value means"
            )
        if flag is not None:
            flag = flag.strip()
            if context in ("'", '"', "$'") or not _FLAG.fullmatch(flag):
                raise PatternError(f"{shown}: after ? an option such as --flag is expected, outside quotes")
        quotes = context if context in ("'", '"', "$'") else ""
        self._flush()
        self.parts.append(Placeholder(name, flag, quotes))
        self.escaped = self.dollar = self.doubled = False

    def _shell(self, char: str) -> None:
        context = self.stack[-1]
        dollar, self.dollar = self.dollar, False
        doubled, self.doubled = self.doubled, False
        if doubled and char in "([":
            raise PatternError(f"bash reads $${char} in two ways; put something between")
        if self.escaped:
            self.escaped = False
        elif context == "#":
            pass  # to the end: a pattern has one line
        elif context == "'":
            self._close(char, "'")
        elif char == "\\":
            self.escaped = True
        elif context == "$'":
            self._close(char, "'")
        elif char == "$":
            self.dollar, self.doubled = not dollar, dollar
        else:
            self._active(char, context, dollar)
        self.literal += char
        self.at += 1

    def _active(self, char: str, context: str, dollar: bool) -> None:
        """A character that may open or close something, after an active $ or not."""
        if context == "${" and char in "'\"`":
            raise PatternError("quotes inside ${…} cannot be followed; put the value into a variable first")
        if char == "[" and dollar:
            self.stack.append("$[")
        elif char == "]" and context == "$[":
            self.stack.pop()
        elif char == "`":
            self.stack.pop() if context == "`" else self.stack.append("`")
        elif char == '"':
            self.stack.pop() if context == '"' else self.stack.append('"')
        elif char == "(":
            self._open_bracket(dollar, context)
        elif char == ")":
            self._close_bracket(context)
        elif context not in ('"', "${"):
            before = self.literal[-1:]
            if char == "'":
                self.stack.append("$'" if dollar else "'")
            elif char == "#" and (before in ("", " ", ";", "&", "|", "(", ")") and self._at_word_start()):
                self.stack.append("#")

    def _at_word_start(self) -> bool:
        # A placeholder just before is part of the word: `{a}#1`.
        return bool(self.literal) or not self.parts

    def _close(self, char: str, quote: str) -> None:
        if char == quote:
            self.stack.pop()

    def _open_bracket(self, dollar: bool, context: str) -> None:
        doubled = self.text[self.at : self.at + 2] == "(("
        if dollar or context not in ('"', "${"):
            self.stack.append("((" if doubled or context == "((" else "$(")

    def _close_bracket(self, context: str) -> None:
        # A ) without ( is bash's own `case x in y) …`.
        if context in ("$(", "(("):
            self.stack.pop()
