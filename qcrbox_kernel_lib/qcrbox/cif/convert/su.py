"""Splitting standard uncertainties off values, and merging them back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from qcrbox.cif import names
from qcrbox.cif.body import FileBody
from qcrbox.cif.convert.columns import Columns, pieces_of, transformed
from qcrbox.cif.convert.result import warning
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Entry, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.cif.values import merge_su, scaled, split_su, value_and_su

_USUAL = re.compile(r"^(-?\d+)\.(\d{1,100})\((\d{1,100})\)$", re.MULTILINE)
# Numbers whose brackets every program reads; others are rewritten, with the same digits.
_CUSTOMARY = re.compile(r"-?\d+(?:\.\d+)?\((?!0+\))\d+\)\Z")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?\Z")
_CUSTOMARY_COLUMN = re.compile(r"(?:(?:[^('\"\n;]++|-?\d++(?:\.\d++)?\((?!0+\))\d++\))\n)*+\Z")

TagTest = Callable[[str], bool]


def _no_tag(tag: str) -> bool:
    del tag
    return False


def split_block(block: Block, warnings: list[Diagnostic], keeps_brackets: TagTest = _no_tag) -> Block:
    """The block with `1.23(4)` as two items, `1.23` and `0.04`.

    `keeps_brackets(tag)` names items whose brackets stay as their author wrote them, because they would be merged
    again; an item that has its s.u. beside it is split all the same.
    """
    entries: list[Entry] = []
    kinds = _Kinds(block)
    lonely = {names.key(item.tag): item for item in block.items if item.tag.lower().endswith("_su")}
    used: set[int] = set()
    for entry in block.entries:
        if id(entry) in used:
            continue
        if isinstance(entry, Loop):
            entries.append(_split_loop(entry, block.name, warnings, kinds, keeps_brackets))
        elif kinds.is_splittable(entry.tag):
            stays = keeps_brackets(entry.tag) and names.key(entry.tag + "_su") not in lonely
            entries += (
                [_with_tidy_brackets(entry)]
                if stays
                else _split_item(entry, lonely, used, block.name, warnings)
            )
        else:
            entries.append(entry)
    replaced = {id(item) for item in lonely.values()} & used
    return Block(block.name, [entry for entry in entries if id(entry) not in replaced], cif2=block.cif2)


def _split_item(
    item: Item, lonely: dict[str, Item], used: set[int], block: str, warnings: list[Diagnostic]
) -> list[Entry]:
    split = split_raw(item.raw)
    if split is None:
        return [item]
    value, su = split
    own = lonely.get(names.key(item.tag + "_su"))
    if own is None:
        return [Item(item.tag, value), Item(item.tag + "_su", su)]
    if own.raw == "?":
        used.add(id(own))
        return [Item(item.tag, value), Item(own.tag, su)]
    if text_of(own.raw) != su:
        warnings.append(_both(item.tag, own.tag, block))
    return [Item(item.tag, value)]


def _both(tag: str, su_tag: str, block: str) -> Diagnostic:
    return warning(
        "su-twice",
        f"{tag} has an s.u. in brackets and {su_tag} beside it with another value; {su_tag} was kept.",
        block,
        tag=tag,
    )


def split_raw(raw: str) -> tuple[str, str] | None:
    """Value and s.u. of a raw value, quoted or not; None when it has no s.u. in brackets."""
    if not raw.endswith((")", ")'", ')"')):
        return None
    return split_su(raw.strip("'\"") if raw[0] in "'\"" else raw)


class _Kinds:
    """Which items of a block hold numbers that may have an s.u.: no labels, and no s.u. of another item."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def is_splittable(self, tag: str) -> bool:
        """Texts of the dictionary such as the label `1(2)` are never numbers; an s.u. has no s.u."""
        known = names.facts(tag)
        is_text = known is not None and bool(known.contents) and not known.is_number
        return not is_text and not self.is_su(tag)

    def is_su(self, tag: str) -> bool:
        """Whether an item is the s.u. of another.

        A name that ends in `_su` is not enough: the item without it must be a number of the dictionary or of
        this block.
        """
        name = names.canonical(tag).lower()
        if not name.endswith("_su"):
            return False
        base = names.facts(name[:-3])
        if base is not None:
            return base.is_number or not base.contents
        return any(value_and_su(text_of(raw)) is not None for raw in self.block.column(tag[:-3]))


