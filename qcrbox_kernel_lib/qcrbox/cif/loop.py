"""A loop: names of columns and rows of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from qcrbox.cif import names
from qcrbox.cif.body import Body, FileBody, ListBody, columns_of
from qcrbox.cif.quoting import checked_raw, checked_tag, text_of
from qcrbox.cif.values import Value, parse_value
from qcrbox.contract.errors import CifError

if TYPE_CHECKING:
    import numpy as np


class Loop:
    """A loop. Values are raw: the literal text of the file, with its quotes.

    `tags` are the names as written; every look-up finds any spelling of an item.
    `span` is the byte range in the file it was read from, None for a loop made here.
    """

    def __init__(
        self, tags: Sequence[str], body: Body, *, span: tuple[int, int] | None = None, cif2: bool = False
    ) -> None:
        self.tags = list(tags)
        self.body = body
        self.span = span
        self.cif2 = cif2
        self.changed = span is None
        self.cells: dict[tuple[int, int], str] = {}  # single cells changed since reading

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[str]]) -> Loop:
        """A new loop from raw values: `Loop.of({"_atom_site_label": ["C1", "C2"]})`."""
        lengths = {len(cells) for cells in columns.values()}
        if len(lengths) > 1:
            raise CifError("The columns of a loop must have one length.", why=f"Lengths: {sorted(lengths)}.")
        return cls(
            [checked_tag(tag) for tag in columns], ListBody([list(cells) for cells in columns.values()])
        )

    def __repr__(self) -> str:
        return f"<Loop {self.category}: {len(self.tags)} columns, {self.n_rows} rows>"

    def __len__(self) -> int:
        return self.n_rows

    def __contains__(self, tag: str) -> bool:
        return self.index(tag) is not None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.body.n_rows

    @property
    def category(self) -> str:
        """Category of the canonical names, as `_atom_site`."""
        return names.category(self.tags[0]) if self.tags else ""

    def index(self, tag: str) -> int | None:
        """Position of a column by any spelling of its name; the very spelling first."""
        lower = tag.lower()
        for position, own in enumerate(self.tags):
            if own.lower() == lower:
                return position
        key = names.key(tag)
        for position, own in enumerate(self.tags):
            if names.key(own) == key:
                return position
        return None

    def _index(self, tag: str) -> int:
        position = self.index(tag)
        if position is None:
            raise KeyError(tag)
        return position

    def column(self, tag: str) -> list[str]:
        """Raw values of one column; KeyError when there is none of this name."""
        return self.columns(tag)[0]

    def columns(self, *tags: str) -> list[list[str]]:
        """Raw values of several columns, read in one pass."""
        wanted = [self._index(tag) for tag in tags]
        columns = columns_of(self.body, wanted)
        for (row, position), raw in self.cells.items():
            for cells, index in zip(columns, wanted, strict=True):
                if index == position:
                    cells[row] = raw
        return columns

    def values(self, tag: str) -> list[Value]:
        """Parsed values of one column."""
        return [parse_value(raw, cif2=self.cif2) for raw in self.column(tag)]

    def texts(self, tag: str) -> list[str]:
        """Plain texts of one column: quotes removed, `?` and `.` as they are."""
        return [text_of(raw, cif2=self.cif2) for raw in self.column(tag)]

    def numbers(self, tag: str) -> np.ndarray:
        """One column as floats, s.u. left out; `?`, `.` and texts are NaN."""
        # Start-up time: numpy is loaded with the first column of numbers.
        from qcrbox.cif.arrays import floats

        return floats(self.column(tag))

    def numbers_and_su(self, tag: str) -> tuple[np.ndarray, np.ndarray]:
        """One column as floats with its s.u.; the s.u. is NaN where none is written."""
        # Start-up time: numpy is loaded with the first column of numbers.
        from qcrbox.cif.arrays import floats_and_su

        return floats_and_su(self.column(tag))

    @property
    def rows(self) -> Iterator[tuple[str, ...]]:
        """Raw values row by row."""
        width, row = len(self.tags), 0
        for piece in self.pieces():
            for start in range(0, len(piece), width):
                yield tuple(piece[start : start + width])
                row += 1

    def pieces(self) -> Iterator[list[str]]:
        """Raw values row after row, in lists that hold whole rows: for large loops."""
        if not self.cells:
            yield from self.body.pieces()
            return
        width, first = len(self.tags), 0
        changes = sorted(self.cells.items())
        for piece in self.body.pieces():
            last = first + len(piece) // width
            for (row, column), raw in changes:
                if first <= row < last:
                    piece[(row - first) * width + column] = raw
            first = last
            yield piece

    # Changing

    def set_cell(self, row: int, tag: str, raw: str) -> None:
        """Replace one raw value; only this token is rewritten in the file."""
        position = self._index(tag)
        if not 0 <= row < self.n_rows:
            raise IndexError(f"Row {row} of a loop of {self.n_rows} rows.")
        raw = checked_raw(raw, cif2=self.cif2)
        if isinstance(self.body, ListBody):
            self.body.columns[position][row] = raw
        else:
            self.cells[row, position] = raw

    def set_column(self, tag: str, cells: Sequence[str], *, after: str | None = None) -> None:
        """Replace a column, or add one (at the end, or after another)."""
        column = [checked_raw(raw, cif2=self.cif2) for raw in cells]
        if self.tags and len(column) != self.n_rows:
            raise CifError(f"{tag} has {len(column)} values for a loop of {self.n_rows} rows.", tag=tag)
        position = self.index(tag)
        if position is not None:
            self._in_memory().columns[position] = column
            return
        checked_tag(tag)
        place = len(self.tags) if after is None else self._index(after) + 1
        body = self._in_memory()
        self.tags.insert(place, tag)
        body.columns.insert(place, column)

    def drop_column(self, tag: str) -> None:
        """Remove a column. Raises KeyError, and CifError for the last column: no program reads a loop without names."""
        position = self._index(tag)
        if len(self.tags) == 1:
            raise CifError(
                f"{tag} is the last column of its loop.", next="Remove the loop: block.remove(tag).", tag=tag
            )
        body = self._in_memory()
        del self.tags[position]
        del body.columns[position]

    def add_row(self, row: dict[str, str]) -> None:
        """Append a row; columns not named get `?`."""
        given = {self._index(tag): checked_raw(raw, cif2=self.cif2) for tag, raw in row.items()}
        body = self._in_memory()
        for position, column in enumerate(body.columns):
            column.append(given.get(position, "?"))

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order."""
        body = self._in_memory()
        body.columns = [[column[row] for row in rows] for column in body.columns]

    def rename(self, tag: str, new: str) -> None:
        """Rename a column. Raises KeyError, and CifError for a name that another column has."""
        position = self._index(tag)
        checked_tag(new)
        if any(own.lower() == new.lower() for n, own in enumerate(self.tags) if n != position):
            raise CifError(f"{new} is in this loop already.", tag=new)
        self.tags[position] = new
        self.changed = True

    def _in_memory(self) -> ListBody:
        """The body as columns; the whole loop will be rewritten."""
        self.changed = True
        if isinstance(self.body, ListBody):
            return self.body
        columns = columns_of(self.body, range(len(self.tags)))
        for (row, position), raw in self.cells.items():
            columns[position][row] = raw
        body = ListBody(columns)
        self.body, self.cells = body, {}
        return body

    def cell_spans(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Positions of the changed cells in the file."""
        assert isinstance(self.body, FileBody)
        width = len(self.tags)
        wanted = {row * width + column: (row, column) for row, column in self.cells}
        return {wanted[n]: span for n, span in enumerate(self.body.spans()) if n in wanted}
