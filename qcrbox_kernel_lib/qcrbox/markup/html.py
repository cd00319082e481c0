"""Values as HTML, each with its text twin. All text from files, users and programs is escaped here."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any, Self

# XML cannot hold these, escaped or not; a text of a file can. Pictures are SVG, tables of reports OOXML.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def without_forbidden(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """Text with the characters replaced that XML cannot hold."""
    return _FORBIDDEN.sub(instead, text)


def escape(value: Any) -> str:
    """Text for HTML and XML; None is nothing."""
    return "" if value is None else html.escape(without_forbidden(str(value)), quote=True)


class Dated(str):
    """Words that end with a moment: an ordinary str with the machine's clock; Lab shows the clock of its reader.

    In HTML the moment is a `time` element with ISO 8601 under the pointer, which Lab's extension writes in the reader's
    time zone and language.
    """

    words: str
    clock: str
    iso: str  # in UTC, to the second

    def __new__(cls, words: str, at: datetime, clock: str) -> Self:
        """words: what stands before the moment; clock: the moment as this machine writes it."""
        text = super().__new__(cls, words + clock)
        text.words, text.clock = words, clock
        text.iso = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return text

    def _cell_html_(self) -> str:
        moment = f"<time class='qcrbox-Moment' datetime='{self.iso}' title='{self.iso}'>{escape(self.clock)}</time>"
        return f"{escape(self.words)}{moment}"


class Code:
    """A line of Python that may be copied; `print` and `str` give it bare."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self._text, "text/html": f"<pre><code>{escape(self._text)}</code></pre>"}


class Text(str):
    """Long text (a log) that shows its end in a scrolling box and is an ordinary str otherwise."""

    _LINES = 5000

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        lines = self.splitlines()
        kept = "\n".join(lines[-self._LINES :])
        note = f"{len(lines) - self._LINES} earlier lines not shown" if len(lines) > self._LINES else ""
        return {
            "text/plain": kept,
            "text/html": f"<div>{note}</div><pre style='max-height:26em;overflow:auto'>{escape(kept)}</pre>",
        }


class Html:
    """Ready HTML (made by us, everything inside escaped) with its text twin."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self._text = html, text

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self._text, "text/html": self.html}
