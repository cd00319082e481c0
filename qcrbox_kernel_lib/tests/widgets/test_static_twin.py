"""Outputs that stay in a notebook: shown once, replaced in place, found by their widget."""

from __future__ import annotations

import re

import pytest
from qcrbox.widgets import static_twin
from qcrbox.widgets.live_html import LiveHtml
from qcrbox.widgets.static_twin import StaticTwin, publish_widget


@pytest.fixture
def published(monkeypatch):
    found = []
    monkeypatch.setattr(static_twin, "publish", lambda bundle, **options: found.append((bundle, options)))
    return found


def test_an_update_replaces_what_was_shown(published):
    twin = StaticTwin()
    twin.show({"text/plain": "a", "text/html": "<p>a</p>"})
    twin.update({"text/plain": "b", "text/html": "<p>b</p>"})
    (_, first), (_, second) = published
    assert first["transient"] == second["transient"]
    assert (first["update"], second["update"]) == (False, True)


def test_the_html_carries_the_mark_that_the_widget_looks_for(published):
    twin = StaticTwin()
    bundle = {"text/html": "<p>a</p>"}
    twin.show(bundle)
    html = published[0][0]["text/html"]
    assert re.search(rf'class="qcrbox-static {twin.mark}"', html)
    assert html.endswith("<p>a</p></div>")
    assert bundle == {"text/html": "<p>a</p>"}


def test_two_outputs_never_share_a_mark(published):
    assert len({StaticTwin().mark for _ in range(100)}) == 100


def test_text_alone_stays_text(published):
    StaticTwin().show({"text/plain": "a"})
    assert published[0][0] == {"text/plain": "a"}


def test_a_widget_brings_no_text_of_its_own(published):
    publish_widget(type("Widget", (), {"model_id": "m1"})())
    ((bundle, _),) = published
    assert bundle["text/plain"] == ""
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == "m1"


def test_html_that_follows_is_painted_with_what_holds_now(published):
    states = iter("abc")
    shown = LiveHtml(lambda: {"text/plain": next(states)})
    shown.paint()
    shown.paint()
    assert [bundle["text/plain"] for bundle, _ in published] == ["a", "b", "c"]
    assert [options["update"] for _, options in published] == [False, True, True]
