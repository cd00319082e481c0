"""After a command ran: its output put into the CIF it started from."""

from __future__ import annotations

from collections.abc import Sequence

from qcrbox.cif import names
from qcrbox.cif.convert.entries import OutputEntries, Wanted, collect, first_present, shown_choice
from qcrbox.cif.convert.loop_merge import merged_loop
from qcrbox.cif.convert.patterns import NameMatcher
from qcrbox.cif.convert.result import Conversion, Source, as_document, chosen_block, warning
from qcrbox.cif.convert.trim import filtered
from qcrbox.cif.convert.unify import as_cif2, unified_block
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Document, Entry, Item, tags_of
from qcrbox.cif.loop import Loop
from qcrbox.cif.reader import read
from qcrbox.contract.errors import CifError, MissingItemsError


def merge_back(
    output: Source,
    source: Source | None,
    entries: OutputEntries,
    *,
    source_block: str | int | None = None,
    filename: str = "",
) -> Conversion:
    """The unified source with what a command wrote: the output wins, what it does not mention stays.

    Without source the result is the unified output alone. Raises MissingItemsError when required entries are
    not in the output, CifError when a file cannot be read or there is no such output block, SpecError for
    unknown entry sets.
    """
    written = as_document(output, filename)
    warnings: list[Diagnostic] = list(written.diagnostics)
    block = output_block(written, entries.output_block)
    trimmed = _trimmed(block, entries, warnings, written.filename)
    new = unified_block(trimmed, entries.custom_categories, warnings)
    if source is None:
        return _checked(new, warnings, written.filename)
    started = as_document(source)
    old = unified_block(chosen_block(started, source_block, warnings), entries.custom_categories, warnings)
    old = without_invalidated(old, entries, warnings)
    return _checked(merged_block(old, new, warnings), warnings, started.filename)


def output_block(document: Document, wanted: str | int) -> Block:
    """A block by name, else by position; CifError when there is neither."""
    for block in document.blocks:
        if block.name == str(wanted):
            return block
    found = document.find(str(wanted))
    if found is None and str(wanted).lstrip("-").isdigit():
        found = document.find(int(wanted))
    if found is None:
        listed = ", ".join(block.name or "(no name)" for block in document.blocks[:20])
        raise CifError(
            f"The output has no block {wanted!r}.",
            where=document.filename,
            why=f"Its blocks: {listed}.",
            next="Correct output_block in the application's spec.",
            file=document.filename or None,
        )
    return found


def _checked(block: Block, warnings: list[Diagnostic], filename: str) -> Conversion:
    """Read the result again, so that nothing in an output can break a stored file."""
    conversion = Conversion(Document([block], cif2=block.cif2, filename=filename), warnings)
    again = read(conversion.bytes, filename=filename)
    if len(again.blocks) != 1 or sorted(again.blocks[0].tags) != sorted(block.tags):
        raise CifError("The merged file does not read back as it was written.", where=filename)
    return conversion


# What of the output counts


def _trimmed(block: Block, entries: OutputEntries, warnings: list[Diagnostic], filename: str) -> Block:
    """The output's required and optional entries; unknown items (`?`) are dropped."""
    wanted = collect(entries)
    known = filtered(block, lambda tag: True, drop_empty=True)
    if entries.is_empty or wanted.everything:
        _require(wanted, known, entries, filename, block.name)
        return known
    tags = known.tags
    matchers = [
        NameMatcher(entry, entries.custom_categories) for entry in [*wanted.required, *wanted.optional]
    ]
    chosen: set[str] = set()
    for matcher in matchers:
        if matcher.problem:
            warnings.append(warning("bad-pattern", matcher.problem, block.name, tag=matcher.entry))
        chosen.update(matcher.chosen(tags))
    for alternatives in [*wanted.required_choices, *wanted.optional_choices]:
        for name in _first_choice(alternatives, tags, entries) or ():
            chosen.update(NameMatcher(name, entries.custom_categories).chosen(tags))
    _require(wanted, known, entries, filename, block.name)
    return filtered(known, lambda tag: tag in chosen)


def _first_choice(alternatives: list[list[str]], tags: list[str], entries: OutputEntries) -> list[str] | None:
    return first_present(
        alternatives, lambda name: bool(NameMatcher(name, entries.custom_categories).chosen(tags))
    )


def _require(wanted: Wanted, block: Block, entries: OutputEntries, filename: str, name: str) -> None:
    tags = block.tags
    missing = [
        entry
        for entry in wanted.required
        if entry != "all_unified" and not NameMatcher(entry, entries.custom_categories).chosen(tags)
    ]
    missing += [
        shown_choice(choice) for choice in wanted.required_choices if not _first_choice(choice, tags, entries)
    ]
    if missing:
        raise MissingItemsError(
            f"The program did not write what its spec promises: {', '.join(missing)}.",
            where=", ".join(part for part in (filename, f"block {name}") if part),
            next="Read the program's log; if it went well, correct required_entries of the output.",
            items=missing,
        )


# What of the source still holds


def without_invalidated(block: Block, entries: OutputEntries, warnings: list[Diagnostic]) -> Block:
    """The source without the items that the command made invalid, and without the s.u. of those."""
    listed = list(entries.invalidated)
    if entries.invalidated_sets:
        listed += _invalidated_by_sets(entries)
    tags = block.tags
    gone: set[str] = set()
    for entry in listed:
        matcher = NameMatcher(entry, entries.custom_categories)
        if matcher.problem:
            warnings.append(warning("bad-pattern", matcher.problem, block.name, tag=entry))
        gone.update(matcher.chosen(tags))
    if not gone:
        return block
    gone |= {tag for tag in tags if tag.lower().endswith("_su") and tag[:-3] in gone}
    return filtered(block, lambda tag: tag not in gone)


