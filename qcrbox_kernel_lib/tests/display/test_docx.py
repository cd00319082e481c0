"""Word documents, read by python-docx."""

from __future__ import annotations

import io

import docx
import pytest
from qcrbox.display.docx import docx_bytes
from qcrbox.markup import Table


def opened(*tables):
    return docx.Document(io.BytesIO(docx_bytes(tables)))


def test_tables_come_with_heading_and_footnote_in_order():
    document = opened(
        Table(("bond", "length"), [("C1–C2", "1.532(4)")], title="Bonds / Å", caption="(i) -x, y, z"),
        Table(("angle", "value"), [], title="Angles / °"),
    )
    assert [paragraph.text for paragraph in document.paragraphs] == [
        "Bonds / Å",
        "(i) -x, y, z",
        "Angles / °",
        "",
    ]
    assert document.paragraphs[0].runs[0].bold
    first, second = document.tables
    assert [[cell.text for cell in row.cells] for row in first.rows] == [
        ["bond", "length"],
        ["C1–C2", "1.532(4)"],
    ]
    assert len(second.rows) == 1


def test_heads_are_bold_and_repeated_on_every_page():
    (table,) = opened(Table(("a",), [(1,)])).tables
    assert table.rows[0].cells[0].paragraphs[0].runs[0].bold
    assert not table.rows[1].cells[0].paragraphs[0].runs[0].bold
    assert table.rows[0]._tr.trPr.xpath("w:tblHeader")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, ""),
        (0.123456789, "0.123457"),
        (["C1", "C2"], "C1, C2"),
        ("<b>&\x07", "<b>& "),
        ("a\ud800", "a "),
    ],
    ids=["none", "float", "list", "markup and control characters", "lone surrogate"],
)
def test_any_cell_is_text(cell, shown):
    (table,) = opened(Table(("a",), [(cell,)])).tables
    assert table.rows[1].cells[0].text == shown


def test_page_is_a4():
    section = opened(Table(("a",), [])).sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
