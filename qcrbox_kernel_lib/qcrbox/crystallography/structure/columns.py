"""Columns of the loops of a CIF as texts and numbers; misprints are read and noted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif import names
from qcrbox.cif.document import Block
from qcrbox.cif.lenient import Reading, irregular
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.language import listed

Array = NDArray[np.float64]


def misprint(what: str, text: str, reading: Reading) -> str:
    """`_cell_angle_beta is written '90.00()', with brackets that hold no s.u.; it is read as 90.00.`"""
    return f"{what} is written '{text}', {reading.how}; it is read as {reading.number.text}."


def as_loop(block: Block, tag: str) -> Loop | None:
    """The loop of an item; a table of one row may be written as single items."""
    entry = block.find(tag)
    if entry is None or isinstance(entry, Loop):
        return entry
    category = names.category(tag)
    items: dict[str, Sequence[str]] = {
        item.tag: [item.raw] for item in block.items if names.category(item.tag) == category
    }
    return Loop.of(items)


def in_memory(loop: Loop, tags: Sequence[str]) -> Loop:
    """A loop with those of the columns that it has, cut from the file in one pass."""
    own = [loop.tags[place] for place in dict.fromkeys(map(loop.index, tags)) if place is not None]
    made = Loop.of(dict(zip(own, loop.columns(*own), strict=True)))
    made.cif2 = loop.cif2
    return made


def texts_of(loop: Loop, tag: str, count: int) -> list[str]:
    """Plain texts of a column, empty for ? and . and for a column that is missing."""
    if tag not in loop:
        return [""] * count
    return ["" if raw in ("?", ".") else text_of(raw, cif2=loop.cif2) for raw in loop.column(tag)]


def numbers_of(
    loop: Loop, tag: str, count: int, notes: list[str] | None = None, labels: Sequence[str] = ()
) -> tuple[Array, Array]:
    """Values (NaN where unknown) and s.u. (0 where none). Misprints are read, and with `labels` of the rows noted."""
    if tag not in loop:
        return np.full(count, np.nan), np.zeros(count)
    if notes is not None:
        notes += misprints(loop, tag, labels)
    values, su = loop.numbers_and_su(tag)
    if f"{tag}_su" in loop:
        su = np.where(np.isnan(su), loop.numbers(f"{tag}_su"), su)
    return values, np.nan_to_num(su)


def misprints(loop: Loop, tag: str, labels: Sequence[str]) -> list[str]:
    """One note for each way in which numbers of a column are misprinted, with up to ten of them."""
    if tag not in loop:
        return []
    facts = names.facts(tag)
    found: dict[str, list[str]] = {}
    for row, text, reading in irregular(loop.column(tag), facts.unit if facts else ""):
        shown = f"{labels[row]} '{text[:40]}'"
        if reading is None:
            found.setdefault("", []).append(shown)
        else:
            found.setdefault(reading.how, []).append(f"{shown} as {reading.number.text}")
    notes = []
    for how, places in found.items():
        notes.append(
            f"Values of {tag} {how} are read: {listed(places)}."
            if how
            else f"Values of {tag} that are not numbers are taken as unknown: {listed(places)}."
        )
    return notes
