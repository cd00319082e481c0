"""Names of items: in unified CIF, as the authors of files spell them, and in the remarks of conversions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from qcrbox.cif import names
from qcrbox.cif.convert.classic_names import classic_name
from qcrbox.cif.convert.entries import DEFAULT_CATEGORIES
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Document

# The name of an item with a point in a sentence; the point may end the sentence as well.
_WITH_POINT = re.compile(r"(?<![\w.])_\w[\w./%\[\]-]*\.[\w./%\[\]-]*[\w%\]]")
# Remarks about two spellings of one item, or about names in the spec of an application.
_KEPT_SPELLINGS = ("two-spellings", "missing-items", "bad-pattern")


def unified_name(tag: str, custom_categories: Sequence[str] = ()) -> str:
    """The name of an item in unified CIF.

    The first custom category that matches wins over the dictionary; it must be followed by `_` or `.`. A name that has its
    point farther on, such as `_qcrbox_afix.code`, is of a category of its own.
    """
    tag = names.mended(tag)
    for category in custom_categories:
        size = len(category) + 1
        if tag[size : size + 1] == "_" and "." in tag:
            continue
        if tag.startswith(f"_{category}") and tag[size : size + 1] in ("_", ".") and len(tag) > size + 1:
            return f"_{category}.{tag[size + 1 :]}"
    return names.canonical(tag)


class Spelling:
    """The names of files in the order given: of an item that several name, the first spelling counts.

    Where the files have an item in no spelling it gets its classic name (`_cell_length_b`), or keeps the name with a
    point when every dictionary name in the files has one.
    """

    def __init__(self, tags: Iterable[str] = ()) -> None:
        self._written: dict[str, str] = {}
        known, pointed = 0, 0
        for tag in tags:
            self._written.setdefault(_unified(tag).lower(), tag)
            if names.is_known(tag):
                known, pointed = known + 1, pointed + ("." in tag)
        self._has_points = known > 0 and known == pointed

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Spelling:
        """The spelling of whole files."""
        return cls(tag for document in documents for block in document.blocks for tag in block.tags)

    def __call__(self, tag: str) -> str:
        """The spelling of a unified name; always one that unifies to this name again."""
        lower = tag.lower()
        written = self._written.get(lower)
        if written is None and lower.endswith("_su") and lower[:-3] in self._written:
            written = f"{self._written[lower[:-3]]}_su"
        spelled = written or (tag if self._has_points else classic_name(tag))
        return spelled if _unified(spelled) == tag else tag


def with_names_of(files: Iterable[Document], remarks: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Remarks of a conversion with the names that items have in these files; classic names for other items."""
    if not remarks:
        return []
    spelling = Spelling.of(files)

    def respelled(text: str) -> str:
        return _WITH_POINT.sub(lambda found: spelling(found.group()), text)

    return [
        remark
        if remark.code in _KEPT_SPELLINGS
        else replace(remark, what=respelled(remark.what), tag=respelled(remark.tag))
        for remark in remarks
    ]


def _unified(tag: str) -> str:
    return unified_name(tag, DEFAULT_CATEGORIES)
