"""Progress and remarks of a Python callable: what is sent on, and that odd numbers never end a calculation."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from qcrbox.contract import progress


@pytest.fixture
def sent():
    """What a sink receives while the test runs."""
    found: list[dict] = []
    progress.send_to(found.append)
    yield found
    progress.send_to(None)


@pytest.mark.parametrize(
    ("fraction", "known"),
    [
        (None, None),
        (0, 0.0),
        (0.25, 0.25),
        (1, 1.0),
        (1.5, 1.0),
        (-0.1, 0.0),
        (math.inf, 1.0),
        (-math.inf, 0.0),
        (math.nan, None),
        (np.float32(0.5), 0.5),
        (Fraction(1, 4), 0.25),
        ("0.5", 0.5),
        ("half", None),
        ([0.5], None),
        (10**400, None),
    ],
    ids=repr,
)
def test_a_fraction_is_between_0_and_1_or_not_known(sent, fraction, known):
    progress.report(fraction, "cycle 1")
    assert sent[0]["fraction"] == known
    assert sent[0]["text"] == "cycle 1"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (0.05, 0.05),
        (np.float64(2), 2.0),
        (np.int64(3), 3.0),
        (Decimal("0.5"), 0.5),
        (True, 1.0),
        ("4", 4.0),
    ],
    ids=repr,
)
def test_a_metric_is_sent_as_a_plain_number(sent, value, number):
    progress.report(0.5, R1=value)
    assert sent[0]["metrics"] == {"R1": number}
    assert type(sent[0]["metrics"]["R1"]) is float


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, None, "many", [1], np.array([1, 2]), 10**400, 1j], ids=repr
)
def test_a_metric_that_is_no_number_is_left_out_and_the_others_are_sent(sent, value):
    """`report(0.5, max_shift=None)` ended the calculation with a TypeError."""
    progress.report(0.5, odd=value, R1=0.05)
    assert sent[0]["metrics"] == {"R1": 0.05}


def test_a_report_has_its_time_and_a_text_of_whatever_was_given(sent):
    progress.report(text=5)
    assert sent[0]["text"] == "5"
    assert sent[0]["fraction"] is None
    assert sent[0]["at"] > 1.6e9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (progress.warn, {"warning": "x"}),
        (progress.note, {"remark": "x", "kind": "note"}),
        (progress.not_applied, {"remark": "x", "kind": "not_applied"}),
    ],
    ids=["warning", "note", "not applied"],
)
def test_remarks_are_sent_with_their_kind(sent, call, message):
    call("x")
    assert sent == [message]


def test_remarks_that_were_kept_are_sent_in_their_order(sent):
    progress.tell([("note", "one"), ("warning", "two"), ("not_applied", "three")])
    assert sent == [
        {"remark": "one", "kind": "note"},
        {"warning": "two"},
        {"remark": "three", "kind": "not_applied"},
    ]


def test_an_unknown_kind_of_remark_is_refused_by_its_name(sent):
    with pytest.raises(KeyError, match="shout"):
        progress.tell([("shout", "x")])
    assert sent == []


def test_outside_of_an_agent_nothing_is_sent_and_nothing_fails():
    progress.report(math.nan, odd=None)
    progress.warn("x")
    progress.note("x")
    progress.not_applied("x")
    progress.tell([("warning", "x")])


def test_a_line_of_the_log_is_written_at_once(capsys):
    progress.say("cycle 1: R1 0.05")
    assert capsys.readouterr().out == "cycle 1: R1 0.05\n"
