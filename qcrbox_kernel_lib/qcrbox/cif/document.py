"""A CIF in memory: documents, blocks and items, with their positions in the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import overload

from qcrbox.cif import names
from qcrbox.cif.body import ListBody, decoded
from qcrbox.cif.decoding import prepare
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.item import Item
from qcrbox.cif.lenient import Reading, read_number
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import checked_raw, checked_tag, raw_of, text_of
from qcrbox.cif.source import NO_SOURCE, Source
from qcrbox.cif.values import Absent, Number, Value, parse_number, parse_value
from qcrbox.cif.writer import rewritten
from qcrbox.contract.errors import CifError
from qcrbox.language import listed

Entry = Item | Loop
Settable = str | Real | int | float | Decimal | Number | Absent


class Block:
    """One data block. Look-ups find an item under any spelling of its name, in any letter case.

    `entries` are its items and loops in file order. Values are raw unless a method says otherwise.
    """

    def __init__(
        self,
        name: str,
        entries: Sequence[Entry] = (),
        *,
        span: tuple[int, int] | None = None,
        head_end: int = 0,
        cif2: bool = False,
    ) -> None:
        self.name = name
        self.entries: list[Entry] = list(entries)
        self.span = span
        self.head_end = head_end  # end of the `data_name` token
        self.cif2 = cif2
        self.dropped: list[tuple[int, int]] = []
        self._own_name = name
        self._exact: dict[str, tuple[Entry, int]] = {}
        self._by_key: dict[str, tuple[Entry, int]] | None = None

    def __repr__(self) -> str:
        return f"<Block {self.name}: {len(self.items)} items, {len(self.loops)} loops>"

    @property
    def renamed(self) -> bool:
        """True when the name differs from that in the file."""
        return self.name != self._own_name

    @property
    def items(self) -> list[Item]:
        """The items outside loops, in file order."""
        return [entry for entry in self.entries if isinstance(entry, Item)]

    @property
    def loops(self) -> list[Loop]:
        """The loops, in file order."""
        return [entry for entry in self.entries if isinstance(entry, Loop)]

    @property
    def tags(self) -> list[str]:
        """Every name in the block as written, columns included."""
        return [tag for entry in self.entries for tag in tags_of(entry)]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __contains__(self, tag: str) -> bool:
        return self.find(tag) is not None

    # Finding

    def find(self, tag: str) -> Entry | None:
        """The item or loop that holds a name."""
        found = self._find(tag)
        return found[0] if found else None

    def _find(self, tag: str) -> tuple[Entry, int] | None:
        if self._by_key is None:
            self._exact, self._by_key = {}, {}
            for entry in self.entries:
                self._index(entry)
        return self._exact.get(tag.lower()) or self._by_key.get(names.key(tag))

    def _index(self, entry: Entry) -> None:
        if self._by_key is None:
            return
        for position, own in enumerate(tags_of(entry)):
            lower, key = own.lower(), names.key(own)
            self._exact.setdefault(lower, (entry, position))
            if key not in self._by_key or lower == key:
                self._by_key[key] = (entry, position)

    def forget_index(self) -> None:
        """Call after changing `entries` or tags directly."""
        self._by_key = None

    def written_as(self, tag: str) -> str | None:
        """The spelling this block uses for an item, None when it has not got it."""
        found = self._find(tag)
        return tags_of(found[0])[found[1]] if found else None

    @overload
    def get(self, tag: str) -> str | None: ...
    @overload
    def get(self, tag: str, default: str) -> str: ...
    def get(self, tag: str, default: str | None = None) -> str | None:
        """Raw value of an item (or of a loop with one row); `default` when it is not there or is a table."""
        found = self._find(tag)
        if found is None:
            return default
        entry, position = found
        if isinstance(entry, Item):
            return entry.raw
        if entry.n_rows == 1:
            return entry.column(entry.tags[position])[0]
        return default

    def __getitem__(self, tag: str) -> str:
        raw = self.get(tag)
        if raw is None:
            raise KeyError(tag)
        return raw

    def value(self, tag: str) -> Value | None:
        """Parsed value: Number, str, UNKNOWN or NOT_APPLICABLE; None when the item is not there."""
        raw = self.get(tag)
        return None if raw is None else parse_value(raw, cif2=self.cif2)

    def text(self, tag: str) -> str | None:
        """Plain text without quotes; None when the item is not there, unknown or not applicable."""
        raw = self.get(tag)
        return None if raw in (None, "?", ".") else text_of(raw, cif2=self.cif2)

    def number(self, tag: str) -> Number | None:
        """A number (quoted or not); None when the item is not there or is something else.

        Misprints with a certain meaning are read, as `90.00()` or `3/4`: see `reading`.
        """
        reading = self.reading(tag)
        return None if reading is None else reading.number

    def reading(self, tag: str) -> Reading | None:
        """A number with a remark on how it is written, where that is not the grammar of CIF."""
        raw = self.get(tag)
        if raw is None:
            return None
        facts = names.facts(tag)
        return read_number(text_of(raw, cif2=self.cif2), facts.unit if facts else "")

    def loop(self, name: str) -> Loop | None:
        """The loop that holds an item, or the first one of a category (`_atom_site`)."""
        found = self._find(name)
        if found is not None:
            return found[0] if isinstance(found[0], Loop) else None
        wanted = "_" + name.lower().strip("_.")
        for loop in self.loops:
            if loop.category == wanted:
                return loop
        return None

    def column(self, tag: str) -> list[str]:
        """Raw values of an item wherever it stands: a column, or one value; empty when it is not there."""
        found = self._find(tag)
        if found is None:
            return []
        entry, position = found
        return [entry.raw] if isinstance(entry, Item) else entry.column(entry.tags[position])

    # Changing

    def set(self, tag: str, value: Settable) -> None:
        """Set an item. Texts are quoted as needed; the spelling in the file stays.

        Raises CifError when the name stands in a table of several rows.
        """
        self.set_raw(tag, raw_value(value, cif2=self.cif2))

    def set_raw(self, tag: str, raw: str) -> None:
        """Set an item to a raw value, quotes included."""
        checked_raw(raw, cif2=self.cif2)
        checked_tag(tag)
        found = self._find(tag)
        if found is None:
            self._append(Item(tag, raw, cif2=self.cif2))
        elif isinstance(found[0], Item):
            if found[0].raw != raw:
                found[0].raw = raw
        elif found[0].n_rows == 1:
            found[0].set_cell(0, found[0].tags[found[1]], raw)
        else:
            raise CifError(
                f"{tag} is a column of {found[0].n_rows} rows and cannot be set to one value.",
                where=f"block {self.name}",
                next="Change its loop: block.loop(tag).",
                block=self.name,
                tag=tag,
            )

    def add_loop(self, columns: Mapping[str, Sequence[str]] | Loop) -> Loop:
        """Append a loop, given as raw columns. Raises CifError when one of its items is there already."""
        loop = columns if isinstance(columns, Loop) else Loop.of(columns)
        for tag in loop.tags:
            checked_tag(tag)
            if tag in self:
                raise CifError(f"{tag} is in block {self.name} already.", block=self.name, tag=tag)
        if isinstance(loop.body, ListBody):
            for column in loop.body.columns:
                for raw in column:
                    checked_raw(raw, cif2=self.cif2)
        if not isinstance(columns, Loop):
            loop.cif2 = self.cif2
        self._append(loop)
        return loop

    def remove(self, tag: str) -> bool:
        """Remove an item or a column (the loop with its last column). False when it was not there."""
        found = self._find(tag)
        if found is None:
            return False
        entry, position = found
        if isinstance(entry, Loop) and len(entry.tags) > 1:
            entry.drop_column(entry.tags[position])
            self.forget_index()
        else:
            self.remove_entry(entry)
        return True

    def remove_entry(self, entry: Entry) -> None:
        """Remove an item or a whole loop."""
        self.entries = [own for own in self.entries if own is not entry]
        if entry.span is not None:
            self.dropped.append(entry.span)
        self.forget_index()

    def replace_entry(self, entry: Entry, new: Entry) -> None:
        """Put another item or loop in the place of one."""
        place = next(n for n, own in enumerate(self.entries) if own is entry)
        self.entries[place] = new
        if entry.span is not None:
            self.dropped.append(entry.span)
        self.forget_index()

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._index(entry)


class Document:
    """A CIF: its blocks, the remarks of the reader, and the original bytes.

    `to_bytes()` gives the original back as long as nothing is changed; after changes only the changed
    tokens are rewritten, everything else (comments, layout, order, line ends) stays.
    """

    def __init__(
        self,
        blocks: Sequence[Block] = (),
        *,
        original: bytes | None = None,
        source: Source = NO_SOURCE,
        cif2: bool = False,
        filename: str = "",
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        self.blocks = list(blocks)
        self.original = original
        self.data, self.encoding = source.data, source.encoding
        self.cif2 = cif2
        self.filename = filename
        self.diagnostics = list(diagnostics)
        self.read_blocks = tuple(self.blocks)

    def __repr__(self) -> str:
        names = listed([block.name for block in self.blocks], 5)
        return f"<Document {self.filename or 'without a name'}: blocks {names}>"

    def __len__(self) -> int:
        return len(self.blocks)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __getitem__(self, name: str | int) -> Block:
        """A block by name (in any letter case) or position."""
        block = self.find(name)
        if block is None:
            raise CifError(
                f"There is no block {name!r}.",
                where=self.filename,
                why=f"Blocks: {self._listed()}.",
                file=self.filename or None,
            )
        return block

    def find(self, name: str | int) -> Block | None:
        """The block of a name (the exact spelling first, then any letter case) or number; None when there is none."""
        if isinstance(name, int):
            return self.blocks[name] if -len(self.blocks) <= name < len(self.blocks) else None
        for block in self.blocks:
            if block.name == name:
                return block
        lower = name.lower()
        return next((block for block in self.blocks if block.name.lower() == lower), None)

    def sole_block(self) -> Block:
        """The only block with content; CifError that lists the blocks when there are several or none."""
        filled = [block for block in self.blocks if block.entries]
        if len(filled) == 1:
            return filled[0]
        if not filled and len(self.blocks) == 1:
            return self.blocks[0]
        raise CifError(
            f"The file has {len(filled)} data blocks, and none was chosen."
            if filled
            else "No block has content.",
            where=self.filename,
            why=f"Blocks: {self._listed()}.",
            next="Name the block to use.",
            file=self.filename or None,
        )

    def _listed(self) -> str:
        return ", ".join(block.name or "(no name)" for block in self.blocks[:20]) or "none"

    def to_bytes(self) -> bytes:
        """The file with its changes; an unchanged document is written byte for byte."""
        return rewritten(self)

    @property
    def text(self) -> str:
        """The file as text with LF line ends, as a reader gets it: without byte order mark and old endings."""
        # Its encoding may have changed: a letter that Latin-1 lacks turns the file into UTF-8.
        made = prepare(self.to_bytes(), self.filename)
        return decoded(made.data[made.start : made.end], made.encoding)

    def write(self, path: str | Path) -> None:
        """Write the document to a file."""
        Path(path).write_bytes(self.to_bytes())


def tags_of(entry: Entry) -> list[str]:
    """The names of an item or loop."""
    return [entry.tag] if isinstance(entry, Item) else entry.tags


def raw_value(value: Settable, *, cif2: bool = False) -> str:
    """The raw form of a Python value."""
    if isinstance(value, Absent | Number):
        return str(value)
    if isinstance(value, bool):
        raise CifError("CIF has no true and false; write 'yes' or 'no'.")
    if isinstance(value, Real | Decimal):
        if not math.isfinite(value):
            return "?"
        # str() and not repr(): that of a float64 of NumPy is `np.float64(0.5)`.
        written = str(value)
        return written if parse_number(written) is not None else repr(float(value))
    if not isinstance(value, str):
        raise CifError(f"A {type(value).__name__} is no value of a CIF.", next="Give a text or a number.")
    return raw_of(value, cif2=cif2)
