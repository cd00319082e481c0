"""Outputs that follow a calculation: none of them keeps an older state than the one that was known."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from qcrbox.api import calculation as api_calculation
from qcrbox.client.live import Live
from qcrbox.display.status_text import card_state
from qcrbox.widgets import calculation_card, live_html, static_twin
from qcrbox.widgets.calculation_card import Card, CardSource
from qcrbox.widgets.live_html import LiveHtml
from qcrbox.widgets.painter import Painter

SUBMITTED = {
    "calculation_id": "01a20c2bd4630000131fb534a1ba1d32",
    "status": "submitted",
    "status_events": [{"status": "submitted", "timestamp": "2026-11-24T06:00:00Z", "extra_info": {}}],
}
ENDED = SUBMITTED | {
    "status": "successful",
    "status_events": [
        *SUBMITTED["status_events"],
        {"status": "successful", "timestamp": "2026-11-24T06:00:04Z", "extra_info": {}},
    ],
}
END_MARK = "✓"
WAIT_S = 30


class Calculation:
    """The source of a card, with the end at a chosen moment."""

    def __init__(self) -> None:
        self.live = Live(SUBMITTED)
        self.observers = []

    def end(self) -> None:
        self.live.take_record(ENDED)
        for call in self.observers:
            call()

    def state(self):
        names = {"id": "1", "short_id": "1", "name": "refine", "title": "refine", "application": "refine"}
        return card_state(self.live) | names | {"lost_s": None, "lost": ""}

    def source(self) -> CardSource:
        return CardSource(
            state=self.state,
            text=lambda: str(self.live.status),
            log=lambda: "",
            cancel=lambda: None,
            on_change=self.observers.append,
        )


@pytest.fixture
def calculation():
    return Calculation()


@pytest.fixture
def saved(monkeypatch):
    """What a notebook keeps of the output: the last bundle that was published."""
    bundles, painted = [], threading.Event()

    class Twin:
        mark = "qcrbox-static-1"

        def show(self, bundle):
            bundles.append(bundle)

        def update(self, bundle):
            bundles.append(bundle)
            painted.set()

    monkeypatch.setattr(calculation_card, "StaticTwin", Twin)
    monkeypatch.setattr(live_html, "StaticTwin", Twin)
    return bundles, painted


def test_end_during_the_loading_of_the_widget_is_shown(calculation, saved, monkeypatch):
    bundles, painted = saved
    monkeypatch.setattr(Card, "_make_widget", lambda _: calculation.end())
    Card(calculation.source())
    assert painted.wait(WAIT_S)
    assert END_MARK in bundles[-1]["text/html"]


def test_a_cell_that_waited_returns_with_the_end_shown(calculation, saved, monkeypatch):
    bundles, _ = saved
    monkeypatch.setattr(calculation_card, "painter", IdlePainter())
    card = Card(calculation.source())
    calculation.end()
    assert END_MARK not in bundles[-1]["text/html"]
    card.show_end()
    assert END_MARK in bundles[-1]["text/html"]


def test_an_end_that_is_shown_is_not_published_again(calculation, saved, monkeypatch):
    bundles, _ = saved
    monkeypatch.setattr(calculation_card, "painter", IdlePainter())
    card = Card(calculation.source())
    calculation.end()
    card.show_end()
    published = len(bundles)
    card.show_end()
    assert len(bundles) == published


def test_the_widget_gets_the_end_too(calculation, saved, monkeypatch):
    class Widget:
        state: dict

    widget = Widget()
    monkeypatch.setattr(Card, "_make_widget", lambda _: widget)
    monkeypatch.setattr(calculation_card, "painter", IdlePainter())
    card = Card(calculation.source())
    calculation.end()
    card.show_end()
    assert widget.state["final"]


def test_a_state_read_earlier_never_replaces_a_later_one(saved):
    """One thread reads the state and is held up; the other must not overtake it and then be overwritten."""
    bundles, _ = saved
    reading, go_on = threading.Event(), threading.Event()
    states = iter(["shown first", "running", "done"])

    def bundle():
        state = next(states)
        if state == "running":
            reading.set()
            assert go_on.wait(WAIT_S)
        return {"text/html": state}

    shown = LiveHtml(bundle)
    slow = threading.Thread(target=shown.paint)
    slow.start()
    assert reading.wait(WAIT_S)
    fast = threading.Thread(target=shown.paint)
    fast.start()
    go_on.set()
    slow.join(WAIT_S)
    fast.join(WAIT_S)
    assert [each["text/html"] for each in bundles] == ["shown first", "running", "done"]


def test_what_is_asked_for_while_an_output_is_painted_is_painted_too():
    painter, painted = Painter(per_second=1000, per_card_s=0), threading.Event()
    times = []

    def paint():
        times.append(len(times))
        if len(times) == 1:
            painter.ask(1, paint)
            painter.forget(1)
        else:
            painted.set()

    painter.ask(1, paint)
    assert painted.wait(WAIT_S)


def test_requests_before_a_painting_are_merged():
    painter = Painter(per_second=1000, per_card_s=0)
    held, release, painted = threading.Event(), threading.Event(), threading.Event()
    times = []

    def hold():
        held.set()
        release.wait(WAIT_S)

    painter.ask(1, hold)
    assert held.wait(WAIT_S)
    for _ in range(5):
        painter.ask(2, lambda: times.append(1))
    painter.ask(3, painted.set)
    release.set()
    assert painted.wait(WAIT_S)
    assert len(times) == 1


def test_an_output_that_cannot_be_drawn_does_not_stop_the_others():
    painter, painted = Painter(per_second=1000, per_card_s=0), threading.Event()

    def fail():
        raise RuntimeError

    painter.ask(1, fail)
    painter.ask(2, painted.set)
    assert painted.wait(WAIT_S)


def test_result_returns_with_the_end_in_the_saved_card(monkeypatch):
    """A program that runs a notebook takes outputs only while the cell runs."""
    published = []
    record = SUBMITTED | {"application_slug": "refine", "command_name": "refine_iam", "command_arguments": {}}
    for module in (api_calculation, calculation_card):
        monkeypatch.setattr(module, "is_notebook", lambda: True)
    monkeypatch.setattr(calculation_card.bundle, "available", lambda _: False)
    monkeypatch.setattr(calculation_card, "painter", IdlePainter())
    monkeypatch.setattr(static_twin, "publish", lambda bundle, **_: published.append(bundle))
    box = SimpleNamespace(
        feed=SimpleNamespace(
            connected=False, lost_s=None, watched=[], watch=lambda _: None, release=lambda _: None
        ),
        calculations=SimpleNamespace(read=lambda _: record | (ENDED if published else {})),
    )
    api_calculation.Calculation(box, record).result()
    assert END_MARK not in published[0]["text/html"]
    assert END_MARK in published[-1]["text/html"]


class IdlePainter:
    """A painter that has no time: nothing is painted in the background."""

    def ask(self, key, paint):
        pass

    def forget(self, key):
        pass
