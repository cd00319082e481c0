"""One pass over the tokens of a CIF: blocks, items and loops with their places, and remarks."""

from __future__ import annotations

import re
from contextlib import suppress

from qcrbox.cif import tokens
from qcrbox.cif.body import FileBody, count_words, decoded
from qcrbox.cif.decoding import Decoded
from qcrbox.cif.diagnostics import Diagnostic, Severity
from qcrbox.cif.document import Block, Entry, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.source import Source

MAX_DIAGNOSTICS = 500
_LINE_END = re.compile(rb"\r\n?|\n")


class _TooManyErrors(Exception):
    """Reading on would only repeat itself: this is not a CIF, or it is broken throughout."""


class Scanner:
    """One pass over the tokens. Reading continues after an error, so that all errors are reported."""

    def __init__(self, prepared: Decoded, filename: str, cif2: bool) -> None:
        self.data, self.start, self.end = prepared.data, prepared.start, prepared.end
        self.encoding, self.filename, self.cif2 = prepared.encoding, filename, cif2
        self.source = Source(prepared.data, prepared.encoding, cif2)
        self.blocks: list[Block] = []
        self.block: Block | None = None
        self.seen: dict[str, Entry] = {}
        self.names_seen: dict[str, int] = {}
        self.diagnostics: list[Diagnostic] = []
        self.has_errors = False
        self.saw_cif2 = False
        self.broken = False  # whether the value passed last was none
        self.in_frame: str | None = None
        self._last_line = (0, 1)
        self._has_cr = b"\r" in self.data
        for code, place, what, next_step in prepared.remarks:
            self.remark(Severity.WARNING, code, what, place, next=next_step)

    # The pass

    def read(self) -> None:
        """Read all blocks; stops when there are too many errors."""
        with suppress(_TooManyErrors):
            self.read_all()
        if self.block is not None and self.block.span:
            self.block.span = (self.block.span[0], self.end)

    def read_all(self) -> None:
        """Read from the first token to the last."""
        position = self.start
        while True:
            position = self.skip(position)
            if position >= self.end:
                break
            if self.data[position] == 95:  # _
                position = self.item(position)
                continue
            keyword = tokens.KEYWORD.match(self.data, position, self.end)
            if keyword is None:
                position = self.stray_value(position)
            else:
                position = self.keyword(keyword)
        if self.in_frame is not None:
            self.error("save-frame-open", f"Save frame {self.in_frame} is not closed.", self.end)
        if self.block is None and not self.has_errors:
            self.error(
                "no-data-block", "There is no data block.", self.start, next="A CIF begins with data_name."
            )

    def skip(self, position: int) -> int:
        """The position after white space and comments."""
        match = tokens.GAP.match(self.data, position, self.end)
        return match.end() if match else position

    def keyword(self, match: re.Match[bytes]) -> int:
        """Handle data_, loop_, save_ and reserved words; returns the position after it."""
        start, end = match.span()
        if match.group(1) is not None:
            self.open_block(start, end, decoded(match.group(1), self.encoding))
        elif match.group(2) is not None:
            return self.loop(start, end)
        elif match.group(3) is not None:
            self.save_frame(start, decoded(match.group(3), self.encoding))
        elif match.group(4) is not None:
            self.error(
                "global-block",
                "global_ is not allowed in a CIF.",
                start,
                next="Move its items into a data block.",
            )
        else:
            self.error("reserved-word", "stop_ is a reserved word and not allowed in a CIF.", start)
        return end

    def open_block(self, start: int, end: int, name: str) -> None:
        """Begin a data block and close the one before."""
        if self.in_frame is not None:
            self.error("save-frame-open", f"Save frame {self.in_frame} is not closed.", start)
            self.in_frame = None
        if self.block is not None:
            self.block.span = (self.block.span[0] if self.block.span else 0, start)
        self.block = Block(name, span=(start, self.end), head_end=end, cif2=self.cif2)
        self.blocks.append(self.block)
        self.seen = {}
        if not name:
            self.warn("empty-block-name", "The data block has no name.", start)
        lower = name.lower()
        if lower in self.names_seen:
            self.warn(
                "duplicate-block",
                f"Two data blocks are named {name}; both are kept. The first is in line {self.line_of(self.names_seen[lower])}.",
                start,
                next="Choose by position, or rename one.",
            )
        else:
            self.names_seen[lower] = start

    def save_frame(self, start: int, name: str) -> None:
        """Begin or end a save frame, which is skipped."""
        if name and self.in_frame is None:
            self.in_frame = name
            self.warn("save-frame", f"Save frame {name} was skipped: it belongs in dictionaries.", start)
        elif name:
            self.error(
                "save-frame-open", f"Save frame {self.in_frame} is not closed before {name} begins.", start
            )
            self.in_frame = name
        elif self.in_frame is None:
            self.error("reserved-word", "save_ ends a save frame, but none was begun.", start)
        else:
            self.in_frame = None

    def stray_value(self, start: int) -> int:
        """Report a value without a name; returns the position after it."""
        end = self.value_end(start)
        shown = decoded(self.data[start : min(end, start + 40)], self.encoding)
        self.error(
            "stray-value",
            f"The value {shown!r} has no name.",
            start,
            next="Quote values that hold spaces, and check the value before it.",
        )
        return end

    # Items

    def item(self, start: int) -> int:
        """Read a name and its value; returns the position after them."""
        tag_end = self.tag_end(start)
        tag = decoded(self.data[start:tag_end], self.encoding)
        value_start = self.skip(tag_end)
        if self.no_value_at(value_start):
            self.error(
                "no-value", f"{tag} has no value.", start, tag=tag, next="Write ? where a value is unknown."
            )
            return value_start
        value_end = self.value_end(value_start)
        item = Item(
            tag,
            source=self.source,
            span=(start, value_end),
            value_span=(value_start, value_end),
            cif2=self.cif2,
        )
        if self.accepts(tag, item, start):
            assert self.block is not None
            self.block.entries.append(item)
        return value_end

    def accepts(self, tag: str, entry: Entry, place: int) -> bool:
        """Whether a name is to be kept; notes names outside a block and names given twice."""
        if self.in_frame is not None:
            return False
        if self.block is None:
            self.error("no-data-block", f"{tag} stands before the first data block.", place, tag=tag)
            return False
        if len(tag) == 1:
            self.error("bad-name", "A single _ is not a name.", place, tag=tag)
            return False
        lower = tag.lower()
        earlier = self.seen.get(lower)
        if earlier is None:
            self.seen[lower] = entry
            return True
        first_line, this_line = self.line_of(earlier.span[0] if earlier.span else 0), self.line_of(place)
        if _is_empty(earlier) != _is_empty(entry):
            empty_line = first_line if _is_empty(earlier) else this_line
            self.warn(
                "duplicate-item",
                f"{tag} is given twice, in lines {first_line} and {this_line}; line {empty_line} says nothing.",
                place,
                tag=tag,
                next="Delete that line.",
            )
            if _is_empty(earlier):
                assert self.block is not None
                self.block.entries[self.block.entries.index(earlier)] = entry
                self.seen[lower] = entry
            return False
        same = isinstance(earlier, Item) and isinstance(entry, Item) and earlier.value == entry.value
        if same:
            self.warn(
                "duplicate-item",
                f"{tag} is given twice with the same value, in lines {first_line} and {this_line}.",
                place,
                tag=tag,
            )
        else:
            self.error(
                "duplicate-item",
                f"{tag} is given twice with different values, in lines {first_line} and {this_line}.",
                place,
                tag=tag,
                next="Delete one of them.",
            )
        return False

    def tag_end(self, start: int) -> int:
        """The end of the name that begins at `start`."""
        match = tokens.TAG.match(self.data, start, self.end)
        return match.end() if match else start + 1

    def no_value_at(self, position: int) -> bool:
        """True when no value begins at this position."""
        return (
            position >= self.end
            or self.data[position] == 95
            or tokens.KEYWORD.match(self.data, position, self.end) is not None
        )

    def value_end(self, start: int) -> int:
        """The end of the value at `start`; a broken value is noted and passed."""
        try:
            end = tokens.end_of_value(self.data, start, self.end, self.cif2)
        except tokens.Nested as problem:
            self.broken = True
            self.error("bad-list", str(problem), start)
            return self.end
        if end >= 0:
            if self.cif2 and (self.data[start] in b"[{" or self.data[start : start + 3] in (b"'''", b'"""')):
                self.saw_cif2 = True
            if self.data[start] == 59 and self.data.find(b"\n;", start, end - 2) >= 0:
                self.warn(
                    "semicolon-line",
                    "A line inside a text field begins with ;. It was taken as text.",
                    start,
                    next="Put a blank before it: other programs end the text there.",
                )
            return end
        return self.broken_value(start)

    def broken_value(self, start: int) -> int:
        """Report a value that cannot be read; returns the position after it."""
        self.broken = True
        first = chr(self.data[start])
        if first == ";" and self.at_line_start(start):
            self.error(
                "text-field-open",
                "A text field is not closed.",
                start,
                next="End it with a line that begins with ;.",
            )
            return self.end
        if first in "'\"":
            self.error(
                "quote-open", f"A quoted value is not closed: no {first} before the end of the line.", start
            )
        else:
            self.error("bad-value", f"A value must not begin with {first}.", start, next="Put it in quotes.")
        newline = _LINE_END.search(self.data, start, self.end)
        return newline.start() if newline else self.end

    def at_line_start(self, position: int) -> bool:
        """True when the position is the first of its line."""
        return position == 0 or self.data[position - 1] in b"\r\n"

    # Loops

    def loop(self, start: int, end: int) -> int:
        """Read the names and values of a loop; returns the position after it."""
        tags: list[str] = []
        places: list[int] = []
        while True:
            position = self.skip(end)
            if position >= self.end or self.data[position] != 95:
                break
            end = self.tag_end(position)
            tags.append(decoded(self.data[position:end], self.encoding))
            places.append(position)
        if not tags:
            self.error("empty-loop", "loop_ is not followed by names.", start)
            return end
        body = self.loop_body(end, len(tags))
        loop = Loop(tags, body, span=(start, max(body.end, end)), cif2=self.cif2)
        if body.n_values == 0:
            self.warn("empty-loop", f"The loop of {tags[0]} has no rows.", start, tag=tags[0])
        elif body.n_values % len(tags):
            self.wrong_count(start, tags, body)
            body.n_values -= body.n_values % len(tags)
        accepted = [self.accepts(tag, loop, place) for tag, place in zip(tags, places, strict=True)]
        if all(accepted) and self.block is not None:
            self.block.entries.append(loop)
        return max(body.end, end)

    def loop_body(self, start: int, n_columns: int) -> FileBody:
        """Scan the values of a loop. Plain words are passed by one pattern, other values by another."""
        run = tokens.PLAIN_RUN_2 if self.cif2 else tokens.PLAIN_RUN
        match = run.match(self.data, start, self.end)
        end = match.end() if match else start
        after = self.skip(end)
        if self.no_value_at(after):
            count = count_words(self.data, start, end)
            return self.body(start, end, n_columns, count, plain=True)
        if self.cif2:
            return self.body(start, *self.count_values(start, n_columns), plain=False)
        end, count = tokens.run_of_values(self.data, start, self.end)
        if not self.no_value_at(self.skip(end)):
            # Not a value: read again token by token to find and report it.
            return self.body(start, *self.count_values(start, n_columns), plain=False)
        return self.body(start, end, n_columns, count, plain=False)

    def count_values(self, start: int, n_columns: int) -> tuple[int, int, int]:
        """End, columns and number of the values up to the first broken one; what follows is passed over."""
        position, end, count, whole = start, start, 0, True
        while True:
            position = self.skip(position)
            if self.no_value_at(position):
                return end, n_columns, count
            self.broken = False
            position = self.value_end(position)
            whole = whole and not self.broken
            if whole:
                end, count = position, count + 1

    def body(self, start: int, end: int, n_columns: int, count: int, *, plain: bool) -> FileBody:
        """Find the end of the values of a loop and count them."""
        return FileBody(self.source, start, end, n_columns, count, plain=plain)

    def wrong_count(self, start: int, tags: list[str], body: FileBody) -> None:
        """Report values that do not fill whole rows."""
        width = len(tags)
        odd = self.odd_line(body, width)
        self.error(
            "loop-count",
            f"The loop that begins in line {self.line_of(start)} has {width} names and {body.n_values} values, "
            f"which is not a multiple of {width}.",
            odd if odd is not None else start,
            tag=tags[0],
            next="Look for a missing value or an unquoted space."
            + ("" if odd is None else f" The first line that does not fit begins with {self.word_at(odd)}."),
        )

    def word_at(self, position: int) -> str:
        """The beginning of a value, for a message: often the label of the atom concerned."""
        words = self.data[position : position + 40].split(maxsplit=1)
        return words[0].decode(self.encoding, "replace") if words else ""

    def odd_line(self, body: FileBody, width: int) -> int | None:
        """Where rows are written one to a line: the first line with another number of values."""
        line, count, first = -1, 0, 0
        for position, _ in body.spans():
            own = self.line_of(position)
            if own != line:
                if line >= 0 and count % width:
                    return first
                line, count, first = own, 0, position
            count += 1
        return first if line >= 0 and count % width else None

    # Remarks

    def line_of(self, position: int) -> int:
        """Line number of a position; counts on from the last answer, so that a pass costs one count."""
        last, line = self._last_line if self._last_line[0] <= position else (0, 1)
        # CRLF is one line end, a lone CR is one too. A CRLF cut by `last` is counted at its LF.
        data = self.data
        line += data.count(b"\n", last, position)
        if self._has_cr:
            line += data.count(b"\r", last, position) - data.count(b"\r\n", last, min(position + 1, self.end))
        self._last_line = (position, line)
        return line

    def error(self, code: str, what: str, place: int, *, tag: str = "", next: str = "") -> None:  # noqa: A002
        """Add an error. Raises an internal exception after too many."""
        self.has_errors = True
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            raise _TooManyErrors
        self.remark(Severity.ERROR, code, what, place, tag=tag, next=next)

    def warn(self, code: str, what: str, place: int, *, tag: str = "", next: str = "") -> None:  # noqa: A002
        """Add a warning."""
        self.remark(Severity.WARNING, code, what, place, tag=tag, next=next)

    def remark(
        self,
        severity: Severity,
        code: str,
        what: str,
        place: int,
        *,
        tag: str = "",
        next: str = "",  # noqa: A002
    ) -> None:
        """Add a diagnostic with its line and column."""
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            return
        line_start = max(self.data.rfind(b"\n", 0, place), self.data.rfind(b"\r", 0, place)) + 1
        self.diagnostics.append(
            Diagnostic(
                severity,
                code,
                what,
                next,
                self.filename,
                self.block.name if self.block else "",
                self.line_of(place),
                place - line_start + 1,
                tag,
            )
        )


def _is_empty(entry: Entry) -> bool:
    """Whether an item has no value: unknown, not applicable, or a blank text."""
    return isinstance(entry, Item) and (entry.raw in ("?", ".") or not entry.text.strip())