def _with_tidy_brackets(item: Item) -> Item:
    raw = tidy_brackets(item.raw)
    return item if raw == item.raw else Item(item.tag, raw, cif2=item.cif2)


def tidy_brackets(raw: str) -> str:
    """A number with s.u. in the usual form and with all its digits: `2.1(1.3)` as 2.1(13), `1.0(0)` as 1.0."""
    if _CUSTOMARY.match(raw):
        return raw
    split = split_raw(raw)
    return raw if split is None else bracketed(*split)


def _split_loop(
    loop: Loop, block: str, warnings: list[Diagnostic], kinds: _Kinds, keeps_brackets: TagTest
) -> Loop:
    """The loop with a column `<name>_su` after each column that has an s.u. in any cell."""
    if isinstance(loop.body, FileBody) and not loop.cells and not loop.body.holds(b"("):
        return loop
    found = _columns_with_su(loop, kinds)
    if not found:
        return loop
    lower = [tag.lower() for tag in loop.tags]
    partners = {index: lower.index(lower[index] + "_su") for index in found if lower[index] + "_su" in lower}
    staying = {index for index in found if index not in partners and keeps_brackets(loop.tags[index])}
    if staying == found and _are_customary(loop, staying):
        return loop
    tags: list[str] = []
    for index, tag in enumerate(loop.tags):
        tags.append(tag)
        if index in found and index not in partners and index not in staying:
            tags.append(tag + "_su")
    conflicts: set[int] = set()

    def change(columns: Columns) -> Columns:
        own: dict[int, list[str]] = {}
        result: Columns = []
        split: dict[int, tuple[list[str], list[str]]] = {}
        for index in found - staying:
            split[index] = _split_cells(columns[index])
            if index in partners:
                own[partners[index]], clash = _with_own_su(
                    split[index][1], columns[index], columns[partners[index]]
                )
                if clash:
                    conflicts.add(index)
        for index, column in enumerate(columns):
            if index in split:
                result.append(split[index][0])
                if index not in partners:
                    result.append(split[index][1])
            elif index in staying:
                result.append([tidy_brackets(cell) if "(" in cell else cell for cell in column])
            else:
                result.append(own.get(index, column))
        return result

    new = transformed(loop, tags, change)
    warnings += [_both(loop.tags[index], loop.tags[partners[index]], block) for index in sorted(conflicts)]
    return new


def _are_customary(loop: Loop, indices: set[int]) -> bool:
    return all(
        _CUSTOMARY_COLUMN.match("\n".join([*columns[index], ""])) is not None
        for columns in pieces_of(loop)
        for index in indices
    )


def _columns_with_su(loop: Loop, kinds: _Kinds) -> set[int]:
    candidates = {index for index, tag in enumerate(loop.tags) if kinds.is_splittable(tag)}
    found: set[int] = set()
    for columns in pieces_of(loop):
        for index in candidates - found:
            # One search through the joined column decides most columns without looking at single cells.
            if "(" in "\n".join(columns[index]) and any(
                split_raw(cell) for cell in columns[index] if "(" in cell
            ):
                found.add(index)
        if found == candidates:
            break
    return found


def _split_cells(column: list[str]) -> tuple[list[str], list[str]]:
    """Values and s.u.; `?` and `.` stand in both, numbers without s.u. get 0, other texts have none."""
    joined = "\n".join(column)
    usual = _USUAL.findall(joined)
    if len(usual) == len(column) == joined.count("\n") + 1 and joined.isascii():
        # Reflections: every cell has decimals and an s.u., so one pattern splits the whole column.
        return (
            [f"{whole}.{decimals}" for whole, decimals, _ in usual],
            [scaled(su, len(decimals)) for _, decimals, su in usual],
        )
    values: list[str] = []
    sus: list[str] = []
    for cell in column:
        split = split_raw(cell) if "(" in cell else None
        if split is not None:
            values.append(split[0])
            sus.append(split[1])
        else:
            values.append(cell)
            sus.append(cell if cell in ("?", ".") else "0" if value_and_su(text_of(cell)) else ".")
    return values, sus


def _with_own_su(brackets: list[str], cells: list[str], own: list[str]) -> tuple[list[str], bool]:
    """A column with an s.u. column: brackets fill only its unknown values."""
    clash = False
    merged: list[str] = []
    for su, cell, kept in zip(brackets, cells, own, strict=True):
        if "(" not in cell or split_raw(cell) is None:
            merged.append(kept)
        elif kept == "?":
            merged.append(su)
        else:
            clash = clash or text_of(kept) != su
            merged.append(kept)
    return merged, clash


