"""Loops through a conversion, a piece of rows at a time.

A loop of 300 000 reflections as Python texts takes ten times its size; so bodies are transformed piece by
piece into new bytes, and bodies that need no change are passed on as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from qcrbox.cif import tokens
from qcrbox.cif.body import Body, FileBody, ListBody
from qcrbox.cif.loop import Loop
from qcrbox.cif.source import Source
from qcrbox.cif.writer import printed_rows

Columns = list[list[str]]


def pieces_of(loop: Loop) -> Iterator[Columns]:
    """Columns of raw values, some thousand rows at a time."""
    width = len(loop.tags)
    for piece in loop.pieces():
        yield [piece[index::width] for index in range(width)]


def transformed(
    loop: Loop, tags: Sequence[str], change: Callable[[Columns], Columns], *, cif2: bool | None = None
) -> Loop:
    """A loop with new columns, made from the old ones piece by piece. Rows stay as many."""
    version = loop.cif2 if cif2 is None else cif2
    if isinstance(loop.body, ListBody):
        return Loop(tags, ListBody(change([list(column) for column in loop.body.columns])), cif2=version)
    return printed_loop(tags, (change(columns) for columns in pieces_of(loop)), cif2=version)


def printed_loop(tags: Sequence[str], pieces: Iterator[Columns], *, cif2: bool = False) -> Loop:
    """A loop whose rows are printed to bytes as they come."""
    width, count, plain = len(tags), 0, True
    parts: list[bytes] = []
    for columns in pieces:
        count += width * len(columns[0]) if columns else 0
        parts.append(printed_rows(columns))
    data = b"\n" + b"".join(parts)
    match = (tokens.PLAIN_RUN_2 if cif2 else tokens.PLAIN_RUN).match(data)
    plain = match is not None and match.end() >= len(data.rstrip())
    body = FileBody(Source(data, cif2=cif2), 0, len(data), width, count, plain=plain)
    return Loop(tags, body, cif2=cif2)


def selected(loop: Loop, indices: Sequence[int], tags: Sequence[str]) -> Loop:
    """Some columns under new names; the body is passed on untouched when nothing goes."""
    if list(indices) == list(range(len(loop.tags))):
        return renamed(loop, tags)
    return transformed(loop, tags, lambda columns: [columns[index] for index in indices])


def renamed(loop: Loop, tags: Sequence[str]) -> Loop:
    """The same rows under new names."""
    new = Loop(tags, _shared(loop.body), cif2=loop.cif2)
    new.cells = dict(loop.cells)
    return new


def _shared(body: Body) -> Body:
    # File bodies never change; columns in memory do, so a conversion gets its own lists.
    return ListBody([list(column) for column in body.columns]) if isinstance(body, ListBody) else body
