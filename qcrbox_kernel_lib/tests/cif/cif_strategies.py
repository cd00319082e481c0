"""Hypothesis strategies for CIF documents, and what two documents have in common."""

from __future__ import annotations

from hypothesis import strategies as st
from qcrbox.cif import Block, Document, Item, Loop, raw_of, text_of
from qcrbox.cif.document import Entry

# Line ends are LF in memory; NUL and Ctrl-Z at the very end of a file would be taken for an old DOS ending.
TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from(list(" \n;'\"#_[]{}$\\?.:()ab1\t")),
        st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")),
    ),
    max_size=30,
)
NAMES = st.from_regex(r"_[a-z][a-z0-9_]{0,8}", fullmatch=True)
NUMBERS = st.from_regex(r"-?[0-9]{1,3}\.[0-9]{0,4}(\([0-9]{1,2}\))?", fullmatch=True)


def raws(cif2: bool) -> st.SearchStrategy[str]:
    """Raw values of every kind."""
    return st.one_of(TEXT.map(lambda text: raw_of(text, cif2=cif2)), st.sampled_from(["?", "."]), NUMBERS)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents with items and loops of all kinds of values, in CIF 1.1 or CIF 2."""
    cif2 = draw(st.booleans())
    tags = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    entries: list[Entry] = []
    while tags:
        if draw(st.booleans()):
            entries.append(Item(tags.pop(), draw(raws(cif2)), cif2=cif2))
            continue
        width = draw(st.integers(1, len(tags)))
        rows = draw(st.integers(1, 4))
        columns = {tags.pop(): [draw(raws(cif2)) for _ in range(rows)] for _ in range(width)}
        loop = Loop.of(columns)
        loop.cif2 = cif2
        entries.append(loop)
    return Document([Block("x", entries, cif2=cif2)], cif2=cif2)


def content(document: Document) -> list[object]:
    """Names and values of a document, whatever their quoting; loops without rows last, as they are written."""
    blocks: list[object] = []
    for block in document:
        entries: list[tuple[bool, object]] = []
        for entry in block.entries:
            if isinstance(entry, Item):
                entries.append((False, (entry.tag, entry.value)))
            else:
                rows = [[_meaning(cell, entry.cif2) for cell in row] for row in entry.rows]
                entries.append((not rows, (tuple(entry.tags), rows)))
        blocks.append((block.name, [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]))
    return blocks


def _meaning(raw: str, cif2: bool) -> tuple[str, bool]:
    return text_of(raw, cif2=cif2), raw in ("?", ".")
