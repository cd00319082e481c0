"""The items of a CIF in sections, and changes of single items, checked before they are taken. Plain."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from qcrbox.contract.errors import UserInputError

from qcrbox_extension.file_model import FileModel

Json = dict[str, Any]
MOST_ROWS = 200
MOST_EDITS = 500
LONGEST_TEXT = 20_000
# First words of item names -> heading of their section, in the order of a paper.
SECTIONS = (
    ("Chemistry", ("chemical",)),
    ("Cell and symmetry", ("cell", "space", "symmetry")),
    ("Crystal", ("exptl",)),
    ("Data collection", ("diffrn", "reflns")),
    ("Refinement", ("refine", "computing", "atom", "iucr")),
    ("Geometry", ("geom",)),
    ("Reflections", ("refln", "shelx")),
    ("Publication and record", ("audit", "publ", "journal", "citation", "database", "software", "qcrbox")),
)
_OTHER = "Other items"
# All but tabulator and ends of lines.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Units as the dictionaries name them, as a person reads them.
_UNITS = {
    "none": "",
    "angstroms": "Å",
    "angstrom_squared": "Å²",
    "angstroms_squared": "Å²",
    "angstrom_cubed": "Å³",
    "degrees": "°",
    "kelvins": "K",
    "kilopascals": "kPa",
    "kelvins_per_minute": "K min⁻¹",
    "megagrams_per_metre_cubed": "Mg m⁻³",
    "millimetres": "mm",
    "per_millimetre": "mm⁻¹",
    "reciprocal_angstroms": "Å⁻¹",
    "reciprocal_angstrom": "Å⁻¹",
    "electrons": "e",
    "electrons_per_angstrom_cubed": "e Å⁻³",
    "dalton": "Da",
    "daltons": "Da",
    "minutes": "min",
    "seconds": "s",
}


def items(file: FileModel, fcf: FileModel | None = None) -> Json:
    """Blocks with their items by section; long texts and loops are cut, and say so."""
    return {"blocks": [_block(block) for block in file.document.blocks[:50]]}


def _block(block: Any) -> Json:
    # Start-up time: the CIF reader is loaded with the first file.
    from qcrbox.cif.document import Item

    sections: dict[str, list[Json]] = {}
    for entry in block.entries:
        shown = _item(entry) if isinstance(entry, Item) else _loop(entry)
        sections.setdefault(_section_of(shown["tag"]), []).append(shown)
    order = [heading for heading, _ in SECTIONS] + [_OTHER]
    return {
        "name": block.name,
        "sections": [{"heading": h, "entries": sections[h]} for h in order if h in sections],
    }


def _section_of(tag: str) -> str:
    first = tag.lstrip("_").replace(".", "_").partition("_")[0].lower()
    return next((heading for heading, words in SECTIONS if first in words), _OTHER)


def _item(item: Any) -> Json:
    # Start-up time: as above.
    from qcrbox.cif import names
    from qcrbox.cif.markup import value_shown
    from qcrbox.widgets.cif_text.item_words import item_words

    known = names.facts(item.tag)
    unknown = item.raw in ("?", ".")
    value = item.raw if unknown else item.text[:LONGEST_TEXT]
    return {
        "tag": item.tag,
        "value": value,
        "read": value_shown(item.tag, value, cif2=item.cif2),
        "cut": not unknown and len(item.text) > LONGEST_TEXT,
        "unit": _UNITS.get(known.unit, known.unit.replace("_", " ")) if known else "",
        "words": item_words(item.tag),
        "choices": list(known.states) if known else [],
    }


def _loop(loop: Any) -> Json:
    # Start-up time: as above.
    from qcrbox.cif.markup import value_shown
    from qcrbox.cif.quoting import text_of

    def text(raw: str) -> str:
        # Without its quotes: a change is quoted anew.
        return raw if raw in ("?", ".") else text_of(raw, cif2=loop.cif2)[:300]

    rows = [[text(str(cell)) for cell in row] for row in islice(loop.rows, MOST_ROWS)]
    read = [
        [value_shown(tag, cell, cif2=loop.cif2) for tag, cell in zip(loop.tags, row, strict=True)]
        for row in rows
    ]
    # As a person reads the cells, where that differs from how they are written.
    texts = {} if read == rows else {"texts": read}
    return {"tag": loop.tags[0], "tags": list(loop.tags), "rows": rows, **texts, "total": len(loop)}


def edited(file: FileModel, edits: list[Json]) -> Json:
    """The file with some items changed, and what a dictionary check says of these items.

    edits: `{"block", "tag", "value"}` for an item, with `row` for a cell of a loop; everything else stays byte for byte.
    Raises UserInputError for an edit that cannot be made, CifError for a value that no CIF can hold.
    """
    # Start-up time: as above.
    from qcrbox.cif import read
    from qcrbox.cif.check import check

    if len(edits) > MOST_EDITS:
        raise UserInputError(f"At most {MOST_EDITS} items can be changed at once.")
    document = read(file.content, filename=file.filename, on_error="keep")
    tags = set()
    for edit in edits:
        _apply(document, edit)
        tags.add(str(edit.get("tag", "")).lower())
    content = document.to_bytes()
    remarks = [
        {"line": remark.line, "tag": remark.tag, "text": f"{remark.tag}: {remark.what}"}
        for remark in check(content, filename=file.filename)
        if remark.tag.lower() in tags
    ]
    return {"content": content, "remarks": remarks[:50]}


def _apply(document: Any, edit: Json) -> None:
    # Start-up time: as above.
    from qcrbox.cif.document import raw_value

    name, tag, value = str(edit.get("block", "")), str(edit.get("tag", "")), str(edit.get("value", ""))
    block = document.find(name)
    if block is None or not tag.startswith("_"):
        raise UserInputError(f"There is no item {tag[:80]!r} in block {name[:80]!r}.")
    if _CONTROL.search(value):
        raise UserInputError(
            f"The value of {tag[:80]} holds a control character, which no CIF can hold.",
            next="Type it again.",
        )
    raw = value if value in ("?", ".") else raw_value(value, cif2=block.cif2)
    row = edit.get("row")
    if row is None:
        block.set_raw(tag, raw)
        return
    loop = block.find(tag)
    if loop is None or not hasattr(loop, "set_cell") or not 0 <= int(row) < len(loop):
        raise UserInputError(f"{tag[:80]} has no row {row}.")
    loop.set_cell(int(row), tag, raw)
