"""Reading, converting and checking CIF.

Reading
    doc = read(source, filename="x.cif")     bytes, text or path; CifError, or on_error="keep"
    doc.blocks, doc["name"], doc[0], doc.find(name) -> Block | None, doc.sole_block()
    doc.diagnostics                          list of Diagnostic(severity, code, what, next, file, block, line, column, tag)
    doc.original, doc.to_bytes()             unchanged text is written back byte for byte
Blocks: every look-up finds any spelling of a name (old, DDLm, letter case), the very spelling first
    block.name, block.tags, block.entries (Item and Loop in file order), block.items, block.loops
    block.get(tag) -> raw | None, block[tag] -> raw (KeyError)      raw = text of the file with its quotes
    block.value(tag) -> Number | str | UNKNOWN | NOT_APPLICABLE | None,  block.text(tag),  block.number(tag)
    block.loop(tag or category) -> Loop | None,  block.column(tag) -> list of raw (item or column)
    block.set(tag, value), block.set_raw(tag, raw), block.add_loop({tag: [raw, ...]}), block.remove(tag)
Loops
    loop.tags, len(loop), tag in loop, loop.column(tag) -> list[str] raw, loop.columns(a, b, c) in one pass
    loop.values(tag), loop.texts(tag), loop.numbers(tag) -> float array, loop.numbers_and_su(tag), loop.rows
    loop.set_cell(row, tag, raw), set_column, drop_column, add_row, keep_rows;  Loop.of({tag: [raw, ...]})
Values
    parse_value(raw), parse_number(text) -> Number(value, su, text) | None, Number.of(value, su)
    split_su("1.234(5)") -> ("1.234", "0.005"), merge_su("1.2345", "0.005") -> "1.234(5)", su_order(0.03) -> -2
    text_of(raw), raw_of(text)               quotes off, quotes on
Names
    names.canonical(tag), names.key(tag) (to compare), names.aliases(tag), names.category(tag)
A new document: Document([Block("name", [Item(tag, raw), Loop.of(...)])]).to_bytes()
"""

from qcrbox.cif.diagnostics import Diagnostic, Severity
from qcrbox.cif.document import Block, Document, Entry, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import raw_of, text_of
from qcrbox.cif.reader import read
from qcrbox.cif.values import (
    NOT_APPLICABLE,
    UNKNOWN,
    Number,
    Value,
    merge_su,
    parse_number,
    parse_value,
    split_su,
    su_order,
)

__all__ = [
    "NOT_APPLICABLE",
    "UNKNOWN",
    "Block",
    "Diagnostic",
    "Document",
    "Entry",
    "Item",
    "Loop",
    "Number",
    "Severity",
    "Value",
    "merge_su",
    "parse_number",
    "parse_value",
    "raw_of",
    "read",
    "split_su",
    "su_order",
    "text_of",
]
