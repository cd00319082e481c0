"""The state of a calculation from records and events that come late, twice, or in a form of a newer registry."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from qcrbox.client import live as module
from qcrbox.client.live import LOG_LINES, Live, Progress

STAMP = "2026-11-29T12:00:00+00:00"
UNIX = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()


def record(status="running", **more):
    return {"calculation_id": "0aa1", "status": status, **more}


@pytest.fixture
def live():
    return Live(record())


@pytest.mark.parametrize("final", ["successful", "failed", "cancelled"])
def test_a_final_state_never_changes(live, final):
    live.take_event("status", {"status": final})
    live.take_event("status", {"status": "running", "step": "again"})
    live.take_record(record("running"))
    assert (str(live.status), live.final, live.step) == (final, True, "done")


def test_a_state_of_a_newer_registry_is_unknown_and_not_final(live):
    live.take_event("status", {"status": "paused"})
    assert (str(live.status), live.final) == ("unknown", False)


def test_the_end_is_told_once(live):
    assert live.ends_with({"status": "failed"})
    assert not live.ends_with({"status": "running"})
    assert not live.ends_with({})
    live.take_event("status", {"status": "failed"})
    assert not live.ends_with({"status": "failed"})


def test_details_that_an_event_leaves_out_stay(live):
    live.take_event("progress", {"fraction": 0.25, "text": "cycle 1", "metrics": {"R1": 0.1}})
    live.take_event("progress", {"fraction": 0.5})
    assert (live.progress.fraction, live.progress.text, live.progress.metrics) == (
        0.5,
        "cycle 1",
        {"R1": 0.1},
    )


def test_nothing_done_is_a_fraction_too(live):
    live.take_event("progress", {"fraction": 0.5})
    live.take_event("progress", {"fraction": 0.0, "text": ""})
    assert (live.progress.fraction, live.progress.text) == (0.0, "")


def test_a_second_report_of_one_cycle_is_added_to_it(live):
    for metrics in ({"cycle": 1, "R1": 0.1}, {"cycle": 1, "wR2": 0.2}, {"cycle": 2, "R1": 0.05}):
        live.take_event("progress", {"metrics": metrics})
    assert live.history == [{"cycle": 1, "R1": 0.1, "wR2": 0.2}, {"cycle": 2, "R1": 0.05}]


def test_reports_without_a_cycle_are_rows_of_their_own(live):
    for value in (1.0, 1.0):
        live.take_event("progress", {"metrics": {"energy": value}})
    assert len(live.history) == 2


@pytest.mark.parametrize(
    ("kept", "rows"),
    [
        ([{"cycle": 1}, {"cycle": 2}, {"cycle": 3}], 3),
        ([{"cycle": 1}], 2),
        (["odd", {"cycle": 9}], 1),
        (None, 2),
    ],
    ids=["a longer history", "an older one", "rows that are none", "none"],
)
def test_the_history_of_a_record_replaces_a_shorter_one(live, kept, rows):
    for cycle in (1, 2):
        live.take_event("progress", {"metrics": {"cycle": cycle}})
    live.take_record(record(progress={"history": kept}))
    assert len(live.history) == rows


def test_the_log_keeps_its_last_lines_and_leaves_the_progress_alone(live):
    live.take_event("progress", {"text": "cycle 1"})
    for number in range(LOG_LINES + 5):
        live.take_event("log", {"text": f"line {number}\n"})
    assert len(live.log_lines) == LOG_LINES
    assert live.log_lines[-1] == f"line {LOG_LINES + 4}"
    assert live.progress.text == "cycle 1"


def test_a_log_of_several_lines_is_lines(live):
    live.take_event("log", {"text": "a\nb\r\nc"})
    assert live.log_lines == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("status", "warnings", "metrics", "doubt"),
    [
        ("successful", [], {}, ""),
        ("successful", ["Twinned."], {}, "with warnings"),
        ("successful", ["It has NOT CONVERGED."], {}, "not converged"),
        ("successful", [], {"converged": 0}, "not converged"),
        ("successful", [], {"converged": 1}, ""),
        ("failed", ["not converged"], {}, ""),
        ("running", ["Twinned."], {}, ""),
    ],
)
def test_only_a_success_can_be_in_doubt(status, warnings, metrics, doubt):
    live = Live(record(status, warnings=warnings, progress={"metrics": metrics}))
    assert live.doubt == doubt


def test_remarks_are_told_apart_and_a_newer_kind_informs():
    remarks = [
        {"kind": "note", "text": "assumed"},
        {"kind": "not_applied", "text": "DFIX"},
        {"kind": "of the future", "text": "new"},
        {"kind": "note", "text": ""},
        "odd",
    ]
    live = Live(record("successful", remarks=remarks))
    assert (live.notes, live.not_applied) == (["assumed", "new"], ["DFIX"])


# ---------------------------------------------------------------- queue


@pytest.mark.parametrize(("place", "before"), [(1, 0), (15, 14), (0, 0)], ids=["next", "fifteenth", "none"])
def test_the_place_in_the_queue_is_the_number_before(place, before):
    assert Live(record("submitted", queue={"place": place})).progress.queue_position == before


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(90, 90.0), (UNIX + 60, 60.0), (STAMP.replace("12:00", "12:02"), 120.0), (UNIX - 5, 0.0), (None, None)],
    ids=["seconds", "unix time", "ISO text", "past", "none"],
)
def test_the_estimated_start_is_in_seconds_from_now(monkeypatch, given, seconds):
    monkeypatch.setattr(module.time, "time", lambda: UNIX)
    assert Live(record("submitted", queue={"estimated_start": given})).progress.estimated_start_s == seconds


# ---------------------------------------------------------------- times


def events(*states):
    return [{"status": state, "timestamp": f"2026-11-29T12:0{n}:00Z"} for n, state in enumerate(states)]


def test_times_are_those_of_its_states():
    live = Live(record("successful", status_events=events("submitted", "running", "successful")))
    assert (live.started_at, live.ended_at, live.elapsed_s) == (UNIX, UNIX + 120, 60.0)
    assert live.complete


def test_before_it_starts_no_time_has_passed():
    live = Live(record("submitted", submitted_at=STAMP))
    assert (live.started_at, live.ended_at, live.elapsed_s) == (UNIX, None, None)


def test_while_it_runs_the_time_since_its_start_passes(monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: UNIX + 90)
    assert Live(record(status_events=events("submitted", "running"))).elapsed_s == 30.0


def test_a_stamp_without_a_zone_is_utc():
    assert Live(record("submitted", submitted_at="2026-11-29T12:00:00")).started_at == UNIX


@pytest.mark.parametrize("stamp", [None, "", "yesterday"], ids=repr)
def test_an_end_without_a_readable_time_has_none(stamp):
    ended = [{"status": "running", "timestamp": STAMP}, {"status": "failed", "timestamp": stamp}]
    live = Live(record("failed", status_events=ended))
    assert live.ended_at is None
    assert live.elapsed_s is None


# ---------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(), ""),
        (Progress(0.256, "cycle 3", {"R1": 0.04}, "running"), "running, 26%, cycle 3, R1 0.0400"),
        (Progress(step="submitted", queue_position=3), "submitted, 3 before you"),
        (Progress(metrics={"residual_min": -0.31}), "Δρ min / e Å⁻³ −0.31"),
    ],
    ids=["nothing", "all", "queued", "a negative figure"],
)
def test_progress_in_one_line(progress, text):
    assert str(progress) == text
    assert repr(progress) == f"<Progress: {text}>"
