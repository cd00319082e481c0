"""A CIF as most programs read it: classic names, s.u. in brackets, ASCII.

Stored CIFs are unified (`_cell.length_a` and `_cell.length_a_su`); older programs only read `_cell_length_a 5.123(4)`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from qcrbox.cif.convert.classic_names import classic_name
from qcrbox.cif.convert.entries import DEFAULT_CATEGORIES
from qcrbox.cif.convert.specific import respelled
from qcrbox.cif.convert.su import as_written, merge_block
from qcrbox.cif.convert.unify import unified_block
from qcrbox.cif.document import Block, Document, Item
from qcrbox.cif.markup import coded
from qcrbox.cif.quoting import raw_of, text_of
from qcrbox.cif.reader import read


def conventional_document(
    block: Block, filename: str = "", *, spell: Callable[[str], str] = classic_name
) -> Document:
    """The block as a document, in classic names (or those of `spell`) and with s.u. in brackets.

    Digits stay those of the author: a value that was never refined is not rounded.
    """
    unified = unified_block(block, DEFAULT_CATEGORIES, [], keeps_brackets=lambda tag: True)
    merged = merge_block(unified, _is_of_reflections, merge=as_written)
    return Document([respelled(merged, spell)], cif2=merged.cif2, filename=filename)


def _is_of_reflections(tag: str) -> bool:
    """Whether an s.u. stays in a column of its own: programs read reflections as SHELXL writes them, and the core dictionary
    allows no brackets there."""
    return tag.lower().startswith(("_refln.", "_diffrn_refln."))


# Where an article has another sign than a CIF, or none of the codes of CIF (see `markup`) fits.
_SIGNS = {
    "−": "-",
    "–": "-",
    "’": "'",
    "‘": "'",
    "′": "'",
    "″": "''",
    "‐": "-",
    "\u2011": "-",
    "“": '"',
    "”": '"',
    "…": "...",
    "\u00a0": " ",
}
_RAISED = {"<super>": "^", "<sub>": "~"}


def ascii_document(document: Document) -> str:
    """The document as text in ASCII, see `ascii_text`. Values whose letters change are quoted anew.

    An apostrophe that becomes ' before a blank would end the value that it stands in.
    """
    text = document.text
    if text.isascii():
        return text
    copy = read(text.encode(), filename=document.filename)
    for block in copy.blocks:
        for entry in block.entries:
            if isinstance(entry, Item):
                if not entry.raw.isascii():
                    entry.raw = _ascii_raw(entry.raw, entry.cif2)
                continue
            for tag in entry.tags:
                column = entry.column(tag)
                if not all(map(str.isascii, column)):
                    entry.set_column(tag, [_ascii_raw(raw, block.cif2) for raw in column])
    return ascii_text(copy.text)


def _ascii_raw(raw: str, cif2: bool) -> str:
    is_list = cif2 and raw[:1] in "[{"
    return (
        raw
        if raw.isascii()
        else ascii_text(raw)
        if is_list
        else raw_of(ascii_text(text_of(raw, cif2=cif2)), cif2=cif2)
    )


def ascii_text(text: str) -> str:
    """CIF 1.1 is ASCII: other letters in its markup (`\\a` for α, `\\"u` for ü), the rest as `?`."""
    if text.isascii():
        return text
    made = "".join(_marked(char) for char in unicodedata.normalize("NFC", text))
    # Signs that are raised one by one: 10⁻¹² is 10^-12^.
    return made.replace("^^", "").replace("~~", "")


def _marked(char: str) -> str:
    if char.isascii():
        return char
    if char in _SIGNS:
        return _SIGNS[char]
    how, *codes = unicodedata.decomposition(char).split()[:2] or [""]
    if how in _RAISED and codes:
        # `m⁻³` is m^-3^ in CIF.
        return f"{_RAISED[how]}{_marked(chr(int(codes[0], 16)))}{_RAISED[how]}"
    made = coded(unicodedata.normalize("NFKC", char))
    return made if made.isascii() else "?"
