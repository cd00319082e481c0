"""Pages by key over the rows a person may see: the cost depends on the page, not on the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from qcrbox.contract.pages import MOST_OF_A_PAGE
from sqlalchemy.engine import Connection

from qcrbox_registry.store.visibility import Filter, Reach, filters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` rows that follow the row with the key `after`."""

    limit: int = MOST_OF_A_PAGE
    after: str | None = None

    def cut(self, rows: list[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
        """The rows of the page and the key for the next one, from rows read with `limit + 1`."""
        if len(rows) <= self.limit:
            return rows, None
        rows = rows[: self.limit]
        return rows, key(rows[-1])


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a sorted list, by numbers, for tables of administrators: the cost grows with `offset`. sort: the name of a column, with - in front: descending."""

    text: str = ""
    sort: str = "-bytes"
    limit: int = 50
    offset: int = 0

    def order(self, columns: Mapping[str, sa.ColumnElement[Any]], *last: Any) -> list[Any]:
        """For ORDER BY; an unknown column gives the first of `columns`. `last` decides between equals."""
        column = columns.get(self.sort.removeprefix("-"), next(iter(columns.values())))
        descends = self.sort.startswith("-")
        return [column.desc().nulls_last() if descends else column.asc().nulls_last(), *last]


@dataclass(frozen=True, slots=True)
class Listed:
    """Ids of one page, newest first, and the key of the next page."""

    ids: list[str]
    next: str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows a page is taken from: a table, its key, and the part of it that the person reaches (None: all)."""

    table: sa.Table
    reach: Reach | None
    now: float  # Unix time, s: shares that have expired do not count

    @property
    def key(self) -> sa.ColumnElement[str]:
        """The column that orders the rows."""
        found: sa.ColumnElement[str] = next(iter(self.table.primary_key))
        return found


def page_of(conn: Connection, rows: Rows, where: Sequence[Filter], page: Page) -> Listed:
    """The page of rows that satisfy `where`."""
    visible = [sa.true()] if rows.reach is None else filters(rows.reach, rows.now)
    ids = newest_ids(conn, rows.key, visible, where=where, page=Page(page.limit + 1, page.after))
    return Listed(*page.cut(ids, str))


def newest_ids(
    conn: Connection,
    key: sa.ColumnElement[str],
    visible: Sequence[Filter],
    *,
    where: Sequence[Filter] = (),
    page: Page,
) -> list[str]:
    """Keys, newest first, of rows that satisfy `where` and at least one of the `visible` conditions.

    Each condition is asked for its own newest rows (its index gives them in order), then the newest of all are
    taken: an OR over the conditions would walk the whole table for a person who owns little of it.
    """
    conditions = [*where] + ([key < page.after] if page.after is not None else [])
    found: set[str] = set()
    for condition in visible:
        query: sa.Select[Any] = sa.select(key).where(condition, *conditions).order_by(key.desc())
        found.update(conn.execute(query.limit(page.limit)).scalars())
    return sorted(found, reverse=True)[: page.limit]
