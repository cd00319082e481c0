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


def split_block(block: Block, warnings: list[Diagnostic]) -> Block:
    """The block with `1.23(4)` as two items, `1.23` and `0.04`."""
    entries: list[Entry] = []
    lonely = {names.key(item.tag): item for item in block.items if item.tag.lower().endswith("_su")}
    used: set[int] = set()
    for entry in block.entries:
        if id(entry) in used:
            continue
        if isinstance(entry, Loop):
            entries.append(split_loop(entry, block.name, warnings))
        else:
            entries += _split_item(entry, lonely, used, block.name, warnings)
    replaced = {id(item) for item in lonely.values()} & used
    return Block(block.name, [entry for entry in entries if id(entry) not in replaced], cif2=block.cif2)


def _split_item(
    item: Item, lonely: dict[str, Item], used: set[int], block: str, warnings: list[Diagnostic]
) -> list[Entry]:
    split = split_raw(item.raw) if is_splittable(item.tag) else None
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


def is_splittable(tag: str) -> bool:
    """Labels such as `1(2)` name rows and are never numbers; an s.u. has no s.u."""
    known = names.facts(tag)
    return not (known and known.is_label) and not tag.lower().endswith("_su")


def split_loop(loop: Loop, block: str, warnings: list[Diagnostic]) -> Loop:
    """The loop with a column `<name>_su` after each column that has an s.u. in any cell."""
    if isinstance(loop.body, FileBody) and not loop.cells and not loop.body.holds(b"("):
        return loop
    found = _columns_with_su(loop)
    if not found:
        return loop
    lower = [tag.lower() for tag in loop.tags]
    partners = {index: lower.index(lower[index] + "_su") for index in found if lower[index] + "_su" in lower}
    tags: list[str] = []
    for index, tag in enumerate(loop.tags):
        tags.append(tag)
        if index in found and index not in partners:
            tags.append(tag + "_su")
    conflicts: set[int] = set()

    def change(columns: Columns) -> Columns:
        own: dict[int, list[str]] = {}
        result: Columns = []
        split: dict[int, tuple[list[str], list[str]]] = {}
        for index in found:
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
            else:
                result.append(own.get(index, column))
        return result

    new = transformed(loop, tags, change)
    warnings += [_both(loop.tags[index], loop.tags[partners[index]], block) for index in sorted(conflicts)]
    return new


def _columns_with_su(loop: Loop) -> set[int]:
    candidates = {index for index, tag in enumerate(loop.tags) if is_splittable(tag)}
    found: set[int] = set()
    for columns in pieces_of(loop):
        for index in candidates - found:
            # One search through the joined column tells most columns apart without a look at the cells.
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
    """A column that had its s.u. column already: brackets fill only what is unknown there."""
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


def merge_block(block: Block, is_kept: Callable[[str], bool] = lambda tag: False) -> Block:
    """The block with each s.u. back in the brackets of its value.

    `is_kept(su_tag)` names the s.u. that are asked for themselves: they and their values stay as they are.
    """
    by_tag = {item.tag.lower(): item for item in block.items}
    entries: list[Entry] = []
    for entry in block.entries:
        if isinstance(entry, Loop):
            entries.append(_merge_loop(entry, is_kept))
            continue
        own = entry.tag.lower()
        if own.endswith("_su") and own[:-3] in by_tag and not is_kept(entry.tag):
            continue
        su = by_tag.get(own + "_su")
        if su is not None and not is_kept(su.tag):
            merged = merge_raw(entry.raw, su.raw)
            entries.append(entry if merged == entry.raw else Item(entry.tag, merged, cif2=entry.cif2))
        else:
            entries.append(entry)
    return Block(block.name, entries, cif2=block.cif2)


def merge_raw(raw: str, su: str) -> str:
    """A raw value with its s.u. in brackets; unchanged when there is no s.u. to show."""
    if su in ("?", ".", "0"):
        return raw
    text = text_of(raw)
    merged = merge_su(text, text_of(su))
    return raw if merged == text else merged


def _merge_loop(loop: Loop, is_kept: Callable[[str], bool]) -> Loop:
    lower = {tag.lower(): index for index, tag in enumerate(loop.tags)}
    pairs = {
        index: lower[tag.lower() + "_su"]
        for index, tag in enumerate(loop.tags)
        if tag.lower() + "_su" in lower and not is_kept(loop.tags[lower[tag.lower() + "_su"]])
    }
    if not pairs:
        return loop
    gone = set(pairs.values())
    kept = [index for index in range(len(loop.tags)) if index not in gone]

    def change(columns: Columns) -> Columns:
        return [
            _merged_cells(columns[index], columns[pairs[index]]) if index in pairs else columns[index]
            for index in kept
        ]

    return transformed(loop, [loop.tags[index] for index in kept], change)


def _merged_cells(values: Iterable[str], sus: Iterable[str]) -> list[str]:
    return [
        merge_su(value, su) if value[0] in "0123456789-" and su[0] in "0123456789" else merge_raw(value, su)
        for value, su in zip(values, sus, strict=True)
    ]
