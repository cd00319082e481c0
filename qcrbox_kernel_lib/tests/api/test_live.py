"""State of a calculation from records and events, in whatever order they come."""

from __future__ import annotations

import pytest
from qcrbox.api.calculations import Calculation, Calculations
from qcrbox.client.events import EventFeed
from qcrbox.client.live import Live
from qcrbox.contract.errors import Unreachable
from qcrbox.display.status_text import card_state, queue_text
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


@pytest.mark.attack(11)
def test_card_shows_hostile_text_as_text():
    live = Live({**ENDED, "error_msg": "<script>alert(1)</script>", "warnings": ["<img src=x>"]})
    state = card_state(live) | {"name": "<b>x</b>", "application": "a", "short_id": "1", "id": ID}
    html = card_html(state)
    for raw in ("<script", "<img", "<b>x"):
        assert raw not in html
