"""Symbols as print sets them; the text they are made from is what code gets."""

from __future__ import annotations

import pytest
from qcrbox.markup import Table, cell_html, pairs_html
from qcrbox.markup.symbols import figure_symbol, space_group_symbol

BAR = "<span style='text-decoration:overline'>{}</span>"


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        ("P 1 21/n 1", "<i>P</i>2<sub>1</sub>/<i>n</i>"),
        ("P 21 21 21", "<i>P</i>2<sub>1</sub>2<sub>1</sub>2<sub>1</sub>"),
        ("P -1", f"<i>P</i>{BAR.format(1)}"),
        ("P 1\u0305", f"<i>P</i>{BAR.format(1)}"),
        ("P -4 21 m", f"<i>P</i>{BAR.format(4)}2<sub>1</sub><i>m</i>"),
        ("F d -3 m :2", f"<i>F</i><i>d</i>{BAR.format(3)}<i>m</i>:2"),
        ("P 1", "<i>P</i>1"),
    ],
)
def test_a_space_group_is_set_with_subscripts_and_bars(text, set_as):
    symbol = space_group_symbol(text)
    assert symbol == text
    assert cell_html(symbol) == f"<span title='{text}'>{set_as}</span>"


@pytest.mark.parametrize("text", ["", "?", "<b>P 1", "unknown", "P <i>"])
def test_what_is_no_symbol_stays_and_is_escaped(text):
    assert space_group_symbol(text) == text
    assert "<" not in cell_html(space_group_symbol(text))


@pytest.mark.parametrize(
    ("text", "html"),
    [("R1", "<i>R</i>1"), ("wR2", "<i>wR</i>2"), ("S", "<i>S</i>"), ("R1 before", "R1 before"), ("Z", "Z")],
)
def test_letters_of_figures_of_merit_are_italic(text, html):
    assert html in cell_html(figure_symbol(text))
    assert str(figure_symbol(text)) == text


def test_heads_and_labels_are_set_and_code_reads_them_as_text():
    table = Table(("name", figure_symbol("R1")), [("azu", 0.0412)])
    assert "<i>R</i>1" in table.html()
    assert "R1" in table.text().splitlines()[0]
    assert table["R1"] == [0.0412]
    assert "<i>wR</i>2" in pairs_html([("wR2", "0.1"), ("formula", "C6 H6")])
