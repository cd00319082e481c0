"""Writing: replace changed tokens in the original bytes, or write a whole document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from qcrbox.cif.body import FileBody
from qcrbox.cif.item import Item
from qcrbox.cif.loop import Loop

if TYPE_CHECKING:
    from qcrbox.cif.document import Block, Document, Entry

Splice = tuple[int, int, str]
_NAME_WIDTH = 34


def rewritten(document: Document) -> bytes:
    """The original with the changed tokens replaced; a document without original is written from scratch."""
    if document.original is None:
        return b"".join(fresh(document))
    splices = sorted(_splices(document), key=lambda splice: (splice[0], splice[1]))
    if not splices:
        return document.original
    encoding = document.encoding
    newline = "\r\n" if b"\r\n" in document.data else "\n"
    try:
        return _spliced(document.data, splices, encoding, newline)
    except UnicodeEncodeError:
        # A new letter that the file's own encoding lacks: the whole file becomes UTF-8.
        return _transcoded(document.data, splices, encoding, newline)


def _spliced(data: bytes, splices: list[Splice], encoding: str, newline: str) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end, text in splices:
        parts.append(data[position:start])
        parts.append(text.replace("\n", newline).encode(encoding))
        position = max(position, end)
    parts.append(data[position:])
    return b"".join(parts)


def _transcoded(data: bytes, splices: list[Splice], encoding: str, newline: str) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end, text in splices:
        parts.append(data[position:start].decode(encoding).encode())
        parts.append(text.replace("\n", newline).encode())
        position = max(position, end)
    parts.append(data[position:].decode(encoding).encode())
    return b"".join(parts)


def _splices(document: Document) -> Iterator[Splice]:
    kept = set(map(id, document.blocks))
    # Not the end of the data: NUL and Ctrl-Z at the end of old files end the text.
    end = max((block.span[1] for block in document.read_blocks if block.span), default=len(document.data))
    for block in document.read_blocks:
        if id(block) not in kept and block.span:
            yield (*block.span, "")
    for block in document.blocks:
        if block.span is None:
            yield end, end, "\n" + b"".join(block_bytes(block)).decode()
        else:
            yield from _block_splices(document.data, block)


def _block_splices(data: bytes, block: Block) -> Iterator[Splice]:
    assert block.span is not None
    if block.renamed:
        yield block.span[0], block.head_end, f"data_{block.name}"
    for span in block.dropped:
        yield _whole_lines(data, span, block.head_end)
    place = block.head_end
    for entry in block.entries:
        if entry.span is None:
            behind = _behind_comment(data, place, block.span[1])
            yield behind, behind, "\n" + entry_text(entry).rstrip("\n")
            continue
        yield from _entry_splices(data, entry)
        if not _is_empty(entry):
            place = entry.span[1]


_COMMENT = re.compile(rb"[ \t]++#[^\r\n]*+")


def _behind_comment(data: bytes, place: int, end: int) -> int:
    """The place behind the comment that stands beside an entry, which is about it and not about the next one."""
    comment = _COMMENT.match(data, place, end)
    return comment.end() if comment else place


def _is_empty(entry: Entry) -> bool:
    return isinstance(entry, Loop) and entry.n_rows == 0


def _whole_lines(data: bytes, span: tuple[int, int], floor: int) -> Splice:
    """Remove an entry, with its line when nothing else is on it."""
    start, end = span
    while end < len(data) and data[end] in b" \t":
        end += 1
    first = start
    while first > floor and data[first - 1] in b" \t":
        first -= 1
    alone = first > 0 and data[first - 1] in b"\r\n" and (end == len(data) or data[end] in b"\r\n")
    if not alone:
        return span[0], span[1], ""
    if data[end : end + 2] == b"\r\n":
        return first, end + 2, ""
    return first, min(end + 1, len(data)), ""


def _entry_splices(data: bytes, entry: Entry) -> Iterator[Splice]:
    assert entry.span is not None
    if isinstance(entry, Item):
        if entry.changed and entry.value_span is not None:
            yield _value_splice(data, entry.value_span, entry.raw)
    elif entry.changed:
        yield (*entry.span, entry_text(entry).rstrip("\n"))
    elif entry.cells:
        for cell, span in entry.cell_spans().items():
            yield _value_splice(data, span, entry.cells[cell])


def _value_splice(data: bytes, span: tuple[int, int], raw: str) -> Splice:
    """Put a text field at the beginning of a line; nothing may follow on its last line."""
    start, end = span
    if raw.startswith(";") and "\n" in raw:
        if start > 0 and data[start - 1] not in b"\r\n":
            raw = "\n" + raw
    elif raw.startswith(";") and (start == 0 or data[start - 1] in b"\r\n"):
        raw = " " + raw
    return start, end, raw


# Writing from scratch


def fresh(document: Document) -> Iterator[bytes]:
    """A whole document in pieces: UTF-8, LF line ends, comments left out."""
    if document.cif2:
        yield b"#\\#CIF_2.0\n"
    for number, block in enumerate(document.blocks):
        if number:
            yield b"\n"
        yield from block_bytes(block)


def block_bytes(block: Block) -> Iterator[bytes]:
    """A block in pieces of UTF-8."""
    yield f"data_{block.name}\n".encode()
    previous: Entry | None = None
    # A name after a loop without rows would become one of its columns, so such loops stand last.
    for entry in sorted(block.entries, key=_is_empty):
        if isinstance(entry, Loop) or isinstance(previous, Loop):
            yield b"\n"
        yield from entry_bytes(entry)
        previous = entry


def entry_text(entry: Entry) -> str:
    """An item or loop as text."""
    return b"".join(entry_bytes(entry)).decode()


def entry_bytes(entry: Entry) -> Iterator[bytes]:
    """An item or loop in pieces of UTF-8."""
    if isinstance(entry, Item):
        yield item_text(entry.tag, entry.raw).encode("utf-8", "surrogateescape")
        return
    yield ("loop_\n" + "".join(f"{tag}\n" for tag in entry.tags)).encode()
    body = entry.body
    if isinstance(body, FileBody) and body.plain and not entry.cells:
        yield from copied(body)
    else:
        yield from printed(entry.pieces(), len(entry.tags))


def item_text(tag: str, raw: str) -> str:
    """Name and raw value, on two lines where they do not fit on one."""
    if raw.startswith(";") and "\n" in raw:
        return f"{tag}\n{raw}\n"
    line = f"{tag:<{_NAME_WIDTH}} {raw}\n"
    return line if len(line) <= 2049 else f"{tag}\n{' ' if raw.startswith(';') else ''}{raw}\n"


def copied(body: FileBody) -> Iterator[bytes]:
    """The literal rows of the file; cells are not parsed."""
    rows = body.data[body.start : body.end].strip()
    if b"\r" in rows:
        rows = rows.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if body.encoding != "utf-8" and not rows.isascii():
        rows = rows.decode(body.encoding).encode()
    if rows:
        # A word that begins with ; is safe in the middle of a line, but not at its beginning.
        yield b" " + rows + b"\n" if rows.startswith(b";") else rows + b"\n"


def printed(pieces: Iterable[list[str]], width: int) -> Iterator[bytes]:
    """Rows one to a line, in pieces of bytes; `pieces` hold whole rows of `width` values."""
    for piece in pieces:
        yield printed_rows([piece[index::width] for index in range(width)])


def printed_rows(columns: list[list[str]]) -> bytes:
    """Rows one to a line."""
    lines = list(map(" ".join, zip(*columns, strict=True)))
    text = "\n".join(lines) + "\n" if lines else ""
    if ";" in text or len(max(lines, key=len, default="")) > 2048:
        text = "".join(map(_careful_row, zip(*columns, strict=True)))
    return text.encode("utf-8", "surrogateescape")


def _careful_row(cells: tuple[str, ...]) -> str:
    """A row with text fields on separate lines, or with words that begin with ;."""
    parts: list[str] = []
    length = 0  # of the line so far
    for cell in cells:
        if cell.startswith(";") and "\n" in cell:
            parts.append(("" if length == 0 else "\n") + cell + "\n")
            length = 0
            continue
        if length and length + 1 + len(cell) > 2048:
            parts.append("\n")
            length = 0
        lead = " " if length or cell.startswith(";") else ""
        parts.append(lead + cell)
        length += len(lead) + len(cell.rpartition("\n")[2])
    if length:
        parts.append("\n")
    return "".join(parts)
