"""A CIF to read in the notebook: items coloured, long loops and embedded files folded, nothing executed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qcrbox.cif import names
from qcrbox.cif.document import Block, Document, Item
from qcrbox.cif.loop import Loop
from qcrbox.cif.markup import value_shown
from qcrbox.cif.quoting import text_of
from qcrbox.language import counted
from qcrbox.markup import escape
from qcrbox.markup.colours import BUSY, WARN
from qcrbox.widgets.cif_text.item_words import item_words

_LONG_TEXT = 600  # characters of a text field shown unfolded
_LONG_LOOP = 12  # rows of a loop shown unfolded
_MOST_ROWS = 400  # rows shown at all
_MOST_TEXT = 20_000
_MOST_BLOCKS, _MOST_REMARKS = 50, 20
_CSS = (
    "<style>.qcrbox-cif{font-family:var(--jp-code-font-family,monospace);font-size:12px;line-height:1.5;max-height:30em;"
    "overflow:auto;border:1px solid rgba(128,128,128,.35);border-radius:6px;padding:8px 12px}"
    ".qcrbox-cif .t{color:" + BUSY + "}.qcrbox-cif .b{font-weight:700}.qcrbox-cif .q{color:" + WARN + "}"
    ".qcrbox-cif.qcrbox-cif td,.qcrbox-cif.qcrbox-cif th{padding:0 10px 0 0;text-align:left;white-space:nowrap}"
    ".qcrbox-cif summary{cursor:pointer}.qcrbox-cif pre{margin:0;white-space:pre-wrap}</style>"
)
_SU = re.compile(r"^([-+.\d]+)(\(\d+\))$")


def cif_html(document: Document, blocks: Sequence[Block]) -> str:
    """The given blocks of a document as HTML, with the remarks of the reader on the whole file."""
    shown = "".join(_block_html(block, open_=len(blocks) == 1) for block in blocks[:_MOST_BLOCKS])
    if len(blocks) > _MOST_BLOCKS:
        shown += f"<div>… {len(blocks) - _MOST_BLOCKS} more blocks</div>"
    notes = "".join(
        f"<div>⚠ line {escape(remark.line)}: {escape(remark.what)}</div>"
        for remark in document.diagnostics[:_MOST_REMARKS]
    )
    if len(document.diagnostics) > _MOST_REMARKS:
        notes += f"<div>… {len(document.diagnostics) - _MOST_REMARKS} more remarks</div>"
    return f"{_CSS}<div><b>{escape(document.filename)}</b>{notes}</div><div class='qcrbox-cif'>{shown}</div>"


def _block_html(block: Block, *, open_: bool) -> str:
    lines = [_item_html(e) if isinstance(e, Item) else _loop_html(e) for e in block.entries]
    head = f"<summary class='b'>data_{escape(block.name)}</summary>"
    return f"<details{' open' if open_ else ''}>{head}{''.join(lines)}</details>"


def _item_html(item: Item) -> str:
    text = item.text
    tag = f"<span class='t' title='{escape(_dictionary_words(item.tag))}'>{escape(item.tag)}</span>"
    if item.raw in ("?", "."):
        return f"<div>{tag} <span class='q'>{item.raw}</span></div>"
    if "\n" not in text and len(text) <= _LONG_TEXT:
        return f"<div>{tag} {_value_html(item.tag, text, cif2=item.cif2)}</div>"
    lines = text.count("\n") + 1
    body = escape(value_shown(item.tag, text[:_MOST_TEXT], cif2=item.cif2)) + (
        "\n…" if len(text) > _MOST_TEXT else ""
    )
    open_ = " open" if len(text) <= _LONG_TEXT else ""
    return f"<details{open_}><summary>{tag} <i>text, {counted(lines, 'line')}</i></summary><pre>{body}</pre></details>"


def _loop_html(loop: Loop) -> str:
    rows, cells = len(loop), []
    for number, row in enumerate(loop.rows):
        if number == _MOST_ROWS:
            cells.append(f"<tr><td>… {rows - _MOST_ROWS} more rows</td></tr>")
            break
        values = [
            _value_html(tag, text_of(raw, cif2=loop.cif2), cif2=loop.cif2)
            for tag, raw in zip(loop.tags, row, strict=True)
        ]
        cells.append("<tr>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>")
    head = "".join(
        f"<th class='t' scope='col' title='{escape(_dictionary_words(tag))}'>{escape(tag)}</th>"
        for tag in loop.tags
    )
    name = escape(loop.category or loop.tags[0])
    open_ = " open" if rows <= _LONG_LOOP else ""
    return (
        f"<details{open_}><summary>loop_ <span class='t'>{name}</span> <i>{counted(rows, 'row')}</i></summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table></details>"
    )


def _dictionary_words(tag: str) -> str:
    """Meaning and dictionary facts of an item: `length of the cell axis a. _cell.length_a: Real, Å, 0 or more`."""
    known, meaning = names.facts(tag), item_words(tag)
    if known is None:
        return meaning or "not in the dictionaries"
    words = [word for word in (known.contents, "" if known.unit == "none" else known.unit) if word]
    if known.minimum is not None and known.maximum is not None:
        words.append(f"{known.minimum:g} to {known.maximum:g}")
    elif known.minimum is not None:
        words.append(f"{known.minimum:g} or more")
    if known.states:
        words.append("one of " + ", ".join(known.states[:12]))
    facts = f"{known.name}: {', '.join(words)}" if words else known.name
    return f"{meaning}. {facts}" if meaning else facts


def _value_html(tag: str, text: str, *, cif2: bool) -> str:
    """A value as a person reads it; where letter codes stood, the file's own text is its tooltip."""
    match = _SU.match(text)
    if match:
        return f"{escape(match[1])}<span style='opacity:.6'>{escape(match[2])}</span>"
    raw = text[:300]
    shown = value_shown(tag, raw, cif2=cif2)
    words = escape(shown) + ("…" if len(text) > 300 else "")
    return words if shown == raw else f"<span title='{escape(raw)}'>{words}</span>"
