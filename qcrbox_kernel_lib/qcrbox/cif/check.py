"""Checking a CIF against the dictionary: type, range, enumeration, s.u., with line numbers.

This is a check of the file against its dictionary. It is not checkCIF and does not judge the science.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qcrbox.cif import names
from qcrbox.cif.body import FileBody, decoded
from qcrbox.cif.diagnostics import Diagnostic, Severity
from qcrbox.cif.document import Block, Document, Item
from qcrbox.cif.lenient import read_number
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.cif.reader import read
from qcrbox.cif.values import parse_number

MAX_LINE = 2048
MAX_NAME = 75
_LONG_LINE = re.compile(rb"[^\r\n]{%d,}+" % (MAX_LINE + 1))
MAX_PER_ITEM = 10  # remarks about one column; one more says how many were left out


def check(source: Document | bytes | str | Path, *, filename: str = "") -> list[Diagnostic]:
    """Everything a dictionary check finds, in file order, after the remarks of the reader.

    A file that cannot be read gives its errors. Unknown names are not remarked on: programs have their own.
    """
    document = (
        source if isinstance(source, Document) else read(source, filename=filename or None, on_error="keep")
    )
    lines = _Lines(document)
    found = list(document.diagnostics)
    found += _form(document, lines)
    for block in document.blocks:
        for entry in block.entries:
            if isinstance(entry, Item):
                found += _check_item(document, block, entry, lines)
            else:
                found += _check_loop(document, block, entry, lines)
    return found


class _Lines:
    """Line numbers of positions, counted on from the last answer."""

    def __init__(self, document: Document) -> None:
        self.data, self.position, self.line = document.data, 0, 1

    def of(self, position: int) -> tuple[int, int]:
        """Line and column."""
        if position < self.position:
            self.position, self.line = 0, 1
        data = self.data
        self.line += data.count(b"\n", self.position, position)
        if b"\r" in data:
            crs = data.count(b"\r", self.position, position)
            self.line += crs - data.count(b"\r\n", self.position, min(position + 1, len(data)))
        self.position = position
        start = max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1
        return self.line, position - start + 1


def _form(document: Document, lines: _Lines) -> Iterator[Diagnostic]:
    """Limits of CIF 1.1 on lines and names."""
    for line in _LONG_LINE.finditer(document.data):
        # The search counts bytes; the limit of CIF is in characters.
        length = len(decoded(line[0], document.encoding))
        if length > MAX_LINE:
            yield Diagnostic(
                Severity.WARNING,
                "long-line",
                f"A line has {length} characters; CIF allows {MAX_LINE}.",
                "Older programs may cut it.",
                document.filename,
                line=lines.of(line.start())[0],
            )
            break
    for block in document.blocks:
        if len(block.name) > MAX_NAME:
            yield Diagnostic(
                Severity.WARNING,
                "long-name",
                f"The name of the block has {len(block.name)} characters; CIF allows {MAX_NAME}.",
                file=document.filename,
                block=block.name,
            )


def _check_item(document: Document, block: Block, item: Item, lines: _Lines) -> Iterator[Diagnostic]:
    facts = names.facts(item.tag)
    problem = "" if facts is None else _raw_problem(facts, item.raw, document.cif2)
    if problem:
        place = _Place(block, item.value_span[0] if item.value_span else None)
        yield _remark(document, lines, item.tag, problem, place)


def _check_loop(document: Document, block: Block, loop: Loop, lines: _Lines) -> Iterator[Diagnostic]:
    """Only values that differ are checked, so that a column of 300 000 flags costs two checks."""
    bad: list[tuple[int, int, str]] = []
    for column, tag in enumerate(loop.tags):
        facts = names.facts(tag)
        if facts is None:
            continue
        cells = loop.column(tag)
        problems = {raw: problem for raw in set(cells) if (problem := _raw_problem(facts, raw, loop.cif2))}
        if not problems:
            continue
        rows = [row for row, raw in enumerate(cells) if raw in problems]
        bad += [(row, column, problems[cells[row]]) for row in rows[:MAX_PER_ITEM]]
        if len(rows) > MAX_PER_ITEM:
            bad.append(
                (rows[MAX_PER_ITEM], column, f"{len(rows) - MAX_PER_ITEM} more values of {tag} are wrong.")
            )
    places = _places(loop, [(row, column) for row, column, _ in bad])
    for row, column, problem in sorted(bad):
        place = _Place(block, places.get((row, column)), row)
        yield _remark(document, lines, loop.tags[column], problem, place)


def _places(loop: Loop, cells: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    width = len(loop.tags)
    wanted = {row * width + column: (row, column) for row, column in cells}
    if not wanted or not isinstance(loop.body, FileBody):
        return {}
    places: dict[tuple[int, int], int] = {}
    last = max(wanted)
    for number, (start, _) in enumerate(loop.body.spans()):
        if number in wanted:
            places[wanted[number]] = start
        if number >= last:
            break
    return places


@dataclass(frozen=True)
class _Place:
    """Where a value stands: its block, its position in the file if it comes from one, its row in a loop."""

    block: Block
    position: int | None
    row: int | None = None


def _remark(document: Document, lines: _Lines, tag: str, problem: str, place: _Place) -> Diagnostic:
    block, row = place.block, place.row
    line, column = lines.of(place.position) if place.position is not None else (0, 0)
    what = problem if row is None else f"Row {row + 1}: {problem}"
    return Diagnostic(
        Severity.WARNING, "dictionary", what, "", document.filename, block.name, line, column, tag
    )


def _raw_problem(facts: names.Facts, raw: str, cif2: bool) -> str:
    """As `value_problem`, for a raw value. Lists and tables of CIF 2 are not looked into."""
    if cif2 and raw[:1] in ("[", "{"):
        return ""
    return value_problem(facts, text_of(raw, cif2=cif2), quoted=raw[:1] in ("'", '"', ";"))


def value_problem(facts: names.Facts, text: str, *, quoted: bool = False) -> str:
    """The violation of the dictionary by a value; empty when there is none."""
    if text in ("?", ".") and not quoted:
        return ""
    shown = repr(text if len(text) <= 40 else text[:37] + "...")
    if facts.is_number and facts.container == "Single":
        return _number_problem(facts, text, shown)
    if facts.states and text.lower() not in {state.lower() for state in facts.states}:
        if _is_combination(facts, text):
            return ""
        listed = ", ".join(facts.states[:12]) + (" ..." if len(facts.states) > 12 else "")
        return f"{shown} is none of the values allowed: {listed}."
    return ""


def _is_combination(facts: names.Facts, text: str) -> bool:
    """Flags that are single letters may be joined, as `PR` for `_atom_site.refinement_flags`."""
    letters = {state for state in facts.states if len(state) == 1 and state.isalpha()}
    return facts.name.startswith("_atom_site.refinement_flags") and bool(text) and set(text) <= letters


def _number_problem(facts: names.Facts, text: str, shown: str) -> str:
    number = parse_number(text)
    if number is None:
        meant = read_number(text, facts.unit)
        if meant is not None:
            return f"{shown} is a number {meant.how}; it is read as {meant.number.text} here."
        return f"{shown} is not a number."
    if facts.contents == "Integer" and number.value != int(number.value):
        return f"{shown} is not a whole number."
    unit = "" if facts.unit in ("", "none", "unspecified") else f" {facts.unit.replace('_', ' ')}"
    if facts.minimum is not None and number.value < facts.minimum:
        return f"{shown} is below the least value allowed, {facts.minimum:g}{unit}."
    if facts.maximum is not None and number.value > facts.maximum:
        return f"{shown} is above the greatest value allowed, {facts.maximum:g}{unit}."
    if facts.su_of and number.su is not None:
        return f"{shown} is an s.u. and cannot have one itself."
    return ""
