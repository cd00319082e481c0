"""The line of a waiting terminal, and the lines of a log file."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from qcrbox.client.live import Live
from qcrbox.display import text_bar
from qcrbox.display.text_bar import TextBar


class Screen(io.StringIO):
    terminal = True

    def isatty(self):
        return self.terminal


@pytest.fixture
def screen(monkeypatch):
    made = Screen()
    # Pytest puts its own stderr in place between the fixtures and the test.
    monkeypatch.setattr(text_bar, "sys", SimpleNamespace(stderr=made))
    return made


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves: `clock[0] += 1`."""
    now = [100.0]
    monkeypatch.setattr(text_bar.time, "monotonic", lambda: now[0])
    return now


def running():
    return Live({"calculation_id": "0aa1", "status": "running"})


def test_a_terminal_has_one_line_that_is_written_over(screen, clock):
    live = running()
    bar = TextBar(live, "refine_iam", "0aa1", lambda: "")
    clock[0] += 1
    live.take_event("progress", {"fraction": 0.5, "text": "cycle 2"})
    bar.draw()
    bar.close()
    assert screen.getvalue().count("\n") == 1
    assert screen.getvalue().count("\r\x1b[2K") == 2
    assert f"[{'█' * 12}{'·' * 12}] – cycle 2" in screen.getvalue()


def test_a_terminal_is_drawn_at_most_ten_times_a_second(screen, clock):
    live = running()
    bar = TextBar(live, "refine_iam", "0aa1", lambda: "")
    for number in range(100):
        clock[0] += 0.01
        live.take_event("progress", {"text": f"step {number}"})
        bar.draw()
    assert screen.getvalue().count("\r") <= 12


def test_the_end_is_always_drawn(screen, clock):
    live = running()
    bar = TextBar(live, "refine_iam", "0aa1", lambda: "")
    live.take_event("status", {"status": "successful"})
    bar.close()
    assert "✓ done" in screen.getvalue()


@pytest.mark.parametrize(
    ("fraction", "full"), [(0.0, 0), (1.0, 24), (1.5, 24), (-0.5, 0), (float("nan"), None)]
)
def test_the_bar_is_never_longer_than_its_place(screen, clock, fraction, full):
    live = running()
    live.take_event("progress", {"fraction": fraction})
    TextBar(live, "refine_iam", "0aa1", lambda: "")
    shown = screen.getvalue()
    if full is None:
        assert "[" not in shown.replace("\x1b[2K", "")
    else:
        assert f"[{'█' * full}{'·' * (24 - full)}]" in shown


def test_a_file_gets_a_line_for_each_change_of_state_alone(screen, clock):
    screen.terminal = False
    live = Live({"calculation_id": "0aa1", "status": "submitted"})
    bar = TextBar(live, "refine_iam", "0aa1", lambda: "")
    for number in range(5):
        live.take_event("progress", {"status": "running", "step": "refining", "text": f"cycle {number}"})
        bar.draw()
    live.take_event("status", {"status": "successful"})
    bar.close()
    assert screen.getvalue().splitlines() == [
        "refine_iam: Queued.",
        "refine_iam: refining",
        "refine_iam: done",
    ]


def test_a_lost_connection_is_said_once_in_a_file(screen, clock):
    screen.terminal = False
    seconds = iter(range(100))
    bar = TextBar(running(), "refine_iam", "0aa1", lambda: f"Connection lost {next(seconds)} s ago")
    for _ in range(3):
        bar.draw()
    assert screen.getvalue() == "refine_iam: Connection lost; the calculation is still running.\n"
