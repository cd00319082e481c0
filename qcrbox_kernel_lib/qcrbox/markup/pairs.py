"""Labels with their values, side by side."""

from __future__ import annotations

from collections.abc import Iterable

from qcrbox.language import tr
from qcrbox.markup.html import escape
from qcrbox.markup.symbols import figure_symbol
from qcrbox.markup.table import cell_html


def pairs_html(pairs: Iterable[tuple[str, str]]) -> str:
    """(label, text) pairs side by side, labels translated, symbols set as in print."""
    cells = "".join(
        f"<div style='min-width:7.5em'><div style='opacity:.65;font-size:.85em'>{cell_html(figure_symbol(tr(label)))}</div>"
        f"<div>{text._cell_html_() if hasattr(text, '_cell_html_') else escape(text)}</div></div>"
        for label, text in pairs
    )
    return f"<div style='display:flex;flex-wrap:wrap;gap:6px 16px;margin-top:6px'>{cells}</div>"
