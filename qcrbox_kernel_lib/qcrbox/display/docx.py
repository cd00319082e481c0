"""Tables as a Word document: the few parts of OOXML (ECMA-376) that a table needs, in one zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

from qcrbox.markup import Table, cell_text
from qcrbox.markup.html import without_forbidden

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_BORDERS = '<w:tblBorders><w:top w:val="single" w:sz="8"/><w:bottom w:val="single" w:sz="8"/></w:tblBorders>'


def docx_bytes(tables: Sequence[Table]) -> bytes:
    """A .docx with a heading, a table and its footnotes for each of `tables`."""
    body = "".join(
        _paragraph(table.title, bold=True) + _table(table) + _paragraph(table.caption) for table in tables
    )
    document = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="{_W}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" '
        'w:left="1134" w:header="0" w:footer="0" w:gutter="0"/></w:sectPr></w:body></w:document>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", _TYPES)
        file.writestr("_rels/.rels", _RELATIONS)
        file.writestr("word/document.xml", document)
    return out.getvalue()


def _paragraph(text: str, *, bold: bool = False) -> str:
    style = "<w:rPr><w:b/></w:rPr>" if bold else ""
    plain = escape(without_forbidden(text, " "))
    return f'<w:p><w:r>{style}<w:t xml:space="preserve">{plain}</w:t></w:r></w:p>'


def _table(table: Table) -> str:
    columns = "<w:gridCol/>" * len(table.heads)
    rows = [
        _row(table.heads, bold=True),
        *(_row([cell_text(cell) for cell in row]) for row in table.rows),
    ]
    return f"<w:tbl><w:tblPr>{_BORDERS}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _row(cells: Sequence[str], *, bold: bool = False) -> str:
    head = "<w:trPr><w:tblHeader/></w:trPr>" if bold else ""
    return (
        f"<w:tr>{head}{''.join(f'<w:tc>{_paragraph(str(cell), bold=bold)}</w:tc>' for cell in cells)}</w:tr>"
    )
