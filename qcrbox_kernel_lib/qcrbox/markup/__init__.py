"""Plain values as text and HTML: tables, code, long text. Escaping happens in this layer."""

from qcrbox.markup.html import Code, Html, Text, escape, pairs_html
from qcrbox.markup.publish import publish
from qcrbox.markup.table import Table, cell_text

__all__ = ["Code", "Html", "Table", "Text", "cell_text", "escape", "pairs_html", "publish"]
