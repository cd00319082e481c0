"""An item: name, value, and position in the file."""

from __future__ import annotations

from qcrbox.cif.body import decoded
from qcrbox.cif.quoting import text_of
from qcrbox.cif.source import NO_SOURCE, Source
from qcrbox.cif.values import Value, parse_value


class Item:
    """One name with one raw value. `span` covers name and value, `value_span` the value alone."""

    __slots__ = (
        "_raw",
        "_source",
        "_start",
        "_value_end",
        "_value_start",
        "changed",
        "cif2",
        "tag",
    )

    def __init__(
        self,
        tag: str,
        raw: str | None = None,
        *,
        source: Source = NO_SOURCE,
        span: tuple[int, int] | None = None,
        value_span: tuple[int, int] | None = None,
        cif2: bool = False,
    ) -> None:
        self.tag, self._raw = tag, raw
        self._source = source
        # Three numbers and not two pairs: a file may hold a million items.
        self._start = -1 if span is None else span[0]
        self._value_start, self._value_end = (-1, -1) if value_span is None else value_span
        self.changed = False
        self.cif2 = cif2

    @property
    def span(self) -> tuple[int, int] | None:
        """Where name and value stand; None for an item that is not from a file."""
        return None if self._start < 0 else (self._start, self._value_end)

    @property
    def value_span(self) -> tuple[int, int] | None:
        """Start and end of the value in the bytes of the file; None for a new item."""
        return None if self._value_start < 0 else (self._value_start, self._value_end)

    def __repr__(self) -> str:
        shown = self.raw if len(self.raw) < 60 else self.raw[:57] + "..."
        return f"<Item {self.tag} {shown}>"

    def copy(self, tag: str | None = None) -> Item:
        """The same value for another document, perhaps under another name."""
        return Item(
            tag or self.tag,
            self._raw,
            source=self._source,
            value_span=self.value_span,
            cif2=self.cif2,
        )

    @property
    def raw(self) -> str:
        """The literal value of the file, with its quotes."""
        if self._raw is None:
            # Not kept: an embedded reflection file would then be in memory twice.
            data = self._source.data[self._value_start : self._value_end]
            return decoded(data, self._source.encoding)
        return self._raw

    @raw.setter
    def raw(self, raw: str) -> None:
        self._raw, self.changed = raw, True

    @property
    def value(self) -> Value:
        """Number, text, UNKNOWN or NOT_APPLICABLE."""
        return parse_value(self.raw, cif2=self.cif2)

    @property
    def text(self) -> str:
        """The value as plain text."""
        return text_of(self.raw, cif2=self.cif2)
