"""From bytes to text that can be scanned, and what is remarked on."""

from __future__ import annotations

import codecs

import pytest
from qcrbox.cif.decoding import prepare
from qcrbox.contract.errors import CifError

CIF = "data_x\n_a 1\n"


def codes(content: bytes) -> list[str]:
    return [remark[0] for remark in prepare(content, "f.cif").remarks]


@pytest.mark.parametrize(
    ("content", "start", "end", "encoding", "remarks"),
    [
        (CIF.encode(), 0, 12, "utf-8", []),
        (b"", 0, 0, "utf-8", []),
        (codecs.BOM_UTF8 + CIF.encode(), 3, 15, "utf-8", ["byte-order-mark"]),
        (CIF.encode() + b"\x1a", 0, 12, "utf-8", ["old-ending"]),
        (CIF.encode() + b"\x00\x1a\x00", 0, 12, "utf-8", ["old-ending"]),
        (b"\x00\x00", 0, 0, "utf-8", ["old-ending"]),
        ("data_é\n".encode(), 0, 8, "utf-8", []),
        (b"data_\xe9\n", 0, 7, "latin-1", ["latin-1"]),
        (b"data_x\n_a 'b\x07c'\n", 0, 16, "utf-8", ["control-character"]),
        (b"data_x\n_a 'b\x7fc'\n", 0, 16, "utf-8", ["control-character"]),
        (b"data_x\t\v\f\r\n", 0, 11, "utf-8", []),
        # The first half of a letter at the very end is no UTF-8.
        (b"data_x\n_a \xc3", 0, 11, "latin-1", ["latin-1"]),
    ],
    ids=[
        "plain",
        "empty",
        "BOM",
        "Ctrl-Z",
        "several",
        "only NUL",
        "UTF-8",
        "Latin-1",
        "bell",
        "DEL",
        "white",
        "cut",
    ],
)
def test_range_encoding_and_remarks(content, start, end, encoding, remarks):
    made = prepare(content, "f.cif")
    assert (made.start, made.end, made.encoding) == (start, end, encoding)
    assert [remark[0] for remark in made.remarks] == remarks


@pytest.mark.parametrize(
    ("mark", "name"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
)
def test_utf_16_becomes_utf_8(mark, name):
    made = prepare(mark + "data_é\n".encode(name), "f.cif")
    assert (made.data, made.encoding) == ("data_é\n".encode(), "utf-8")
    assert made.remarks[0][0] == "utf-16"


def test_broken_utf_16_is_refused_with_file_reason_and_next_step():
    with pytest.raises(CifError) as caught:
        prepare(codecs.BOM_UTF16_LE + b"\x00\xd8x", "f.cif")
    error = caught.value
    assert (error.where, error.file, error.next) == ("f.cif", "f.cif", "Save it as UTF-8.")
    assert error.why


@pytest.mark.parametrize(
    ("content", "cif2"),
    [
        (b"#\\#CIF_2.0\ndata_x\n", True),
        (b"#\\#CIF_2.0", True),
        (b"#\\#CIF_2.0  \r\n", True),
        (codecs.BOM_UTF8 + b"#\\#CIF_2.0\n", True),
        (b"#\\#CIF_1.1\n", False),
        (b"#\\#CIF_2.01\n", False),
        (b" #\\#CIF_2.0\n", False),
        (b"# #\\#CIF_2.0\n", False),
    ],
)
def test_the_header_of_cif_2_is_the_very_first_line(content, cif2):
    assert prepare(content, "").cif2 is cif2


def test_a_letter_that_is_cut_by_the_pieces_of_the_search_is_still_one_letter():
    content = b"data_x\n_a '" + b"x" * ((1 << 20) - 12) + "é'\n".encode()
    assert content[(1 << 20) - 1] == 0xC3
    assert codes(content) == []


def test_the_place_of_the_first_foreign_byte_is_named():
    assert prepare(b"data_x\n_a \xe9\n", "").remarks[0][1] == 10
