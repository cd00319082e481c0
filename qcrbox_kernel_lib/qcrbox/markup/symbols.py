"""Symbols of crystallography as print sets them: italic letters, subscripts of screw axes, bars of inversions."""

from __future__ import annotations

import re
from typing import Self

from qcrbox.markup.html import escape

_CENTRING = re.compile(r"[PABCIFRHp]")
_WORD = re.compile(r"[-0-9abcdemn/:\u0305]+", re.IGNORECASE)
_PARTS = re.compile(r"-\d|\d\u0305|\d\d|\d|[a-z]+|\D", re.IGNORECASE)
_FIGURE = re.compile(r"(w?R|S)(\d?)")
_BAR = "<span style='text-decoration:overline'>{}</span>"


class Symbol(str):
    """An ordinary str, whose HTML is set as in print; the text stands under the pointer."""

    html: str

    def __new__(cls, text: str, html: str) -> Self:
        """html: ready, with everything escaped."""
        symbol = super().__new__(cls, text)
        symbol.html = html
        return symbol

    def _cell_html_(self) -> str:
        return f"<span title='{escape(str(self))}'>{self.html}</span>" if self.html else escape(str(self))


def space_group_symbol(text: str) -> str:
    """A Hermann–Mauguin symbol: `P 1 21/n 1` is set as P2₁/n, `P -1` with a bar. Other texts stay as they are."""
    words = text.split()
    if not words or not _CENTRING.fullmatch(words[0]) or not all(map(_WORD.fullmatch, words[1:])):
        return text
    # The unique axis of the monoclinic system goes without saying.
    is_monoclinic = len(words) == 4 and words.count("1") == 2
    shown = [word for word in words[1:] if not (is_monoclinic and word == "1")]
    return Symbol(text, f"<i>{words[0]}</i>{''.join(map(_word_html, shown))}")


def _word_html(word: str) -> str:
    return "".join(map(_part_html, _PARTS.findall(word)))


def _part_html(part: str) -> str:
    if len(part) == 2 and part[0] == "-" and part[1].isdigit():
        return _BAR.format(part[1])
    if part.endswith("\u0305"):
        return _BAR.format(part[0])
    if len(part) == 2 and part.isdigit():
        return f"{part[0]}<sub>{part[1]}</sub>"
    return f"<i>{escape(part)}</i>" if part[0].isalpha() else escape(part)


def figure_symbol(text: str) -> str:
    """A figure of merit, `R1`, `wR2` or `S`: its letters in italics. Other texts stay as they are."""
    found = _FIGURE.fullmatch(text)
    return Symbol(text, f"<i>{found[1]}</i>{found[2]}") if found else text
