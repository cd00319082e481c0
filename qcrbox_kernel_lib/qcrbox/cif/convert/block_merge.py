"""Merge two unified blocks: the output takes precedence, other items of the source are kept."""

from __future__ import annotations

from collections.abc import Iterable

from qcrbox.cif import names
from qcrbox.cif.convert.loop_keys import SYMMETRY_OPERATIONS
from qcrbox.cif.convert.loop_merge import merged_loop, plain_operation
from qcrbox.cif.convert.result import warning
from qcrbox.cif.convert.trim import filtered
from qcrbox.cif.convert.unify import as_cif2
from qcrbox.cif.convert.untouched import is_measured, same_value
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Entry, Item, tags_of
from qcrbox.cif.loop import Loop


def merged_block(source: Block, output: Block, warnings: list[Diagnostic]) -> Block:
    """The source's block with the output's items and loops, under the source's name."""
    if source.cif2 or output.cif2:
        source, output = as_cif2(source), as_cif2(output)
    merge = _Merge(source, output, warnings)
    for entry in _as_rows(source, output):
        if isinstance(entry, Item):
            merge.put_item(entry)
        else:
            merge.put_loop(entry)
    return merge.result()


def _as_rows(source: Block, output: Block) -> list[Entry]:
    """The output's entries; items that are columns in the source become tables of one row."""
    tables: dict[int, Loop] = {}
    entries: list[Entry] = []
    columns = {names.key(tag): loop for loop in source.loops for tag in loop.tags}
    touched = [columns[key] for key in (names.key(item.tag) for item in output.items) if key in columns]
    categories = {loop.category: loop for loop in reversed(touched)}
    for entry in output.entries:
        loop = None
        if isinstance(entry, Item):
            loop = columns.get(names.key(entry.tag))
            if loop is None and "." in entry.tag:
                # An item beside a column of its category belongs to the same row.
                loop = categories.get(names.category(entry.tag))
        if loop is None or isinstance(entry, Loop):
            entries.append(entry)
        elif id(loop) in tables:
            tables[id(loop)].set_column(entry.tag, [entry.raw])
        else:
            tables[id(loop)] = Loop.of({entry.tag: [entry.raw]})
            entries.append(tables[id(loop)])
    return entries


