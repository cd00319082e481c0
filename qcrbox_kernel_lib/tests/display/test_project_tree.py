"""A project as a tree: lines that branch only where there are alternatives, states as sign and word, text escaped."""

from __future__ import annotations

import pytest
from qcrbox.display.project_tree import guides, state_of, time_text, tree_html, tree_text


def node(name, parent=None, **more):
    known = {"title": name, "at": "2026-11-29T18:24:00Z", "status": "successful", "note": ""}
    return {
        "id": name,
        "parent": parent,
        "doubtful": False,
        "newest": False,
        "pinned": False,
        **known,
        **more,
    }


def test_one_step_after_the_other_stands_in_one_column():
    nodes = [node("azu"), node("iam", "azu"), node("har", "iam")]
    assert guides(nodes) == ["", "└ ", "└ "]


def test_alternatives_branch_and_what_follows_stands_under_its_branch():
    nodes = [node("azu"), node("iam", "azu"), node("har", "iam"), node("twin", "azu")]
    assert guides(nodes) == ["", "├─ ", "│  └ ", "└─ "]


def test_two_beginnings_stand_beside_each_other():
    assert guides([node("azu"), node("data")]) == ["", ""]


@pytest.mark.parametrize(
    ("more", "sign", "word"),
    [
        ({}, "✓", "done"),
        ({"doubtful": True}, "⚠", "done, with warnings"),
        ({"doubtful": True, "verdict": "R1 0.0412, not converged"}, "⚠", "done, not converged"),
        ({"status": "failed"}, "✗", "failed"),
        ({"status": "submitted"}, "◷", "queued"),
        ({"status": ""}, "", ""),
    ],
)
def test_a_state_is_a_sign_and_a_word(more, sign, word):
    assert state_of(node("x", **more)) == (sign, word)


def test_the_text_names_newest_model_pins_notes_and_failures():
    nodes = [
        node("azu", status=""),
        node("iam", "azu", status="failed", note="twin\nlaw"),
        node("har", "azu", newest=True),
    ]
    text = tree_text("azu", nodes)
    assert "✗ iam" in text
    assert "[failed]" in text
    assert "“twin law”" in text
    assert "✓ har" in text
    assert "[newest model]" in text


def test_titles_and_notes_are_escaped():
    html = tree_html("<b>", [node("<script>", note="<i>")])
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;i&gt;" in html


@pytest.mark.parametrize("iso", [None, "", "yesterday"])
def test_no_time_is_better_than_a_wrong_one(iso):
    assert time_text(iso) == ""