def _invalidated_by_sets(entries: OutputEntries) -> list[str]:
    wanted = collect(OutputEntries(required_sets=entries.invalidated_sets, entry_sets=entries.entry_sets))
    choices = [*wanted.required_choices, *wanted.optional_choices]
    return [
        *wanted.required,
        *wanted.optional,
        *(name for choice in choices for group in choice for name in group),
    ]


# Merging


def merged_block(source: Block, output: Block, warnings: list[Diagnostic]) -> Block:
    """Two unified blocks as one, under the source's name; the output wins."""
    if source.cif2 or output.cif2:
        source, output = as_cif2(source), as_cif2(output)
    result = Block(source.name, source.entries, cif2=source.cif2)
    for entry in _as_rows(source, output):
        if isinstance(entry, Item):
            _put_item(result, output, entry)
        else:
            _put_loop(result, entry, warnings)
    return result


def _as_rows(source: Block, output: Block) -> list[Entry]:
    """The output's entries; items that are columns in the source become tables of one row."""
    tables: dict[int, dict[str, list[str]]] = {}
    entries: list[Entry] = []
    order: list[tuple[str, object]] = []
    loops = [loop for loop in source.loops if any(_column_of(loop, item.tag) for item in output.items)]
    for entry in output.entries:
        loop = _loop_for(loops, entry) if isinstance(entry, Item) else None
        if loop is None:
            order.append(("entry", entry))
            continue
        assert isinstance(entry, Item)
        if id(loop) not in tables:
            tables[id(loop)] = {}
            order.append(("table", id(loop)))
        tables[id(loop)][entry.tag] = [entry.raw]
    for kind, what in order:
        if kind == "table":
            entries.append(Loop.of(tables[what]))  # type: ignore[index]
        else:
            entries.append(what)  # type: ignore[arg-type]
    return entries


def _loop_for(loops: Sequence[Loop], item: Item) -> Loop | None:
    """The source's loop that an item of the output belongs to: it has the item, or items of its category."""
    for loop in loops:
        if _column_of(loop, item.tag):
            return loop
    category = names.category(item.tag)
    known = "." in item.tag
    return next((loop for loop in loops if known and loop.category == category), None)


def _column_of(loop: Loop, tag: str) -> bool:
    return loop.index(tag) is not None


def _put_item(result: Block, output: Block, item: Item) -> None:
    """Replace the value in place or append it. A value that is replaced takes its old s.u. with it."""
    own = result.find(item.tag)
    if own is None:
        result.entries.append(item)
    else:
        result.replace_entry(own, item)
    result.forget_index()
    su = item.tag + "_su"
    if not item.tag.endswith("_su"):
        old, new = result.find(su), output.find(su)
        if isinstance(old, Item) and new is None:
            result.remove_entry(old)
        elif old is None and isinstance(new, Item):
            place = next(n for n, entry in enumerate(result.entries) if entry is item)
            result.entries.insert(place + 1, new)
            result.forget_index()


def _put_loop(result: Block, loop: Loop, warnings: list[Diagnostic]) -> None:
    """Merge a loop with the source's of its category, or put it in the place of what it replaces."""
    rivals = _rivals(result, loop)
    loops = [entry for entry in rivals if isinstance(entry, Loop)]
    if not rivals:
        result.entries.append(loop)
        result.forget_index()
        return
    new = loop
    if loops:
        new = merged_loop(loops[0], loop, result.name, warnings)
    place = loops[0] if loops else rivals[0]
    result.replace_entry(place, new)
    for entry in rivals:
        if entry is not place:
            _take_away(result, entry, new)
        elif isinstance(entry, Item):
            _drop_su(result, entry.tag)


def _rivals(result: Block, loop: Loop) -> list[Entry]:
    """Entries of the source that hold the same items as a loop of the output, or are its category's table."""
    keys = {names.key(tag) for tag in loop.tags}
    shared = [entry for entry in result.entries if any(names.key(tag) in keys for tag in tags_of(entry))]
    known = "." in loop.tags[0]
    tables = [own for own in result.loops if known and own.category == loop.category and own not in shared]
    return [*shared, *tables]


def _drop_su(result: Block, tag: str) -> None:
    su = result.find(tag + "_su")
    if isinstance(su, Item):
        result.remove_entry(su)


def _take_away(result: Block, entry: Entry, new: Loop) -> None:
    """Remove from another entry of the source what the new loop holds, with its s.u."""
    keys = {names.key(tag) for tag in new.tags}
    keys |= {names.key(tag + "_su") for tag in new.tags}
    if isinstance(entry, Item):
        result.remove_entry(entry)
        _drop_su(result, entry.tag)
        return
    left = [tag for tag in entry.tags if names.key(tag) not in keys]
    if len(left) == len(entry.tags):
        return
    if not left:
        result.remove_entry(entry)
        return
    trimmed = filtered(Block(result.name, [entry]), lambda tag: tag in left)
    result.replace_entry(entry, trimmed.entries[0])


__all__ = ["merge_back", "merged_block", "output_block", "without_invalidated"]