# Merging

Merge = Callable[[str, str], str]


def bracketed(value: str, su: str) -> str:
    """Value and s.u. in one text with all digits of both: `-0.0025`, `0.0024` give -0.0025(24)."""
    digits = max(_decimals(value), _decimals(su))
    whole, point, decimals = su.partition(".")
    counts = (whole + decimals).ljust(len(whole) + digits, "0").lstrip("0")
    if not counts:
        return value
    point = "." if digits and "." not in value else ""
    return f"{value}{point}{'0' * (digits - _decimals(value))}({counts})"


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def as_written(value: str, su: str) -> str:
    """The original brackets of a value, where its digits show them; else as `merge_su`.

    Splitting gives both the same number of decimals, and authors write up to three digits in brackets; a program
    that writes s.u. of their own gives more.
    """
    if _decimals(value) == _decimals(su) and _PLAIN.match(value):
        counts = su.replace(".", "").lstrip("0")
        if counts.isdigit() and len(counts) <= _AUTHORS_DIGITS:
            return bracketed(value, su)
    return merge_su(value, su)


_AUTHORS_DIGITS = 3


def merge_block(block: Block, is_kept: TagTest = _no_tag, merge: Merge = merge_su) -> Block:
    """The block with each s.u. back in the brackets of its value.

    `is_kept(su_tag)` names the s.u. that are asked for themselves: they and their values stay as they are. An s.u.
    beside something that is not a number stays too.
    """
    by_tag = {item.tag.lower(): item for item in block.items}
    entries: list[Entry] = []
    merged_su: set[int] = set()
    for item in block.items:
        su = by_tag.get(item.tag.lower() + "_su")
        if su is not None and not is_kept(su.tag) and _can_merge(item.raw, su.raw):
            merged_su.add(id(su))
    for entry in block.entries:
        if isinstance(entry, Loop):
            entries.append(_merge_loop(entry, is_kept, merge))
            continue
        if id(entry) in merged_su:
            continue
        su = by_tag.get(entry.tag.lower() + "_su")
        if su is not None and id(su) in merged_su:
            merged = merge_raw(entry.raw, su.raw, merge)
            entries.append(entry if merged == entry.raw else Item(entry.tag, merged, cif2=entry.cif2))
        else:
            entries.append(entry)
    return Block(block.name, entries, cif2=block.cif2)


def _can_merge(raw: str, su: str) -> bool:
    return su in ("?", ".") or raw in ("?", ".") or value_and_su(text_of(raw)) is not None


def merge_raw(raw: str, su: str, merge: Merge = merge_su) -> str:
    """A raw value with its s.u. in brackets; unchanged when there is no s.u. to show."""
    if su in ("?", ".", "0"):
        return raw
    text = text_of(raw)
    merged = merge(text, text_of(su))
    return raw if merged == text else merged


def _merge_loop(loop: Loop, is_kept: TagTest, merge: Merge) -> Loop:
    lower = {tag.lower(): index for index, tag in enumerate(loop.tags)}
    pairs = {
        index: lower[tag.lower() + "_su"]
        for index, tag in enumerate(loop.tags)
        if tag.lower() + "_su" in lower and not is_kept(loop.tags[lower[tag.lower() + "_su"]])
    }
    pairs = {index: su for index, su in pairs.items() if _column_can_merge(loop, index)}
    if not pairs:
        return loop
    gone = set(pairs.values())
    kept = [index for index in range(len(loop.tags)) if index not in gone]

    def change(columns: Columns) -> Columns:
        return [
            _merged_cells(columns[index], columns[pairs[index]], merge) if index in pairs else columns[index]
            for index in kept
        ]

    return transformed(loop, [loop.tags[index] for index in kept], change)


def _column_can_merge(loop: Loop, index: int) -> bool:
    """Whether a column holds a number, or nothing known."""
    known = False
    for columns in pieces_of(loop):
        for cell in columns[index]:
            if cell not in ("?", "."):
                known = True
                if value_and_su(text_of(cell)) is not None:
                    return True
    return not known


def _merged_cells(values: Iterable[str], sus: Iterable[str], merge: Merge) -> list[str]:
    return [
        merge(value, su)
        if value[0] in "0123456789-" and su[0] in "0123456789"
        else merge_raw(value, su, merge)
        for value, su in zip(values, sus, strict=True)
    ]
