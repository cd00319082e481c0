"""Ids of datasets and data files, as they are written now and as they were before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract import ids

DIGITS = "0123456789abcdef" * 2
DATASET, DATA_FILE = "qcrbox_ds_0x" + DIGITS, "qcrbox_df_0x" + DIGITS
bare_ids = st.text("0123456789abcdef", min_size=32, max_size=32)


@pytest.mark.parametrize(
    ("given_id", "dataset", "data_file"),
    [
        (DIGITS, DATASET, DATA_FILE),
        (DATASET, DATASET, DATASET),
        (DATA_FILE, DATA_FILE, DATA_FILE),
        (DIGITS.upper(), DIGITS.upper(), DIGITS.upper()),
        (DIGITS[:-1], DIGITS[:-1], DIGITS[:-1]),
        (DIGITS + "0", DIGITS + "0", DIGITS + "0"),
        ("", "", ""),
        (DIGITS + "\n", DIGITS + "\n", DIGITS + "\n"),
        ("thpp", "thpp", "thpp"),
    ],
    ids=["old form", "dataset", "data file", "capitals", "short", "long", "empty", "line end", "a name"],
)
def test_the_old_form_is_written_anew_and_everything_else_stays(given_id, dataset, data_file):
    assert ids.dataset_id(given_id) == dataset
    assert ids.data_file_id(given_id) == data_file


@given(bare_ids)
def test_writing_anew_twice_changes_nothing_and_the_digits_come_back(digits):
    for write in (ids.dataset_id, ids.data_file_id):
        assert write(write(digits)) == write(digits)
        assert ids.bare(write(digits)) == digits
    assert ids.bare(digits) == digits


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("dataset", DATASET),
        ("data_file", DATA_FILE),
        ("calculation", DIGITS),
        ("session", DIGITS),
        ("", DIGITS),
    ],
)
def test_only_datasets_and_data_files_have_a_prefix(kind, written):
    assert ids.of_kind(kind, DIGITS) == written
    assert ids.of_kind(kind, "x") == "x"


@pytest.mark.parametrize("text", [DIGITS, DATASET, DATA_FILE])
def test_every_spelling_names_the_same_digits_and_the_given_one_first(text):
    found = ids.spellings(text)
    assert found[0] == text
    assert {ids.bare(each) for each in found} == {DIGITS}
    assert len(found) == len(set(found))


def test_the_digits_alone_may_have_been_of_either_kind():
    assert set(ids.spellings(DIGITS)) == {DIGITS, DATASET, DATA_FILE}
    assert set(ids.spellings(DATASET)) == {DIGITS, DATASET}


@pytest.mark.parametrize("text", ["thpp", "", "qcrbox_ds_0x", "qcrbox_ds_0x12"])
def test_what_is_no_id_has_one_spelling(text):
    assert ids.spellings(text) == [text]


def test_file_arguments_are_written_anew_and_others_stay():
    arguments = {
        "structure": {"data_file_id": DIGITS, "block": "a"},
        "new": {"data_file_id": DATA_FILE},
        "odd": {"data_file_id": 7},
        "none": {"data_file_id": None},
        "cycles": 5,
        "text": DIGITS,
        "list": [DIGITS],
    }
    found = ids.in_arguments(arguments)
    assert found["structure"] == {"data_file_id": DATA_FILE, "block": "a"}
    assert {name: found[name] for name in arguments if name != "structure"} == {
        name: value for name, value in arguments.items() if name != "structure"
    }
    assert arguments["structure"]["data_file_id"] == DIGITS  # the row itself is not changed
    assert ids.in_arguments(found) == found
    assert ids.in_arguments({}) == {}
