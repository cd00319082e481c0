"""Every attack has a number on the page, and tests that try it."""

from __future__ import annotations

import re

import pytest

from tools import attacks_page

TEXT = attacks_page.PAGE.read_text()


@pytest.mark.parametrize("number", range(1, 31))
def test_every_attack_is_tried(number: int) -> None:
    assert re.search(rf"^\| {number} \| ", TEXT, re.MULTILINE), "the page lacks it"
    assert attacks_page.marked().get(number), "no test carries it"


def test_page_names_the_tests_of_today() -> None:
    assert attacks_page.page(TEXT) == TEXT, "run: python tools/attacks_page.py"
