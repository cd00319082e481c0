"""Rows as typed values: one dataclass per kind of row, read by the names of its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    R = TypeVar("R", bound=DataclassInstance)
else:
    R = TypeVar("R")

# Databases limit how many values one statement takes.
IDS_PER_QUERY = 500


class Records(Generic[R]):
    """Reads rows into values of the dataclass `record`.

    Each field is the column of `table` with its name, or the entry of `others` (a column of a joined table, an
    expression). `source` is what is selected from, where that is more than the table.
    """

    def __init__(
        self,
        record: type[R],
        table: sa.Table,
        others: Mapping[str, sa.ColumnElement[Any]] | None = None,
        source: sa.FromClause | None = None,
    ) -> None:
        named = others or {}
        columns = [
            named[field.name].label(field.name) if field.name in named else table.c[field.name]
            for field in fields(record)
        ]
        self.select: sa.Select[Any] = sa.select(*columns).select_from(table if source is None else source)
        self._key = table.c.id if "id" in table.c else next(iter(table.primary_key))
        self._make: Callable[..., R] = record

    def all(self, conn: Connection, query: sa.Select[Any]) -> list[R]:
        """Every row of a query that was made from `select`."""
        make = self._make
        return [make(*row) for row in conn.execute(query)]

    def first(self, conn: Connection, query: sa.Select[Any]) -> R | None:
        """The first row, None when there is none."""
        row = conn.execute(query).first()
        return None if row is None else self._make(*row)

    def by_key(self, conn: Connection, key: object) -> R | None:
        """The row with this primary key."""
        return self.first(conn, self.select.where(self._key == key))

    def require(self, conn: Connection, key: int | str, kind: str) -> R:
        """The row with this primary key. Raises NotFound, which says what kind of thing there is not (`exercise`)."""
        found = self.by_key(conn, key)
        if found is None:
            raise NotFound(f"There is no {kind} {key[:64] if isinstance(key, str) else key!r}.")
        return found

    def by_keys(self, conn: Connection, keys: Sequence[Any], *where: sa.ColumnElement[bool]) -> dict[Any, R]:
        """The rows with these primary keys that satisfy `where`, by key; missing ones are left out."""
        name = self._key.name
        found: dict[Any, R] = {}
        for part in parts(keys):
            for row in self.all(conn, self.select.where(self._key.in_(part), *where)):
                found[getattr(row, name)] = row
        return found


def parts(ids: Sequence[Any]) -> list[Sequence[Any]]:
    """The ids in portions that one statement can take."""
    return [ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY)]
