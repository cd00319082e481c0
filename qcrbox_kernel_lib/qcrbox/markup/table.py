"""Tables as HTML, text and CSV."""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from qcrbox.contract.errors import NotFound
from qcrbox.language import tr
from qcrbox.markup.html import escape

# Lab's own variables with fallbacks, so that dark themes, VS Code and saved HTML all read well.
_CELL = "padding:3px 10px;text-align:left;vertical-align:top;border-bottom:1px solid rgba(128,128,128,.25)"
_WIDEST = 60  # letters, of a column of text
_MEASURED = re.compile(r"-\d*\.\d+(?:\(\d+\))?")


class Table:
    """Rows under headings, shown as HTML, text or CSV; indexable by column names like a small data frame."""

    def __init__(
        self, heads: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "", caption: str = ""
    ) -> None:
        self.heads, self.rows = tuple(heads), [tuple(row) for row in rows]
        self.title, self.caption = title, caption

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.heads, row, strict=True)) for row in self.rows)

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return name in self.heads

    def __getitem__(self, columns: str | tuple[str, ...]) -> Any:
        """One column as a list, or a table of the named columns."""
        names = (columns,) if isinstance(columns, str) else columns
        for name in names:
            if name not in self.heads:
                raise NotFound(f"There is no column {name!r}.", next=f"There are: {', '.join(self.heads)}.")
        indices = [self.heads.index(name) for name in names]
        if isinstance(columns, str):
            return [row[indices[0]] for row in self.rows]
        return Table(columns, [[row[i] for i in indices] for row in self.rows], title=self.title)

    def html(self) -> str:
        """The table as HTML."""
        head = "".join(f'<th scope="col" style="{_CELL}">{head_html(name)}</th>' for name in self.heads)
        body = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{cell_html(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows
        )
        title = f"<caption style='text-align:left;font-weight:600;padding:4px 10px'>{escape(tr(self.title))}</caption>"
        note = (
            f"<div style='padding:4px 10px;opacity:.8'>{escape(tr(self.caption))}</div>"
            if self.caption
            else ""
        )
        return (
            f"<div style='overflow-x:auto'><table style='border-collapse:collapse'>{title if self.title else ''}"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}</div>"
        )

    def text(self) -> str:
        """Aligned columns; long cells are folded over several lines."""
        cells = [[tr(name) for name in self.heads], *([read_text(cell) for cell in row] for row in self.rows)]
        widths = [min(_WIDEST, max(_width(row[i]) for row in cells)) for i in range(len(self.heads))]
        heads, *rows = [_lines_of_row(row, widths) for row in cells]
        lines = [*heads, "  ".join("─" * width for width in widths), *(line for row in rows for line in row)]
        above = [tr(self.title)] if self.title else []
        below = [tr(self.caption)] if self.caption else []
        return "\n".join([*above, *(line.rstrip() for line in lines), *below])

    def csv(self) -> str:
        """Comma-separated text, floats with twelve digits; cells a spreadsheet would run as a formula get a leading apostrophe."""
        out = io.StringIO()
        writer = csv.writer(out)
        for row in (self.heads, *self.rows):  # a head may be the name of a data block
            writer.writerow([_csv_text(cell) for cell in row])
        return out.getvalue()

    def to_pandas(self) -> Any:
        """A pandas data frame (pandas must be installed)."""
        # Optional: pandas need not be installed.
        import pandas

        return pandas.DataFrame(self.rows, columns=list(self.heads))

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def cell_html(cell: Any) -> str:
    """A cell as HTML: the object's own `_cell_html_`, else its text as it is read, escaped."""
    return cell._cell_html_() if hasattr(cell, "_cell_html_") else escape(read_text(cell))


def head_html(name: str) -> str:
    """A heading as HTML: a symbol is set as such, words are translated."""
    return cell_html(name) if hasattr(name, "_cell_html_") else escape(tr(name))


def read_text(cell: Any) -> str:
    """A cell as people read it: a measured number has a minus sign. Integers, codes and sentences stay."""
    text = cell_text(cell)
    return f"\N{MINUS SIGN}{text[1:]}" if _MEASURED.fullmatch(text) else text


def cell_text(cell: Any) -> str:
    """A cell as text: None is empty, floats have six digits, lists are joined."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.6g}"
    if isinstance(cell, (list, tuple, set, frozenset)):
        return ", ".join(str(item) for item in cell)
    return str(cell)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _lines_of_row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        "  ".join(part + " " * (width - _width(part)) for part, width in zip(parts, widths, strict=True))
        for parts in itertools.zip_longest(*folded, fillvalue="")
    ]


def _folded(text: str, width: int) -> list[str]:
    """A cell as lines of at most `width`, cut between words where it can be."""
    lines, line = [], ""
    for word in text.split() if _width(text) > width or "\n" in text else [text]:
        while _width(word) > width:
            room = width - _width(line) - 1 if line else width
            cut = _cut_at(word, room) if room > 8 or not line else 0
            lines.append(f"{line} {word[:cut]}" if line and cut else line or word[:cut])
            word, line = word[cut:], ""
        if line and _width(line) + 1 + _width(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _cut_at(word: str, width: int) -> int:
    """How many letters fit into `width`; wide letters take two."""
    used = 0
    for number, char in enumerate(word):
        used += _width(char)
        if used > width:
            return max(1, number)
    return len(word)


def _csv_text(cell: Any) -> str:
    """As in the table, but floats with the digits that they have, as far as those say something."""
    return f"{cell:.12g}" if isinstance(cell, float) else _harmless(cell_text(cell))


def _harmless(text: str) -> str:
    # The true minus of typeset numbers is a letter for a spreadsheet.
    if _is_number(plain := text.replace("\N{MINUS SIGN}", "-")):
        return plain
    starts_formula = text[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{text}" if starts_formula and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text.split("(")[0])
    except ValueError:
        return False
    return True
