"""The cells of a loop: positions in the bytes of a file, or columns in memory.

A loop read from a file keeps no cell in memory: `FileBody` remembers the byte range and cuts it into values
when they are asked for, a piece at a time, so that a loop of a million rows costs nothing until used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from qcrbox.cif import tokens
from qcrbox.cif.source import Source

_PIECE = 1 << 19  # bytes cut at a time
_PIECE_ROWS = 8192
_MAX_SHARED = 50_000
_WHITE = b" \t\n\r\f\v"


def decoded(data: bytes, encoding: str) -> str:
    """Bytes of a file as text with LF line ends."""
    text = data.decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class Body(Protocol):
    """Cells of a loop, row by row."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        ...

    def pieces(self) -> Iterator[list[str]]:
        """Raw values row after row, in lists that hold whole rows."""
        ...

    def column(self, index: int) -> list[str]:
        """The raw values of one column."""
        ...


class ListBody:
    """Columns of raw values in memory, all of one length."""

    def __init__(self, columns: Sequence[list[str]]) -> None:
        self.columns = list(columns)

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0

    def column(self, index: int) -> list[str]:
        """The raw values of one column."""
        return list(self.columns[index])

    def pieces(self) -> Iterator[list[str]]:
        """Whole rows as lists of raw values, a limited number of rows at a time."""
        for start in range(0, self.n_rows, _PIECE_ROWS):
            parts = [column[start : start + _PIECE_ROWS] for column in self.columns]
            yield [cell for row in zip(*parts, strict=True) for cell in row]


class FileBody:
    """Cells in `source.data[start:end]`, separated by white space and comments."""

    def __init__(
        self,
        source: Source,
        start: int,
        end: int,
        n_columns: int,
        n_values: int,
        *,
        plain: bool,
    ) -> None:
        self.data, self.encoding, self.cif2 = source.data, source.encoding, source.cif2
        self.start, self.end = start, end
        self.n_columns, self.n_values = n_columns, n_values
        self.plain = plain

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.n_values // self.n_columns

    def holds(self, byte: bytes) -> bool:
        """Whether a byte occurs anywhere in the body: one search instead of a look at every cell."""
        return self.data.find(byte, self.start, self.end) >= 0

    def spans(self) -> Iterator[tuple[int, int]]:
        """Byte ranges of the values, in file order."""
        return tokens.values(self.data, self.start, self.end, self.cif2)

    def pieces(self) -> Iterator[list[str]]:
        """Whole rows as lists of raw values, a limited number of rows at a time."""
        return self._plain_pieces() if self.plain else self._mixed_pieces()

    def _plain_pieces(self) -> Iterator[list[str]]:
        """White-space separated words, cut piece by piece at the end of a word."""
        width = self.n_columns
        left_over: list[str] = []
        for piece in plain_pieces(self.data, self.start, self.end):
            words = _words(piece, self.encoding)
            if left_over:
                words = left_over + words
            whole = len(words) - len(words) % width
            left_over = words[whole:]
            if left_over:
                del words[whole:]
            if words:
                yield words

    def _mixed_pieces(self) -> Iterator[list[str]]:
        spans, data, encoding = self.spans(), self.data, self.encoding
        size = _PIECE_ROWS * self.n_columns
        remaining = self.n_rows * self.n_columns
        while remaining > 0:
            taken = islice(spans, min(size, remaining))
            yield [decoded(data[start:end], encoding) for start, end in taken]
            remaining -= size

    def column(self, index: int) -> list[str]:
        """The raw values of one column."""
        width = self.n_columns
        cells: list[str] = []
        for piece in self.pieces():
            cells += piece[index::width]
        return cells


def plain_pieces(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Cut a range of plain words into pieces of about half a megabyte, never inside a word."""
    while start < end:
        stop = min(start + _PIECE, end)
        while stop < end and data[stop] not in _WHITE:
            stop += 1
        yield data[start:stop]
        start = stop


def _words(piece: bytes, encoding: str) -> list[str]:
    # str.split also cuts at the separators 1C-1F, which CIF does not know; bytes.split does not.
    if piece.isascii() and not any(code in piece for code in (b"\x1c", b"\x1d", b"\x1e", b"\x1f")):
        return piece.decode("ascii").split()
    return [word.decode(encoding) for word in piece.split()]


def count_words(data: bytes, start: int, end: int) -> int:
    """Number of words, separated by white space, between two positions."""
    return sum(len(piece.split()) for piece in plain_pieces(data, start, end))


def columns_of(body: Body, indices: Iterable[int]) -> list[list[str]]:
    """Several columns in one pass."""
    wanted = list(indices)
    if not isinstance(body, FileBody):
        return [body.column(index) for index in wanted]
    width = body.n_columns
    columns: list[list[str]] = [[] for _ in wanted]
    # Indices and flags repeat thousands of times: one object for equal texts keeps large loops small. For
    # measured values it would only cost time, so the first piece decides for each column.
    shared: list[dict[str, str] | None] = []
    for piece in body.pieces():
        parts = [piece[index::width] for index in wanted]
        if not shared:
            shared = [{} if 2 * len(set(part)) < len(part) else None for part in parts]
        for cells, part, known in zip(columns, parts, shared, strict=True):
            if known is None:
                cells += part
                continue
            cells += map(known.setdefault, part, part)
            if len(known) > _MAX_SHARED:
                known.clear()
    return columns
