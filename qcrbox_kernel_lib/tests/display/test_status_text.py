"""The state of a calculation in words: icons, queue, progress, errors, cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from qcrbox.client.live import Live, Progress
from qcrbox.client.metrics import figure_label, figure_text, figures
from qcrbox.crystallography.radiation import ELECTRON, NEUTRON, XRAY, density_unit, residual_figures
from qcrbox.display.failure_words import failure_of
from qcrbox.display.status_text import (
    brief_text,
    card_state,
    first_error,
    line_text,
    lost_connection_text,
    queue_text,
    start_text,
    status_text,
    title_text,
)
from qcrbox.markup import cell_html


def live(status="running", **record) -> Live:
    return Live({"calculation_id": "c1", "status": status, **record})


def reporting(state: Live, **data) -> Live:
    state.take_event("calculation.progress", {"calculation_id": "c1", "kind": "progress", **data})
    return state


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("submitted", "◷ queued"),
        ("running", "▶ running"),
        ("successful", "✓ done"),
        ("failed", "✗ failed"),
        ("cancelled", "⊘ cancelled"),
    ],
)
def test_each_state_has_its_icon(status, text):
    assert status_text(live(status)) == text


@pytest.mark.parametrize(
    ("metrics", "warnings", "text"),
    [
        ({"converged": 0.0}, [], "⚠ done, not converged"),
        ({"converged": 1.0}, [], "✓ done"),
        ({"refined": 0.0}, [], "✓ done"),
        ({}, ["Finished, but not converged: x."], "⚠ done, not converged"),
        ({"converged": 1.0}, ["R1 is high."], "⚠ done, with warnings"),
    ],
)
def test_a_result_in_doubt_says_why(metrics, warnings, text):
    state = reporting(live(), metrics=metrics)
    state.take_record({"status": "successful", "warnings": warnings})
    assert status_text(state) == text


def test_a_running_calculation_is_never_in_doubt():
    assert status_text(reporting(live(), metrics={"converged": 0.0})) == "▶ running"


@pytest.mark.parametrize(
    ("place", "after", "text"),
    [
        (3, 360, "Queued: 3 before you, about 6 min."),
        (3, None, "Queued: 3 before you."),
        (0, 20, "Queued: next, about 20 s."),
        (0, None, "Queued: next."),
        (None, 5400, "Queued, about 1.5 h."),
        (None, None, "Queued."),
        (1, 89, "Queued: 1 before you, about 89 s."),
        (1, 90, "Queued: 1 before you, about 2 min."),
        (1, 5399, "Queued: 1 before you, about 90 min."),
        (0, 0.2, "Queued: next, about 1 s."),
    ],
)
def test_the_queue_in_words(place, after, text):
    state = live("submitted")
    state.progress = Progress(queue_position=place, estimated_start_s=after)
    assert queue_text(state) == text
    assert brief_text(state) == text


def test_nothing_is_queued_once_it_runs():
    assert queue_text(live("running", queue={"place": 3})) == ""


@pytest.mark.parametrize(("place", "text"), [(1, "Queued: next."), (4, "Queued: 3 before you. Two run.")])
def test_the_place_of_a_record_counts_from_one(place, text):
    reason = "Two run." if place > 1 else ""
    assert queue_text(live("submitted", queue={"place": place, "reason": reason})) == text


def test_progress_is_its_text_else_its_figures():
    assert brief_text(reporting(live(), text="Cycle 3", metrics={"R1": 0.04})) == "Cycle 3"
    assert (
        brief_text(reporting(live(), metrics={"R1": 0.04171, "converged": 1.0})) == "R1 0.0417, converged yes"
    )


def test_the_first_line_of_an_error_stands_for_it():
    state = live(
        "failed", error_msg="qcrbox.contract.errors.CalculationFailed: the matrix is singular.\nTraceback"
    )
    assert brief_text(state) == "the matrix is singular."


def test_a_line_has_state_name_id_and_bar():
    state = reporting(live(), fraction=0.5, text="half")
    assert line_text(state, "refine_iam", "ab12", width=4) == "▶ running refine_iam (ab12) [██··] – half"
    state.take_record({"status": "successful"})
    assert "[" not in line_text(state, "refine_iam", "ab12", width=4)


CASES = json.loads((Path(__file__).parent / "failures.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["text"][:30] for case in CASES])
def test_a_failure_is_read_without_paths_and_tracebacks(case: dict[str, Any]) -> None:
    words, details = failure_of(case["text"])
    assert words == case["words"]
    assert details == (case["text"] if case["details"] else "")


@pytest.mark.parametrize(
    ("log", "message", "line"),
    [
        ("one\ntwo failed\nthree: singular", "three: singular", 3),
        ("one\ntwo Failed\nthree", "", 2),
        ("one\nterror\nfine", "", None),
        ("one\nERROR 5", "what is not in the log", 2),
        ("", "x", None),
        ("a\nb", "   ", None),
    ],
)
def test_the_line_of_the_error(log, message, line):
    assert first_error(log, message) == line


@pytest.mark.parametrize(
    ("count", "seconds", "begins"),
    [
        (1, 20.4, "Connection lost 20 s ago; your calculation is still running."),
        (3, 0.0, "Connection lost 0 s ago; your 3 calculations are still running."),
        (1, -5.0, "Connection lost 0 s ago;"),
    ],
)
def test_a_lost_connection_in_words(count, seconds, begins):
    assert lost_connection_text(count, seconds).startswith(begins)
    assert lost_connection_text(count, None) == ""


def test_times_that_are_unknown_are_left_out():
    assert start_text(live()) == ""
    assert title_text(live(), "thpp") == "thpp"


def test_a_title_has_the_day_unless_it_is_today_and_a_given_name_has_neither():
    old = live("successful", finished_at="2001-02-03T12:00:00+00:00")
    assert title_text(old, "thpp").startswith("thpp · 2001-02-0")
    named = live("successful", finished_at="2001-02-03T12:00:00+00:00", name="mine")
    assert title_text(named, "mine") == "mine"


def test_the_time_in_a_title_is_a_moment_with_its_iso_date_in_html_and_plain_elsewhere():
    title = title_text(live("successful", finished_at="2001-02-03T12:34:56.7+02:00"), "a<b")
    assert str(title) == f"a<b · {title.clock}"
    iso = "2001-02-03T10:34:56Z"
    assert cell_html(title) == (
        f"a&lt;b · <time class='qcrbox-Moment' datetime='{iso}' title='{iso}'>{title.clock}</time>"
    )


def test_a_card_has_figures_with_labels_and_digits():
    state = reporting(live(), fraction=0.25, metrics={"R1": 0.04171, "residual_min": -0.312, "refined": 0.0})
    card = card_state(state)
    assert card["figures"] == [
        {"name": "R1", "label": "R1", "text": "0.0417"},
        {"name": "residual_min", "label": "Δρ min / e Å⁻³", "text": "−0.31"},
        {"name": "refined", "label": "refined", "text": "no"},
    ]
    assert (card["status"], card["final"], card["fraction"], card["queue"]) == ("running", False, 0.25, "")


@pytest.mark.parametrize(
    ("name", "value", "label", "text"),
    [
        ("R1", 0.04996, "R1", "0.0500"),
        ("S", 1.0, "S", "1.000"),
        ("max_shift_su", 12.3456, "max shift/s.u.", "12.346"),
        ("cycle", 3.0, "cycle", "3"),
        ("residual_min", -0.5, "Δρ min / e Å⁻³", "−0.50"),
        ("residual_min_neutron", -0.5, "Δρ min / fm Å⁻³", "−0.50"),
        ("residual_max_electron", 0.123, "Δρ max / Å⁻²", "0.12"),
        ("own_figure", 0.000012345, "own figure", "1.234e-05"),
        ("own_figure", -1234567.0, "own figure", "−1.235e+06"),
        ("converged", 1.0, "converged", "yes"),
        ("refined", 0.0, "refined", "no"),
    ],
)
def test_figures_have_the_same_digits_everywhere(name, value, label, text):
    assert (figure_label(name), figure_text(name, value)) == (label, text)
    assert figures({name: value}) == [(label, text)]


@pytest.mark.parametrize("probe", [XRAY, NEUTRON, ELECTRON, ""])
def test_residual_densities_are_labelled_in_the_unit_of_their_radiation(probe):
    made = residual_figures(0.41, -0.32, probe)
    assert [(label.rpartition(" / ")[2], text) for label, text in figures(made)] == [
        (density_unit(probe), "0.41"),
        (density_unit(probe), "−0.32"),
    ]
