"""The live card: what its buttons do, and what is sent while it changes."""

from __future__ import annotations

import pytest
from qcrbox.client.live import Live
from qcrbox.contract.errors import Conflict
from qcrbox.display.status_text import card_state
from qcrbox.widgets import calculation_card as module
from qcrbox.widgets.calculation_card import Card, CardSource, display_card


class Widget:
    """In the place of the live half."""

    def __init__(self, state, twin):
        self.state, self.twin, self.sent, self.handlers = state, twin, [], []

    def on_msg(self, handler):
        self.handlers.append(handler)

    def send(self, message):
        self.sent.append(message)

    def press(self, what):
        for handler in self.handlers:
            handler(self, {"do": what}, [])


@pytest.fixture
def published(monkeypatch):
    found = []
    monkeypatch.setattr(
        "qcrbox.widgets.static_twin.publish", lambda bundle, **options: found.append((bundle, options))
    )
    monkeypatch.setattr(module, "publish", lambda bundle: found.append((bundle, {})))
    monkeypatch.setattr(module, "publish_widget", lambda widget: found.append((widget, {})))
    monkeypatch.setattr(module, "is_notebook", lambda: True)
    monkeypatch.setattr(module.bundle, "available", lambda _: True)
    monkeypatch.setattr(module.painter, "ask", lambda _, paint: paint())
    monkeypatch.setattr("qcrbox.widgets.calculation_card.widget.CardWidget", Widget, raising=True)
    return found


class Source:
    def __init__(self, status="running"):
        self.live = Live({"calculation_id": "0aa1", "status": status})
        self.observers, self.cancelled, self.log = [], [], "line\n" * 3

    def state(self):
        names = {"application": "refine", "name": "refine_iam", "short_id": "0aa1", "title": "", "id": "0aa1"}
        return card_state(self.live) | names

    def card(self, cancel=None):
        cancel = cancel or (lambda: self.cancelled.append(True))
        return CardSource(self.state, lambda: "text", lambda: self.log, cancel, self.observers.append)

    def event(self, **data):
        self.live.take_event("progress", data)
        for call in self.observers:
            call()


def widget_of(published):
    return next(each for each, _ in published if isinstance(each, Widget))


def test_the_cancel_button_cancels(published):
    source = Source()
    Card(source.card())
    widget_of(published).press("cancel")
    assert source.cancelled == [True]


def test_a_refused_cancellation_is_shown_in_the_card(published):
    def refuse():
        raise Conflict("It has ended.")

    Card(Source().card(refuse))
    widget = widget_of(published)
    widget.press("cancel")
    assert widget.sent == [{"error": "It has ended."}]


def test_the_end_of_a_long_log_is_sent(published, monkeypatch):
    monkeypatch.setattr(module, "_LOG_CHARACTERS", 8)
    source = Source()
    source.log = "first line, last"
    Card(source.card())
    widget = widget_of(published)
    widget.press("log")
    assert widget.sent == [{"log": "ne, last"}]


@pytest.mark.parametrize("what", ["", "other", None])
def test_other_messages_do_nothing(published, what):
    source = Source()
    Card(source.card())
    widget = widget_of(published)
    widget.press(what)
    assert (widget.sent, source.cancelled) == ([], [])


def test_changes_go_to_the_widget_and_only_the_end_to_the_saved_card(published):
    source = Source()
    Card(source.card())
    widget = widget_of(published)
    saved = len([1 for _, options in published if options.get("update")])
    source.event(text="cycle 2")
    assert widget.state["text"] == "cycle 2"
    assert len([1 for _, options in published if options.get("update")]) == saved
    source.event(status="successful")
    updates = [bundle for bundle, options in published if options.get("update")]
    assert len(updates) == saved + 1
    assert "✓ done" in updates[-1]["text/html"]


def test_an_ended_calculation_has_a_still_card_alone(published):
    Card(Source("successful").card())
    assert not [each for each, _ in published if isinstance(each, Widget)]


def test_without_the_widget_each_change_is_painted_into_the_still_card(published, monkeypatch):
    monkeypatch.setattr(module.bundle, "available", lambda _: False)
    source = Source()
    Card(source.card())
    source.event(text="cycle 2")
    assert "cycle 2" in published[-1][0]["text/html"]


def test_a_terminal_gets_a_line_of_text(published, monkeypatch):
    monkeypatch.setattr(module, "is_notebook", lambda: False)
    assert display_card(Source().card()) is None
    assert published == [({"text/plain": "text"}, {})]
