"""After a command ran: its output put into the CIF it started from."""

from __future__ import annotations

import re

from qcrbox.cif.convert.block_merge import merged_block
from qcrbox.cif.convert.entries import OutputEntries, Wanted, collect, first_present, shown_choice
from qcrbox.cif.convert.patterns import NameMatcher
from qcrbox.cif.convert.result import Conversion, Source, as_document, chosen_block, warning
from qcrbox.cif.convert.spelling import with_names_of
from qcrbox.cif.convert.trim import filtered
from qcrbox.cif.convert.unify import unified_block
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Document
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
    """Merge the output of a command into the unified source: the output takes precedence, other items are kept.

    Without source the result is the unified output alone. Raises MissingItemsError when required entries are
    not in the output (a warning with `entries.missing_is_warning`), CifError when a file cannot be read or there is no such output block, SpecError for
    unknown entry sets.
    """
    written = as_document(output, filename)
    warnings: list[Diagnostic] = []
    block = output_block(written, entries.output_block)
    trimmed = _trimmed(block, entries, warnings, written.filename)
    new = unified_block(trimmed, entries.custom_categories, warnings)
    if source is None:
        remarks = [*written.diagnostics, *with_names_of([written], warnings)]
        return _checked(new, remarks, written.filename)
    started = as_document(source)
    old = unified_block(chosen_block(started, source_block, warnings), entries.custom_categories, warnings)
    old = without_invalidated(old, entries, warnings)
    merged = merged_block(old, new, warnings)
    remarks = [*written.diagnostics, *with_names_of([started, written], warnings)]
    return _checked(merged, remarks, started.filename)


def output_block(document: Document, wanted: str | int) -> Block:
    """A block by name, else by position; CifError when there is neither."""
    for block in document.blocks:
        if block.name == str(wanted):
            return block
    found = document.find(str(wanted))
    if found is None and re.fullmatch(r"-?[0-9]{1,9}", str(wanted)):
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
    remarks = list(dict.fromkeys(warnings))  # source and output may deserve the same one
    conversion = Conversion(Document([block], cif2=block.cif2, filename=filename), remarks)
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
        _require(wanted, known, entries, filename, warnings)
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
    _require(wanted, known, entries, filename, warnings)
    return filtered(known, lambda tag: tag in chosen)


def _first_choice(alternatives: list[list[str]], tags: list[str], entries: OutputEntries) -> list[str] | None:
    return first_present(
        alternatives, lambda name: bool(NameMatcher(name, entries.custom_categories).chosen(tags))
    )


def _require(
    wanted: Wanted, block: Block, entries: OutputEntries, filename: str, warnings: list[Diagnostic]
) -> None:
    tags = block.tags
    missing = [
        entry
        for entry in wanted.required
        if entry != "all_unified" and not NameMatcher(entry, entries.custom_categories).chosen(tags)
    ]
    missing += [
        shown_choice(choice) for choice in wanted.required_choices if not _first_choice(choice, tags, entries)
    ]
    if not missing:
        return
    text = f"The program did not write what its spec promises: {', '.join(missing)}."
    if entries.missing_is_warning:
        warnings.append(warning("missing-items", text, block.name))
    else:
        raise MissingItemsError(
            text,
            where=", ".join(part for part in (filename, f"block {block.name}") if part),
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