class _Merge:
    """The entries of the source in slots, so that replacements keep the order."""

    def __init__(self, source: Block, output: Block, warnings: list[Diagnostic]) -> None:
        self.source, self.warnings = source, warnings
        self.slots: list[list[Entry]] = [[entry] for entry in source.entries]
        self.appended: list[Entry] = []
        self.slots_of: dict[str, list[int]] = {}
        self.tables_of: dict[str, list[int]] = {}
        for slot, entry in enumerate(source.entries):
            self._register(entry, slot)
        # The very spelling first: of two spellings with different values both were kept, each with its own s.u.
        self.new_items = {names.key(item.tag): item for item in output.items}
        self.new_items |= {item.tag.lower(): item for item in output.items}
        self.placed: set[int] = set()
        self.renumbered = False
        """Whether the operations of the result have other numbers than those of the source."""

    def result(self) -> Block:
        entries = [entry for slot in self.slots for entry in slot]
        if self.renumbered:
            self.warnings += _stale_codes(self.source, entries)
        return Block(self.source.name, [*entries, *self.appended], cif2=self.source.cif2)

    def _register(self, entry: Entry, slot: int) -> None:
        for tag in tags_of(entry):
            self.slots_of.setdefault(names.key(tag), []).append(slot)
        if isinstance(entry, Loop):
            self.tables_of.setdefault(entry.category, []).append(slot)

    def put_item(self, item: Item) -> None:
        """Replace the value in place or append it. A value that is replaced takes its old s.u. with it; one that
        is only repeated stays as the source has it.
        """
        if id(item) in self.placed:
            return
        together: list[Entry] = [item]
        old, old_su = self._item_slot(item.tag), self._item_slot(item.tag + "_su")
        new_su = self.new_items.get(f"{item.tag.lower()}_su") or self.new_items.get(
            names.key(item.tag + "_su")
        )
        if old is not None and self._is_repeated(item, new_su, old, old_su):
            self.placed.update(id(entry) for entry in (new_su,) if entry is not None)
            return
        if new_su is None and old_su is not None:
            self.slots[old_su] = []
        elif new_su is not None and old_su is None:
            together.append(new_su)
            self.placed.add(id(new_su))
        if old is None:
            self.appended += together
        else:
            self.slots[old] = together

    def _is_repeated(self, item: Item, new_su: Item | None, old: int, old_su: int | None) -> bool:
        own, own_su = self._item_in(old, item.tag), self._item_in(old_su, item.tag + "_su")
        if own is None or not is_measured(item.tag, own_su is not None):
            return False
        return same_value(
            own.raw, None if own_su is None else own_su.raw, item.raw, None if new_su is None else new_su.raw
        )

    def _item_in(self, slot: int | None, tag: str) -> Item | None:
        key = names.key(tag)
        return next(
            (
                entry
                for entry in (self.slots[slot] if slot is not None else ())
                if isinstance(entry, Item) and names.key(entry.tag) == key
            ),
            None,
        )

    def _item_slot(self, tag: str) -> int | None:
        """The slot where an item stands, not a loop; the very spelling first, as two may have been kept."""
        key, found = names.key(tag), None
        for slot in self.slots_of.get(key, ()):
            for entry in self.slots[slot]:
                if isinstance(entry, Item) and names.key(entry.tag) == key:
                    if entry.tag.lower() == tag.lower():
                        return slot
                    found = slot if found is None else found
        return found

    def put_loop(self, loop: Loop) -> None:
        """Merge a loop with that of its category in the source, or replace what it supersedes."""
        slots = self._rivals(loop)
        if not slots:
            self.appended.append(loop)
            return
        tables = [slot for slot in slots if any(isinstance(entry, Loop) for entry in self.slots[slot])]
        place, new = slots[0], loop
        if tables:
            place = tables[0]
            own = next(entry for entry in self.slots[place] if isinstance(entry, Loop))
            new = merged_loop(own, loop, self.source.name, self.warnings)
            if new.category == SYMMETRY_OPERATIONS:
                self.renumbered = _numbered_operations(own) != _numbered_operations(new)
        keys = {names.key(tag) for tag in new.tags} | {names.key(tag + "_su") for tag in new.tags}
        for slot in self._slots_with(keys):
            self.slots[slot] = [left for entry in self.slots[slot] for left in _without(entry, keys)]
        self.slots[place] = [new]
        self._register(new, place)

    def _slots_with(self, keys: Iterable[str]) -> list[int]:
        """Slots that hold one of these items now; what stood there first may be replaced."""
        return sorted({slot for key in keys for slot in self.slots_of.get(key, ()) if self._holds(slot, key)})

    def _holds(self, slot: int, key: str) -> bool:
        return any(names.key(tag) == key for entry in self.slots[slot] for tag in tags_of(entry))

    def _rivals(self, loop: Loop) -> list[int]:
        """Slots that hold the same items as a loop of the output, or its category's table."""
        shared = self._slots_with(names.key(tag) for tag in loop.tags)
        if "." not in loop.tags[0]:
            return shared
        tables = [
            slot
            for slot in dict.fromkeys(self.tables_of.get(loop.category, ()))
            if slot not in shared
            and any(isinstance(entry, Loop) and entry.category == loop.category for entry in self.slots[slot])
        ]
        return [*shared, *tables]


def _without(entry: Entry, keys: set[str]) -> list[Entry]:
    """The entry without the items and columns of these names."""
    left = {tag for tag in tags_of(entry) if names.key(tag) not in keys}
    if not left:
        return []
    if len(left) == len(tags_of(entry)):
        return [entry]
    return filtered(Block("", [entry]), lambda tag: tag in left).entries


def _numbered_operations(loop: Loop) -> dict[str, str]:
    """Operations by the number that symmetry codes use."""
    tag = f"{SYMMETRY_OPERATIONS}.operation_xyz"
    if tag not in loop:
        return {}
    operations = [plain_operation(raw) for raw in loop.column(tag)]
    identifier = f"{SYMMETRY_OPERATIONS}.id"
    ids = loop.texts(identifier) if identifier in loop else [str(n + 1) for n in range(len(operations))]
    return dict(zip(ids, operations, strict=True))


def _stale_codes(source: Block, entries: list[Entry]) -> list[Diagnostic]:
    """Tables of the source whose symmetry codes count operations that the output has renumbered."""
    own = {id(entry) for entry in source.entries}
    stale = [
        tag
        for entry in entries
        if isinstance(entry, Loop) and id(entry) in own
        for tag in entry.tags
        if "site_symmetry" in tag and any(raw not in ("?", ".", "1_555", "1") for raw in entry.column(tag))
    ]
    if not stale:
        return []
    return [
        warning(
            "symmetry-codes",
            f"The output numbers the symmetry operations differently; the codes in {', '.join(stale)} "
            "count those of the source.",
            source.name,
            tag=stale[0],
            next="The spec of the application should invalidate _geom.*, or the program should write it.",
        )
    ]
