"""One data block as the refinement reads and writes it, on top of `qcrbox.cif`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from qcrbox.cif import Block, Document, Item, Loop, merge_su, names, parse_number, raw_of, read, text_of
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.structure.reading import number_with_su

UNKNOWN = ("?", ".", "")


def value_and_su(text: str | None) -> tuple[float, float] | None:
    """Value and s.u. (0 when none is given) of `1.234(5)`; None when it is no number."""
    number = parse_number(text.strip()) if text else None
    return None if number is None else (number.value, number.su or 0.0)


def with_su(value: float, su: float | None, decimals: int = 5) -> str:
    """Value with s.u. by the 2-19 rule; without s.u. the value with `decimals` places."""
    if su and su > 0 and value == value:
        return merge_su(repr(float(value)), repr(float(su)))
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and float(text) == 0 else text


class CifBlock:
    """A block of `qcrbox.cif`, with values as plain texts and floats; any spelling of a name is found."""

    def __init__(self, name: str = "refined", block: Block | None = None) -> None:
        self.block = block or Block(name)

    @property
    def name(self) -> str:
        """Name of the data block, without `data_`."""
        return self.block.name

    def copy(self, *, without: str) -> CifBlock:
        """The same block but for items and whole loops with a name that matches the regular expression.

        It matches from the start, in lower case, with underscores only.
        """
        match = re.compile(without).match
        copy = Block(self.name)
        for entry in self.block.entries:
            tags = [entry.tag] if isinstance(entry, Item) else entry.tags
            if any(match(names.key(tag).replace(".", "_")) for tag in tags):
                continue
            if isinstance(entry, Item):
                copy.entries.append(Item(entry.tag, entry.raw))
            else:
                columns = entry.columns(*entry.tags)
                copy.entries.append(Loop.of(dict(zip(entry.tags, columns, strict=True))))
        copy.forget_index()
        return CifBlock(block=copy)

    def set(self, name: str, value: str | None) -> None:
        """Write one item, replacing every other spelling of it and an s.u. kept beside it; None removes it."""
        for tag in (name, f"{name}_su"):
            while self.block.remove(tag):
                pass
        if value is None:
            return
        if "\n" in value:
            value = "\n" + value.rstrip("\n")
        self.block.entries.append(Item(name, value if value in ("?", ".") else raw_of(value)))
        self.block.forget_index()

    def add_loop(self, tags: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A loop of plain texts; `?` and `.` stay what they are. A loop without rows is left out."""
        table = [[cell if cell in ("?", ".") else raw_of(cell) for cell in row] for row in rows]
        if table:
            columns = [list(column) for column in zip(*table, strict=True)]
            self.block.add_loop(Loop.of(dict(zip(tags, columns, strict=True))))

    def text(self, *tags: str) -> str | None:
        """The first of these items that is there and known; one-row loops count as items."""
        for tag in tags:
            text = self.block.text(tag)
            if text is not None and text.strip():
                return text
        return None

    def number(self, *tags: str) -> tuple[float, float] | None:
        """Value and s.u. of the first of these items that is a number; a separate `…_su` item counts."""
        for tag in tags:
            number = number_with_su(self.block, tag)
            if number is not None:
                return number.value, number.su or 0.0
        return None

    def column(self, *tags: str) -> list[str] | None:
        """Plain texts of a column of a loop; None when the block has none of these."""
        for tag in tags:
            loop = self.block.loop(tag)
            if loop is not None and tag in loop:
                return [text_of(raw) for raw in loop.column(tag)]
        return None

    def __str__(self) -> str:
        return Document([self.block]).text


def read_blocks(path: str | Path) -> list[CifBlock]:
    """All data blocks of a CIF file, in order. Raises CifError with file, line and column."""
    path = Path(path)
    return _blocks(read(path.read_bytes(), filename=path.name), path.name)


def _blocks(document: Document, file: str) -> list[CifBlock]:
    if not document.blocks:
        raise CifError(
            "the file has no data block.",
            where=file,
            why="A CIF begins with a line data_<name>.",
            next="Upload the CIF of a structure.",
            file=file,
        )
    return [CifBlock(block=block) for block in document.blocks]
