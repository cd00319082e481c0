"""The card as plain HTML: every state, nothing executed, percentages that stay in their bar."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from qcrbox.client.live import Live
from qcrbox.display.status_text import card_state
from qcrbox.widgets.calculation_card.still import card_html

HOSTILE = "<img src=x onerror=alert(1)>"


def state(status="running", **record):
    live = Live({"calculation_id": "0aa1", "status": status, **record})
    return card_state(live) | {"application": "refine", "name": "refine_iam", "short_id": "0aa1", "title": ""}


class Balanced(HTMLParser):
    """Opened and closed elements in their order."""

    def __init__(self):
        super().__init__()
        self.open, self.faults = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("img", "br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("submitted", "◷ queued"),
        ("running", "▶ running"),
        ("successful", "✓ done"),
        ("failed", "✗ failed"),
        ("cancelled", "⊘ cancelled"),
        ("paused", "? unknown"),
    ],
)
def test_each_state_has_its_sign_and_word(status, words):
    assert words in card_html(state(status))


def test_every_text_is_escaped_and_every_element_closed():
    record = {
        "progress": {"fraction": 0.5, "text": HOSTILE, "metrics": {HOSTILE: 1.0}},
        "warnings": [HOSTILE],
        "remarks": [{"kind": "note", "text": HOSTILE}, {"kind": "not_applied", "text": HOSTILE}],
        "error_msg": f"{HOSTILE}\nTraceback (most recent call last):\n  {HOSTILE}\nValueError: {HOSTILE}",
    }
    for status in ("running", "failed", "successful"):
        shown = card_html(state(status, **record) | {"title": HOSTILE, "short_id": HOSTILE})
        assert "<img" not in shown
        parser = Balanced()
        parser.feed(shown)
        assert not parser.faults
        assert not parser.open


@pytest.mark.parametrize(("fraction", "percent"), [(0.0, 0), (0.256, 26), (1.0, 100), (1.7, 100), (-0.2, 0)])
def test_progress_is_a_per_cent(fraction, percent):
    shown = card_html(state(progress={"fraction": fraction}))
    assert re.search(rf"value='{percent}'.*{percent} %", shown)


@pytest.mark.parametrize("fraction", [None, float("nan")], ids=repr)
def test_unknown_progress_has_no_bar(fraction):
    assert "<progress" not in card_html(state(progress={"fraction": fraction}))


def test_an_ended_calculation_has_no_bar():
    assert "<progress" not in card_html(state("successful", progress={"fraction": 1.0, "text": "cycle 9"}))
    assert "cycle 9" not in card_html(state("successful", progress={"fraction": 1.0, "text": "cycle 9"}))


def test_a_success_in_doubt_has_the_sign_of_a_warning():
    shown = card_html(state("successful", warnings=["Not converged."]))
    assert "⚠ done, not converged" in shown


def test_what_the_words_of_an_error_leave_out_is_behind_a_click():
    assert "<details>" in card_html(state("failed", error_msg="cannot read /work/a/in.cif"))
    assert "<details>" not in card_html(state("failed", error_msg="The cell is missing."))


def test_a_card_without_a_title_names_the_command():
    assert "<b>refine.refine_iam</b>" in card_html(state())
