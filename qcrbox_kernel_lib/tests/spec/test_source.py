"""YAML with lines and literal texts: what is kept, what is refused, and where messages point."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec import source as module
from qcrbox.spec.source import read, read_file


def refusal(text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        read(text, "a.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("written", "data", "text"),
    [
        ("2022.10", 2022.1, "2022.10"),
        ("007", 7, "007"),
        ("1_0", 10, "1_0"),
        ("yes", True, "yes"),
        ("2024-01-02", "2024-01-02", "2024-01-02"),
        ("2024-99-99", "2024-99-99", "2024-99-99"),
        ("'5'", "5", "5"),
        ('"a\\tb"', "a\tb", "a\tb"),
        ("é λ", "é λ", "é λ"),
        ("!!str 5", "5", "5"),
    ],
)
def test_a_scalar_has_its_value_and_its_own_text(written, data, text):
    source = read(f"key: {written}\n", "a.yaml")
    assert source.data == {"key": data}
    assert source.text(("key",)) == text


@pytest.mark.parametrize("written", ["null", "~", "", "Null"])
def test_null_has_no_text(written):
    source = read(f"key: {written}\n", "a.yaml")
    assert (source.data, source.text(("key",))) == ({"key": None}, None)


def test_a_number_too_long_for_python_stays_text():
    digits = "9" * 5000
    assert read(f"key: {digits}\n", "a.yaml").data == {"key": digits}


def test_every_node_has_its_line_and_a_missing_key_that_of_its_parent():
    source = read("a: 1\nb:\n  - x\n  -\n    c: 2\n", "a.yaml")
    assert source.line(("b",)) == 2
    assert source.line(("b", 0)) == 3
    assert source.line(("b", 1, "c")) == 5
    assert source.line(("b", 1, "absent")) == 5
    assert source.line(("absent",)) == 1


def test_a_key_that_is_written_twice_is_noted_and_the_last_one_counts():
    source = read("a: {old: 1, deep: [x]}\nb: 2\na: {new: 3}\n", "a.yaml")
    assert source.data == {"a": {"new": 3}, "b": 2}
    assert source.notes == ["line 1: key 'a' is written twice; the last one counts"]
    assert source.text(("a", "old")) is None
    assert source.text(("a", "deep", 0)) is None
    assert source.line(("a", "new")) == 3


MERGES = {
    "one": ("base: &b {x: 1, y: 2}\nmade: {<<: *b, y: 3}\n", {"x": 1, "y": 3}),
    "before its own keys": ("base: &b {x: 1, y: 2}\nmade: {y: 3, <<: *b}\n", {"x": 1, "y": 3}),
    "a list, the first counts": (
        "one: &o {x: 1}\ntwo: &t {x: 2, y: 2}\nmade: {<<: [*o, *t]}\n",
        {"x": 1, "y": 2},
    ),
    "a mapping that takes over another": (
        "one: &o {x: 1, y: 1}\ntwo: &t {<<: *o, y: 2}\nmade: {<<: *t, z: 3}\n",
        {"x": 1, "y": 2, "z": 3},
    ),
    "three deep": (
        "a: &a {v: 1}\nb: &b {<<: *a}\nc: &c {<<: *b}\nmade: {<<: *c}\n",
        {"v": 1},
    ),
}


@pytest.mark.parametrize(("text", "made"), MERGES.values(), ids=MERGES)
def test_a_mapping_takes_over_the_keys_of_others(text, made):
    source = read(text, "a.yaml")
    assert source.data["made"] == made
    assert source.notes == []
    assert source.text(("made", next(iter(made)))) is not None


@pytest.mark.parametrize("what", ["5", "text", "[5]"])
def test_what_cannot_be_taken_over_is_a_problem_with_its_line(what):
    error = refusal(f"a: 1\nmade: {{<<: {what}}}\n")
    assert "<< takes over a mapping or a list of mappings" in error.what
    assert error.where == "a.yaml:2"


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only a comment\n"], ids=["nothing", "blank lines", "a comment"]
)
def test_an_empty_file_is_refused(text):
    assert refusal(text).message == "a.yaml:1: the file is empty"


def test_a_file_above_its_limit_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    assert refusal("a: '" + "é" * 500_000 + "'\n").what == "the file is larger than 1 MB"


def test_the_limit_of_nesting_is_exact():
    deep = module.MAX_DEPTH - 1
    assert read("a: " + "[" * (deep - 1) + "]" * (deep - 1), "a.yaml").data
    assert "nested more than 60 deep" in refusal("a: " + "[" * (deep + 1) + "]" * (deep + 1)).what


def test_the_place_of_a_character_that_yaml_forbids_is_named():
    """The message named line 1, whatever the line was."""
    error = refusal("a: 1\nb: 2\nc: x\x01y\n")
    assert error.where == "a.yaml:3"
    assert "#x0001" in error.what


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\nb: 2\n", 2),
        ("a: 1\n b: 2\n", 2),
        ("a: 'open\n", 2),
        ("a: *nowhere\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
    ],
    ids=["open list", "indentation", "open quote", "unknown anchor", "second document"],
)
def test_yaml_that_cannot_be_read_names_the_line_and_the_reason(text, line):
    error = refusal(text)
    assert error.fields["line"] == line
    assert error.what.startswith("not valid YAML")
    assert len(error.what) > len("not valid YAML, column 1: ")


@pytest.mark.parametrize("key", ["[a, b]", "{a: 1}"])
def test_a_key_that_is_no_text_is_refused(key):
    error = refusal(f"x: 1\n? {key}\n: 2\n")
    assert (error.what, error.where) == ("a key must be plain text", "a.yaml:2")


def test_keys_that_look_like_numbers_are_texts():
    assert read("1: a\ntrue: b\nnull: c\n", "a.yaml").data == {"1": "a", "true": "b", "null": "c"}


def test_the_first_problem_is_the_text_and_all_are_in_the_details():
    source = read("a: 1\nb: 2\n", "a.yaml")
    source.problem(("b",), "second line")
    source.problem(("a",), "first line")
    with pytest.raises(SpecError) as caught:
        source.raise_problems()
    error = caught.value
    assert (error.what, error.where, error.why) == ("second line", "a.yaml:2", "(1 more: see details)")
    assert error.details == error.fields["problems"] == ["a.yaml:2: second line", "a.yaml:1: first line"]
    assert (error.fields["file"], error.fields["line"]) == ("a.yaml", 2)


def test_a_source_without_problems_raises_nothing():
    read("a: 1\n", "a.yaml").raise_problems()


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: A\r\nother: B\r\n")
    assert read_file(path).data == {"name": "A", "other": "B"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: path.write_bytes(b"a: \xff\n"), "not UTF-8"),
    ],
    ids=["absent", "a folder", "another encoding"],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, make, words):
    path = tmp_path / "a.yaml"
    make(path)
    with pytest.raises(SpecError, match=words) as caught:
        read_file(path)
    assert caught.value.where == str(path)
    assert caught.value.fields["line"] == 1
