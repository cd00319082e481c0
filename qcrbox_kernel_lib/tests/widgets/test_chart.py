"""Charts: the same data for pointer, keys and paper."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from qcrbox.display.history import History
from qcrbox.widgets.chart import ORANGE, Axis, Chart, Panel, Picture, Series
from qcrbox.widgets.chart.figure import drawn

NAMES = ["1 0 0", "0 2 -1", "3 1 4"]
ROWS = [
    {
        "cycle": n,
        "R1": 0.1 / n,
        "wR2": 0.3 / n,
        "S": 1.5,
        "max_shift_su": 10.0 ** (1 - n),
        "mean_shift_su": 10.0**-n,
    }
    for n in range(1, 6)
]


@pytest.fixture
def chart():
    points = Series([1, 10, 100], [2, 9, 120], labels=NAMES)
    line = Series([1, 100], [1, 100], "equal", "line", ORANGE)
    panel = Panel(
        Axis("Fc", log=True), Axis("Fo", log=True), [line, points], title="Test", levels=[(5.0, "five")]
    )
    return Chart([panel], picks="omit")


def test_figure_has_axes_labels_and_points(chart):
    (axes,) = drawn(chart).axes
    assert (axes.get_xlabel(), axes.get_xscale(), axes.get_title()) == ("Fc", "log", "Test")
    assert [text.get_text() for text in axes.texts] == [*NAMES, "five"]
    canvas = FigureCanvasAgg(drawn(chart))
    canvas.draw()
    assert len(np.unique(np.asarray(canvas.buffer_rgba()).reshape(-1, 4), axis=0)) > 10


def test_history_has_a_panel_for_each_kind_of_figure():
    picture = History(ROWS, "x").plot()
    agreement, convergence, goodness = picture.chart.panels
    assert [series.name for series in agreement.series] == ["R1", "wR2"]
    assert convergence.y.log
    assert convergence.levels == [(0.01, "converged < 0.01")]
    assert goodness.series[0].y == (1.5,) * 5
    assert History([{"cycle": 1, "R1": 0.1}]).plot().chart.panels[1].series == []


@pytest.mark.slow
@pytest.mark.browser
def test_pointer_and_keys_read_points_and_clicks_collect_them(rendered, chart):
    page = rendered("chart", {"chart": chart.packed(), "alt": "Three points."})
    page.locator(".qch canvas").first.wait_for()
    canvas = page.locator(".qch-panel > canvas")
    assert "Three points." in canvas.get_attribute("aria-label")
    said = page.locator(".qch-says")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    assert said.inner_text() == "1 0 0 – Fc: 1, Fo: 2"
    page.keyboard.press("ArrowRight")
    assert said.inner_text() == "0 2 -1 – Fc: 10, Fo: 9"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".qch-code").inner_text() == 'omit="0 2 -1; 3 1 4"'
    page.keyboard.press("Escape")
    assert said.inner_text().strip() == ""
    box = canvas.bounding_box()
    hits = set()
    for x in range(62, int(box["width"]) - 10, 19):
        for y in range(26, 266, 19):
            page.mouse.move(box["x"] + x, box["y"] + y)
            hits.add(said.inner_text().split(" – ")[0])
    assert hits >= set(NAMES)


@pytest.mark.slow
@pytest.mark.browser
def test_dragging_zooms_and_a_double_click_shows_everything(rendered, chart):
    page = rendered("chart", {"chart": chart.packed(), "alt": ""})
    canvas = page.locator(".qch-panel > canvas")
    canvas.wait_for()
    page.wait_for_timeout(200)
    whole = canvas.screenshot()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 160, steps=3)
    page.mouse.up()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    assert canvas.screenshot() != whole
    canvas.dblclick(position={"x": 3, "y": 300})
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(100)
    assert canvas.screenshot() == whole


def test_picture_without_chart_still_has_its_figure():
    figure = object()
    assert Picture(figure, "words").figure is figure
