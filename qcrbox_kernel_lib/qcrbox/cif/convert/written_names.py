"""A stored result as its author would write it: names spelled as in the input, s.u. in brackets, nothing lost.

Results are stored unified (`_cell.length_b` and `_cell.length_b_su`). People read and take away the spelling of the
file that the result descends from; items that this file has not get the classic names that journals take.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, get_args

from qcrbox.cif.convert.entries import DEFAULT_CATEGORIES
from qcrbox.cif.convert.specific import respelled
from qcrbox.cif.convert.spelling import Spelling
from qcrbox.cif.convert.su import bracketed, merge_block
from qcrbox.cif.convert.unify import unified_block
from qcrbox.cif.document import Block, Document
from qcrbox.cif.quoting import text_of
from qcrbox.cif.reader import read
from qcrbox.cif.values import value_and_su
from qcrbox.contract.errors import UserInputError

Names = Literal["as written", "unified"]
_NO_SU = frozenset({"?", ".", "0"})


def checked_names(wanted: str) -> Names:
    """The option `names` of what saves a CIF. Raises UserInputError for another word."""
    for known in get_args(Names):
        if wanted == known:
            return known
    raise UserInputError(
        f"There are no names {wanted!r}.",
        next='Use "as written" (the author\'s spelling) or "unified" (as it is stored).',
    )


def as_written(content: bytes, like: Sequence[bytes] = (), filename: str = "") -> bytes:
    """A unified CIF in the spelling of the files `like`, with s.u. in brackets. Raises CifError for a broken CIF.

    Unifying it again gives the same items, values and s.u. (0, `.` and `?` all say that there is no s.u.). A file with
    nothing to spell otherwise, or with parts that are skipped on reading, is returned as it is.
    """
    document = read(content, filename=filename)
    if document.diagnostics or not any("." in tag for block in document.blocks for tag in block.tags):
        return content
    spelling = Spelling.of(read(file, on_error="keep") for file in like)
    blocks = [respelled(with_brackets(block), spelling) for block in document.blocks]
    return Document(blocks, cif2=document.cif2, filename=filename).to_bytes()


def with_brackets(block: Block) -> Block:
    """The block with all digits of each s.u. in brackets; an s.u. that would not come back the same stays apart."""
    su_tags = [tag for tag in block.tags if tag.lower().endswith("_su") and block.find(tag[:-3]) is not None]
    if not su_tags:
        return block
    again = unified_block(merge_block(block, merge=_exact), DEFAULT_CATEGORIES, [])
    apart = {
        tag.lower()
        for tag in su_tags
        if not _same(block.column(tag[:-3]), again.column(tag[:-3]))
        or not _same(block.column(tag), again.column(tag), of_su=True)
    }
    return merge_block(block, lambda tag: tag.lower() in apart, merge=_exact)


def _exact(value: str, su: str) -> str:
    return bracketed(value, su) if _is_plain(value) and _is_plain(su) else value


def _is_plain(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit() and value_and_su(text) is not None


def _same(before: list[str], after: list[str], *, of_su: bool = False) -> bool:
    if before == after:
        return True
    return len(before) == len(after) and all(
        a == b or _value(a, of_su) == _value(b, of_su) for a, b in zip(before, after, strict=True)
    )


def _value(raw: str, of_su: bool) -> Decimal | str:
    if of_su and raw in _NO_SU:
        return Decimal(0)
    text = text_of(raw)
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
