"""History of a refinement: columns, first and last values, the sentence, the line of convergence."""

from __future__ import annotations

import pytest
from qcrbox.display.history import History

ROWS = [
    {"at": 1.0, "cycle": 1, "R1": 0.2, "wR2": 0.5, "max_shift_su": 12.0},
    {"at": 2.0, "cycle": 2, "R1": 0.05, "wR2": 0.12, "max_shift_su": 0.4},
    {"at": 3.0, "cycle": 3, "R1": 0.0417, "wR2": 0.1104, "max_shift_su": 0.004},
    {"at": 4.0, "converged": 1.0, "R1": 0.0417, "residual_max": 0.31},
]


def test_the_time_of_a_message_is_no_metric():
    history = History(ROWS)
    assert history.columns == ["cycle", "R1", "wR2", "max_shift_su", "converged", "residual_max"]
    assert history[0] == {"cycle": 1, "R1": 0.2, "wR2": 0.5, "max_shift_su": 12.0}
    assert "at" in ROWS[0]


def test_a_column_has_none_where_a_row_lacks_the_metric():
    history = History(ROWS)
    assert history["cycle"] == [1, 2, 3, None]
    assert history["converged"] == [None, None, None, 1.0]
    assert (len(history), history[-1]["residual_max"], [row["R1"] for row in history][1]) == (4, 0.31, 0.05)


def test_first_and_last_pass_over_rows_without_the_metric_and_keep_zero():
    history = History([{"R1": None}, {"S": 0.0}, {"R1": 0.0}, {"S": None}])
    assert (history.first("S"), history.last("S")) == (0.0, 0.0)
    assert (history.first("R1"), history.last("R1")) == (0.0, 0.0)
    assert history.first("wR2") is None


def test_an_unknown_column_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match="'R2'; there are: cycle, R1"):
        History([{"cycle": 1, "R1": 0.1}])["R2"]
    with pytest.raises(KeyError, match="there are: none"):
        History([])["R1"]


@pytest.mark.parametrize("name", ["thpp", "proof of", "foo", "R1 of f", "thpp-o"])
def test_the_table_has_the_whole_name(name):
    """`.rstrip(" of")` took letters of the name: `proof` became `pr`."""
    assert History(ROWS, name).table().title == f"History of {name}"


def test_without_a_name_the_title_is_history():
    assert History(ROWS).table().title == "History"


def test_the_sentence_tells_begin_and_end():
    assert History(ROWS[:3]).summary() == (
        "3 cycles, R1 from 0.2 to 0.0417, wR2 from 0.5 to 0.1104, max shift/s.u. from 12 to 0.004."
    )


def test_the_line_of_convergence_is_that_of_the_refinement():
    """A last shift of 0.004 s.u. is converged for `refine`; the line stood at 0.001 and said otherwise."""
    convergence = History(ROWS).plot().chart.panels[1]
    ((level, words),) = convergence.levels
    assert level == pytest.approx(0.01)
    assert words == "converged < 0.01"
    assert convergence.y.log


def test_points_stand_at_the_number_of_their_row_and_texts_are_left_out():
    panel = History([{"R1": 0.2}, {"R1": "?"}, {"cycle": 1, "R1": 0.1}]).plot().chart.panels[0]
    assert list(panel.series[0].x) == [1, 3]
    assert list(panel.series[0].y) == [0.2, 0.1]


def test_the_goodness_of_fit_has_a_panel_where_it_was_reported():
    assert [panel.title for panel in History(ROWS).plot().chart.panels] == ["Agreement", "Convergence"]
    assert History([{"S": 1.1, "R1": 0.1}]).plot().chart.panels[-1].title == "Goodness of fit"


def test_shifts_that_nobody_reported_have_neither_line_nor_logarithm():
    convergence = History([{"R1": 0.1}]).plot().chart.panels[1]
    assert not convergence.levels
    assert not convergence.y.log


def test_an_empty_history_says_so():
    assert repr(History([])) == "<History: empty>"
    with pytest.raises(ValueError, match="no metrics"):
        History([]).plot()


def test_metrics_are_asked_for_with_in_and_rows_by_place():
    history = History([{"cycle": 1, "R1": 0.1}, {"cycle": 2, "R1": 0.05}])
    assert "R1" in history
    assert "wR2" not in history
    assert history[-1] == {"cycle": 2, "R1": 0.05}
    assert history[:1] == [{"cycle": 1, "R1": 0.1}]


def test_one_cycle_is_one_cycle():
    assert History([{"R1": 0.1}]).summary().startswith("1 cycle, ")
