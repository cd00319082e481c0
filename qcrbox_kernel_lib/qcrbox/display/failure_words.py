"""What a person reads of a failure: what, why and next, without tracebacks and paths of the server.

The front end has the same rules (extension/src/command/failure.tsx); one table of cases holds both.
"""

from __future__ import annotations

import re

NO_WORDS = "The program failed. Details say where; the log has its last words."
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# The class of an exception says nothing to the reader.
_CLASS = re.compile(r"^(?:\w+\.)*\w*(?:Error|Failed|Exception): ")
# A path of two parts or more that does not go on from a word, so that e/Å and R/S are none; its last name stays.
_PATH = re.compile(
    r"(?:file://|(?<![\w./:]))/(?:[\w.+@~-]+/)+([\w.+@~-]*)|\b[A-Za-z]:\\(?:[\w.+@~ -]+\\)*([\w.+@~-]*)"
)

_FRAME = re.compile(r'^\s*File ".*", line \d+')


def failure_of(text: str) -> tuple[str, str]:
    """The words of a failure, and the whole text where it has more than they say (else empty)."""
    plain = _TERMINAL.sub("", text)
    before, message = map(_words_of, _without_traceback(plain))
    # The agent's message and the traceback behind it name the same exception.
    words = before if before.endswith(message) else f"{before}\n{message}".strip()
    hides = words != "\n".join(_CLASS.sub("", line) for line in plain.split("\n")).strip()
    return words or NO_WORDS, text if hides else ""


def _words_of(lines: list[str]) -> str:
    return "\n".join(_PATH.sub(_last_name, _CLASS.sub("", line)) for line in lines).strip()


def _last_name(path: re.Match[str]) -> str:
    return path[1] or path[2] or "…"


def _without_traceback(text: str) -> tuple[list[str], list[str]]:
    """The lines before the first traceback, and the message of the last exception."""
    lines = text.split("\n")
    starts = [
        number
        for number, line in enumerate(lines)
        if line.lstrip().startswith("Traceback (") or _FRAME.match(line)
    ]
    if not starts:
        return lines, []
    first = starts[0]
    # Of a long traceback only the end may be quoted: it begins in the middle of a frame.
    while _FRAME.match(lines[starts[0]]) and first and lines[first - 1].startswith(" "):
        first -= 1
    after = lines[starts[-1] + 1 :]
    # Frames are indented; the first line that is not names the exception.
    message = next((number for number, line in enumerate(after) if line[:1].strip()), len(after))
    return lines[:first], after[message:]
