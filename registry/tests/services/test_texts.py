"""Texts of people: trimmed, bounded, and without what a database cannot hold."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import ReasonNeeded, UserInputError
from qcrbox_registry.services.texts import LONGEST_REASON, checked_text, needed_reason


@pytest.mark.parametrize(("given", "kept"), [("", ""), ("  a b ", "a b"), ("\n\t", ""), ("ü" * 10, "ü" * 10)])
def test_a_text_is_trimmed(given, kept):
    assert checked_text(given, "name", 10) == kept


@pytest.mark.parametrize(
    ("given", "words"),
    [("x" * 11, "The name is longer than 10 characters"), ("a\x00b", "The name has a NUL character")],
    ids=["long", "NUL"],
)
def test_a_wrong_text_is_named(given, words):
    with pytest.raises(UserInputError, match=words):
        checked_text(given, "name", 10)


@pytest.mark.parametrize("given", ["", " ", "\n\t\u2003"])
def test_an_act_that_destroys_needs_a_reason(given):
    with pytest.raises(ReasonNeeded) as refused:
        needed_reason(given)
    assert "`reason`" in refused.value.next


def test_a_reason_is_trimmed_and_bounded():
    assert needed_reason(" too old ") == "too old"
    assert needed_reason("x" * LONGEST_REASON)
    with pytest.raises(UserInputError, match="reason is longer than 1100"):
        needed_reason("x" * (LONGEST_REASON + 1))
