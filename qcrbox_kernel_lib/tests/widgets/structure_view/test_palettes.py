"""Colours and spoken names of elements: every element has one in every palette."""

from __future__ import annotations

import re

import gemmi
import pytest
from qcrbox.widgets.structure_view.element_names import element_name
from qcrbox.widgets.structure_view.palettes import NAMES, colour, rgb

ELEMENTS = [gemmi.Element(number).name for number in range(1, 104)] + ["D", ""]


@pytest.mark.parametrize("palette", NAMES)
def test_every_element_has_a_colour(palette):
    for element in ELEMENTS:
        assert re.fullmatch("#[0-9a-f]{6}", colour(element, palette)), element


def luminance(text: str) -> float:
    """Relative luminance of WCAG 2.1 from linear sRGB."""
    linear = [c / 255 / 12.92 if c <= 10.3 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb(text)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    ("one", "other"), [("C", "N"), ("C", "O"), ("N", "O"), ("O", "S"), ("C", "H"), ("H", "D")]
)
def test_common_elements_differ_in_every_palette(one, other):
    for palette in NAMES:
        assert colour(one, palette) != colour(other, palette)


def test_in_grey_heavier_elements_are_darker():
    shades = [luminance(colour(element, "grey")) for element in ("H", "C", "N", "O")]
    assert shades == sorted(shades, reverse=True)


def test_grey_is_grey():
    for element in ELEMENTS:
        assert len(set(rgb(colour(element, "grey")))) == 1


@pytest.mark.parametrize(("symbol", "name"), [("C", "carbon"), ("D", "deuterium"), ("Fe", "iron"), ("W", "tungsten"), ("Pu", "plutonium"), ("", "no element"), ("Q", "Q")])  # fmt: skip
def test_elements_are_spoken_by_their_names(symbol, name):
    assert element_name(symbol) == name


def test_every_element_up_to_einsteinium_has_a_name():
    assert [each for each in ELEMENTS[:99] if element_name(each) == each] == []
