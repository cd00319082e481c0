"""Lines of SHELX texts: SHELX reads 80 characters; what is longer continues after `=`."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 79


def wrapped(words: Iterable[str]) -> list[str]:
    """An instruction as lines of at most 79 characters, each but the last ending with `=`."""
    lines, line = [], ""
    for word in words:
        if line.strip() and len(line) + len(word) + len(" =") > _MOST:
            lines.append(line + "=")
            line = "   "
        line += word + " "
    return [*lines, line.rstrip()]
