"""Tables of the administration pages: what an address asks for, links to other pages of a table, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from qcrbox_hub.platform.whole_numbers import whole_number

PAGE_SIZE = 50
# Rows of one request to the registry while a whole table is sent as CSV.
PORTION = 1000
# Rows from (cursor, limit), and the cursor behind them, None at the end.
CursorPage = Callable[[str, int], Awaitable[tuple[list[dict[str, Any]], str | None]]]
LONGEST_SEARCH = 200
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """A column of a table. sortable: its heading leads to the table in this order."""

    key: str
    title: str
    sortable: bool = False
    numeric: bool = False


@dataclass(frozen=True)
class Asked:
    """A table as an address asks for it. `page` counts from 1; `after`: key of the row before, of keyed lists."""

    path: str
    text: str = ""
    sort: str = ""
    page: int = 1
    after: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    size: int = PAGE_SIZE

    @property
    def order(self) -> tuple[str, bool]:
        """Column key, and whether it descends."""
        return self.sort.lstrip("-"), self.sort.startswith("-")

    @property
    def offset(self) -> int:
        """Number of rows before this page."""
        return (self.page - 1) * self.size

    def cut(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows of this page."""
        return rows[self.offset : self.offset + self.size]

    def link(self, **changes: Any) -> str:
        """The address of this table with other values; paging starts again unless it is what changes."""
        values: dict[str, Any] = {"q": self.text, "sort": self.sort, **self.filters, **changes}
        return f"{self.path}?{urlencode({name: value for name, value in values.items() if value})}"

    def sort_link(self, column: Column) -> str:
        """The address of this table by this column, descending when it ascends already."""
        ascending = self.sort == column.key
        return self.link(sort=f"-{column.key}" if ascending else column.key)

    def sorted_by(self, column: Column) -> str:
        """For the aria-sort attribute."""
        key, descends = self.order
        if key != column.key:
            return "none"
        return "descending" if descends else "ascending"


def read_asked(
    path: str,
    arguments: Mapping[str, str],
    columns: Sequence[Column],
    filters: Sequence[str] = (),
    sort: str = "",
) -> Asked:
    """What the query of an address asks for; values that no table has are left out. `sort`: the order without one."""
    wanted = arguments.get("sort", "")
    sortable = {column.key for column in columns if column.sortable}
    return Asked(
        path,
        text=arguments.get("q", "").strip()[:LONGEST_SEARCH],
        sort=wanted if wanted.removeprefix("-") in sortable else sort,
        page=min(whole_number(arguments.get("page", ""), 1, 10**40) or 1, 1_000_000),
        after=arguments.get("after", "")[:64],
        filters={name: arguments[name][:LONGEST_SEARCH] for name in filters if arguments.get(name)},
    )


def arrange(rows: Sequence[dict[str, Any]], asked: Asked, searched: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a table that is not a database's: those with the text in one of the searched columns, in order.

    Rows without a value come last, whichever way the order goes. The page is cut from it by `asked.cut`.
    """
    text = asked.text.lower()
    found = [row for row in rows if any(text in str(row.get(key) or "").lower() for key in searched)]
    key, descends = asked.order
    if not key:
        return found
    with_value = [row for row in found if row.get(key) not in (None, "")]
    without = [row for row in found if row.get(key) in (None, "")]
    with_value.sort(key=lambda row: _orderly(row[key]), reverse=descends)
    return with_value + without


def _orderly(value: Any) -> tuple[bool, float, str]:
    """Numbers by size before text without regard to case."""
    if isinstance(value, int | float):
        return False, float(value), ""
    return True, 0.0, (" ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)).lower()


async def portions(
    part: Callable[[int, int], Awaitable[tuple[list[dict[str, Any]], int]]],
) -> AsyncIterator[list[Mapping[str, Any]]]:
    """All rows of a table that is asked for in parts. part: rows from (limit, offset), and how many there are."""
    offset, total = 0, 1
    while offset < total:
        rows, total = await part(PORTION, offset)
        yield list(rows)
        offset += PORTION


async def pages(page: CursorPage) -> AsyncIterator[list[Mapping[str, Any]]]:
    """All rows of a table that is asked for by cursor."""
    after: str | None = ""
    while after is not None:
        rows, after = await page(after, PORTION)
        yield list(rows)


def last_page(total: int, size: int = PAGE_SIZE) -> int:
    """Number of the last page, 1 for an empty table."""
    return max(1, -(-total // size))


def csv_lines(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, heading: bool = True) -> str:
    """Rows as CSV (RFC 4180); cells that a spreadsheet would take for formulas are made text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if heading:
        writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column.key)) for column in columns])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        value = " ".join(str(each) for each in value)
    if isinstance(value, str) and value.startswith(_FORMULA_SIGNS):
        return f"'{value}"
    return "" if value is None else value
