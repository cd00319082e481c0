"""Quotes and text fields: what needs them, what is undone on reading, what is one value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import raw_of, read, text_of
from qcrbox.cif.quoting import (
    MAX_LINE,
    checked_raw,
    is_bare,
    is_quoted,
    is_text_field,
    is_triple_quoted,
    unfolded,
)
from qcrbox.contract.errors import CifError


@pytest.mark.parametrize(
    ("raw", "quoted", "field", "triple"),
    [
        ("'a'", True, False, False),
        ('"a"', True, False, False),
        ("''", True, False, False),
        (";a\n;", True, True, False),
        (";\n;", True, True, False),
        ("'''a'''", True, False, True),
        ('""""""', True, False, True),
        ("'''''", True, False, False),
        ("'", False, False, False),
        ("'a\"", False, False, False),
        (";a", False, False, False),
        ("a", False, False, False),
        ("?", False, False, False),
        ("", False, False, False),
    ],
)
def test_kinds_of_raw_values(raw, quoted, field, triple):
    assert (is_quoted(raw), is_text_field(raw), is_triple_quoted(raw)) == (quoted, field, triple)


@pytest.mark.parametrize(
    ("raw", "text", "text2"),
    [
        ("'a'", "a", "a"),
        ("'''a'''", "''a''", "a"),
        ('"""a\nb"""', '""a\nb""', "a\nb"),
        ("''''''", "''''", ""),
        ("'it's'", "it's", "it's"),
        (";a\n;", "a", "a"),
        (";\na\n;", "\na", "\na"),
        ("a", "a", "a"),
        ("'", "'", "'"),
        ("[1 2]", "[1 2]", "[1 2]"),
        ("", "", ""),
    ],
)
def test_texts_of_raw_values_in_both_versions(raw, text, text2):
    assert text_of(raw) == text
    assert text_of(raw, cif2=True) == text2


# CIF 1.1 semantics, paragraph 26, and the text prefix of Bernstein et al. (2016), 5.1.
FOLDED = [
    ("plain\ntext", "plain\ntext"),
    ("\\\na\\\nb", "ab"),
    ("\\\na\\\n\\\nb", "ab"),
    ("\\\na\nb", "a\nb"),
    ("\\  \na\\ \t\nb", "ab"),
    ("\\", ""),
    ("\\\nends in \\\\\n", "ends in \\"),
    ("a\\\nb", "a\\\nb"),  # not folded: the first line is text
    (">\\\n>a\n>b", "a\nb"),
    ("CIF>\\\nCIF>a", "a"),
    ("> \\\\\n> a\\\n> b", "ab"),
    (">\\\n>a\nb", ">\\\n>a\nb"),  # a line without the prefix: no prefix at all
    ("\\not folded", "\\not folded"),
    ("C:\\temp\nD:", "C:\\temp\nD:"),
]


@pytest.mark.parametrize(("body", "text"), FOLDED, ids=[repr(row[0]) for row in FOLDED])
def test_folds_and_prefixes_are_undone(body, text):
    assert unfolded(body) == text
    assert text_of(f";{body}\n;") == text


@pytest.mark.parametrize(
    ("text", "cif1", "cif2"),
    [
        ("a", True, True),
        ("a[1]", True, False),
        ("a{b}", True, False),
        ("[a", False, False),
        ("]a", False, False),
        ("{a", False, False),
        ("$a", False, False),
        ("#a", False, False),
        ("a#b", True, True),
        ("_a", False, False),
        (";a", False, False),
        ("'a", False, False),
        ("a'b", True, True),
        ("data_", False, False),
        ("DATA_x", False, False),
        ("save_x", False, False),
        ("loop_", False, False),
        ("Loop_", False, False),
        ("loop_x", True, True),
        ("global_", False, False),
        ("stop_", False, False),
        ("stop_1", True, True),
        ("a b", False, False),
        ("a\u00a0b", False, False),
        ("", False, False),
        ("x" * (MAX_LINE - 1), True, True),
        ("x" * MAX_LINE, False, False),
        ("é", True, True),
    ],
)
def test_what_needs_no_quotes(text, cif1, cif2):
    assert is_bare(text) is cif1
    assert is_bare(text, cif2=True) is cif2


@pytest.mark.parametrize("raw", ["a", "'a b'", ";a\nb\n;", "?", ".", "1.5(2)", "'it's'", "[1"])
def test_one_value_passes(raw):
    assert checked_raw(raw) == raw


@pytest.mark.parametrize("raw", ["[1 [2 3]]", "{'k':1}", "'''a\nb'''", '"""a"""', "[]"])
def test_one_value_of_cif_2_passes_there_only(raw):
    assert checked_raw(raw, cif2=True) == raw


@pytest.mark.parametrize(
    ("raw", "cif2"),
    [
        ("", False),
        (" a", False),
        ("a ", False),
        ("a b", False),
        ("a\nb", False),
        ("'a", False),
        ("'a' 'b'", False),
        (";a", False),
        (";a\n; b\n;", False),
        (";a\n", False),
        ("#a", False),
        ("a #b", False),
        ("_a", False),
        ("data_x", False),
        ("loop_", False),
        ("[1 2", True),
        ("[1 2}", True),
        ("[" * 300 + "]" * 300, True),
        ("'it's'", True),
        ("a[1]", True),
    ],
    ids=repr,
)
def test_what_is_not_one_value_is_refused_and_shown(raw, cif2):
    with pytest.raises(CifError) as caught:
        checked_raw(raw, cif2=cif2)
    assert "is not one CIF value" in caught.value.what
    assert len(caught.value.what) < 120
    assert "raw_of" in caught.value.next


TEXT = st.text(
    st.one_of(
        st.sampled_from(list(" \n;'\"\\>#_[]{}$?.")), st.characters(codec="utf-8", categories=("L", "N", "P"))
    ),
    max_size=60,
)


@given(TEXT, st.booleans())
def test_every_text_is_one_value_and_comes_back(text, cif2):
    raw = raw_of(text, cif2=cif2)
    assert checked_raw(raw, cif2=cif2) == raw
    assert text_of(raw, cif2=cif2) == text
    assert max(map(len, raw.split("\n"))) <= MAX_LINE


@pytest.mark.parametrize(
    "length", [MAX_LINE - 4, MAX_LINE - 3, MAX_LINE - 2, MAX_LINE - 1, MAX_LINE, 3 * MAX_LINE]
)
@pytest.mark.parametrize("letter", ["x", " ", "'", "\\"])
def test_texts_around_the_longest_line(length, letter):
    text = "a" + letter * (length - 2) + "b"
    raw = raw_of(text)
    assert text_of(raw) == text
    document = read(f"data_x\n_a\n{raw}\n_b 1\n")
    assert document.sole_block().text("_a") == text
    assert document.sole_block()["_b"] == "1"


@pytest.mark.parametrize("text", ["a\r\nb", "a\rb", "a\nb"])
def test_line_ends_of_every_kind_are_one(text):
    assert text_of(raw_of(text)) == "a\nb"
