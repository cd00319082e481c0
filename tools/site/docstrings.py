"""Docstrings of this project in reStructuredText: they are plain text with `code` and indented examples."""

from __future__ import annotations

import re

_CODE = re.compile(r"(`+)([^`]+)\1")
_MARKS = re.compile(r"([\\*|_`])")


def as_rst(lines: list[str]) -> None:
    """Change the lines of a docstring in place.

    Indented lines become literal blocks, `code` becomes a literal, list items stay, every other mark is escaped.
    """
    made: list[str] = []
    literal = False
    for line in lines:
        indented = line.startswith("  ") and bool(line.strip())
        if indented and not literal and not _continues_item(made):
            _begin_block(made)
            literal = True
        elif line.strip() and not indented and literal:
            literal = False
            if made and made[-1].strip():
                made.append("")
        if literal or not line.strip():
            made.append(f"  {line}" if line.strip() else "")
            continue
        _add_text(made, line)
    lines[:] = made


def _begin_block(made: list[str]) -> None:
    while made and not made[-1].strip():
        made.pop()
    made += ["", "::", ""]


def _continues_item(made: list[str]) -> bool:
    """Is the last text a list item, so that an indented line belongs to it?"""
    return bool(made) and bool(re.match(r"\s*- ", made[-1]))


def _add_text(made: list[str], line: str) -> None:
    item = re.match(r"([-*]) (.*)", line)
    if item:
        if made and made[-1].strip() and not made[-1].startswith("- "):
            made.append("")
        made.append("- " + _escaped(item.group(2)))
        return
    if line.startswith("  "):
        # Text of an item on one line with it: continuation lines need no indentation rules then.
        made[-1] += " " + _escaped(line.strip())
        return
    if made and made[-1].startswith("- "):
        made.append("")
    text = _escaped(line)
    # "1. " and "(a) " at the start of a line would begin lists, "Name:" with an indented line a definition.
    made.append(re.sub(r"^(\(?\w+[.)])(?=\s)", lambda m: "\\" + m.group(1), text))


def _escaped(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _CODE.finditer(text):
        parts.append(_MARKS.sub(r"\\\1", text[end : match.start()]))
        before = parts[-1][-1:] if parts[-1] else ""
        glue = "\\ " if before and not before.isspace() and before not in "([{<\"'/-:" else ""
        parts.append(f"{glue}``{match.group(2).strip()}``")
        after = text[match.end() : match.end() + 1]
        if after and after.isalnum():
            parts.append("\\ ")
        end = match.end()
    parts.append(_MARKS.sub(r"\\\1", text[end:]))
    return "".join(parts)
