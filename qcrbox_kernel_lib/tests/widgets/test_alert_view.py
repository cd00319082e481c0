"""Alerts beside the structure: still, in text, and as buttons."""

from __future__ import annotations

import pytest
from qcrbox.analysis.validation import Alert
from qcrbox.markup import Table
from qcrbox.widgets import alert_view
from qcrbox.widgets.alert_view import AlertView

HOSTILE = "<script>alert(1)</script>"
ALERTS = [Alert("T", "A", 1, HOSTILE, ("C1",), HOSTILE), Alert("U", HOSTILE, 1, "whole", ())]


@pytest.fixture
def view_of(molecule):
    def make(alerts=ALERTS, **options):
        table = Table(("level", "alert"), [(alert.level, alert.text) for alert in alerts], title="Checks")
        return AlertView(molecule, alerts, table, notice=f"A subset. {HOSTILE}", **options)

    return make


@pytest.fixture
def published(monkeypatch):
    found = []
    monkeypatch.setattr(alert_view, "publish", found.append)
    monkeypatch.setattr("qcrbox.widgets.static_twin.publish", lambda bundle, **_: found.append(bundle))
    monkeypatch.setattr(alert_view.bundle, "available", lambda _: False)
    return found


def test_a_terminal_reads_the_table(view_of, published, monkeypatch):
    monkeypatch.setattr(alert_view, "is_notebook", lambda: False)
    view_of()._ipython_display_()
    assert published == [{"text/plain": view_of().table.text()}]


def test_a_saved_notebook_keeps_picture_and_table_as_text(view_of, published, monkeypatch):
    monkeypatch.setattr(alert_view, "is_notebook", lambda: True)
    view_of()._ipython_display_()
    (bundle,) = published
    assert "data:image/svg+xml" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert "Checks" in bundle["text/plain"]


def test_a_button_shows_the_atoms_of_its_alert(view_of, monkeypatch):
    pytest.importorskip("ipywidgets")
    view = view_of()
    sent = []
    view.view._widget = type("Widget", (), {"send": lambda _, message: sent.append(message)})()
    with_atoms, without = (view._row(alert) for alert in ALERTS)
    with_atoms.children[0].click()
    assert sent == [{"highlight": [view.view.scene.labels.index("C1")]}]
    assert without.children[0].disabled


def test_texts_of_alerts_are_escaped_in_the_buttons_too(view_of):
    pytest.importorskip("ipywidgets")
    view = view_of()
    for alert in ALERTS:
        assert "<script" not in view._row(alert).children[1].value


def test_options_go_to_the_view(view_of):
    assert view_of(labels=True, title="a.cif").view.scene.labelled.all()
