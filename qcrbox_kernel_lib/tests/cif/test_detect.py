"""Is this a CIF? Asked of every upload, so it must answer for any bytes."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif.detect import is_cif

YES = {
    "plain": b"data_x\n",
    "capitals": b"DATA_X",
    "no name": b"data_",
    "blanks": b" \t\r\n data_x",
    "comments": b"# data_y\n#\\#CIF_1.1\r\n\n# more\ndata_x",
    "comment ended by CR": b"# c\rdata_x",
    "byte order mark": codecs.BOM_UTF8 + b"data_x",
    "UTF-16": "\ufeffdata_x".encode("utf-16-le"),
    "UTF-16, big end first": "\ufeffdata_x".encode("utf-16-be"),
    "Latin-1 in a comment": b"# M\xfcller\ndata_x",
    "text": "data_x",
    "text with a mark": "\ufeffdata_x",
    "text with a surrogate": "# \ud800\ndata_x",
    "text of bytes": "# \udcfc\ndata_x",
}
NO = {
    "nothing": b"",
    "blanks only": b" \n\n",
    "comment only": b"# data_x",
    "a name before": b"_a 1\ndata_x\n",
    "a word before": b"x data_x",
    "one word": b"xdata_x",
    "another word": b"dat_x",
    "quoted": b"'data_x'",
    "SHELX": b"TITL data_x\nCELL 0.71 1 2 3 90 90 90\n",
    "JSON": b'{"data_x": 1}',
    "zip": b"PK\x03\x04data_x",
    "broken UTF-16": codecs.BOM_UTF16_LE + b"d\x00a",
    "NUL before": b"\x00data_x",
    "lone surrogate": "\ud800",
}


@pytest.mark.parametrize("content", YES.values(), ids=YES)
def test_a_cif_is_known(content):
    assert is_cif(content)


@pytest.mark.parametrize("content", NO.values(), ids=NO)
def test_what_is_no_cif_is_known(content):
    assert not is_cif(content)


@given(st.one_of(st.binary(max_size=200), st.text(st.characters(exclude_categories=()), max_size=100)))
def test_the_question_is_answered_for_everything(content):
    assert is_cif(content) in (True, False)


def test_a_large_file_of_comments_is_soon_looked_through():
    assert is_cif(b"# comment\n" * 200_000 + b"data_x")
    assert not is_cif(b" " * 2_000_000 + b"x")
