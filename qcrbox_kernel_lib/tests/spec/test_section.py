"""Keys of a mapping in a spec: their spellings, their types, and what is noted when they are wrong."""

from __future__ import annotations

import pytest
from qcrbox.spec.section import Section
from qcrbox.spec.source import Source, read


def section(text: str) -> Section:
    """The mapping of a whole file."""
    source = read(text, "a.yaml")
    return Section(source, (), source.data)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("plain", "plain"),
        ("'  padded '", "padded"),
        ("1.50", "1.50"),
        ("0x10", "0x10"),
        ("yes", "yes"),
        ("2024-01-02", "2024-01-02"),
        ("1:30", "1:30"),
        ("''", None),
        ("'   '", None),
        ("null", None),
        ("~", None),
        ("", None),
        ("|\n  two\n  lines\n", "two\nlines"),
        (">\n  one\n  line\n", "one line"),
    ],
)
def test_text_is_what_stands_in_the_file_without_blanks_around_it(written, text):
    assert section(f"key: {written}\n").text("key") == text


@pytest.mark.parametrize(
    ("written", "kind"), [("[a, b]", "a list"), ("{a: 1}", "a mapping")], ids=["list", "mapping"]
)
def test_text_that_is_none_is_a_problem_with_its_line(written, kind):
    found = section(f"other: 1\nkey: {written}\n")
    assert found.text("key") is None
    assert found.source.problems == [f"a.yaml:2: 'key' must be text, not {kind}"]


@pytest.mark.parametrize("word", ["true", "True", "YES", "on", "1"])
def test_words_for_true(word):
    assert section(f"key: {word}\n").flag("key") is True


@pytest.mark.parametrize("word", ["false", "False", "NO", "off", "0"])
def test_words_for_false(word):
    assert section(f"key: {word}\n").flag("key") is False


@pytest.mark.parametrize("word", ["maybe", "2", "'t'"])
def test_a_word_that_is_no_flag_is_noted_and_ignored(word):
    found = section(f"key: {word}\n")
    assert found.flag("key") is None
    (note,) = found.source.notes
    assert note.startswith("line 1: 'key: ")
    assert note.endswith("is neither true nor false and is ignored")


def test_a_flag_that_is_absent_or_null_is_silent():
    found = section("null_one: null\n")
    assert found.flag("absent") is None
    assert found.flag("null_one") is None
    assert found.source.notes == []


@pytest.mark.parametrize(
    ("written", "value"),
    [("5", 5.0), ("5.5", 5.5), ("1e3", 1000.0), ("'7'", 7.0), ("-2", -2.0), ("0", 0.0), (".5", 0.5)],
)
def test_numbers(written, value):
    assert section(f"key: {written}\n").number("key") == value


@pytest.mark.parametrize("written", ["many", "nan", ".nan", "inf", "-.inf", "1e999", "1_000", "5 s", "0x10"])
def test_what_is_no_finite_number_is_noted_and_ignored(written):
    """`gpu: nan` and `gpu: inf` ended the reading of the whole file with a Python error."""
    found = section(f"key: {written}\n")
    assert found.number("key") is None
    assert found.source.notes == [f"line 1: 'key: {written}' is not a number and is ignored"]


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("512", 512),
        ("512 MB", 512_000_000),
        ("2GiB", 2 * 1024**3),
        ("2gib", 2 * 1024**3),
        ("1.5 GB", 1_500_000_000),
        ("0.5KiB", 512),
        ("3 k", 3000),
        ("3 Ki", 3072),
        ("1TB", 10**12),
        ("7 B", 7),
        (".5 kB", 500),
    ],
)
def test_sizes_count_in_thousands_or_with_an_i_in_1024(written, size):
    assert section(f"key: {written}\n").size("key") == size


@pytest.mark.parametrize(
    "written", ["1.2.3 MB", ".", "..GB", "much", "-1 GB", "1 PB", "5 MBit", "9" * 400 + " GB", "1e9"]
)
def test_what_is_no_size_is_noted_and_ignored(written):
    """`memory: 1.2.3 MB` ended the reading of the whole file with a Python error."""
    found = section(f"key: '{written}'\n")
    assert found.size("key") is None
    (note,) = found.source.notes
    assert note.endswith("is not a size such as 512 MB and is ignored")


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("[a, b]", ["a", "b"]),
        ("a", ["a"]),
        ("[1.50, yes]", ["1.50", "yes"]),
        ("[]", []),
        ("null", []),
        ("''", [""]),
    ],
)
def test_a_single_text_is_a_list_of_one(written, texts):
    assert section(f"key: {written}\n").texts("key") == texts


def test_an_entry_of_a_list_that_is_no_text_is_named_with_its_line():
    found = section("key:\n  - a\n  - {b: 1}\n  - null\n  - c\n")
    assert found.texts("key") == ["a", "c"]
    assert found.source.problems == ["a.yaml:3: text is expected here", "a.yaml:4: text is expected here"]


@pytest.mark.parametrize(
    ("written", "kind"), [("{a: 1}", "a mapping"), ("true", "true/false"), ("5", "a number")]
)
def test_items_of_what_is_no_list_are_a_problem(written, kind):
    found = section(f"key: {written}\n")
    assert found.items("key") == []
    assert found.source.problems == [f"a.yaml:1: 'key' must be a list, not {kind}"]


def test_the_newest_spelling_of_a_key_counts_first():
    found = section("dtype: int\ntype: str\n")
    assert found.text("dtype", "type") == "int"
    assert section("type: str\n").text("dtype", "type") == "str"
    assert found.path_of("dtype", "type") == ("dtype",)
    assert found.path_of("nothing") == ()


def test_keys_that_were_asked_for_are_known_and_all_others_are_noted():
    found = section("a: 1\nb: 2\nolder_c: 3\nd: 4\n")
    found.text("a")
    found.has("b")
    found.text("c", "older_c")
    found.note_unknown("the thing")
    assert found.source.notes == ["line 4: unknown key 'd' of the thing is ignored"]


def test_mappings_of_a_list_are_sections_with_their_lines_and_others_are_problems():
    found = section("parts:\n  - {a: 1}\n  - 5\n  - {a: 2}\n")
    parts = list(found.sections("parts"))
    assert [(part.text("a"), part.line) for part in parts] == [("1", 2), ("2", 4)]
    assert found.source.problems == ["a.yaml:3: a mapping is expected here, not a number"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [([], "a list"), ("x", "text"), (None, "nothing"), (True, "true/false"), (1.5, "a number")],
    ids=["list", "text", "nothing", "flag", "number"],
)
def test_what_is_no_mapping_has_no_keys_and_is_a_problem(data, kind):
    source = Source("a.yaml")
    found = Section(source, (), data)
    assert (found.data, found.get("x"), found.has("x")) == ({}, None, False)
    assert source.problems == [f"a.yaml:1: a mapping is expected here, not {kind}"]


def test_a_section_that_is_absent_or_null_is_none():
    found = section("empty: null\nfull: {a: 1}\n")
    assert found.section("absent") is None
    assert found.section("empty") is None
    assert found.section("full").text("a") == "1"
