"""Conversion between raw values (literal text with quotes) and plain text.

Plain text never holds carriage returns. Folded lines and the text-prefix protocol of CIF are undone on
reading (CIF 1.1 semantics paragraph 26; Bernstein et al. 2016, section 5.1) and used on writing only where
a text cannot be written otherwise.
"""

from __future__ import annotations

import re

from qcrbox.cif import tokens
from qcrbox.contract.errors import CifError

MAX_LINE = 2048
_FOLDED = re.compile(r"\\[ \t]*(?:\n|\Z)")
_PREFIX = re.compile(r"([^\n;][^\n\\]*)\\(\\?)[ \t]*(?:\n|\Z)")
_PLAIN = re.compile(r"[^\s_#'\"\[\]{}$;][^\s]*\Z")
_PLAIN_2 = re.compile(r"[^\s_#'\"\[\]{}$;][^\s\[\]{}]*\Z")
_RESERVED = re.compile(r"(?i:data_|save_|(?:loop_|global_|stop_)\Z)")
_INLINE_QUOTE_END = {"'": re.compile(r"'(?=\s)"), '"': re.compile(r'"(?=\s)')}


def is_text_field(raw: str) -> bool:
    """True for a raw value between semicolons."""
    return raw.startswith(";") and raw.endswith("\n;")


def is_triple_quoted(raw: str) -> bool:
    """True for a raw value between triple quotes (CIF 2)."""
    return len(raw) >= 6 and raw[:3] in ("'''", '"""') and raw.endswith(raw[:3])


def is_quoted(raw: str) -> bool:
    """Whether the value is quoted or a text field, so that `?`, `.` and digits are text."""
    return (len(raw) >= 2 and raw[0] in "'\"" and raw[-1] == raw[0]) or is_text_field(raw)


def text_of(raw: str, *, cif2: bool = False) -> str:
    """The plain text of a raw value: quotes and text-field marks removed, folding and prefix undone."""
    if not raw:
        return raw
    first = raw[0]
    if first == ";" and raw.endswith("\n;"):
        return unfolded(raw[1:-2])
    if first in "'\"" and len(raw) >= 2 and raw[-1] == first:
        if cif2 and is_triple_quoted(raw):
            return raw[3:-3]
        return raw[1:-1]
    return raw


def unfolded(body: str) -> str:
    """Undo the line folding and the prefix protocol of a text field's content."""
    newline = body.find("\n")
    first_line = body if newline < 0 else body[:newline]
    if "\\" not in first_line:
        return body
    prefix = _PREFIX.match(body)
    if prefix and all(line.startswith(prefix[1]) for line in body[prefix.end() :].split("\n")):
        size = len(prefix[1])
        lines = "\n".join(line[size:] for line in body[prefix.end() :].split("\n"))
        return _joined(lines) if prefix[2] else lines
    if _FOLDED.match(body):
        return _joined(body[newline + 1 :] if newline >= 0 else "")
    return body


def _joined(body: str) -> str:
    return _FOLDED.sub("", body)


def raw_of(text: str, *, cif2: bool = False) -> str:
    """The shortest safe raw form of a plain text: bare, quoted or a text field.

    A text that is empty, `?` or `.` is quoted, so that it stays text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in text or len(text) > MAX_LINE - 3:
        return _text_field(text)
    if is_bare(text, cif2=cif2) and text not in ("?", "."):
        return text
    for quote in "'\"":
        if cif2:
            if quote not in text:
                return f"{quote}{text}{quote}"
        elif not _INLINE_QUOTE_END[quote].search(text):
            return f"{quote}{text}{quote}"
    return _text_field(text)


def is_bare(text: str, *, cif2: bool = False) -> bool:
    """Whether a text needs no quotes in a CIF."""
    pattern = _PLAIN_2 if cif2 else _PLAIN
    return bool(pattern.match(text)) and len(text) <= MAX_LINE - 1 and not _RESERVED.match(text)


def _text_field(text: str) -> str:
    lines = text.split("\n")
    hazardous = any(line.startswith(";") for line in lines[1:])
    too_long = any(len(line) > MAX_LINE - 1 for line in lines)
    # A text that looks folded or prefixed must be wrapped, or reading it would unfold it.
    looks_coded = unfolded(text) != text
    if not (hazardous or too_long or looks_coded):
        return f";{text}\n;"
    folded = "\n".join(_fold(line) for line in lines)
    body = "\n".join("> " + line for line in folded.split("\n"))
    return f";> \\\\\n{body}\n;"


def _fold(line: str) -> str:
    width = MAX_LINE - 48
    parts = [line[i : i + width] for i in range(0, len(line), width)] or [""]
    # A line that ends in a backslash by itself is followed by an empty continuation.
    if re.search(r"\\[ \t]*\Z", parts[-1]):
        parts.append("")
    return "\\\n".join(parts)


def checked_raw(raw: str, *, cif2: bool = False) -> str:
    """`raw` if it is exactly one value token; raises CifError otherwise."""
    try:
        data = b"\n" + raw.encode()
    except UnicodeEncodeError as error:
        raise CifError(
            f"{raw[:60]!r} cannot be written.",
            why="It holds half of a surrogate pair, which is no character.",
        ) from error
    try:
        end = tokens.end_of_value(data, 1, len(data), cif2) if len(data) > 1 else -1
    except tokens.Nested:
        end = -1
    if end != len(data) or (raw[0] == ";" and not is_text_field(raw)):
        shown = raw if len(raw) <= 60 else raw[:57] + "..."
        raise CifError(
            f"{shown!r} is not one CIF value.",
            next="Put texts through qcrbox.cif.raw_of(text), which quotes them.",
        )
    return raw


def checked_tag(tag: str) -> str:
    """The tag itself. Raises CifError when it cannot be the name of an item."""
    if len(tag) < 2 or tag[0] != "_" or any(c.isspace() for c in tag):
        raise CifError(
            f"{tag!r} is not a name of a CIF item.", next="Names begin with _ and hold no spaces.", tag=tag
        )
    return tag
