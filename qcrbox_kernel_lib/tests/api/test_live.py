"""State of a calculation from records and events, in whatever order they come."""

from __future__ import annotations

import pytest
from qcrbox.api.calculations import Calculation, Calculations
from qcrbox.client.events import EventFeed
from qcrbox.client.live import Live
from qcrbox.client.metrics import figures
from qcrbox.contract.errors import Unreachable
from qcrbox.display.status_text import card_state, line_text, queue_text
from qcrbox.markup.colours import WARN
from qcrbox.widgets.calculation_card.still import card_html

ID = "01a20c2bd4630000131fb534a1ba1d32"
RECORD = {
    "calculation_id": ID,
    "application_slug": "refine",
    "command_name": "refine_iam",
    "command_arguments": {},
    "status": "submitted",
    "status_events": [{"status": "submitted", "timestamp": "2026-11-24T06:00:00Z", "extra_info": {}}],
}
ENDED = {
    **RECORD,
    "status": "successful",
    "output_dataset_id": "d1",
    "status_events": [
        *RECORD["status_events"],
        {"status": "running", "timestamp": "2026-11-24T06:00:01Z", "extra_info": {}},
        {"status": "successful", "timestamp": "2026-11-24T06:00:04Z", "extra_info": {}},
    ],
    "progress": {
        "fraction": 1.0,
        "text": "done",
        "metrics": {"R1": 0.04},
        "history": [{"cycle": 1, "R1": 0.04}],
    },
}


class Registry:
    """Answers with a record, or not at all."""

    url = "http://registry"

    def __init__(self, record=None):
        self.record, self.asked = record, 0

    def get(self, path, **_):
        self.asked += 1
        if self.record is None:
            raise Unreachable("gone")
        return {"calculations": [self.record]}


class Box:
    def __init__(self, record=None):
        self.client = Registry(record)
        self.feed = EventFeed(self.client)
        self.feed.close()  # no background thread in these tests
        self.calculations = Calculations(self)


def test_late_event_cannot_take_back_the_end():
    live = Live(ENDED)
    live.take_event("calculation", {"id": ID, "status": "running", "step": "running"})
    assert live.status == "successful"
    assert live.step == "done"


def test_who_sees_the_end_sees_the_outputs():
    calculation = Calculation(Box(ENDED), RECORD)
    seen = []
    calculation.on_change(
        lambda: seen.append((calculation._live.final, calculation.record.get("output_dataset_id")))
    )
    calculation.take_event("calculation", {"id": ID, "status": "successful", "step": "done"})
    assert seen == [(True, "d1")]


def test_end_told_while_the_record_cannot_be_read_is_completed_later():
    box = Box(None)
    calculation = Calculation(box, RECORD)
    calculation.take_event("calculation", {"id": ID, "status": "successful", "step": "done"})
    assert calculation._live.final
    assert not calculation._live.complete
    box.client.record = ENDED
    assert calculation.result(1).calculation.record["output_dataset_id"] == "d1"


def test_queue_is_said_with_place_time_and_reason():
    live = Live(
        {
            **RECORD,
            "queue": {"place": 15, "reason": "Your group may run 8 at once.", "estimated_start": 360.0},
        }
    )
    assert queue_text(live) == "Queued: 14 before you, about 6 min. Your group may run 8 at once."
    assert queue_text(Live({**RECORD, "queue": {"place": 1}})) == "Queued: next."


def test_progress_of_one_cycle_told_twice_is_one_row_of_history():
    live = Live(RECORD)
    live.take_event("progress", {"id": ID, "metrics": {"cycle": 1, "R1": 0.1}})
    live.take_event("progress", {"id": ID, "metrics": {"cycle": 1, "R1": 0.09}})
    live.take_event("progress", {"id": ID, "metrics": {"cycle": 2, "R1": 0.08}})
    assert live.history == [{"cycle": 1, "R1": 0.09}, {"cycle": 2, "R1": 0.08}]


def test_text_of_the_log_is_not_taken_for_progress():
    live = Live(RECORD)
    live.take_event("progress", {"id": ID, "text": "cycle 3"})
    live.take_event("log", {"id": ID, "kind": "log", "stream": "stdout", "text": "a\nb\n"})
    assert live.progress.text == "cycle 3"
    assert live.log_lines == ["a", "b"]


def test_elapsed_time_of_an_ended_one_is_that_of_its_run():
    assert Live(ENDED).elapsed_s == pytest.approx(3.0)


HOSTILE = [{"kind": kind, "text": "<img src=y>"} for kind in ("note", "not_applied")]
REMARKS = [
    {"kind": "note", "text": "N3 and C3 are taken as alternatives."},
    {"kind": "not_applied", "text": "CONF (torsion angles are not listed)"},
    {"kind": "of a newer registry", "text": "something else"},
]


def html_of(live):
    return card_html(card_state(live) | {"name": "x", "application": "a", "short_id": "1", "id": ID})


def test_notes_inform_and_only_a_warning_makes_a_result_amber():
    live = Live({**ENDED, "remarks": REMARKS})
    assert live.notes == ["N3 and C3 are taken as alternatives.", "something else"]
    assert live.not_applied == ["CONF (torsion angles are not listed)"]
    assert (live.warnings, live.doubt) == ([], "")
    html = html_of(live)
    assert "✓ done" in html
    assert "⚠" not in html
    assert (
        html.index("Not applied:") < html.index("CONF") < html.index("<details><summary>Notes (2)</summary>")
    )
    warned = Live({**ENDED, "remarks": REMARKS, "warnings": ["Not positive definite: C7."]})
    assert warned.doubt == "with warnings"
    assert "⚠ done, with warnings" in html_of(warned)
    assert WARN in html_of(warned)


@pytest.mark.parametrize(
    "more",
    [
        {"progress": {"metrics": {"converged": 0.0}}},
        {"warnings": ["Finished, but not converged: max shift/s.u. 0.43 (C12 U33)."]},
    ],
    ids=["by its metric", "by its warning"],
)
def test_not_converged_is_said_alike_in_line_and_card(more):
    live = Live({**ENDED, **more})
    assert live.doubt == "not converged"
    assert line_text(live, "x", "1").startswith("⚠ done, not converged")
    assert "⚠ done, not converged" in html_of(live)


def test_figures_are_words_with_fixed_digits():
    metrics = {
        "R1": 0.041,
        "S": 1.0,
        "converged": 1.0,
        "residual_max": 0.1234,
        "residual_min": -0.2,
        "my_score": 2.5,
    }
    html = html_of(Live({**ENDED, "progress": {"metrics": metrics}}))
    assert "residual_max" not in html
    assert "my_score" not in html
    assert figures(metrics) == [
        ("R1", "0.0410"),
        ("S", "1.000"),
        ("converged", "yes"),
        ("Δρ max / e Å⁻³", "0.12"),
        ("Δρ min / e Å⁻³", "\N{MINUS SIGN}0.20"),
        ("my score", "2.5"),
    ]
    assert "R1 0.0410, S 1.000, converged yes" in str(
        Live({**ENDED, "progress": {"metrics": metrics}}).progress
    )


@pytest.mark.attack(11)
def test_card_shows_hostile_text_as_text():
    live = Live(
        {**ENDED, "error_msg": "<script>alert(1)</script>", "warnings": ["<img src=x>"], "remarks": HOSTILE}
    )
    state = card_state(live) | {"name": "<b>x</b>", "application": "a", "short_id": "1", "id": ID}
    html = card_html(state)
    for raw in ("<script", "<img", "<b>x"):
        assert raw not in html
