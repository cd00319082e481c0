from __future__ import annotations

import asyncio

import pytest
from qcrbox_agent import logs as module
from qcrbox_agent import progress
from qcrbox_agent.logs import Logs
from qcrbox_agent.reports import Reports
from qcrbox_agent.run.frames import MAX_FRAME, Splitter, TooLong, pack


@pytest.fixture
def told():
    return []


@pytest.fixture
def logs(told):
    return Logs("c", 1, told.append)


def text(told, stream="stdout"):
    return "".join(one.text for one in told if one.stream == stream)


async def test_offsets_count_the_bytes_before(logs, told):
    for piece in ("äö", "x", "東"):
        logs.feed("stdout", piece.encode())
        logs.stdout.flush()
    assert [(one.offset, one.text) for one in told] == [(0, "äö"), (4, "x"), (5, "東")]


async def test_letters_cut_between_two_reads_are_whole(logs, told):
    data = "東京".encode()
    for byte in data:
        logs.feed("stdout", bytes([byte]))
    logs.close()
    assert text(told) == "東京"


async def test_bytes_that_are_no_utf8_are_replaced(logs, told):
    logs.feed("stderr", b"a\xff\xfeb\xc3")
    logs.close()
    assert text(told, "stderr") == "a\ufffd\ufffdb\ufffd"


async def test_a_flood_becomes_few_messages(logs, told):
    for number in range(5000):
        logs.feed("stdout", b"%d\n" % number)
    assert told == []
    await asyncio.sleep(0.05)
    assert len(told) == 1
    logs.close()
    assert text(told) == "".join(f"{n}\n" for n in range(5000))


async def test_the_middle_is_cut_and_marked(logs, told, monkeypatch):
    monkeypatch.setattr(module, "HALF_BYTES", 100)
    logs.stdout._head_left = 100
    for number in range(100):
        logs.feed("stdout", b"%09d\n" % number)
    logs.close()
    whole = text(told)
    assert whole.startswith("".join(f"{n:09d}\n" for n in range(10)))
    assert whole.endswith("".join(f"{n:09d}\n" for n in range(90, 100)))
    assert "[… 800 bytes of output cut out here …]" in whole
    assert told[-1].offset + len(told[-1].text.encode()) == len(whole.encode())


async def test_the_tail_is_of_stderr_or_else_of_stdout(logs):
    logs.feed("stdout", b"".join(b"%d\n" % n for n in range(50)))
    assert logs.tail().splitlines() == [str(n) for n in range(30, 50)]
    logs.feed("stderr", b"why\n")
    assert logs.tail() == "why"
    logs.close()


async def test_lines_are_told_whole(logs):
    lines = []
    logs.stdout.on_line = lines.append
    for piece in (b"a", b"b\nc\r\nd\r", b"e"):
        logs.feed("stdout", piece)
    logs.close()
    assert lines == ["ab", "c", "d", "e"]


# ---------------------------------------------------------------- progress


async def test_reports_that_come_too_fast_are_merged_and_the_last_is_sent(told):
    reports = Reports("c", 1, told.append)
    for number in range(1000):
        reports.report({"fraction": number / 1000, "metrics": {"cycle": number}})
    reports.close()
    assert len(told) <= 22
    assert told[-1].metrics == {"cycle": 999}


async def test_a_short_refinement_keeps_every_cycle(told):
    reports = Reports("c", 1, told.append)
    for number in range(15):
        reports.report({"metrics": {"R1": number}})
    reports.close()
    assert [one.metrics["R1"] for one in told] == list(range(15))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"fraction": "x"},
        {"fraction": float("nan")},
        {"fraction": 7},
        {"metrics": [1]},
        {"metrics": {"a": "b", "c": None, "d": float("inf")}},
        {"text": None, "at": "x"},
        {"text": "y" * 10_000},
    ],
)
async def test_odd_reports_of_a_program_do_no_harm(told, message):
    reports = Reports("c", 1, told.append)
    reports.report(message)
    reports.close()
    (one,) = told
    assert one.fraction is None or 0 <= one.fraction <= 1
    assert one.metrics == {}
    assert len(one.text) <= 500


@pytest.mark.parametrize(
    ("pattern", "line", "fraction", "metrics"),
    [
        (r"(?P<percent>\d+)%", "24/30  80% 12s", 0.8, {}),
        (r"frac (?P<fraction>[\d.]+)", "frac 0.25", 0.25, {}),
        (r"cycle (?P<cycle>\d+) of (?P<cycles>\d+)", "cycle 2 of 8", 0.25, {"cycle": 2.0}),
        (r"E = (?P<energy>[-\d.]+)", "E = -1.5", None, {"energy": -1.5}),
        (r"E = (?P<energy>[-\d.]+)", "nothing", "unsent", {}),
    ],
)
async def test_progress_is_read_from_lines(told, pattern, line, fraction, metrics):
    reports = Reports("c", 1, told.append, pattern)
    reports.line(line)
    reports.close()
    if fraction == "unsent":
        assert told == []
    else:
        assert (told[0].fraction, told[0].metrics) == (fraction, metrics)


def test_report_outside_an_agent_does_nothing():
    progress.report(0.5, "x", R1=0.04)
    progress.warn("x")
    progress.note("x")
    progress.not_applied("x")


async def test_warnings_are_kept_once_for_the_end_and_are_no_progress(told):
    reports = Reports("c", 1, told.append)
    progress.send_to(reports.report)
    try:
        for text in ("first", "second", "first", "  ", "y" * 10_000, *(f"number {n}" for n in range(1000))):
            progress.warn(text)
    finally:
        progress.send_to(None)
    reports.close()
    assert told == []
    assert reports.warnings[:2] == ["first", "second"]
    assert len(reports.warnings) == 100
    assert max(map(len, reports.warnings)) == 500


async def test_notes_and_what_is_not_applied_keep_their_kind_and_are_no_warnings(told):
    reports = Reports("c", 1, told.append)
    progress.send_to(reports.report)
    try:
        progress.note("N3 and C3 are taken as alternatives.")
        progress.not_applied("CONF (not computed)")
        progress.note("N3 and C3 are taken as alternatives.")
        progress.note("  ")
    finally:
        progress.send_to(None)
    reports.report({"remark": "of a program", "kind": "shout"})
    reports.close()
    assert (told, reports.warnings) == ([], [])
    assert [(str(remark.kind), remark.text) for remark in reports.remarks] == [
        ("note", "N3 and C3 are taken as alternatives."),
        ("not_applied", "CONF (not computed)"),
        ("note", "of a program"),
    ]


def test_report_leaves_out_what_json_cannot_hold():
    sent = []
    progress.send_to(sent.append)
    try:
        progress.report(2.0, "x", good=1, bad=float("nan"))
    finally:
        progress.send_to(None)
    assert (sent[0]["fraction"], sent[0]["metrics"]) == (1.0, {"good": 1.0})


# ---------------------------------------------------------------- frames


def test_frames_survive_being_cut_anywhere():
    data = pack({"a": "ä"}) + pack({"b": [1, 2]})
    for cut in range(len(data)):
        splitter = Splitter()
        assert splitter.feed(data[:cut]) + splitter.feed(data[cut:]) == [{"a": "ä"}, {"b": [1, 2]}]


def test_a_frame_that_claims_too_much_is_refused():
    with pytest.raises(TooLong):
        Splitter().feed((MAX_FRAME + 1).to_bytes(4, "big"))
