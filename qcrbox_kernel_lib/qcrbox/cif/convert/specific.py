"""Specific CIF: the chosen items only, spelled as a command requests them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from qcrbox.cif import names
from qcrbox.cif.convert.classic_names import classic_name
from qcrbox.cif.convert.columns import selected
from qcrbox.cif.convert.entries import DDL1, InputEntries, Wanted, collect, first_present, shown_choice
from qcrbox.cif.convert.names_clash import rank
from qcrbox.cif.convert.result import Conversion, Source, as_document, chosen_block, warning
from qcrbox.cif.convert.spelling import unified_name, with_names_of
from qcrbox.cif.convert.su import TagTest, merge_block, split_block
from qcrbox.cif.convert.unify import unified_block
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Document, Entry, Item, tags_of
from qcrbox.cif.loop import Loop
from qcrbox.contract.errors import CifError, MissingItemsError


def specific(
    source: Source, entries: InputEntries, *, block: str | int | None = None, filename: str = ""
) -> Conversion:
    """The CIF that one command reads, from a source in any dialect.

    Order is that of the source; names are spelled as requested. Without entries, or with `all_unified`, it is
    the whole file: items that are requested besides are spelled so, the others by the dialect (unified, or
    classic with `ddl1`). Raises MissingItemsError that lists every required entry the file lacks, SpecError
    for unknown entry sets, CifError for a broken source.
    """
    wanted = collect(entries)
    document = as_document(source, filename)
    warnings: list[Diagnostic] = []
    unified = unified_block(
        chosen_block(document, block, warnings),
        entries.custom_categories,
        warnings,
        # Brackets that would be merged again stay as their author wrote them.
        keeps_brackets=_su_not_asked_for(wanted, entries) if entries.merge_su else None,
    )
    if entries.is_empty or wanted.everything or _nothing(wanted):
        result = _whole(unified, wanted, entries)
    else:
        chosen = _choose(unified, wanted, entries, document.filename)
        warnings += _unknown_values(unified, chosen)
        result = _written(unified, chosen, entries.merge_su)
    remarks = [*document.diagnostics, *with_names_of([document], warnings)]
    return Conversion(Document([result], cif2=result.cif2, filename=document.filename), remarks)


def _su_not_asked_for(wanted: Wanted, entries: InputEntries) -> TagTest:
    asked = {names.key(unified_name(name, entries.custom_categories)) for name in wanted.names}
    return lambda tag: names.key(tag) + "_su" not in asked


def _nothing(wanted: Wanted) -> bool:
    """All lists present but empty."""
    return not (wanted.required or wanted.optional or wanted.required_choices or wanted.optional_choices)


@dataclass
class Chosen:
    """Requested spellings by unified name, and the names that were required."""

    spellings: dict[str, list[str]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)

    def add(self, found: str, requested: str) -> None:
        """Record that an item is requested under the spelling `requested`."""
        own = self.spellings.setdefault(found, [])
        if requested not in own:
            own.append(requested)


def found_name(block: Block, requested: str, custom_categories: tuple[str, ...] | list[str]) -> str | None:
    """The name in a unified block that a request means, None when it is not there.

    The very spelling first: of two spellings with different values both are kept, and each can be asked for.
    """
    own = block.written_as(requested)
    if own is not None and own.lower() == requested.lower():
        return own
    return block.written_as(unified_name(requested, custom_categories)) or own


def _choose(block: Block, wanted: Wanted, entries: InputEntries, filename: str) -> Chosen:
    custom = tuple(entries.custom_categories)
    chosen = Chosen()
    missing: dict[str, str] = {}  # as requested, and as shown

    def is_present(name: str) -> bool:
        return found_name(block, name, custom) is not None

    for name in wanted.required:
        found = found_name(block, name, custom)
        if found is None:
            missing[name] = _shown(name, custom)
        else:
            chosen.add(found, name)
            chosen.required.append(name)
    for alternatives in wanted.required_choices:
        members = first_present(alternatives, is_present)
        if members is None:
            missing[shown_choice(alternatives)] = shown_choice(alternatives)
        for name in members or ():
            chosen.add(found_name(block, name, custom) or name, name)
            chosen.required.append(name)
    if missing:
        raise _missing(missing, block, filename)
    optional = list(wanted.optional)
    for alternatives in wanted.optional_choices:
        optional += first_present(alternatives, is_present) or []
    for name in optional:
        found = found_name(block, name, custom)
        if found is not None:
            chosen.add(found, name)
    return chosen


def _shown(name: str, custom: tuple[str, ...]) -> str:
    unified = unified_name(name, custom)
    return name if unified == name else f"{name} ({unified})"


def _missing(missing: dict[str, str], block: Block, filename: str) -> MissingItemsError:
    return MissingItemsError(
        f"The command needs {len(missing)} CIF {'item' if len(missing) == 1 else 'items'} that the file has not: "
        f"{', '.join(missing.values())}.",
        where=", ".join(part for part in (filename, f"block {block.name}") if part),
        next="Choose a file that has them, or run a command that makes them.",
        items=list(missing),
        block=block.name,
    )


def _unknown_values(block: Block, chosen: Chosen) -> list[Diagnostic]:
    """Required items whose value is unknown."""
    required = set(chosen.required)
    remarks: list[Diagnostic] = []
    for found, spellings in chosen.spellings.items():
        asked = [name for name in spellings if name in required]
        if not asked:
            continue
        entry = block.find(found)
        raws = {entry.raw} if isinstance(entry, Item) else _distinct_values(entry, found)
        if raws and raws <= {"?", "."}:
            remarks.append(
                warning(
                    "required-unknown",
                    f"{asked[0]} is required and present, but its value is {' or '.join(sorted(raws))}.",
                    block.name,
                    tag=found,
                )
            )
    return remarks


def _distinct_values(entry: Entry | None, tag: str) -> set[str]:
    assert isinstance(entry, Loop)
    position = entry.tags.index(tag)
    distinct: set[str] = set()
    for piece in entry.pieces():
        distinct.update(piece[position :: len(entry.tags)])
        if len(distinct) > 2:
            break
    return distinct


def _whole(block: Block, wanted: Wanted, entries: InputEntries) -> Block:
    """The whole block; items requested besides `all_unified` are spelled as requested."""
    custom = tuple(entries.custom_categories)
    spellings: dict[str, list[str]] = {}
    for name in wanted.names:
        found = found_name(block, name, custom)
        if found is not None and name not in spellings.setdefault(found.lower(), []):
            spellings[found.lower()].append(name)
    if entries.merge_su:
        block = merge_block(block, lambda su_tag: su_tag.lower() in spellings)
    if entries.dialect == DDL1:
        return respelled(block, classic_name, spellings)
    return respelled(block, lambda tag: tag, spellings) if spellings else block


def respelled(
    block: Block, spell: Callable[[str], str], requested: Mapping[str, Sequence[str]] | None = None
) -> Block:
    """A block under other names: those requested for a name (in lower case), else what `spell` makes of it.

    Where two items would get one name, the one that is nearest to its canonical name gets it; a name that another item
    has already is not given away.
    """
    requested = requested or {}
    taken = {name.lower() for spellings in requested.values() for name in spellings}
    free = [tag for tag in block.tags if tag.lower() not in requested]
    own = {tag.lower() for tag in free}
    new: dict[str, str] = {}
    for tag in sorted(free, key=lambda tag: rank(tag, names.canonical(tag))):
        name = spell(tag)
        lower = name.lower()
        is_given = lower in taken or (lower in own and lower != tag.lower())
        new[tag] = tag if is_given else name
        taken.add(new[tag].lower())
    entries: list[Entry] = []
    for entry in block.entries:
        pairs = [
            (index, name)
            for index, tag in enumerate(tags_of(entry))
            for name in requested.get(tag.lower()) or (new[tag],)
        ]
        if isinstance(entry, Item):
            entries += [entry.copy(name) for _, name in pairs]
        else:
            entries.append(selected(entry, [index for index, _ in pairs], [name for _, name in pairs]))
    return Block(block.name, entries, cif2=block.cif2)


def _written(block: Block, chosen: Chosen, merge: bool) -> Block:
    """The chosen entries under the requested spellings, in the order of the source."""
    spellings = {tag.lower(): names_asked for tag, names_asked in chosen.spellings.items()}
    if merge:
        # Values whose s.u. is not asked for need it beside them until it is merged.
        block = merge_block(_thinned(block, spellings), lambda su_tag: su_tag.lower() in spellings)
    entries: list[Entry] = []
    for entry in block.entries:
        if isinstance(entry, Item):
            entries += [entry.copy(name) for name in spellings.get(entry.tag.lower(), ())]
            continue
        indices: list[int] = []
        tags: list[str] = []
        for index, tag in enumerate(entry.tags):
            for name in spellings.get(tag.lower(), ()):
                indices.append(index)
                tags.append(name)
        if indices:
            entries.append(selected(entry, indices, tags))
    return Block(block.name, entries, cif2=block.cif2)


def _thinned(block: Block, spellings: dict[str, list[str]]) -> Block:
    """The requested items and their s.u."""

    def stays(tag: str) -> bool:
        lower = tag.lower()
        return lower in spellings or (lower.endswith("_su") and lower[:-3] in spellings)

    entries: list[Entry] = []
    for entry in block.entries:
        indices = [index for index, tag in enumerate(tags_of(entry)) if stays(tag)]
        if isinstance(entry, Item):
            entries += [entry] if indices else []
        elif indices:
            entries.append(selected(entry, indices, [entry.tags[index] for index in indices]))
    return Block(block.name, entries, cif2=block.cif2)


# Questions before a run


def missing_entries(
    source: Source, entries: InputEntries, *, block: str | int | None = None, filename: str = ""
) -> list[str]:
    """The required entries that this file lacks, as requested, in any dialect."""
    try:
        specific_check(as_document(source, filename), entries, block)
    except MissingItemsError as error:
        return error.items
    return []


def specific_check(document: Document, entries: InputEntries, block: str | int | None = None) -> None:
    """Raises MissingItemsError as `specific` would, without converting any value."""
    wanted = collect(entries)
    if wanted.everything:
        return
    unified = unified_block(chosen_block(document, block, []), entries.custom_categories, [], split_su=False)
    _choose(_with_split_names(unified, wanted), wanted, entries, document.filename)


def _with_split_names(block: Block, wanted: Wanted) -> Block:
    """Splitting makes `_su` items; it is done only when one is requested."""
    if not any(names.key(name).endswith("_su") for name in wanted.names):
        return block
    return split_block(block, [])


def can_run(
    source: Source, entries: InputEntries | None, *, block: str | int | None = None, filename: str = ""
) -> bool:
    """Whether a command finds all it requires in a file of any dialect; true when it takes no CIF.

    A file that is not a readable CIF answers false.
    """
    if entries is None:
        return True
    try:
        return not missing_entries(source, entries, block=block, filename=filename)
    except CifError:
        return False
