"""The card of a calculation while it runs: queue, cycles, figures, plot, log, cancel."""

from __future__ import annotations

import json
import re

import pytest
from qcrbox.client.metrics import figure_label, figure_text

pytestmark = pytest.mark.browser

STATE = {
    "status": "submitted",
    "final": False,
    "step": "queued",
    "fraction": None,
    "text": "",
    "metrics": {},
    "figures": [],
    "doubt": "",
    "not_applied": [],
    "notes": [],
    "queue": "Queued: 14 before you, about 6 min. Your group may run 8 at once.",
    "history": [],
    "log": [],
    "error": "",
    "warnings": [],
    "elapsed_s": None,
    "id": "1" * 32,
    "short_id": "1111",
    "name": "refine_iam",
    "application": "refine",
    "lost_s": None,
}


def running(cycle: int) -> dict:
    history = [
        {"cycle": n, "R1": 0.1 / n, "wR2": 0.2 / n, "max_shift_su": 10.0**-n} for n in range(1, cycle + 1)
    ]
    metrics = history[-1]
    return STATE | {
        "status": "running",
        "step": "running",
        "queue": "",
        "fraction": cycle / 20,
        "text": f"cycle {cycle} of 20",
        "metrics": metrics,
        "figures": [
            {"name": name, "label": figure_label(name), "text": figure_text(name, value)}
            for name, value in metrics.items()
        ],
        "history": history,
        "log": [f"cycle {n}" for n in range(1, cycle + 1)]
        + ["\x1b[31mERROR: nothing serious\x1b[0m", "<b>end</b>"],
    }


def become(page, state: dict) -> None:
    page.evaluate("text => window.change('state', text)", json.dumps(state))


def test_queue_then_cycles_figures_and_a_live_plot(rendered):
    page = rendered("calculation_card", {"state": STATE})
    card = page.locator(".qcc")
    assert "14 before you, about 6 min. Your group may run 8 at once." in card.inner_text()
    assert card.get_by_role("button", name="Plot").is_hidden()
    become(page, running(3))
    text = card.inner_text()
    assert "cycle 3 of 20" in text
    assert re.search(r"R1\s+0\.0333\b", text)
    assert card.get_by_role("progressbar").get_attribute("aria-valuenow") == "15"
    card.get_by_role("button", name="Plot").click()
    canvas = card.locator(".qch-panel > canvas").first
    canvas.focus()
    page.keyboard.press("ArrowRight")
    assert card.locator(".qch-says").inner_text() == "cycle: 1, R1: 0.1"
    become(page, running(4))
    canvas = card.locator(".qch-panel > canvas").last
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert card.locator(".qch-says").inner_text() == "cycle: 4, max shift/s.u.: 1.00e−4"


def test_log_is_searched_and_shown_as_text(rendered):
    page = rendered("calculation_card", {"state": running(2)})
    page.get_by_role("button", name="Log", exact=True).click()
    log = page.get_by_role("log")
    assert "<b>end</b>" in log.inner_text()
    assert "\x1b" not in log.inner_text()
    page.get_by_label("Search the log").fill("cycle 2")
    assert log.inner_text().strip() == "cycle 2"
    page.get_by_role("button", name="first error").click()
    assert "nothing serious" in log.locator(".qcc-first").inner_text()


def test_cancel_asks_once_and_lost_connection_is_said(rendered):
    page = rendered("calculation_card", {"state": running(2) | {"lost_s": 20.0}})
    assert (
        "Connection lost 20 s ago; the calculation is still running. Retrying…"
        in page.locator(".qcc").inner_text()
    )
    page.get_by_role("button", name="Cancel").click()
    assert page.evaluate("window.sent") == []
    page.get_by_role("button", name="Really cancel?").click()
    assert page.evaluate("window.sent") == [{"do": "cancel"}]
    become(page, running(2) | {"status": "cancelled", "final": True})
    assert page.locator(".qcc-state").inner_text() == "⊘ cancelled"
    assert page.get_by_role("button", name="cancelling").is_hidden()
