"""By meaning: names in any spelling, values whatever their quoting, loops by the keys of their rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from qcrbox.cif import names
from qcrbox.cif.convert import unify
from qcrbox.cif.convert.loop_keys import common_key
from qcrbox.cif.convert.result import Source
from qcrbox.cif.document import Block, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.values import Number, Value, parse_value
from qcrbox.language import counted

Kind = Literal["changed", "added", "removed", "row added", "row removed"]
MOST_CHANGES = 100_000


@dataclass(frozen=True)
class Change:
    """One difference. `row` is the key of a loop's row (`C1`, `C1 C2 . 3_655`); texts are as in the files.

    shift_in_su: |Δ| / sqrt(su1² + su2²) of two numbers, None where there is no s.u. or no number.
    """

    kind: Kind
    tag: str
    first: str | None
    second: str | None
    row: str = ""
    shift_in_su: float | None = None


@dataclass(frozen=True)
class SemanticDifference:
    """All changes in the order of the first file, additions last.

    small: how many numbers changed by no more than the s.u. asked for, and ignored: how many changes of items to be
    ignored; both are left out of `changes`. cut: whether there are more than `MOST_CHANGES`.
    """

    changes: list[Change] = field(default_factory=list)
    cut: bool = False
    small: int = 0
    ignored: int = 0

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


def semantic_difference(
    first: Source,
    second: Source,
    *,
    ignore: str | Sequence[str] = (),
    su: float = 0.0,
    blocks: tuple[str | int | None, str | int | None] = (None, None),
) -> SemanticDifference:
    """Differences of meaning of two CIFs.

    Case of names, order, white space, quoting, aliases and the way of writing s.u. do not count.
    ignore: regular expressions or names with `*` of items to leave out. su: number changes up to this many
    s.u. are left out.
    """
    one = unify(first, block=blocks[0]).block
    other = unify(second, block=blocks[1]).block
    skip = [_pattern(text) for text in ([ignore] if isinstance(ignore, str) else ignore)]
    collected = _changes(one, other)
    wanted = [change for change in collected if not _is_ignored(change.tag, skip)]
    kept = [change for change in wanted if change.shift_in_su is None or change.shift_in_su > su]
    if su > 0:
        kept = _without_su_alone(kept)
    return SemanticDifference(
        kept[:MOST_CHANGES],
        len(kept) > MOST_CHANGES,
        small=len(wanted) - len(kept),
        ignored=len(collected) - len(wanted),
    )


def _changes(one: Block, other: Block) -> list[Change]:
    """All changes in the order of the first block, additions last."""
    collected: list[Change] = []
    seen: set[str] = set()
    for entry in one.entries:
        if isinstance(entry, Item):
            seen.add(names.key(entry.tag))
            collected += _items(entry.tag, entry.raw, other.get(entry.tag), other, one)
        else:
            seen.update(names.key(tag) for tag in entry.tags)
            collected += _loops(entry, other)
    for entry in other.entries:
        tags = [entry.tag] if isinstance(entry, Item) else entry.tags
        for tag in tags:
            if names.key(tag) not in seen:
                shown = entry.raw if isinstance(entry, Item) else counted(len(entry), "row")
                collected.append(Change("added", tag, None, shown))
    return collected


def _without_su_alone(changes: list[Change]) -> list[Change]:
    """Without the s.u. of numbers that are left out themselves: 1.234(15) and 1.234(16) are one number."""
    told = {(change.tag.lower(), change.row) for change in changes}

    def is_su_alone(change: Change) -> bool:
        tag = change.tag.lower()
        is_su = change.kind == "changed" and tag.endswith("_su") and (tag[:-3], change.row) not in told
        values = [parse_value(raw) for raw in (change.first, change.second) if raw is not None]
        return is_su and all(isinstance(value, Number) for value in values)

    return [change for change in changes if not is_su_alone(change)]


def _is_ignored(tag: str, skip: Sequence[re.Pattern[str]]) -> bool:
    """Whether a pattern fits the name as CIFs write it now, `_audit.creation_date`, or with an underscore as before."""
    return any(pattern.fullmatch(name) for pattern in skip for name in (tag, tag.replace(".", "_", 1)))


def _pattern(text: str) -> re.Pattern[str]:
    if "*" in text and ".*" not in text:
        text = re.escape(text).replace(r"\*", ".*")
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error:
        return re.compile(re.escape(text), re.IGNORECASE)


def _items(tag: str, raw: str, other_raw: str | None, other: Block, one: Block) -> list[Change]:
    if other_raw is None:
        column = other.column(tag)
        if len(column) > 1:
            return [Change("changed", tag, raw, counted(len(column), "row"))]
        return [Change("removed", tag, raw, None)]
    shift = _compare(raw, other_raw, one.get(f"{tag}_su"), other.get(f"{tag}_su"))
    return [] if shift is _SAME else [Change("changed", tag, raw, other_raw, "", shift)]


# What `_compare` answers for equal values; None means different without a shift.
_SAME = -1.0


def _compare(raw_1: str, raw_2: str, su_1: str | None, su_2: str | None) -> float | None:
    one, other = parse_value(raw_1), parse_value(raw_2)
    if isinstance(one, Number) and isinstance(other, Number):
        if not (math.isfinite(one.value) and math.isfinite(other.value)):
            return _SAME if one.text == other.text else None  # more than a float holds
        if one.value == other.value:
            return _SAME
        spread = (_su(su_1) ** 2 + _su(su_2) ** 2) ** 0.5
        return abs(one.value - other.value) / spread if spread > 0 else None
    return _SAME if _text(one) == _text(other) else None


def _su(raw: str | None) -> float:
    value = parse_value(raw) if raw is not None else None
    return value.value if isinstance(value, Number) else 0.0


def _text(value: Value) -> tuple[bool, str]:
    """Comparable form: `?` the unknown and the text `?` differ; runs of white space do not."""
    return isinstance(value, str), " ".join(str(value).split())


def _loops(loop: Loop, other: Block) -> list[Change]:
    partner = next((found for tag in loop.tags if isinstance(found := other.find(tag), Loop)), None)
    if partner is None:
        single = {tag: other.get(tag) for tag in loop.tags}
        if any(raw is not None for raw in single.values()):
            partner = Loop.of({tag: [raw] for tag, raw in single.items() if raw is not None})
        else:
            return [Change("removed", loop.tags[0], counted(len(loop), "row"), None)]
    gone = [
        Change("removed", tag, counted(len(loop), "row"), None) for tag in loop.tags if tag not in partner
    ]
    shared = [tag for tag in loop.tags if tag in partner]
    needed, possible = common_key(loop.category, loop.tags, partner.tags)
    keys = [*needed, *possible] if needed else []
    rows_1, rows_2 = _keyed(loop, shared, keys), _keyed(partner, shared, keys)
    if rows_1 is None or rows_2 is None:
        return gone + _by_content(loop, partner, shared)
    return gone + _rows(loop.tags[0], rows_1, rows_2, [tag for tag in shared if tag.lower() not in keys])


_Rows = dict[str, dict[str, str]]


def _rows(name: str, rows_1: _Rows, rows_2: _Rows, shared: Sequence[str]) -> list[Change]:
    changes: list[Change] = []
    for key, values in rows_1.items():
        mate = rows_2.get(key)
        if mate is None:
            changes.append(Change("row removed", name, " ".join(values.values()), None, key))
            continue
        for tag in shared:
            shift = _compare(values[tag], mate[tag], values.get(f"{tag}_su"), mate.get(f"{tag}_su"))
            if shift is not _SAME:
                changes.append(Change("changed", tag, values[tag], mate[tag], key, shift))
    changes += [
        Change("row added", name, None, " ".join(values.values()), key)
        for key, values in rows_2.items()
        if key not in rows_1
    ]
    return changes


def _keyed(loop: Loop, tags: Sequence[str], keys: Sequence[str]) -> _Rows | None:
    """Rows by their key; None when there is no key or it is not unique. A missing key column reads `.`."""
    if not keys:
        return None
    columns = dict(zip(tags, loop.columns(*tags), strict=True)) if tags else {}
    absent = ["."] * len(loop)
    key_cells = [loop.column(key) if key in loop else absent for key in keys]
    rows: _Rows = {}
    for number, parts in enumerate(zip(*key_cells, strict=True)):
        key = " ".join(str(parse_value(part)) for part in parts)
        if key in rows:
            return None
        rows[key] = {tag: cells[number] for tag, cells in columns.items()}
    return rows


def _by_content(loop: Loop, partner: Loop, tags: Sequence[str]) -> list[Change]:
    """Rows without a key: which ones are in one table only, whatever their order."""
    if not tags:
        return []
    one, other = (Counter(zip(*table.columns(*tags), strict=True)) for table in (loop, partner))
    changes = [Change("row removed", tags[0], " ".join(row), None) for row in (one - other).elements()]
    return changes + [Change("row added", tags[0], None, " ".join(row)) for row in (other - one).elements()]
