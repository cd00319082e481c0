"""Taking changes back, the last first."""

from __future__ import annotations

import pytest
from qcrbox.api.undo import Undo
from qcrbox.contract.errors import NotFound, UserInputError


@pytest.fixture
def undo():
    return Undo()


def test_the_last_change_is_taken_back_first(undo):
    done = []
    for word in ("first", "second"):
        undo.note(word, lambda word=word: done.append(word))
    assert [str(undo.last()), str(undo.last())] == ["Taken back: second.", "Taken back: first."]
    assert done == ["second", "first"]


def test_a_change_that_cannot_be_taken_back_any_more_does_not_block_those_before(undo):
    def gone():
        raise NotFound("It is gone.")

    done = []
    undo.note("first", lambda: done.append(1))
    undo.note("second", gone)
    with pytest.raises(NotFound, match="gone"):
        undo.last()
    undo.last()
    assert done == [1]


def test_nothing_to_take_back_says_where_deletions_are(undo):
    with pytest.raises(UserInputError, match=r"nothing to undo.*qc.datasets.bin"):
        undo.last()


def test_changes_are_listed_with_the_next_one_first_and_no_more_than_a_hundred(undo):
    for number in range(120):
        undo.note(f"change {number}", lambda: None)
    assert undo.table()["change"][0] == "change 119"
    assert len(undo.table()) == 100


def test_words_of_a_person_are_escaped_in_the_list(undo):
    undo.note("<b>azu</b> was deleted", lambda: None)
    assert "<b>azu" not in undo.table().html()
