"""Unified CIF: one block, canonical names, values and s.u. apart."""

from __future__ import annotations

from collections.abc import Sequence

from qcrbox.cif.convert.columns import renamed, transformed
from qcrbox.cif.convert.entries import DEFAULT_CATEGORIES
from qcrbox.cif.convert.names_clash import without_clashes
from qcrbox.cif.convert.result import Conversion, Source, as_document, chosen_block
from qcrbox.cif.convert.spelling import unified_name, with_names_of
from qcrbox.cif.convert.su import TagTest, split_block
from qcrbox.cif.detect import is_cif
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Document, Entry, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import is_bare, raw_of, text_of


def unify(
    source: Source,
    *,
    custom_categories: Sequence[str] | None = None,
    split_su: bool = True,
    convert_names: bool = True,
    block: str | int | None = None,
    filename: str = "",
) -> Conversion:
    """A CIF in any dialect as unified CIF. Unknown items are kept as they are written.

    `custom_categories` is None for the usual ones (iucr, shelx, olex2, oxdiff, qcrbox); an empty list means
    none. `block` is a name or position; by default the first block with content.
    Raises CifError when the source cannot be read.
    """
    document = as_document(source, filename)
    warnings: list[Diagnostic] = []
    chosen = chosen_block(document, block, warnings)
    unified = unified_block(
        chosen,
        DEFAULT_CATEGORIES if custom_categories is None else custom_categories,
        warnings,
        split_su=split_su,
        convert_names=convert_names,
    )
    remarks = [*document.diagnostics, *with_names_of([document], warnings)]
    return Conversion(Document([unified], cif2=unified.cif2, filename=document.filename), remarks)


def unify_if_cif(content: bytes, *, filename: str = "") -> bytes:
    """Unified bytes of a CIF; anything else is returned unchanged. Raises CifError for a broken CIF."""
    return unify(content, filename=filename).bytes if is_cif(content) else content


def unified_block(
    block: Block,
    custom_categories: Sequence[str],
    warnings: list[Diagnostic],
    *,
    split_su: bool = True,
    convert_names: bool = True,
    keeps_brackets: TagTest | None = None,
) -> Block:
    """One block unified. Order is kept; a loop stands where it stood. `keeps_brackets` as in `split_block`."""
    block = as_cif1(block)
    if convert_names:
        block = without_clashes(block, lambda tag: unified_name(tag, custom_categories), warnings)
    if not split_su:
        return block
    return split_block(block, warnings, keeps_brackets) if keeps_brackets else split_block(block, warnings)


def as_cif1(block: Block) -> Block:
    """A copy of a block, in the quoting of CIF 1.1 unless it holds lists or tables, which only CIF 2 has."""
    if not block.cif2:
        return Block(block.name, [_copied(entry) for entry in block.entries])
    if any(_is_composite(raw) for entry in block.entries for raw in _raws(entry)):
        return Block(block.name, [_copied(entry) for entry in block.entries], cif2=True)
    return Block(block.name, [_requoted(entry, from_cif2=True) for entry in block.entries])


def as_cif2(block: Block) -> Block:
    """A copy of a block in the quoting of CIF 2."""
    if block.cif2:
        return block
    return Block(block.name, [_requoted(entry, from_cif2=False) for entry in block.entries], cif2=True)


def _copied(entry: Entry) -> Entry:
    if isinstance(entry, Loop):
        return renamed(entry, entry.tags)
    new = entry.copy()
    raw = new.raw
    if raw[:1] == ";" and "\n;" in raw[:-2]:
        # A line of text that begins with ; would end the text for other readers.
        return Item(new.tag, raw_of(text_of(raw)), cif2=new.cif2)
    return new


def _raws(entry: Entry) -> list[str]:
    if isinstance(entry, Item):
        return [entry.raw]
    return [cell for piece in entry.pieces() for cell in piece]


def _is_composite(raw: str) -> bool:
    return raw[:1] in ("[", "{")


def _requoted(entry: Entry, *, from_cif2: bool) -> Entry:
    if isinstance(entry, Item):
        return Item(entry.tag, _other_quoting(entry.raw, from_cif2), cif2=not from_cif2)
    return transformed(
        entry,
        entry.tags,
        lambda columns: [[_other_quoting(cell, from_cif2) for cell in column] for column in columns],
        cif2=not from_cif2,
    )


def _other_quoting(raw: str, from_cif2: bool) -> str:
    """A value in the quoting of the other version. Quoted numbers stay quoted: they were texts."""
    first = raw[0]
    if first not in "'\";" or (first == ";" and "\n" not in raw):
        if from_cif2 or is_bare(raw, cif2=True):
            return raw
        return raw_of(raw, cif2=True)
    text = text_of(raw, cif2=from_cif2)
    new = raw_of(text, cif2=not from_cif2)
    return f"'{new}'" if new == text else new
