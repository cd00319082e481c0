"""What a calculation did, in the few words of a title."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec.titles import LONGEST, command_phrase, fields_of, what_is_done

COMMAND = """
- name: har
  implemented_as: python_callable
  import_path: m
  title: "{title}"
  parameters:
    - {{name: structure, dtype: QCrBox.cif_data_file}}
    - {{name: functional, dtype: str, default_value: pbe}}
    - {{name: basis, dtype: str, default_value: def2-SVP}}
    - {{name: cutoff, dtype: float, default_value: 0.5}}
    - {{name: restart, dtype: bool, default_value: false}}
    - {{name: note, dtype: str, required: false}}
"""


@pytest.fixture
def har(spec):
    return lambda title: spec(COMMAND.format(title=title)).command("har")


GIVEN = {
    "structure": {"data_file_id": "f"},
    "functional": "pbe",
    "basis": "def2-SVP",
    "cutoff": 0.5,
    "restart": False,
}
TITLES = [
    ("HAR", {}, "HAR"),
    ("HAR {functional}/{basis}", {}, "HAR pbe/def2-SVP"),
    ("HAR[ {functional}]", {}, "HAR"),
    ("HAR[ {functional}]", {"functional": "b3lyp"}, "HAR b3lyp"),
    ("HAR[ {functional}][/{basis}]", {"functional": "b3lyp"}, "HAR b3lyp"),
    ("HAR[ {functional}][/{basis}]", {"functional": "b3lyp", "basis": "x2c"}, "HAR b3lyp/x2c"),
    # A part goes when one of its arguments is usual.
    ("HAR[ {functional}/{basis}]", {"functional": "b3lyp"}, "HAR"),
    ("HAR[ restarted: {restart}]", {"restart": True}, "HAR restarted: yes"),
    ("HAR[ restarted: {restart}]", {}, "HAR"),
    ("HAR restart {restart}", {}, "HAR restart no"),
    ("HAR[ {cutoff} Å]", {"cutoff": 0.25}, "HAR 0.25 Å"),
    ("HAR[ {cutoff} Å]", {"cutoff": 1.0}, "HAR 1 Å"),
    ("HAR {cutoff} Å", {"cutoff": 12345678.5}, "HAR 12345678.5 Å"),
    ("HAR[: {note}]", {"note": "warm"}, "HAR: warm"),
    ("HAR[: {note}]", {"note": None}, "HAR"),
    ("HAR[: {note}]", {"note": ""}, "HAR"),
    ("HAR {note} end", {"note": "  two   words\n"}, "HAR two words end"),
    # A file is no word.
    ("HAR {structure}", {}, "HAR"),
    # A part without argument is always there.
    ("HAR[ always]", {}, "HAR always"),
    # Values are not read as patterns.
    ("HAR {note}", {"note": "[{basis}]"}, "HAR [{basis}]"),
]


@pytest.mark.parametrize(("title", "changes", "words"), TITLES, ids=[f"{row[0]} {row[1]}" for row in TITLES])
def test_what_is_done(har, title, changes, words):
    assert what_is_done(har(title), {**GIVEN, **changes}) == words


@pytest.mark.parametrize(
    ("name", "words"), [("refine_iam", "refine iam"), ("__inner_step", "inner step"), ("x", "x")]
)
def test_a_command_without_title_is_called_by_its_name(spec, name, words):
    command = spec(f"- {{name: {name}, implemented_as: python_callable, import_path: m}}").command(name)
    assert what_is_done(command, {"a": 1}) == words


PHRASES = json.loads(Path(__file__).with_name("command_phrases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", PHRASES, ids=[case["name"] for case in PHRASES])
def test_a_command_is_read_as_a_phrase_spelt_by_its_own_texts(case):
    assert command_phrase(case["name"], case["title"], case["description"]) == case["phrase"]


def test_a_title_has_a_largest_length(har):
    assert len(what_is_done(har("{note}"), {**GIVEN, "note": "x" * 5000})) == LONGEST


def test_the_parameters_of_a_pattern_in_order():
    assert fields_of("HAR[ {functional}][/{basis}] {functional}") == ["functional", "basis", "functional"]
    assert fields_of("plain") == []


def test_a_title_that_names_no_parameter_is_refused(har):
    with pytest.raises(SpecError, match="title names 'colour', which is no parameter"):
        har("HAR {colour}")
