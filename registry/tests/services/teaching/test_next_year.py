"""What leaves in the anonymised export."""

from __future__ import annotations

import pytest
from qcrbox.contract.teaching import Task
from qcrbox_registry.services.teaching.next_year import answer_shown
from qcrbox_registry.services.teaching.progress import Answer

VALUE = Task(id="r", title="R1?", kind="value", target=0.04, tolerance=0.01)
CHOICE = Task(id="c", title="Which?", kind="answer", choices=["N", "C"], accepted=["N"])
TEXT = Task(id="t", title="Why?", kind="answer")


@pytest.mark.parametrize(
    ("task", "typed", "left"),
    [
        (VALUE, "0.04251", 0.0425),
        (VALUE, "11,4(8)", 11.4),
        (VALUE, "I am Ada", None),
        # One student who types this must not keep the course from being exported: JSON has no such number.
        (VALUE, "nan", None),
        (VALUE, "inf", None),
        (VALUE, "1e999", None),
        (CHOICE, "C", 2.0),
        (CHOICE, "Ada", None),
        (TEXT, "12", None),
    ],
)
def test_of_an_answer_leaves_a_number_or_nothing(task, typed, left):
    assert answer_shown(task, Answer(typed, 1.0)) == left
