"""Whole numbers in forms, addresses and files: what is one, and what is refused without an error of Python."""

from __future__ import annotations

import pytest
from qcrbox_hub.admin.tables import read_asked
from qcrbox_hub.platform.whole_numbers import whole_number
from qcrbox_hub.teaching import task_form

# Each is a number to str.isdigit or str.isdecimal, or looks like one; int() refuses some and reads others.
NO_NUMBERS = {
    "superscript": "²",
    "Arabic digits": "٣",
    "full-width digits": "４２",
    "two signs": "--5",
    "a sign alone": "-",
    "plus": "+5",
    "underscore": "1_000",
    "blank": " 5",
    "line end": "5\n",
    "fraction": "5.0",
    "exponent": "1e3",
    "hexadecimal": "0x10",
    "nothing": "",
    "more digits than Python reads": "9" * 5000,
    "a script": "<script>",
}


@pytest.mark.parametrize("text", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_text_that_is_no_whole_number_of_ours_is_none(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize(
    ("text", "least", "most", "number"),
    [
        ("0", 0, 10, 0),
        ("10", 0, 10, 10),
        ("11", 0, 10, None),
        ("-1", 0, 10, None),
        ("-100", -100, 100, -100),
        ("-101", -100, 100, None),
        ("007", 0, 10, 7),
        ("65536", 1, 65535, None),
    ],
)
def test_limits_belong_to_the_range(text: str, least: int, most: int, number: int | None) -> None:
    assert whole_number(text, least, most) == number


@pytest.mark.parametrize("text", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_table_with_such_a_page_is_shown_from_its_beginning(text: str) -> None:
    assert read_asked("/p", {"page": text}, ()).page == 1


@pytest.mark.parametrize("text", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_form_with_such_a_number_of_tasks_has_none(text: str) -> None:
    assert task_form.read({"count": text}.get) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("act", ["remove", "up", "down", "check"])
@pytest.mark.parametrize("text", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_button_of_such_a_task_changes_nothing(act: str, text: str) -> None:
    first, second = task_form.blank(), task_form.blank()
    first.values["title"] = "first"
    found = task_form.changed([first, second], f"{act}-{text}")
    assert ([form.values["title"] for form in found], len(first.checks)) == (["first", ""], 1)


@pytest.mark.parametrize(
    ("value", "number", "symbol"),
    [
        ("14", 14, ""),
        ("14 P 21/c", 14, "P 21/c"),
        ("P 21/c", None, "P 21/c"),
        ("9" * 5000, 999999999, "9" * 4991),
        ("² P 1", None, "² P 1"),
        ("", None, ""),
    ],
    ids=["number", "both", "symbol", "5000 digits", "superscript", "empty"],
)
def test_space_group_of_a_check_is_read_without_an_error(value: str, number: int | None, symbol: str) -> None:
    wrong: list[str] = []
    typed = dict.fromkeys(task_form.CHECK_LABELS, "") | {"kind": "space_group", "value": value}
    found = task_form._check_values(1, typed, wrong)
    assert (found["number"], found["symbol"], wrong) == (number, symbol, [])
