"""Charts as data: what is sent to the browser, and the figure with the same content."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qcrbox.widgets.chart import Axis, Chart, Panel, Picture, Series, as_array
from qcrbox.widgets.chart.figure import drawn


def panel(*series, **more):
    return Panel(Axis("x / Å", log=False), Axis("y", log=True, low=0.1, high=10.0), series, **more)


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([1, 2.5], [1, 2.5]),
        ((1, None, 3), [1, np.nan, 3]),
        (np.array([1, 2], dtype=np.int32), [1, 2]),
        ([], []),
        ([None], [np.nan]),
        (range(3), [0, 1, 2]),
    ],
    ids=["list", "gap", "array", "nothing", "unknown", "range"],
)
def test_numbers_have_nan_where_there_is_none(values, numbers):
    np.testing.assert_array_equal(as_array(values), numbers)


def test_points_travel_as_bytes_and_everything_else_as_json():
    packed = Chart([panel(Series([1, 2], [3, None], "s", labels=["1 0 0", "0 1 0"]))], picks="omit").packed()
    (sent,) = packed["panels"][0]["series"]
    assert np.frombuffer(sent.pop("x"), "<f4").tolist() == [1, 2]
    assert np.isnan(np.frombuffer(sent.pop("y"), "<f4")[1])
    assert sent["labels"].split("\n") == ["1 0 0", "0 1 0"]
    assert json.loads(json.dumps(packed))["picks"] == "omit"
    assert packed["panels"][0]["y"] == {"label": "y", "log": True, "low": 0.1, "high": 10.0, "ticks": []}


def test_levels_and_ticks_are_lists_for_the_browser():
    top = Axis("d / Å", ticks=[(0.5, "1")])
    packed = Chart([panel(levels=[(1.0, "one")], top=top)]).packed()["panels"][0]
    assert packed["levels"] == [[1.0, "one"]]
    assert packed["top"]["ticks"] == [[0.5, "1"]]


def test_the_figure_has_a_pair_of_axes_for_each_panel_with_scales_limits_and_levels():
    chart = Chart(
        [panel(Series([1, 2], [1, 2], "s"), levels=[(1.0, "one"), (2.0, "")], title="t"), panel(square=True)]
    )
    first, second = drawn(chart).axes
    assert (first.get_xlabel(), first.get_yscale(), first.get_ylim(), first.get_title()) == (
        "x / Å",
        "log",
        (0.1, 10.0),
        "t",
    )
    assert [text.get_text() for text in first.texts] == ["one"]
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["s"]
    assert second.get_legend() is None
    assert second.get_aspect() == 1.0


@pytest.mark.parametrize(("count", "named"), [(12, 12), (13, 0)])
def test_few_points_are_named_in_print_and_many_are_not(count, named):
    labels = [str(n) for n in range(count)]
    (axes,) = drawn(Chart([panel(Series(range(count), range(1, count + 1), labels=labels))])).axes
    assert len(axes.texts) == named


@pytest.mark.parametrize(
    ("kind", "line", "marker"), [("points", "None", "o"), ("line", "-", "None"), ("both", "-", "o")]
)
def test_a_series_is_points_a_line_or_both(kind, line, marker):
    (axes,) = drawn(Chart([panel(Series([1, 2], [1, 2], kind=kind, marker="o"))])).axes
    drawn_as = axes.lines[0].get_linestyle(), axes.lines[0].get_marker()
    assert tuple(str(each).lower() for each in drawn_as) == (line.lower(), marker.lower())


def test_an_empty_series_is_drawn():
    assert drawn(Chart([panel(Series([], []))])).axes


def test_the_sentence_of_a_picture_is_escaped():
    shown = Picture.of(Chart([panel(Series([1], [1]))]), '"><script>')._repr_mimebundle_()
    assert "<script>" not in shown["text/html"]
    assert shown["text/plain"] == '<Picture: "><script>>'


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_picture_is_saved_in_the_format_of_its_suffix(tmp_path, suffix, start):
    picture = Picture.of(Chart([panel(Series([1], [1]))]), "one point")
    path = tmp_path / f"a.{suffix}"
    assert picture.save(str(path), dpi=30) == str(path)
    assert path.read_bytes().startswith(start)
