"""Keeping and deleting items by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qcrbox.cif.convert.columns import selected
from qcrbox.cif.convert.patterns import NameMatcher
from qcrbox.cif.document import Block, Entry, Item


def trim(
    block: Block, keep: Sequence[str] = (), delete: Sequence[str] = (), drop_empty: bool = False
) -> Block:
    """A copy of a block with the names that match one of `keep` (empty: all) and none of `delete`.

    Entries are names or regular expressions on the whole name, in any letter case. Columns go one by one and
    order is kept. With `drop_empty` items (never loops) whose value is `?` go too.
    """
    tags = block.tags
    keepers = [NameMatcher(entry).chooser(tags) for entry in keep]
    deleters = [NameMatcher(entry).chooser(tags) for entry in delete]

    def stays(tag: str) -> bool:
        return (not keepers or any(test(tag) for test in keepers)) and not any(test(tag) for test in deleters)

    return filtered(block, stays, drop_empty=drop_empty)


def filtered(block: Block, stays: Callable[[str], bool], *, drop_empty: bool = False) -> Block:
    """A copy of a block with the items and columns that pass a test."""
    entries: list[Entry] = []
    for entry in block.entries:
        if isinstance(entry, Item):
            if stays(entry.tag) and not (drop_empty and entry.raw == "?"):
                entries.append(entry.copy())
            continue
        indices = [index for index, tag in enumerate(entry.tags) if stays(tag)]
        if indices:
            entries.append(selected(entry, indices, [entry.tags[index] for index in indices]))
    return Block(block.name, entries, cif2=block.cif2)
