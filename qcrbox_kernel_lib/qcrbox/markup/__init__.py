"""Plain values as text and HTML: tables, code, long text. Escaping happens in this layer."""

from qcrbox.markup.html import Code, Dated, Html, Text, escape
from qcrbox.markup.pairs import pairs_html
from qcrbox.markup.publish import publish
from qcrbox.markup.symbols import figure_symbol, space_group_symbol
from qcrbox.markup.table import Table, cell_html, cell_text, read_text

__all__ = [
    "Code",
    "Dated",
    "Html",
    "Table",
    "Text",
    "cell_html",
    "cell_text",
    "escape",
    "figure_symbol",
    "pairs_html",
    "publish",
    "read_text",
    "space_group_symbol",
]
